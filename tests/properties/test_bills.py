"""Whatever was ordered, good, bad, back-dated or corrected: a unit's bills, in less out, are its stock."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from inventory.domain.bills import Direction, Document, Note
from inventory.persistence.database import Database
from inventory.services.bills.listing import Bill, list_bills
from inventory.services.events import EventFilter
from inventory.services.stock import list_stock
from tests.counties import CountyTemplate
from tests.properties.machine_shelf import Shelf
from tests.properties.machine_trips import Trips
from tests.properties.test_ledger import equipped as equipped

UNITS = ("CITY", "COUNTY", "SITE-A", "SITE-B")


def bills_of(database: Database, unit: str) -> Iterator[Bill]:
    cursor = None
    while True:
        page = list_bills(database, EventFilter(facility=unit), cursor, 7)
        yield from page.items
        if page.next is None:
            return
        cursor = page.next


def counts(bill: Bill) -> bool:
    """Whether it changes a unit's stock."""
    return bill.document is Document.BILL and bill.cancelled_by is None and Note.ON_THEIR_WAY not in bill.notes


def add_up(database: Database) -> None:
    stock = list_stock(database, None, None, None, 1000)
    assert stock.next is None
    held: Counter[str | None] = Counter()
    for line in stock.items:
        held[line.place.facility] += line.doses
    for unit in UNITS:
        found = list(bills_of(database, unit))
        book = sum(bill.doses if bill.direction is Direction.IN else -bill.doses for bill in found if counts(bill))
        assert book == held[unit], unit
        assert all(bill.doses > 0 for bill in found)
        names = [bill.bill_code for bill in found if bill.document is Document.BILL]
        assert len(names) == len(set(names))
        void = [bill.bill_code for bill in found if bill.document is Document.CANCELLATION]
        assert sorted(void) == sorted(
            bill.bill_code
            for bill in found
            if bill.cancelled_by and bill.bill_code in names and bill.document is Document.BILL
        )


@pytest.mark.parametrize("equipped", ["sqlite", "postgresql"], indirect=True)
def test_bills_add_up_to_the_stock_of_each_unit(equipped: CountyTemplate) -> None:
    few = {"sqlite": 6, "postgresql": 2}[equipped.engine]

    class Here(Trips, Shelf):
        template = equipped

        def teardown(self) -> None:
            try:
                add_up(self.database)
            finally:
                super().teardown()

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=few, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
