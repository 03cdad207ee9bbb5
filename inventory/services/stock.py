"""What is on hand: the remaining doses of every custody, by place and batch."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from inventory.persistence.database import Database
from inventory.persistence.tables import Batch, Custody, Location
from inventory.services import lookups
from inventory.services.paging import Page, page
from inventory.services.places import Place, at_facility, place_of, with_place


@dataclass(frozen=True)
class StockLine:
    """Doses of a batch that one custody still holds, and where; in transit counts for sender and receiver."""

    custody: UUID
    place: Place
    gtin: str
    batch: str
    expiry: date
    opened_at: datetime
    doses: int


def list_stock(
    database: Database, facility: str | None, batch: str | None, after: str | None, limit: int
) -> Page[StockLine]:
    """Custodies with doses left, oldest first."""
    query = with_place(
        select(Custody.opened_at, Custody.remaining, Batch.gtin, Batch.number, Batch.expiry, Custody.id)
        .join(Batch, Batch.id == Custody.batch_id)
        .join(Location, Location.id == Custody.location_id)
    ).where(Custody.remaining > 0)
    if facility is not None:
        query = query.where(at_facility(facility))
    if batch is not None:
        query = query.where(Batch.number == batch)
    with database.read() as session:
        if facility is not None:
            lookups.facility(session, facility)
        return page(session, query, [Custody.opened_at, Custody.id], after, limit).map(
            lambda row: StockLine(row.id, place_of(row), row.gtin, row.number, row.expiry, row.opened_at, row.remaining)
        )
