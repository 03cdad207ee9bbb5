"""Proving that a shipment's row says of its way what the events said that put doses on it, and that received them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from inventory.domain.words import EventKind, Purpose
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Custody, Facility, Location, Shipment, StockEvent
from inventory.services.arrivals_known import is_arrival
from inventory.services.ledger import stands

PART = 2_000

_AT_ONCE = timedelta(minutes=5)
"""Of receipts that were recorded within it, by clocks that may differ, nobody can say which was first."""

_LEAVES = (EventKind.DISPATCH, EventKind.RETURN)

Said = dict[str, Any]
"""What somebody says of a shipment, by the columns that say it."""


def wrong_shipments(session: Session) -> list[str]:
    """Shipments that say otherwise than the events that put doses on them, and that received them."""
    codes = {row.id: row.code for row in session.execute(select(Facility.id, Facility.code))}
    back = _ways_back(session, codes)
    return [
        f"shipment {shipment.id}: {fault}"
        for shipments in _parts(session)
        for shipment, events in _with_events(session, shipments)
        for fault in (*_left(shipment, events, back, codes), *_came(shipment, events))
    ]


CHECKS: tuple[Callable[[Session], list[str]], ...] = (wrong_shipments,)


def _parts(session: Session) -> Iterator[Sequence[Any]]:
    query = select(*Shipment.__table__.columns).order_by(Shipment.id).limit(PART)
    part = session.execute(query).all()
    while part:
        yield part
        part = session.execute(query.where(Shipment.id > part[-1].id)).all()


def _with_events(session: Session, shipments: Sequence[Any]) -> Iterator[tuple[Any, Sequence[Any]]]:
    """Shipments with what left on them and what came of them, in the order in which it was recorded."""
    said = select(
        StockEvent.shipment_id,
        StockEvent.id,
        StockEvent.kind,
        StockEvent.facility_id,
        StockEvent.occurred_at,
        StockEvent.recorded_at,
        StockEvent.details,
        is_arrival(StockEvent, Shipment).label("arrives"),
        stands(StockEvent.id, StockEvent.batch_id).label("stands"),
    )
    query = said.join(Shipment, Shipment.id == StockEvent.shipment_id)
    found = defaultdict(list)
    for row in rows_in(session, query, StockEvent.shipment_id, [each.id for each in shipments]):
        found[row.shipment_id].append(row)
    for each in shipments:
        yield each, sorted(found[each.id], key=lambda event: (event.recorded_at, event.id))


def _left(shipment: Any, events: Sequence[Any], back: Mapping[UUID, Said], codes: Mapping[UUID, str]) -> Iterator[str]:
    """What the row says otherwise than those who put doses on it, corrected or not: they said it of the shipment."""
    said = [_said(event, codes) for event in events if event.kind in _LEAVES]
    said += [back[shipment.id]] if shipment.id in back else []
    if not said:
        yield "nothing was ever put on it"
    ends = {name: codes.get(getattr(shipment, name)) for name in ("from_facility_id", "to_facility_id")}
    row = shipment._asdict() | ends
    yield from dict.fromkeys(fault for each in said for fault in _differences(row, each))


def _said(event: Any, codes: Mapping[UUID, str]) -> Said:
    """What an event says of its shipment; until 0056 a dispatch did not say where it went, nor how."""
    details = event.details or {}
    said: Said = {"from_facility_id": codes.get(event.facility_id), "dispatched_at": event.occurred_at}
    if "to" in details:
        said |= {"to_facility_id": details["to"], "departure": details.get("transport")}
    if event.kind is EventKind.RETURN:
        said["purpose"] = Purpose.RETURN
    elif "purpose" in details:
        said["purpose"] = Purpose(details["purpose"])
    return said


def _ways_back(session: Session, codes: Mapping[UUID, str]) -> dict[UUID, Said]:
    """What receipts say of the shipments that take back what they refused."""
    first = aliased(Shipment)
    query = (
        select(Location.shipment_id, StockEvent.facility_id, StockEvent.occurred_at, first.from_facility_id)
        .distinct()
        .join(Custody, Custody.location_id == Location.id)
        .join(StockEvent, (StockEvent.id == Custody.event_id) & (StockEvent.batch_id == Custody.batch_id))
        .join(first, first.id == StockEvent.shipment_id)
        .where(StockEvent.kind == EventKind.RECEIVE, Location.shipment_id != first.id)
    )
    return {
        row.shipment_id: {
            "from_facility_id": codes.get(row.facility_id),
            "to_facility_id": codes.get(row.from_facility_id),
            "purpose": Purpose.RETURN,
            "dispatched_at": row.occurred_at,
            "departure": None,
        }
        for row in session.execute(query)
    }


def _came(shipment: Any, events: Sequence[Any]) -> Iterator[str]:
    """What the row says otherwise of its arrival than the first receipt that stands; explanations are none."""
    receipts = [event for event in events if event.arrives and event.stands]
    first = [each for each in receipts if each.recorded_at <= receipts[0].recorded_at + _AT_ONCE]
    said = [_arrival(each.occurred_at, each.details) for each in first] or [_arrival(None, None)]
    row = shipment._asdict()
    yield from min((list(_differences(row, each)) for each in said), key=len)


def _arrival(at: Any, details: Mapping[str, Any] | None) -> Said:
    return {"arrived_at": at, "arrival": (details or {}).get("transport")}


def _differences(row: Mapping[str, Any], said: Said) -> Iterable[str]:
    return (f"{name} is {row[name]}, its events say {what}" for name, what in said.items() if row[name] != what)
