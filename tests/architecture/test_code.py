"""How the code is made: where time is asked for, how long things are, and what may not be written anywhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from api.problems import TITLES
from inventory.domain.errors import Code

ROOT = Path(__file__).parents[2]
PACKAGES = ("inventory", "mqtt_ingest", "api", "coldtrail")
MODULES = [
    module
    for package in PACKAGES
    for module in sorted((ROOT / package).rglob("*.py"))
    if "versions" not in module.parts
]
CLOCK = ROOT / "inventory" / "clock.py"
ASKED = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time"),
         ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime")}  # fmt: skip

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(module: Path) -> str:
    return str(module.relative_to(ROOT))


def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def asks_the_time(module: Path) -> Iterator[str]:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if (owner, node.attr) in ASKED:
                yield f"{name_of(module)}:{node.lineno} {owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            for each in node.names:
                if ("time", each.name) in ASKED:
                    yield f"{name_of(module)}:{node.lineno} from time import {each.name}"


def functions(module: Path) -> Iterator[tuple[str, int]]:
    """Each function and its length in lines: its signature and body, without decorators and docstring."""
    for node in ast.walk(tree(module)):
        if isinstance(node, Function):
            assert node.end_lineno is not None
            documented = ast.get_docstring(node, clean=False)
            lines = node.end_lineno - node.lineno + 1 - (documented.count("\n") + 1 if documented else 0)
            yield f"{name_of(module)}:{node.lineno} {node.name}", lines


def test_the_search_for_the_time_finds_it_where_it_is_asked() -> None:
    assert list(asks_the_time(CLOCK))


def test_only_the_clock_asks_the_time() -> None:
    assert [found for module in MODULES if module != CLOCK for found in asks_the_time(module)] == []


def test_no_function_is_longer_than_50_lines() -> None:
    assert [(name, lines) for module in MODULES for name, lines in functions(module) if lines > 50] == []


def test_the_middle_function_is_shorter_than_10_lines() -> None:
    assert median(lines for module in MODULES for _, lines in functions(module)) < 10


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_file_has_fewer_than_300_lines(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) < 300


def test_every_code_has_a_title() -> None:
    assert set(TITLES) == set(Code)


def test_codes_are_words_that_never_meet_twice() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in Code)
    assert len({code.value for code in Code}) == len(Code)


BUILD_FILES = [
    *sorted(ROOT.glob("requirements*")),
    *(ROOT / name for name in ("pyproject.toml", "Makefile", "Dockerfile", "docker-compose.yml", ".ci/run")),
]
INDEX = re.compile(
    r"--(?:extra-)?index-url|--find-links|--trusted-host|PIP_INDEX|pypi\.|pythonhosted|index\.docker\.io"
)


@pytest.mark.parametrize("file", BUILD_FILES, ids=name_of)
def test_no_registry_is_named_where_things_are_built(file: Path) -> None:
    assert INDEX.findall(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", sorted(ROOT.glob("requirements*.txt")), ids=name_of)
def test_requirements_are_pinned_with_hashes_and_come_from_no_address(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert lines
    assert "://" not in text
    for line in lines:
        assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^ ]+ ", line), line
        assert "--hash=sha256:" in line, line
