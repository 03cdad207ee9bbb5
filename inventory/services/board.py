"""The countdown board: every clock that runs on doses, computed from the facts and now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from inventory.domain.deadlines import SOON, RuleName, Status, status
from inventory.persistence.database import Database
from inventory.persistence.tables import Batch, Custody, Deadline, Location, Movement
from inventory.services import lookups
from inventory.services.paging import Page, page
from inventory.services.places import Place, at_facility, place_of, with_place


@dataclass(frozen=True)
class DeadlineLine:
    """One clock: how many doses are under it, when it is due and where it stands.

    `time_left` is negative once it is missed. `doses_left` have not met it yet; `doses_late` met it after it was
    due. Doses that went on to another custody took the clock with them and are counted there.
    """

    custody: UUID
    name: RuleName
    rule_set: str
    place: Place
    gtin: str
    batch: str
    opened_at: datetime
    due_at: datetime
    time_left: timedelta
    doses_left: int
    doses_met: int
    doses_late: int
    status: Status


_child_clock = aliased(Deadline)

_passed_on = and_(
    _child_clock.custody_id == Movement.to_custody_id,
    _child_clock.batch_id == Movement.batch_id,
    _child_clock.name == Deadline.name,
)


def _met(late: bool) -> Any:
    """Doses that left a custody and did not take its clock along: in time, or late."""
    timing = Movement.occurred_at > Deadline.due_at if late else Movement.occurred_at <= Deadline.due_at
    return (
        select(func.coalesce(func.sum(Movement.doses), 0))
        .outerjoin(_child_clock, _passed_on)
        .where(
            Movement.from_custody_id == Deadline.custody_id,
            Movement.batch_id == Deadline.batch_id,
            _child_clock.custody_id.is_(None),
            timing,
        )
        .correlate(Deadline)
        .scalar_subquery()
    )


MET, LATE = _met(late=False), _met(late=True)

_CONDITIONS: dict[Status, Callable[[datetime], ColumnElement[bool]]] = {
    Status.OPEN: lambda now: and_(LATE == 0, Custody.remaining > 0, Deadline.due_at >= now + SOON),
    Status.DUE_SOON: lambda now: and_(
        LATE == 0, Custody.remaining > 0, Deadline.due_at < now + SOON, Deadline.due_at >= now
    ),
    Status.MISSED: lambda now: or_(LATE > 0, and_(Custody.remaining > 0, Deadline.due_at < now)),
    Status.MET: lambda _: and_(LATE == 0, Custody.remaining == 0, MET > 0),
}
"""`domain.deadlines.status` in SQL; a clock whose doses have all gone on with it has no status of its own."""


def list_deadlines(
    database: Database, facility: str | None, wanted: Status | None, now: datetime, after: str | None, limit: int
) -> Page[DeadlineLine]:
    """Clocks by when they are due; without a wanted status, those with doses left under them."""
    query = with_place(
        select(Deadline, Custody.remaining, Batch.gtin, Batch.number, MET.label("met"), LATE.label("late"))
        .join(Custody, and_(Custody.id == Deadline.custody_id, Custody.batch_id == Deadline.batch_id))
        .join(Batch, Batch.id == Custody.batch_id)
        .join(Location, Location.id == Custody.location_id)
    ).where(_CONDITIONS[wanted](now) if wanted else Custody.remaining > 0)
    if facility is not None:
        query = query.where(at_facility(facility))
    with database.read() as session:
        if facility is not None:
            lookups.facility(session, facility)
        return page(session, query, [Deadline.due_at, Deadline.custody_id, Deadline.batch_id], after, limit).map(
            lambda row: _line(row, now)
        )


def _line(row: Any, now: datetime) -> DeadlineLine:
    clock: Deadline = row[0]
    met, late = int(row.met), int(row.late)
    return DeadlineLine(
        custody=clock.custody_id,
        name=clock.name,
        rule_set=clock.rule_set,
        place=place_of(row),
        gtin=row.gtin,
        batch=row.number,
        opened_at=clock.opened_at,
        due_at=clock.due_at,
        time_left=clock.due_at - now,
        doses_left=row.remaining,
        doses_met=met,
        doses_late=late,
        status=status(clock.due_at, row.remaining, late, now),
    )
