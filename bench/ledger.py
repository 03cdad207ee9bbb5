"""How fast the ledger is, as ratios within one run: `python -m bench.ledger` prints one JSON line for each measure.

`bare`: administrations against a handler that does the same writes by hand. `lists`: doses in lists against doses one
by one. `history` and `board`: an administration and the deadlines board with ten million doses of history against ten
thousand. It exits with 1 where a ratio is not met.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import click

from bench import county, history, orders, rounds, serving
from bench.county import Nurse
from bench.databases import Server
from bench.load import Address
from bench.rounds import Contender

SERVER = os.environ.get("COLDTRAIL_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
FEW, MANY = 10_000, 10_000_000
"""Doses of history."""


@dataclass(frozen=True)
class Installation:
    """A county that is served: its database, where it is asked, and by whom."""

    url: str
    address: Address
    nurses: list[Nurse]


@dataclass(frozen=True)
class Bench:
    """What is measured where, and for how long; each installation is made when it is first asked for, and shared."""

    server: Server
    rounds: int
    seconds: float
    doses: int
    stack: ExitStack
    made: dict[int, Installation] = field(default_factory=dict)

    def installation(self, doses: int) -> Installation:
        """A county with so many doses of history."""
        if doses not in self.made:
            self.made[doses] = self.stack.enter_context(_installed(self.server, doses))
        return self.made[doses]

    def compare(self, first: Contender, second: Contender) -> dict[str, object]:
        """One against the other, in turns."""
        return rounds.comparison(first, second, self.rounds, self.seconds)


@contextmanager
def _installed(server: Server, doses: int) -> Iterator[Installation]:
    """A county with so many doses of history and the open custodies of a day, served by `coldtrail serve`."""

    def fill(url: str) -> None:
        click.echo(f"writing {doses:,} doses of history", err=True)
        county.build(url)
        history.write(url, history.used_up(doses, datetime.now(UTC)))

    server.template(str(doses), fill)
    with server.copy(str(doses)) as url:
        for deliveries in history.still_open(datetime.now(UTC)):
            history.write(url, deliveries)
        nurses = county.nurses(url)
        with serving.coldtrail(url) as address:
            yield Installation(url, address, nurses)


def board(bench: Bench) -> dict[str, object]:
    """What the deadlines board costs with much history, against little."""
    return bench.compare(*(_board(name, bench.installation(doses)) for name, doses in _depths(bench)))


def _board(name: str, there: Installation) -> Contender:
    return Contender(name, there.address, orders.board(there.nurses[0]), connections=1)


def past(bench: Bench) -> dict[str, object]:
    """What an administration costs with much history, against little."""
    return bench.compare(*(_administrations(name, bench.installation(doses)) for name, doses in _depths(bench)))


def _administrations(name: str, there: Installation) -> Contender:
    return Contender(name, there.address, orders.administrations(there.nurses))


def _depths(bench: Bench) -> tuple[tuple[str, int], tuple[str, int]]:
    """How often little is done for each time that much is: what one costs of the other."""
    return ("little", FEW), ("much", bench.doses)


def bare(bench: Bench) -> dict[str, object]:
    """Administrations a second, against the handler that does the same writes and nothing else."""
    here = bench.installation(FEW)
    with serving.bare(here.url) as address:
        by_hand = Contender("bare", address, orders.by_hand(here.url, here.nurses))
        return bench.compare(_administrations("coldtrail", here), by_hand)


def lists(bench: Bench) -> dict[str, object]:
    """Doses a second in lists, against doses one by one."""
    here = bench.installation(FEW)
    many = Contender("lists", here.address, orders.lists(here.nurses), orders.LIST)
    return bench.compare(many, _administrations("one by one", here))


@dataclass(frozen=True)
class Measure:
    """A measurement, and the ratio that is to be met: at least, or at most."""

    run: Callable[[Bench], dict[str, object]]
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, ratio: float) -> bool:
        """Whether a ratio is good enough."""
        return (self.at_least is None or ratio >= self.at_least) and (self.at_most is None or ratio <= self.at_most)


MEASURES = {
    "board": Measure(board, at_most=1.2),
    "history": Measure(past, at_most=1.2),
    "bare": Measure(bare, at_least=0.6),
    "lists": Measure(lists, at_least=5.0),
}
"""In the order in which they are run: the board before what changes it."""


@click.command(context_settings={"max_content_width": 110})
@click.argument("measures", nargs=-1, type=click.Choice([*MEASURES]))
@click.option("--server", "url", default=SERVER, help="a PostgreSQL server, where databases may be created")
@click.option("--rounds", "count", default=9, show_default=True, help="pairs of rounds that are counted")
@click.option("--seconds", default=3.0, show_default=True, help="of a round")
@click.option("--doses", default=MANY, show_default=True, help="of the much history")
@click.option("--drop", is_flag=True, help="drop the databases that are kept between runs, and end")
def main(measures: tuple[str, ...], url: str, count: int, seconds: float, doses: int, drop: bool) -> None:
    """Measure what is named, or everything; exits with 1 where a ratio is not met."""
    server = Server(url)
    if drop:
        server.drop_all()
        return
    with ExitStack() as stack:
        bench = Bench(server, count, seconds, doses, stack)
        lines = [_measured(name, bench) for name in MEASURES if name in (measures or MEASURES)]
    raise SystemExit(0 if all(line["holds"] for line in lines) else 1)


def _measured(name: str, bench: Bench) -> dict[str, object]:
    """The line of a measure, as it is printed."""
    measure = MEASURES[name]
    found = measure.run(bench)
    needed = {"at_least": measure.at_least} if measure.at_least else {"at_most": measure.at_most}
    holds = measure.holds(float(str(found["ratio"])))
    machine = rounds.machine(bench.server.version())
    line = {"measure": name, **found, **needed, "holds": holds, "machine": machine}
    click.echo(json.dumps(line))
    return line


if __name__ == "__main__":
    main()
