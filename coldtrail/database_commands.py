"""`coldtrail migrate` and `coldtrail seed`: a database that is ready."""

from pathlib import Path

import click

from coldtrail.telling import open_database, settings, told
from inventory.persistence.migrate import upgrade
from inventory.services import rules


@click.command("migrate")
def migrate_command() -> None:
    """Bring the database to the schema of this version; what is there already stays.

    Example: COLDTRAIL_DATABASE_URL=postgresql://coldtrail:secret@database/coldtrail coldtrail migrate
    """
    url = settings().database_url
    if url.startswith("sqlite:///"):
        _make_folder(Path(url.removeprefix("sqlite:///")).parent)
    with told():
        upgrade(url)
    click.echo("the database has the current schema")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"no folder {folder} for the database: {error.strerror}") from error


@click.command("seed")
def seed_command() -> None:
    """Write the storage profiles and deadline rules that come with Coldtrail; those that are there stay.

    Example: coldtrail seed
    """
    with open_database() as database:
        rules.seed(database)
    rule_sets = dict.fromkeys(rule.rule_set for rule in rules.DEADLINE_RULES)
    click.echo("storage profiles: " + ", ".join(rules.PROFILES) + "; deadline rules: " + ", ".join(rule_sets))
