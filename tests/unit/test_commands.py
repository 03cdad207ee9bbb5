"""The commands are imported when they are wanted, and each with what it needs alone."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from coldtrail.cli import COMMANDS, main
from coldtrail.export_command import export_group
from coldtrail.lazy_group import LazyGroup
from coldtrail.readings_cli import verify_group

UNWANTED = {
    "coldtrail.cli": {"sqlalchemy", "flask", "paho", "api", "inventory", "mqtt_ingest"},
    "coldtrail.ingest_command": {"flask", "gunicorn", "marshmallow", "cryptography", "pyarrow", "scipy"},
    "coldtrail.serve_command": {"pyarrow"},
}


@pytest.mark.parametrize("group", [main, export_group, verify_group], ids=lambda group: str(group.name))
def test_each_command_is_where_it_is_said_to_be_and_bears_its_name(group: LazyGroup) -> None:
    context = click.Context(group)
    names = group.list_commands(context)
    assert names == sorted(set(names))
    found = [group.get_command(context, name) for name in names]
    assert [command.name for command in found if command] == names


def test_the_help_lists_every_command() -> None:
    told = CliRunner().invoke(main, ["--help"]).output
    assert all(f"\n  {name} " in told for name in COMMANDS)


@pytest.mark.parametrize("module", UNWANTED)
def test_a_process_imports_nothing_that_it_has_no_use_for(module: str) -> None:
    asked = f"import sys, {module}; print(*{{each.partition('.')[0] for each in sys.modules}})"
    imported = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout
    assert set(imported.split()) & UNWANTED[module] == set()
