"""What bills need beside their events: the shipments, and the custodies on board of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from inventory.domain.transport import TransportRecord
from inventory.domain.words import EventKind, Purpose
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Custody, Facility, Location, Shipment, StockEvent
from inventory.services.events import Event
from inventory.services.transports import loaded

_sender = aliased(Facility)
_receiver = aliased(Facility)


@dataclass(frozen=True)
class Trip:
    """A shipment between two facilities, with the record of its transport."""

    id: UUID
    purpose: Purpose
    sender: str
    receiver: str
    transport: TransportRecord


@dataclass(frozen=True)
class Aboard:
    """A custody on a shipment: the one that it came out of, and the event that opened it."""

    shipment: UUID
    parent: UUID | None
    event: UUID


@dataclass(frozen=True)
class Facts:
    """What is known of some events' trips.

    Attributes:
        trips: the shipments that they concern, ways back included.
        on_trip: the shipment of a custody: what a receipt put there went back at the door, what was wasted from there
            was on its way.
        aboard: every custody that these shipments hold or held.
        reasons: why the events took place that put doses on board.
    """

    trips: dict[UUID, Trip]
    on_trip: dict[UUID, UUID]
    aboard: dict[UUID, Aboard]
    reasons: dict[UUID, str | None]

    def put_aboard(self, custody: UUID) -> UUID | None:
        """The event by which doses of a custody on board came aboard; held or recalled there, they have moved since."""
        here = self.aboard.get(custody)
        while here and here.parent in self.aboard and self.aboard[here.parent].shipment == here.shipment:
            here = self.aboard[here.parent]
        return here.event if here else None


def facts_of(session: Session, events: Sequence[Event]) -> Facts:
    """What is known of the trips of events."""
    on_trip = _on_trip(session, events)
    shipments = {each.shipment for each in events if each.shipment} | set(on_trip.values())
    aboard = _aboard(session, shipments)
    reasons = select(StockEvent.id, StockEvent.reason)
    told = rows_in(session, reasons, StockEvent.id, {each.event for each in aboard.values()})
    return Facts(_trips(session, shipments), on_trip, aboard, {row.id: row.reason for row in told})


def _on_trip(session: Session, events: Sequence[Event]) -> dict[UUID, UUID]:
    ends = {EventKind.RECEIVE: "to_custody", EventKind.WASTE: "from_custody"}
    asked = ((each, ends[each.kind]) for each in events if each.kind in ends)
    custodies = {getattr(line, end) for each, end in asked for line in each.movements} - {None}
    query = select(Custody.id, Location.shipment_id).join(Location, Location.id == Custody.location_id)
    on_board = query.where(Location.shipment_id.is_not(None))
    return {row.id: row.shipment_id for row in rows_in(session, on_board, Custody.id, custodies)}


def _aboard(session: Session, shipments: Iterable[UUID]) -> dict[UUID, Aboard]:
    query = select(Custody.id, Custody.parent_id, Custody.event_id, Location.shipment_id).join(
        Location, Location.id == Custody.location_id
    )
    rows = rows_in(session, query, Location.shipment_id, shipments)
    return {row.id: Aboard(row.shipment_id, row.parent_id, row.event_id) for row in rows}


def _trips(session: Session, shipments: Iterable[UUID]) -> dict[UUID, Trip]:
    query = (
        select(Shipment, _sender.code.label("sender"), _receiver.code.label("receiver"))
        .join(_sender, _sender.id == Shipment.from_facility_id)
        .join(_receiver, _receiver.id == Shipment.to_facility_id)
    )
    return {row[0].id: _trip(*row) for row in rows_in(session, query, Shipment.id, shipments)}


def _trip(shipment: Shipment, sender: str, receiver: str) -> Trip:
    transport = loaded(shipment.departure, shipment.arrival)
    return Trip(shipment.id, shipment.purpose, sender, receiver, transport)
