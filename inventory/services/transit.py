"""Shipments: what was sent, what was received of it, and what is still on its way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.errors import N_, Code, NotFound
from inventory.persistence.database import Database
from inventory.persistence.tables import Batch, Custody, Facility, Location, Sensor, SensorAssignment, Shipment
from inventory.services import lookups
from inventory.services.paging import Page, page

_sender = aliased(Facility)
_receiver = aliased(Facility)


@dataclass(frozen=True)
class ShipmentLine:
    """Doses of a batch in a shipment."""

    gtin: str
    batch: str
    sent: int
    received: int
    in_transit: int


@dataclass(frozen=True)
class ShipmentView:
    """A shipment; doses that are in transit after its arrival are a shortfall that nobody has explained."""

    id: UUID
    from_facility: str
    to_facility: str
    dispatched_at: datetime
    arrived_at: datetime | None
    sensors: tuple[str, ...]
    lines: tuple[ShipmentLine, ...]

    @property
    def shortfall(self) -> int:
        """Doses that were sent and did not arrive with the rest."""
        return sum(line.in_transit for line in self.lines) if self.arrived_at else 0


def list_shipments(
    database: Database, facility: str | None, in_transit: bool | None, after: str | None, limit: int
) -> Page[ShipmentView]:
    """Shipments from or to a facility, oldest first; `in_transit` asks for those with doses still on their way."""
    query = _shipments()
    if facility is not None:
        query = query.where((_sender.code == facility) | (_receiver.code == facility))
    if in_transit is not None:
        left = (
            select(Custody.id)
            .join(Location, Location.id == Custody.location_id)
            .where(Location.shipment_id == Shipment.id, Custody.remaining > 0)
            .exists()
        )
        query = query.where(left if in_transit else ~left)
    with database.read() as session:
        if facility is not None:
            lookups.facility(session, facility)
        return page(session, query, [Shipment.dispatched_at, Shipment.id], after, limit).map(
            lambda row: _view(session, row)
        )


def get_shipment(database: Database, shipment: UUID) -> ShipmentView:
    """One shipment; NotFound `not_found`."""
    with database.read() as session:
        row = session.execute(_shipments().where(Shipment.id == shipment)).one_or_none()
        if row is None:
            raise NotFound(Code.NOT_FOUND, "shipment", shipment, N_("the id of a shipment"))
        return _view(session, row)


def _shipments() -> Any:
    return (
        select(Shipment, _sender.code.label("sender"), _receiver.code.label("receiver"))
        .join(_sender, _sender.id == Shipment.from_facility_id)
        .join(_receiver, _receiver.id == Shipment.to_facility_id)
    )


def _view(session: Session, row: Any) -> ShipmentView:
    shipment: Shipment = row[0]
    sensors = session.scalars(
        select(Sensor.serial)
        .join(SensorAssignment, SensorAssignment.sensor_id == Sensor.id)
        .where(SensorAssignment.shipment_id == shipment.id)
        .order_by(Sensor.serial)
    )
    return ShipmentView(
        shipment.id,
        row.sender,
        row.receiver,
        shipment.dispatched_at,
        shipment.arrived_at,
        tuple(sensors),
        _lines(session, shipment.id),
    )


def _lines(session: Session, shipment_id: UUID) -> tuple[ShipmentLine, ...]:
    query = (
        select(Batch.gtin, Batch.number, func.sum(Custody.doses), func.sum(Custody.remaining))
        .join(Batch, Batch.id == Custody.batch_id)
        .join(Location, and_(Location.id == Custody.location_id, Location.shipment_id == shipment_id))
        .group_by(Batch.gtin, Batch.number)
        .order_by(Batch.gtin, Batch.number)
    )
    return tuple(
        ShipmentLine(gtin, number, int(sent), int(sent) - int(left), int(left))
        for gtin, number, sent, left in session.execute(query)
    )
