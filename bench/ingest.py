"""How fast the ingest is, as ratios within one run: `python -m bench.ingest` prints one JSON line for each measure.

`single`: messages of one reading, against a bare paho client that acknowledges them and stores nothing. `fifty`:
readings in messages of fifty, detection and roll-ups included, against binary COPY by hand of the same rows. `depth`:
the latter with a hundred million readings stored, against an empty table. `memory`: what one worker holds while it
drains a million messages. It exits with 1 where a figure is not met.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median

import click

from bench import bare_copy, fleet, mosquitto, stored
from bench.databases import Server
from bench.fleet import Fleet
from bench.rounds import machine

SERVER = os.environ.get("COLDTRAIL_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
FLEET = Fleet(gateways=200, sensors=5)
MANY = 100_000_000
"""Readings that are stored before."""

SINGLE, FULL = 60_000, 4_000
"""Messages of a round, of one reading and of fifty."""

MEGABYTE, MOST_MEGABYTES = 1_000_000, 150


@dataclass
class Place:
    """A database with the fleet, and the number of the next message of each gateway."""

    url: str
    next_seq: int = 1

    def messages(self, number: int, readings: int) -> list[tuple[str, bytes]]:
        """The next messages of the fleet."""
        made = list(FLEET.messages(number, readings, self.next_seq))
        self.next_seq += -(-number // FLEET.gateways)
        return made


@dataclass
class Bench:
    """What is measured where."""

    server: Server
    port: int
    rounds: int
    many: int
    sessions: Iterator[int] = field(default_factory=count)

    @contextmanager
    def place(self, readings: int) -> Iterator[Place]:
        """A database in which so many readings are stored, for one measure."""

        def fill(url: str) -> None:
            click.echo(f"storing {readings:,} readings", err=True)
            FLEET.enrol(url)
            stored.fill(url, FLEET, readings)

        name = f"readings_{readings}"
        self.server.template(name, fill)
        with self.server.copy(name) as url:
            yield Place(url)

    def drained(self, kind: str, messages: list[tuple[str, bytes]], *url: str) -> dict[str, float]:
        """What a process says that drains messages which wait for it in a session."""
        client_id = f"bench-{next(self.sessions)}"
        mosquitto.open_session(self.port, client_id)
        mosquitto.publish(self.port, messages)
        command = [sys.executable, "-m", "bench.draining", kind, str(self.port), client_id, str(len(messages)), *url]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found: dict[str, float] = json.loads(told)
        return found

    def in_turns(self, first: Callable[[], float], second: Callable[[], float]) -> dict[str, object]:
        """The median of what the first did for each that the second did, in pairs that change places."""
        pairs = []
        for number in range(-1, self.rounds):
            if number % 2:
                later = second()
                pair = first(), later
            else:
                pair = first(), second()
            if number >= 0:
                pairs.append(pair)
        ratios = sorted(one / two for one, two in pairs)
        return {
            "ratio": round(median(ratios), 3),
            "spread": [round(ratios[0], 3), round(ratios[-1], 3)],
            "rates": [round(median(one for one, _ in pairs)), round(median(two for _, two in pairs))],
            "rounds": self.rounds,
        }


def single(bench: Bench) -> dict[str, object]:
    """Messages of one reading a second, against a bare client."""
    with bench.place(0) as place:
        return bench.in_turns(
            lambda: bench.drained("ours", place.messages(SINGLE, 1), place.url)["rate"],
            lambda: bench.drained("bare", list(FLEET.messages(SINGLE, 1)))["rate"],
        )


def fifty(bench: Bench) -> dict[str, object]:
    """Readings a second in messages of fifty, against COPY by hand."""
    with bench.place(0) as place:
        bare_copy.prepare(place.url)
        ids, written = fleet.ids(place.url), count()

        def by_hand() -> float:
            first, now = 1 + next(written) * (FULL // FLEET.gateways), datetime.now(UTC)
            measured = FLEET.measured(FULL, 50, first)
            rows = [(ids[one.sensor], one.measured_at, one.temperature, now) for one in measured]
            return bare_copy.store(place.url, rows)

        return bench.in_turns(lambda: _readings(bench, place), by_hand)


def depth(bench: Bench) -> dict[str, object]:
    """Readings a second with very many stored, against an empty table."""
    with bench.place(bench.many) as much, bench.place(0) as empty:
        return bench.in_turns(lambda: _readings(bench, much), lambda: _readings(bench, empty))


def _readings(bench: Bench, place: Place) -> float:
    return 50 * bench.drained("ours", place.messages(FULL, 50), place.url)["rate"]


def memory(bench: Bench) -> dict[str, object]:
    """The most memory, in megabytes, while a million messages are drained."""
    with bench.place(0) as place:
        found = bench.drained("ours", place.messages(1_000_000, 1), place.url)
    most, early = found["most"] / MEGABYTE, found["early"] / MEGABYTE
    return {"ratio": round(most / MOST_MEGABYTES, 3), "megabytes": round(most), "after_a_fifth": round(early)}


@dataclass(frozen=True)
class Measure:
    """A measurement, and the ratio that is to be met."""

    run: Callable[[Bench], dict[str, object]]
    at_least: float | None = None
    at_most: float | None = None


MEASURES = {
    "single": Measure(single, at_least=0.5),
    "fifty": Measure(fifty, at_least=0.6),
    "depth": Measure(depth, at_least=0.85),
    "memory": Measure(memory, at_most=1.0),
}


@click.command(context_settings={"max_content_width": 110})
@click.argument("measures", nargs=-1, type=click.Choice([*MEASURES]))
@click.option("--server", "url", default=SERVER, help="a PostgreSQL server, where databases may be created")
@click.option("--rounds", default=7, show_default=True, help="pairs of rounds that are counted")
@click.option("--readings", default=MANY, show_default=True, help="that are stored before, for depth")
def main(measures: tuple[str, ...], url: str, rounds: int, readings: int) -> None:
    """Measure what is named, or everything; exits with 1 where a figure is not met."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = stack.enter_context(mosquitto.broker(folder))
        bench = Bench(Server(url), port, rounds, readings)
        lines = [_measured(name, bench) for name in MEASURES if name in (measures or MEASURES)]
    raise SystemExit(0 if all(line["holds"] for line in lines) else 1)


def _measured(name: str, bench: Bench) -> dict[str, object]:
    measure = MEASURES[name]
    found = measure.run(bench)
    ratio = float(str(found["ratio"]))
    enough = ratio >= measure.at_least if measure.at_least is not None else ratio <= (measure.at_most or 0)
    needed = {"at_least": measure.at_least} if measure.at_least is not None else {"at_most": measure.at_most}
    line = {"measure": name, **found, **needed, "holds": enough, "machine": machine(bench.server.version())}
    click.echo(json.dumps(line))
    return line


if __name__ == "__main__":
    main()
