"""`python -m soak.fuzz`: made-up messages for as long as asked; each is stored, or kept aside with its reason."""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, seed, settings

from inventory.persistence.database import Database
from inventory.persistence.migrate import upgrade
from tests.county import build
from tests.hostile import Message
from tests.made_up import CHUNKS, take_in_and_compare
from tests.services import postgres_binaries, private_postgres, sqlite_url

EXAMPLES = 200
"""Chunks in a round, at most."""


def main() -> int:
    """Rounds of examples on each database that can be had, until the time is up; a line of JSON in the end."""
    parser = argparse.ArgumentParser(prog="python -m soak.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each next has the next one")
    arguments = parser.parse_args()
    began, rounds = time.monotonic(), 0
    with ExitStack() as opened:
        databases = [opened.enter_context(closing(database)) for database in _databases(opened)]
        while time.monotonic() - began < arguments.minutes * 60:
            _round(databases[rounds % len(databases)], arguments.seed + rounds)
            rounds += 1
    summary = {"rounds": rounds, "chunks": rounds * EXAMPLES, "engines": len(databases), "holds": True}
    sys.stdout.write(json.dumps(summary) + "\n")
    return 0


def _round(database: Database, number: int) -> None:
    """Hypothesis prints the smallest chunk that fails, and raises what it raised."""

    @seed(number)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(chunk=CHUNKS)
    def one_round(chunk: list[Message]) -> None:
        take_in_and_compare(database, chunk)

    one_round()


def _databases(opened: ExitStack) -> Iterator[Database]:
    folder = Path(opened.enter_context(TemporaryDirectory(prefix="coldtrail-fuzz-")))
    yield _county(sqlite_url(folder / "fuzz.db"))
    binaries = postgres_binaries()
    if binaries:
        server = opened.enter_context(private_postgres(binaries))
        yield _county(server.url(opened.enter_context(server.database())))


def _county(url: str) -> Database:
    upgrade(url)
    database = Database(url)
    build(database)
    return database


if __name__ == "__main__":
    raise SystemExit(main())
