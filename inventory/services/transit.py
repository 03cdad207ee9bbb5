"""Shipments: what was sent, what became of it, and what is still on its way or missing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select, text
from sqlalchemy.orm import Session, aliased

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.transport import TransportRecord
from inventory.domain.words import End, EventKind, LocationKind, Purpose
from inventory.persistence.database import Database
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import (
    Appliance,
    Batch,
    Custody,
    Facility,
    Location,
    Movement,
    Sensor,
    SensorAssignment,
    Shipment,
    StockEvent,
)
from inventory.services import lookups
from inventory.services.ledger import stands
from inventory.services.paging import Page, page
from inventory.services.transports import loaded

_sender = aliased(Facility)
_receiver = aliased(Facility)

_ON_BOARD = (EventKind.DISPATCH, EventKind.RETURN, EventKind.RECEIVE)
"""What puts doses on a shipment: the dispatch, the return, or the refusal that sends them back."""


@dataclass(frozen=True)
class ShipmentLine:
    """Doses of a batch in a shipment: `sent` is the sum of the rest.

    `received` is with the receiver, `sent_back` on another shipment, `elsewhere` with somebody else (found at the
    sender, or mis-shipped), `wasted` on the way; `held` are those in transit that may not travel on.
    """

    gtin: str
    batch: str
    sent: int
    received: int
    sent_back: int
    elsewhere: int
    wasted: int
    in_transit: int
    held: int


@dataclass(frozen=True)
class ShipmentView:
    """A shipment; doses that are in transit after its arrival are a shortfall that nobody has explained."""

    id: UUID
    purpose: Purpose
    from_facility: str
    to_facility: str
    dispatched_at: datetime
    arrived_at: datetime | None
    transport: TransportRecord
    sensors: tuple[str, ...]
    lines: tuple[ShipmentLine, ...]
    now: datetime

    @property
    def shortfall(self) -> int:
        """Doses that were sent and did not arrive with the rest."""
        return sum(line.in_transit for line in self.lines) if self.arrived_at else 0

    @property
    def short_for(self) -> timedelta | None:
        """How long doses have been missing without an explanation."""
        return self.now - self.arrived_at if self.arrived_at and self.shortfall else None


@dataclass(frozen=True)
class ShipmentFilter:
    """Which shipments are wanted: of a facility, with or without doses on their way, or with a shortfall."""

    facility: str | None = None
    in_transit: bool | None = None
    short: bool | None = None


def list_shipments(
    database: Database, wanted: ShipmentFilter, now: datetime, after: str | None, limit: int
) -> Page[ShipmentView]:
    """Shipments from or to a facility, oldest first."""
    query = _shipments()
    if wanted.facility is not None:
        query = query.where((_sender.code == wanted.facility) | (_receiver.code == wanted.facility))
    if wanted.in_transit is not None:
        query = query.where(_has_doses_left() == wanted.in_transit)
    if wanted.short is not None:
        query = query.where(and_(_has_doses_left(), Shipment.arrived_at.is_not(None)) == wanted.short)
    with database.read() as session:
        if wanted.facility is not None:
            lookups.facility(session, wanted.facility)
        found = page(session, query, [Shipment.dispatched_at, Shipment.id], after, limit)
        return Page(_views(session, found.items, now), found.next)


def get_shipment(database: Database, shipment: UUID, now: datetime) -> ShipmentView:
    """One shipment; NotFound `not_found`."""
    with database.read() as session:
        return view_shipment(session, shipment, now)


def view_shipment(session: Session, shipment: UUID, now: datetime) -> ShipmentView:
    """The same for a service that asks more of the same moment."""
    rows = session.execute(_shipments().where(Shipment.id == shipment)).all()
    if not rows:
        raise NotFound(Code.NOT_FOUND, "shipment", shipment, N_("the id of a shipment"))
    (view,) = _views(session, rows, now)
    return view


def _has_doses_left() -> ColumnElement[bool]:
    left = select(Custody.id).join(Location, Location.id == Custody.location_id)
    return left.where(Location.shipment_id == Shipment.id, Custody.remaining > 0).exists()


def _shipments() -> Any:
    return (
        select(Shipment, _sender.code.label("sender"), _receiver.code.label("receiver"))
        .join(_sender, _sender.id == Shipment.from_facility_id)
        .join(_receiver, _receiver.id == Shipment.to_facility_id)
    )


def _views(session: Session, rows: Sequence[Any], now: datetime) -> list[ShipmentView]:
    """Shipments with what is told of them, by as many statements for a page as for one."""
    ids = [row[0].id for row in rows]
    sensors, lines = _sensors(session, ids), _lines(session, ids)
    return [
        ShipmentView(
            shipment.id,
            shipment.purpose,
            sender,
            receiver,
            shipment.dispatched_at,
            shipment.arrived_at,
            loaded(shipment.departure, shipment.arrival),
            tuple(sensors[shipment.id]),
            tuple(lines[shipment.id]),
            now,
        )
        for shipment, sender, receiver, *_ in rows
    ]


def _sensors(session: Session, shipments: Sequence[UUID]) -> dict[UUID, list[str]]:
    query = (
        select(SensorAssignment.shipment_id, Sensor.serial)
        .join(Sensor, Sensor.id == SensorAssignment.sensor_id)
        .order_by(Sensor.serial)
    )
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    for shipment, serial in rows_in(session, query, SensorAssignment.shipment_id, shipments):
        found[shipment].append(serial)
    return found


def _lines(session: Session, shipments: Sequence[UUID]) -> dict[UUID, list[ShipmentLine]]:
    """What each shipment carried of each batch, and where that is."""
    gone = _gone(session, shipments)
    found: defaultdict[UUID, list[ShipmentLine]] = defaultdict(list)
    for shipment, batch_id, gtin, number, sent, left, held in _loads(session, shipments):
        ways = gone[shipment, batch_id]
        line = ShipmentLine(
            gtin,
            number,
            int(sent),
            received=ways["received"],
            sent_back=ways["sent_back"],
            elsewhere=ways["elsewhere"],
            wasted=ways["wasted"],
            in_transit=int(left),
            held=int(held),
        )
        found[shipment].append(line)
    return found


def _loads(session: Session, shipments: Sequence[UUID]) -> Sequence[Any]:
    """Each batch on board of each: what was put there, what is left of it, and what of that is held."""
    put_there = and_(StockEvent.kind.in_(_ON_BOARD), stands(StockEvent.id, StockEvent.batch_id))
    query = (
        select(
            Location.shipment_id,
            Batch.id,
            Batch.gtin,
            Batch.number,
            func.sum(case((put_there, Custody.doses), else_=0)),
            func.sum(Custody.remaining),
            func.sum(case((Location.kind == LocationKind.QUARANTINE, Custody.remaining), else_=0)),
        )
        .join(Custody, Custody.batch_id == Batch.id)
        .join(StockEvent, and_(StockEvent.id == Custody.event_id, StockEvent.batch_id == Custody.batch_id))
        .join(Location, Location.id == Custody.location_id)
        .group_by(Location.shipment_id, Batch.id, Batch.gtin, Batch.number)
        .order_by(Batch.gtin, Batch.number)
    )
    return rows_in(session, query, Location.shipment_id, shipments)


def _gone(session: Session, shipments: Sequence[UUID]) -> dict[tuple[UUID, UUID], dict[str, int]]:
    """What left each shipment, by batch and by where it went."""
    here, there = aliased(Location), aliased(Location)
    target = aliased(Custody)
    way = case(
        (Movement.end_kind == End.WASTED, "wasted"),
        (there.shipment_id == here.shipment_id, "aboard"),
        (there.shipment_id.is_not(None), "sent_back"),
        (Appliance.facility_id == Shipment.to_facility_id, "received"),
        else_="elsewhere",
    ).label("way")
    query = (
        select(here.shipment_id, Movement.batch_id, way, func.sum(Movement.doses))
        .join(Custody, and_(Custody.id == Movement.from_custody_id, Custody.batch_id == Movement.batch_id))
        .join(here, here.id == Custody.location_id)
        .join(Shipment, Shipment.id == here.shipment_id)
        .outerjoin(target, and_(target.id == Movement.to_custody_id, target.batch_id == Movement.batch_id))
        .outerjoin(there, there.id == target.location_id)
        .outerjoin(Appliance, Appliance.id == there.appliance_id)
        .group_by(here.shipment_id, Movement.batch_id, text("way"))
    )
    found: dict[tuple[UUID, UUID], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for shipment, batch_id, where, doses in rows_in(session, query, here.shipment_id, shipments):
        found[shipment, batch_id][where] += int(doses)
    return found
