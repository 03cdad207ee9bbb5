"""What is on hand, or was: the remaining doses of every custody, by place and batch."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select

from inventory.domain.deadlines import RuleName
from inventory.persistence.database import Database
from inventory.persistence.planning import by_index
from inventory.persistence.tables import Batch, Custody, Deadline, Location
from inventory.services import lookups
from inventory.services.as_of import NOW, AsOf
from inventory.services.paging import Page, page
from inventory.services.places import Place, at_facility, place_of, with_place


@dataclass(frozen=True)
class StockLine:
    """Doses of a batch that one custody holds, and where; in transit counts for sender and receiver.

    `vial_until` is when their opened vial is due; None where it is sealed, or of one dose.
    """

    custody: UUID
    place: Place
    gtin: str
    batch: str
    expiry: date
    opened_at: datetime
    doses: int
    vial_until: datetime | None


def list_stock(
    database: Database, facility: str | None, batch: str | None, after: str | None, limit: int, as_of: AsOf = NOW
) -> Page[StockLine]:
    """Custodies with doses left, oldest first; at another time those that had doses left then, or were known to.

    What is on hand now is read from the custodies alone; at another time each that is asked for costs its movements.
    """
    mine = and_(Deadline.custody_id == Custody.id, Deadline.batch_id == Custody.batch_id)
    vial = and_(mine, Deadline.name == RuleName.OPEN_VIAL)
    left = as_of.remaining()
    query = with_place(
        select(
            Custody.opened_at, left.label("left"), Batch.gtin, Batch.number, Batch.expiry, Custody.id, Deadline.due_at
        )
        .join(Batch, Batch.id == Custody.batch_id)
        .join(Location, Location.id == Custody.location_id)
        .outerjoin(Deadline, vial)
    ).where(left > 0)
    if not as_of.is_now:
        query = query.where(as_of.opened())
    if facility is not None:
        query = query.where(at_facility(facility))
    if batch is not None:
        query = query.where(Batch.number == batch)
    with database.read() as session:
        if not as_of.is_now:
            by_index(session)
        if facility is not None:
            lookups.facility(session, facility)
        return page(session, query, [Custody.opened_at, Custody.id], after, limit).map(_line)


def _line(row: Any) -> StockLine:
    return StockLine(row.id, place_of(row), row.gtin, row.number, row.expiry, row.opened_at, row.left, row.due_at)
