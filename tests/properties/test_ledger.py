"""Laws 1, 2, 3, 6 and 7: any sequence of events, good, bad and back-dated, against a ledger in plain Python."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from inventory.domain.deadlines import Status
from inventory.domain.words import ApplianceKind, End, EventKind, Origin
from inventory.persistence import tables
from inventory.persistence.database import Database
from inventory.services import equipment, products
from inventory.services.board import list_deadlines
from inventory.services.stock import list_stock
from inventory.services.trails import administration_trail
from inventory.services.verification import BatchBalance, verify
from tests.counties import CountyTemplate
from tests.county import HOUR, NOW
from tests.properties.machine_shelf import Shelf
from tests.properties.machine_trips import Trips
from tests.properties.oracle import OPEN_HOURS, THAW_HOURS, THAWING, Held, Lot
from tests.properties.oracle_clocks import Figures, board
from tests.services import PostgresTemplate, SqliteTemplate

MORE = (
    ("COUNTY-FREEZER", "COUNTY", ApplianceKind.FREEZER),
    ("A-BOX", "SITE-A", ApplianceKind.COLD_BOX),
)

VIEWS = (
    (None, NOW),
    (None, NOW + 20 * HOUR),
    (Status.MISSED, NOW + 20 * HOUR),
    (Status.MET, NOW),
    (Status.DUE_SOON, NOW),
    (Status.OPEN, NOW),
)
"""What of the board is looked at, at once and when the first clocks have ended."""


class Laws(Trips, Shelf):
    """Every order there is, and what has to hold after each."""

    @precondition(lambda self: self.last)
    @rule()
    def repeat(self) -> None:
        """Law 3: the same order under the same key is answered as before, and nothing more is written."""
        assert self.last is not None
        again, posted = self.last
        assert again() == posted
        assert not self.wrote()

    @precondition(lambda self: self.written)
    @invariant()
    def the_laws_hold(self) -> None:
        """Each law, after every order that was carried out; one that was refused has written nothing."""
        self.every_dose_is_somewhere_once()
        self.nothing_is_below_zero_at_any_instant()
        self.the_stock_is_that_of_the_oracle()
        self.the_board_is_a_recomputation_from_the_events()
        self.every_dose_given_has_one_chain_to_a_supplier()

    def every_dose_is_somewhere_once(self) -> None:
        """Law 1, by the service's own proof and by the oracle."""
        verdict = verify(self.database)
        assert verdict.holds, verdict
        told = {(each.gtin, each.batch): each for each in verdict.balances}
        assert told == {(lot.gtin, lot.number): self.balance(lot) for lot in self.oracle.lots}

    def balance(self, lot: Lot) -> BatchBalance:
        """Where the doses of a batch are."""
        mine = [each for each in self.oracle.held.values() if each.lot == lot and not each.void]
        left: dict[str, int] = defaultdict(int)
        for held in mine:
            left[held.spot.kind] += held.left
            left["found" if held.found else "received"] += 0 if held.parent else held.doses
            for out in held.outs:
                left[out.end or ""] += out.doses
        return BatchBalance(
            lot.gtin, lot.number, left["received"], left["found"], left["storage"], left["quarantine"], left["transit"],
            *(left[end] for end in (End.ADMINISTERED, End.WASTED, End.RETURNED, End.MISSING)),
        )  # fmt: skip

    def nothing_is_below_zero_at_any_instant(self) -> None:
        """Law 2, by the rows alone: at each instant that anything left a custody, it held as much."""
        with self.database.read() as session:
            custodies = session.execute(select(tables.Custody.id, tables.Custody.opened_at, tables.Custody.doses)).all()
            lines = session.execute(
                select(tables.Movement.from_custody_id, tables.Movement.occurred_at, tables.Movement.doses)
            ).all()
        gone: dict[UUID | None, dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
        for source, at, doses in lines:
            gone[source][at] += doses
        for custody, opened, doses in custodies:
            left = doses
            for at in sorted(gone[custody]):
                left -= gone[custody][at]
                assert left >= 0, custody
                assert at >= opened or not gone[custody][at], custody

    def the_stock_is_that_of_the_oracle(self) -> None:
        stock = list_stock(self.database, None, None, None, 1000).items
        told = {
            line.custody: (line.doses, line.place.kind, line.place.appliance or line.place.shipment) for line in stock
        }
        held = [each for each in self.oracle.held.values() if each.left]
        assert told == {each.id: (each.left, each.spot.kind, each.spot.of) for each in held}

    def the_board_is_a_recomputation_from_the_events(self) -> None:
        """Law 7: one of the board's views after each step, in turn."""
        self.steps += 1
        status, now = VIEWS[self.steps % len(VIEWS)]
        clocks = {key: line for held in self.oracle.held.values() for key, line in board(held, now).items()}
        assert self.told(status, now) == {key: line for key, line in clocks.items() if shows(status, line)}

    def told(self, status: Status | None, now: datetime) -> dict[Any, Any]:
        """The service's board in the oracle's shape."""
        return {
            (each.custody, each.name): (
                each.due_at, each.doses_left, each.doses_met, each.doses_late, each.doses_ended, each.status,
            )
            for each in list_deadlines(self.database, None, status, now, None, 1000).items
        }  # fmt: skip

    def every_dose_given_has_one_chain_to_a_supplier(self) -> None:
        """Law 6; and of a vial of several doses none was given that nobody had opened."""
        given = [each for each in self.oracle.held.values() if any(out.end is End.ADMINISTERED for out in each.outs)]
        for held in given:
            assert held.is_opened or held.lot.per_vial == 1
            assert not held.spot.held
        events = [each for each in self.oracle.events.values() if each.expected.kind is EventKind.ADMINISTER]
        for last in [each for each in events if not each.undone][-1:]:
            chains = administration_trail(self.database, last.id).chains
            assert sum(chain.doses for chain in chains) == sum(line.doses for line in last.expected.lines)
            for chain in chains:
                way = [stage.custody for stage in chain.stages]
                assert [each.custody for each in way] == path(self.oracle.held[way[-1].custody])
                assert [each.origin for each in way] == [Origin.SUPPLIED] + [None] * (len(way) - 1)
                assert way[0].opened_by.kind is EventKind.RECEIVE
                assert not any(each.corrected for each in way)


def shows(status: Status | None, line: Figures) -> bool:
    """Whether a view of the board has a line: all clocks with doses left, or what a status has figures of."""
    _, left, met, late, _, found = line
    if status is None:
        return left > 0
    return status is found and (left + late > 0 if status is not Status.MET else met > 0)


def path(held: Held) -> list[UUID]:
    """The custodies that doses went through, root first."""
    return [*(path(held.parent) if held.parent else ()), held.id]


@pytest.fixture(scope="module")
def equipped(request: pytest.FixtureRequest) -> Iterator[CountyTemplate]:
    """The county with a freezer, a cold box and a product that thaws."""
    plain: CountyTemplate = request.getfixturevalue(f"{request.param}_county")
    with plain.template.clone() as url:
        database = Database(url)
        for code, owner, kind in MORE:
            equipment.add_appliance(database, equipment.ApplianceRecord(code, owner, code.title(), kind))
        frozen = products.ProductRecord(
            THAWING, "Three", 2, "strict-2-8", open_vial_hours=OPEN_HOURS, open_vial_session=True, thaw_hours=THAW_HOURS
        )
        products.add_product(database, frozen)
        database.close()
        if isinstance(plain.template, PostgresTemplate):
            copy: Any = PostgresTemplate(plain.template.server, urlsplit(url).path[1:])
        else:
            copy = SqliteTemplate(Path(url.removeprefix("sqlite:///")))
        yield CountyTemplate(copy, plain.tokens, plain.engine)


@pytest.mark.parametrize("equipped", ["sqlite", "postgresql"], indirect=True)
def test_the_ledger_is_that_of_the_oracle(equipped: CountyTemplate) -> None:
    few = {"sqlite": 24, "postgresql": 6}[equipped.engine]

    class Here(Laws):
        template = equipped

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=few, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
