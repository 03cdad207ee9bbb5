"""Which shipments had arrived: what is still in their transit then is unexplained."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from inventory.domain.words import EventKind
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Shipment, StockEvent
from inventory.services.as_of import AsOf


def is_arrival(event: Any, shipment: Any) -> ColumnElement[bool]:
    """A condition: the event received of the shipment where it was sent.

    What was found afterwards explains a shortfall and is no arrival.
    """
    return and_(
        event.shipment_id == shipment.id,
        event.kind == EventKind.RECEIVE,
        event.facility_id == shipment.to_facility_id,
        event.details["explanation"].as_string().is_(None),
    )


def arrivals(session: Session, rows: Sequence[Any], as_of: AsOf) -> set[UUID]:
    """The shipments of custodies, of rows with `place_shipment` and `arrived_at`, that had arrived as of an instant."""
    if as_of.is_now:
        return {row.place_shipment for row in rows if row.arrived_at is not None}
    query = (
        select(StockEvent.shipment_id)
        .distinct()
        .join(Shipment, is_arrival(StockEvent, Shipment))
        .where(as_of.told(), as_of.stands(StockEvent.id, StockEvent.batch_id))
    )
    found = rows_in(session, query, StockEvent.shipment_id, {row.place_shipment for row in rows})
    return {row.shipment_id for row in found}
