"""A shipment's row says of its way what its events said: whatever is changed there is refused, or found and named."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from inventory.persistence.database import Database
from inventory.persistence.statements import core
from inventory.persistence.tables import Facility, Shipment, StockEvent
from inventory.services import verification
from inventory.services.ids import new_id
from inventory.services.verification import verify
from tests.county import HOUR, NOW, build
from tests.http import Server, serving
from tests.orders import arrival, at_county, dispatch, stated
from tests.services import Template
from tests.tampering import tampered

TRANSPORT = {"vehicle": "A-1", "departure_celsius": 4.5}
WHOLE, TWICE, BACK, RETURNED, UNDER_WAY = "whole", "in parts", "refused", "returned", "under way"


@pytest.fixture(scope="module")
def server(database_template: Template) -> Iterator[Server]:
    with database_template.clone() as url:
        database = Database(url)
        with serving(build(database)) as found:
            yield found
        database.close()


@pytest.fixture(scope="module")
def trips(server: Server) -> dict[str, UUID]:
    """A shipment of each kind."""
    client = server.client

    def sent(**other: Any) -> str:
        order = dispatch(at_county(client, 20), 20, transport=TRANSPORT)
        return str(client.post("/shipments", order | other).ok()["shipment"])

    def received(shipment: str, **other: Any) -> Any:
        return client.post(f"/shipments/{shipment}/receipts", arrival(**other)).ok()

    whole, twice, back, under_way = sent(), sent(), sent(), sent()
    received(whole)
    lines = client.get(f"/shipments/{twice}").ok()["lines"][0]
    part = {"gtin": lines["gtin"], "batch": lines["batch"], "doses": 5}
    received(twice, lines=[part], occurred_at=stated(NOW - HOUR))
    server.clock.at = NOW + HOUR
    received(twice, lines=[part], occurred_at=stated(NOW))
    way_back = received(back, outcome="refuse", reason="the box was open")["return_shipment"]
    of_site = client.get(f"/shipments/{whole}").ok()["lines"][0]
    order = {
        "facility": "SITE-A", "occurred_at": stated(NOW), "reason": "too many", "transport": TRANSPORT,
        "lines": [{"gtin": of_site["gtin"], "batch": of_site["batch"], "doses": 5}],
    }  # fmt: skip
    returned = client.post("/returns", order).ok()["shipment"]
    found = {WHOLE: whole, TWICE: twice, BACK: way_back, RETURNED: returned, UNDER_WAY: under_way}
    return {name: UUID(each) for name, each in found.items()}


def found_in(session: Session) -> list[str]:
    return [each for each in verification.faults(session) if "guard" not in each]


def forged(session: Session, shipment: UUID, column: str) -> Any:
    """Another value that the column can have."""
    row = session.get_one(Shipment, shipment)
    mine = getattr(row, column)
    if column.endswith("facility_id"):
        return session.scalar(select(Facility.id).where(Facility.id.not_in([row.from_facility_id, row.to_facility_id])))
    if column == "purpose":
        return "transfer" if mine != "transfer" else "supply"
    if column.endswith("_at"):
        return (mine or NOW) + timedelta(minutes=1)
    return (mine or {}) | {"vehicle": "forged"}


COLUMNS = ("from_facility_id", "to_facility_id", "purpose", "dispatched_at", "departure", "arrived_at", "arrival")


def test_nothing_is_found_where_nothing_was_changed(server: Server, trips: dict[str, UUID]) -> None:
    assert len(trips) == 5
    assert verify(server.county.database).faults == ()


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("trip", [WHOLE, TWICE, BACK, RETURNED, UNDER_WAY])
def test_a_changed_column_is_found_and_named(server: Server, trips: dict[str, UUID], trip: str, column: str) -> None:
    with tampered(server.county.database) as session:
        change = {column: forged(session, trips[trip], column)}
        session.execute(update(core(Shipment)).where(core(Shipment).c.id == trips[trip]).values(change))
        found = found_in(session)
    assert any(f"shipment {trips[trip]}: {column}" in each for each in found), found


def test_an_arrival_that_is_taken_away_is_found(server: Server, trips: dict[str, UUID]) -> None:
    with tampered(server.county.database) as session:
        session.execute(update(Shipment).where(Shipment.id == trips[WHOLE]).values(arrived_at=None, arrival=None))
        found = found_in(session)
    assert any(f"shipment {trips[WHOLE]}: arrived_at" in each for each in found), found


def test_the_arrival_of_a_later_receipt_is_found(server: Server, trips: dict[str, UUID]) -> None:
    with tampered(server.county.database) as session:
        session.execute(update(Shipment).where(Shipment.id == trips[TWICE]).values(arrived_at=NOW))
        found = found_in(session)
    assert any(f"shipment {trips[TWICE]}: arrived_at" in each for each in found), found


def test_a_shipment_that_is_gone_or_that_nothing_was_put_on_is_found(server: Server, trips: dict[str, UUID]) -> None:
    mine = core(Shipment)
    with tampered(server.county.database) as session:
        row = dict(session.execute(select(mine).where(mine.c.id == trips[WHOLE])).mappings().one())
        session.execute(delete(mine).where(mine.c.id == trips[WHOLE]))
        another = row | {"id": new_id()}
        session.execute(insert(mine).values(another))
        found = found_in(session)
    assert any(f"its shipment_id {trips[WHOLE]} is not in shipment" in each for each in found), found
    assert any(f"shipment {another['id']}: nothing was ever put on it" in each for each in found), found


def test_what_was_sent_is_in_the_event_that_sent_it(server: Server, trips: dict[str, UUID]) -> None:
    with server.county.database.read() as session:
        sent = session.scalars(select(StockEvent).where(StockEvent.shipment_id == trips[UNDER_WAY])).one()
    departure = {"vehicle": "A-1", "departure_temperature": 450}
    assert sent.details == {"to": "SITE-A", "purpose": "supply", "transport": departure}


def test_events_from_before_they_said_where_to_are_held_against_what_they_say(
    server: Server, trips: dict[str, UUID]
) -> None:
    """What was recorded before stays as it is: its leaf was made of it."""
    trip = trips[UNDER_WAY]
    with tampered(server.county.database) as session:
        session.execute(update(StockEvent).where(StockEvent.shipment_id == trip).values(details=None))
        assert found_in(session) == []
        session.execute(update(Shipment).where(Shipment.id == trip).values(dispatched_at=NOW))
        assert any(f"shipment {trip}: dispatched_at" in each for each in found_in(session))


def test_a_corrected_arrival_is_no_arrival_and_no_fault(server: Server) -> None:
    client = server.client
    shipment = client.post("/shipments", dispatch(at_county(client, 10))).ok()["shipment"]
    came = client.post(f"/shipments/{shipment}/receipts", arrival()).ok()["events"][0]["id"]
    client.post(f"/events/{came}/reversal", {"occurred_at": stated(NOW), "reason": "a slip"}).ok()
    assert verify(server.county.database).faults == ()


def test_the_database_refuses_to_change_what_was_sent(server: Server, trips: dict[str, UUID]) -> None:
    assert trips
    fixed = [each.name for each in core(Shipment).columns if each.name not in {"arrived_at", "arrival"}]
    changes = [f"UPDATE shipment SET {each} = {each}" for each in fixed]  # noqa: S608
    for statement in ("DELETE FROM shipment", *changes):
        with server.county.database.engine.connect() as connection, pytest.raises(Exception, match="only ever added"):
            connection.execute(text(statement))
    with server.county.database.engine.begin() as connection:
        connection.execute(text("UPDATE shipment SET arrived_at = arrived_at, arrival = arrival"))
