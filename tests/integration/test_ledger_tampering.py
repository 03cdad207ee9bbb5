"""Rows whose counterpart is gone are found and named, whatever the database let somebody delete."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import ForeignKeyConstraint, and_, delete, select, update
from sqlalchemy.orm import Session

from inventory.persistence.columns import Base
from inventory.persistence.statements import core
from inventory.persistence.tables import (
    AdverseEvent,
    Batch,
    Custody,
    Deadline,
    Facility,
    Location,
    Movement,
    Pack,
    PackRegistration,
    Shipment,
    StockEvent,
    Token,
)
from inventory.services import verification
from inventory.services.ids import new_id
from tests.county import NOW
from tests.logs import Logged, logged
from tests.orders import administration, arrival, at_site, dispatch, new_batch, receipt, stated
from tests.services import Template
from tests.tampering import tampered

LEDGER = (StockEvent, Custody, Movement, Deadline, Pack, PackRegistration, Shipment, Location, AdverseEvent)
LINKS = [
    pytest.param(table, link, id=f"{core(table).name}.{'.'.join(link.column_keys)}")
    for table in LEDGER
    for link in sorted(core(table).foreign_key_constraints, key=lambda each: tuple(each.column_keys))
]


@pytest.fixture(scope="module")
def there(database_template: Template) -> Iterator[Logged]:
    with database_template.clone() as url, logged(url) as found:
        client, batch = found.server.client, new_batch()
        packs = [{"code": f"{batch}-CARTON"}, {"code": f"{batch}-VIAL", "doses": 10, "parent": f"{batch}-CARTON"}]
        order = receipt(batch, 10, facility="COUNTY", appliance="COUNTY-ROOM", packs=packs)
        client.post("/receipts", order).ok()
        shipment = client.post("/shipments", dispatch(batch, 10)).ok()["shipment"]
        client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
        wrong = client.post("/administrations", administration(at_site(client)), "nurse-a").ok()["events"][0]["id"]
        client.post(f"/events/{wrong}/reversal", {"occurred_at": stated(NOW), "reason": "a slip"}, "nurse-a").ok()
        yield found


def found_in(session: Session) -> list[str]:
    return [each for each in verification.faults(session) if "guard" not in each]


def test_nothing_is_found_where_nothing_was_changed(there: Logged) -> None:
    with tampered(there.database) as session:
        assert found_in(session) == []


@pytest.mark.parametrize(("table", "link"), LINKS)
def test_a_row_that_names_what_is_not_there_is_found_and_named(
    there: Logged, table: type[Base], link: ForeignKeyConstraint
) -> None:
    mine = core(table)
    column = next(each for each in link.columns if each.name != "batch_id" or len(link.columns) == 1)
    key = next(iter(mine.primary_key.columns))
    with tampered(there.database) as session:
        query = select(mine).where(column.is_not(None)).order_by(key.desc())
        row = session.execute(query).mappings().first()
        assert row is not None
        nowhere = "NOWHERE" if column.type.python_type is str else new_id()
        chosen = and_(*(each == row[each.name] for each in mine.primary_key.columns))
        session.execute(update(mine).where(chosen).values({column.name: nowhere}))
        found = found_in(session)
    told = row[key.name] if column is not key else nowhere
    assert f"{mine.name} {told}: its {column.name} {nowhere} is not in {link.referred_table.name}" in found, found


@pytest.mark.parametrize(
    "table", [StockEvent, Custody, Shipment, Location, Facility, Token, Batch], ids=lambda table: core(table).name
)
def test_a_deleted_row_that_others_name_is_found_and_named(there: Logged, table: type[Base]) -> None:
    mine = core(table)
    named = {
        StockEvent: select(Movement.event_id),
        Custody: select(Custody.id).where(Custody.remaining == 0, Custody.id.in_(select(Deadline.custody_id))),
        Shipment: select(StockEvent.shipment_id).where(StockEvent.shipment_id.is_not(None)),
        Location: select(Custody.location_id),
        Facility: select(StockEvent.facility_id),
        Token: select(StockEvent.actor_id),
        Batch: select(StockEvent.batch_id),
    }
    with tampered(there.database) as session:
        gone = session.scalars(named[table].limit(1)).one()
        session.execute(delete(mine).where(mine.c.id == gone))
        found = found_in(session)
    assert any(f" {gone} is not in {mine.name}" in each for each in found), found


@pytest.mark.parametrize("table", [StockEvent, Movement], ids=lambda table: core(table).name)
def test_a_correction_of_what_is_not_there_is_found_and_named(there: Logged, table: type[Base]) -> None:
    mine = core(table)
    with tampered(there.database) as session:
        correction = session.execute(select(mine).where(mine.c.reverses_id.is_not(None))).mappings().first()
        assert correction is not None
        session.execute(delete(mine).where(mine.c.id == correction["reverses_id"]))
        found = found_in(session)
    name = f"{mine.name} {correction['id']}: its reverses_id {correction['reverses_id']} is not in {mine.name}"
    assert name in found, found


def test_another_expiry_than_the_receipts_state_is_found(there: Logged) -> None:
    with tampered(there.database) as session:
        session.execute(update(Batch).values(expiry=date(2031, 1, 1)))
        found = found_in(session)
    assert found
    assert all("it expires on 2031-01-01, and was received as one of" in fault for fault in found)


def test_a_receipt_that_was_refused_says_nothing_of_the_batch(there: Logged) -> None:
    """Its expiry may have been mistyped, and the goods come once more with the right one."""
    client, batch = there.server.client, new_batch()
    order = receipt(batch, 10, facility="COUNTY", appliance="COUNTY-ROOM")
    client.post("/receipts", order | {"outcome": "refuse", "reason": "a wet box", "expiry": "2027-05-05"}).ok()
    client.post("/receipts", order).ok()
    with tampered(there.database) as session:
        assert found_in(session) == []
