"""EPCIS events that were taken in, and what has become of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from inventory.domain.epcis.capture import CaptureState
from inventory.persistence.database import Database
from inventory.persistence.tables import CapturedEvent, Facility
from inventory.services import lookups
from inventory.services.paging import Page, page


@dataclass(frozen=True)
class CapturedView:
    """An event as it was taken in: its facility, the despatch advice, the stock events and the shipment it became."""

    event_id: str
    state: CaptureState
    captured_at: datetime
    facility: str
    advice: str | None
    shipment: UUID | None
    posted: tuple[UUID, ...]
    event: dict[str, Any]


def list_captured(
    database: Database, facility: str | None, state: CaptureState | None, after: str | None, limit: int
) -> Page[CapturedView]:
    """Events in the order in which they were taken in; Invalid `not_found` for a facility that is not known."""
    query = select(CapturedEvent, Facility.code).join(Facility, Facility.id == CapturedEvent.facility_id)
    with database.read() as session:
        if facility is not None:
            query = query.where(CapturedEvent.facility_id == lookups.facility(session, facility).id)
        if state is not None:
            query = query.where(CapturedEvent.state == state)
        return page(session, query, [CapturedEvent.captured_at, CapturedEvent.id], after, limit).map(_view)


def _view(row: Any) -> CapturedView:
    event: CapturedEvent = row[0]
    return CapturedView(
        event.event_id,
        event.state,
        event.captured_at,
        row[1],
        event.advice,
        event.shipment_id,
        tuple(map(UUID, event.posted)),
        event.document,
    )
