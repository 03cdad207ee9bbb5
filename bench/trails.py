"""How fast trails are: `python -m bench.trails` prints one JSON line for each measure.

`dose` and `pack`: the trail of a given dose and of a pack, exposures included, against the same SQL sent by psycopg.
`dose-depth` and `pack-depth`: the same with much history against little. `tree`: the whole tree of a batch of a
thousand sites, in seconds. `packs` and `audit` are those of bench.packs and bench.audit. It exits with 1 where one is
not met.
"""

import gc
import importlib
import json
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import UUID

import click
import psycopg

from bench import by_hand, county, rounds, trail_data
from bench.databases import Server
from bench.trail_data import History
from coldtrail.processes import spare_the_collector
from inventory.persistence.database import Database
from inventory.services import trails

SERVER = os.environ.get("COLDTRAIL_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
FEW, MANY, SITES = 10_000, 300_000, 1_000
"""Doses of little and of much history, and sites of the batch; the full size of much is ten million doses."""

GIVEN, PER_BATCH, APART = 30, 100, timedelta(seconds=90)
"""Doses given of a delivery, deliveries of a batch, and the time from one to the next."""

ASKED = 100
"""Different doses, or packs, that are asked for in turn."""

Call = Callable[[], object]


@dataclass
class Bench:
    """What is measured where; each database is made when it is first asked for, and dropped at the end."""

    server: Server
    rounds: int
    doses: int
    sites: int
    each: int
    stack: ExitStack
    made: dict[str, str] = field(default_factory=dict)

    def history(self, doses: int) -> str:
        """The URL of a county with so many given doses, as dense in time and in batches whatever their number."""
        deliveries = doses // GIVEN
        now = datetime.now(UTC)
        span = History.stands + History.travels + History.lasts + deliveries * APART
        told = History(deliveries, GIVEN, county.SITES, max(1, deliveries // PER_BATCH), now - span, now)
        return self._database(f"trails_{doses}", told)

    def batch(self) -> str:
        """The URL of a county with one batch, given at all sites."""
        now = datetime.now(UTC)
        told = History(self.sites, self.each, self.sites, 1, now - timedelta(days=12), now - timedelta(hours=1))
        return self._database(f"trails_batch_{self.sites}", told)

    def _database(self, name: str, told: History) -> str:
        if name not in self.made:
            self.made[name] = self.stack.enter_context(_filled(self.server, name, told))
        return self.made[name]

    def database(self, url: str) -> Database:
        """A database, closed at the end."""
        found = Database(url)
        self.stack.callback(found.close)
        return found


@contextmanager
def _filled(server: Server, name: str, told: History) -> Iterator[str]:
    click.echo(f"writing {told.deliveries * told.given:,} given doses", err=True)
    with server.temporary(name) as url:
        trail_data.write(url, told)
        yield url


def _dose_calls(database: Database, url: str) -> list[Call]:
    ids = [UUID(each) for each in trail_data.doses(url, ASKED)]
    return [lambda each=each: trails.administration_trail(database, each) for each in ids]  # type: ignore[misc]


def _pack_calls(database: Database, url: str) -> list[Call]:
    now = datetime.now(UTC)
    codes = trail_data.packs(url, ASKED, FEW // GIVEN)
    return [lambda code=code: trails.pack_trail(database, code, now) for code in codes]  # type: ignore[misc]


Calls = Callable[[Database, str], list[Call]]


def _time(calls: Sequence[Call]) -> float:
    """Milliseconds of a call, on average."""
    begun = time.perf_counter()
    for call in calls:
        call()
    return (time.perf_counter() - begun) / len(calls) * 1000


def _in_turns(first: Sequence[Call], second: Sequence[Call], count: int) -> list[tuple[float, float]]:
    """What calls of each cost, each pair in the other order than the one before; the first two are not counted."""
    found = []
    for number in range(-rounds.WARM_UP, count):
        if number % 2:
            later = _time(second)
            pair = _time(first), later
        else:
            pair = _time(first), _time(second)
        if number >= 0:
            found.append(pair)
    return found


def _told(pairs: Sequence[tuple[float, float]], ratios: Sequence[float], names: tuple[str, str]) -> dict[str, object]:
    ordered = sorted(ratios)
    return {
        "ratio": round(median(ordered), 3),
        "spread": [round(ordered[0], 3), round(ordered[-1], 3)],
        "milliseconds": {name: round(median(pair[place] for pair in pairs), 3) for place, name in enumerate(names)},
        "rounds": len(pairs),
        "asked": ASKED,
    }


def against_hand(calls: Calls) -> Callable[[Bench], dict[str, object]]:
    """The rate of calls, as a part of that of their statements alone."""

    def measure(bench: Bench) -> dict[str, object]:
        url = bench.history(FEW)
        database = bench.database(url)
        service = calls(database, url)
        with psycopg.connect(url, autocommit=True) as connection:
            heard = bench.database(url)  # another one: to have been listened to slows a database down
            said = [by_hand.recorded(heard, call) for call in calls(heard, url)]
            hand: list[Call] = [lambda each=each: by_hand.send(connection, each) for each in said]  # type: ignore[misc]
            pairs = _in_turns(service, hand, bench.rounds)
        return _told(pairs, [two / one for one, two in pairs], ("coldtrail", "by hand")) | {"statements": len(said[0])}

    return measure


def with_depth(calls: Calls) -> Callable[[Bench], dict[str, object]]:
    """The time of calls with much history, for each of that with little."""

    def measure(bench: Bench) -> dict[str, object]:
        much, little = (bench.history(doses) for doses in (bench.doses, FEW))
        both = [calls(bench.database(url), url) for url in (much, little)]
        pairs = _in_turns(both[0], both[1], bench.rounds)
        return _told(pairs, [one / two for one, two in pairs], ("much", "little")) | {"doses": bench.doses}

    return measure


def tree(bench: Bench) -> dict[str, object]:
    """The seconds of the whole tree of a batch, and what memory it takes beyond what was taken."""
    database = bench.database(bench.batch())
    now = datetime.now(UTC)
    before, seconds, custodies, given = _resident(), [], 0, 0
    for _ in range(3):
        gc.collect()
        begun = time.perf_counter()
        found = trails.batch_trail(database, county.GTIN, "B0", now)
        seconds.append(time.perf_counter() - begun)
        custodies, given = len(found.custodies), found.administered
    megabytes = round(_resident() - before, 1)
    facts = {"sites": bench.sites, "custodies": custodies, "given": given, "megabytes": megabytes}
    return {"ratio": round(median(seconds), 3), "seconds": [round(each, 3) for each in seconds], **facts}


def _resident() -> float:
    """The most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _packs(bench: Bench) -> dict[str, object]:
    """The measure of bench.packs; imported only here, for each benchmark runs without the others."""
    found: dict[str, object] = importlib.import_module("bench.packs").measure(bench.server.admin_url)
    return found


def _audit(_: Bench) -> dict[str, object]:
    """The measure of bench.audit, likewise."""
    found: dict[str, object] = importlib.import_module("bench.audit").measure()
    return found


@dataclass(frozen=True)
class Measure:
    """A measurement, and the bound that is to be met."""

    run: Callable[[Bench], dict[str, object]]
    at_least: float | None = None
    at_most: float | None = None

    def line(self, found: dict[str, object]) -> dict[str, object]:
        """What is printed of it; another benchmark says itself whether it holds."""
        if self.at_least is None and self.at_most is None:
            return found
        ratio = float(str(found["ratio"]))
        if self.at_least is not None:
            return {**found, "at_least": self.at_least, "holds": ratio >= self.at_least}
        return {**found, "at_most": self.at_most, "holds": self.at_most is not None and ratio <= self.at_most}


MEASURES = {
    "dose": Measure(against_hand(_dose_calls), at_least=0.5),
    "pack": Measure(against_hand(_pack_calls), at_least=0.5),
    "dose-depth": Measure(with_depth(_dose_calls), at_most=1.3),
    "pack-depth": Measure(with_depth(_pack_calls), at_most=1.3),
    "tree": Measure(tree, at_most=1.0),
    "packs": Measure(_packs),
    "audit": Measure(_audit),
}


@click.command(context_settings={"max_content_width": 110})
@click.option("--only", type=click.Choice([*MEASURES]), multiple=True, help="measure this and nothing else")
@click.option("--server", "url", default=SERVER, help="a PostgreSQL server, where databases may be created")
@click.option("--rounds", "count", default=9, show_default=True, help="pairs of rounds that are counted")
@click.option("--doses", default=MANY, show_default=True, help="given, of the much history; 10000000 at full size")
@click.option("--sites", default=SITES, show_default=True, help="of the batch")
@click.option("--each", default=100, show_default=True, help="doses that each site gives of it; 1000 at full size")
def main(only: tuple[str, ...], url: str, count: int, doses: int, sites: int, each: int) -> None:
    """Measure what is named, or everything; exits with 1 where a bound is not met."""
    server = Server(url)
    spare_the_collector()
    with ExitStack() as stack:
        bench = Bench(server, count, doses, sites, each, stack)
        lines = [_measured(name, bench) for name in MEASURES if name in (only or MEASURES)]
    raise SystemExit(0 if all(line["holds"] for line in lines) else 1)


def _measured(name: str, bench: Bench) -> dict[str, object]:
    measure = MEASURES[name]
    line = {"measure": name, **measure.line(measure.run(bench)), "machine": rounds.machine(bench.server.version())}
    click.echo(json.dumps(line))
    return line


if __name__ == "__main__":
    main()
