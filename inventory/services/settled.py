"""A count that differed has settled what happened before it: what was forgotten then was among what it missed or found.

An entry of an earlier time that is recorded afterwards would move the same doses once more, and so would the correction
of one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, bindparam, exists, literal_column, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.errors import N_, Code, Conflict
from inventory.domain.words import EventKind, LocationKind
from inventory.persistence.asked import Asked
from inventory.persistence.tables import Appliance, Batch, Facility, Location, StockEvent


@dataclass(frozen=True)
class Touched:
    """The places from which, and into which, an event takes doses of a batch; `facility` is that of its appliances.

    Of a correction, `reverses` is the event that it undoes.
    """

    batch: UUID
    facility: UUID
    at: datetime
    places: frozenset[UUID]
    reverses: UUID | None = None


@dataclass(frozen=True)
class Count:
    """A count that stands."""

    batch: UUID
    at: datetime
    details: dict[str, Any]

    @property
    def differed(self) -> bool:
        """Whether the book was brought to what was there."""
        return bool(self.details["counted"] != self.details["book"])

    def is_of(self, appliance: str, *, held: bool) -> bool:
        """Whether it is of an appliance's storage or, `held`, of its quarantine."""
        return (self.details["appliance"], self.details["held"]) == (appliance, held)


_IS_COUNT = StockEvent.kind == literal_column(f"'{EventKind.COUNT}'")
"""With the word itself, or the small index of counts would not be used."""

COUNTED_SINCE: ColumnElement[bool] = exists().where(
    StockEvent.facility_id == Facility.id,
    StockEvent.batch_id == Batch.id,
    _IS_COUNT,
    StockEvent.occurred_at > bindparam("since"),
)
"""Whether the facility of a query has counted the batch of the query later than `since`: mostly a look at no row."""


def keep_out(session: Session, appliance: str, *, held: bool) -> None:
    """Let nothing come into a place that is counted until the transaction ends; what is coming already is waited for.

    Who puts doses there holds the row of the place for its foreign key. Custodies are held before it, by everybody.
    """
    counted = select(Location.id).where(Location.id == _place(session, appliance, held=held))
    session.execute(counted.with_for_update())


def _place(session: Session, appliance: str, *, held: bool) -> UUID:
    """The storage of an appliance or, `held`, its quarantine."""
    kind = LocationKind.QUARANTINE if held else LocationKind.STORAGE
    return session.scalars(
        select(Location.id)
        .join(Appliance, Appliance.id == Location.appliance_id)
        .where(Appliance.code == appliance, Location.kind == kind)
    ).one()


def counts_after(session: Session, shelves: Iterable[tuple[UUID, UUID]], at: datetime) -> list[Count]:
    """The counts that are dated after an instant and stand, the last of them first.

    A shelf is a batch and a facility; on PostgreSQL all are asked for at once.
    """
    rows = _LATER.rows(session, sorted(shelves), at=at)
    last_first = sorted(rows, key=lambda row: (row.occurred_at, row.id), reverse=True)
    return [Count(row.batch_id, row.occurred_at, row.details) for row in last_first]


def _later(asked: FromClause) -> Select[*tuple[Any, ...]]:
    reversal = aliased(StockEvent)
    undone = exists().where(reversal.reverses_id == StockEvent.id, reversal.batch_id == StockEvent.batch_id)
    return (
        select(StockEvent.id, StockEvent.batch_id, StockEvent.occurred_at, StockEvent.details)
        .select_from(asked)
        .join(StockEvent, (StockEvent.facility_id == asked.c.facility) & (StockEvent.batch_id == asked.c.batch))
        .where(_IS_COUNT, StockEvent.occurred_at > bindparam("at", type_=StockEvent.occurred_at.type), ~undone)
    )


_LATER = Asked({"batch": StockEvent.batch_id.type, "facility": StockEvent.facility_id.type}, _later)


def refuse_before_a_count(session: Session, events: Sequence[Touched]) -> None:
    """Refuse events that move doses of a place before a count of it that differed.

    Raises:
        Conflict: `time_before_count`.
    """
    mine = [each for each in events if each.places]
    if not mine:
        return
    shelves = {(each.batch, each.facility) for each in mine}
    for count in counts_after(session, shelves, min(each.at for each in mine)):
        if count.differed:
            _refuse(session, count, mine)


def _refuse(session: Session, count: Count, events: Iterable[Touched]) -> None:
    place = _place(session, count.details["appliance"], held=count.details["held"])
    for event in events:
        if event.batch == count.batch and event.at < count.at and place in event.places:
            counted = count.at.isoformat()
            if event.reverses is not None:
                expected = N_("correct the count of %(counted)s first, then this, and count again")
                raise Conflict(Code.TIME_BEFORE_COUNT, "event", event.reverses, expected, counted=counted)
            expected = N_("correct the count of %(counted)s first, then enter this and count again")
            raise Conflict(Code.TIME_BEFORE_COUNT, "occurred_at", event.at.isoformat(), expected, counted=counted)
