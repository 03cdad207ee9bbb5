"""A count that differed has settled what happened before it: what was forgotten then was among what it missed or found.

An entry of an earlier time that is recorded afterwards would move the same doses once more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, exists, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.errors import N_, Code, Conflict
from inventory.domain.words import EventKind, LocationKind
from inventory.persistence.tables import Appliance, Batch, Facility, Location, StockEvent


@dataclass(frozen=True)
class Touched:
    """The places from which, and into which, an event takes doses of a batch; `facility` is that of its appliances."""

    batch: UUID
    facility: UUID
    at: datetime
    places: frozenset[UUID]


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


COUNTED_SINCE: ColumnElement[bool] = exists().where(
    StockEvent.facility_id == Facility.id,
    StockEvent.batch_id == Batch.id,
    StockEvent.kind == EventKind.COUNT,
    StockEvent.occurred_at > bindparam("since"),
)
"""Whether the facility of a query has counted the batch of the query later than `since`: mostly a look at no row."""


def counts_after(session: Session, batches: Iterable[UUID], facility: UUID, at: datetime) -> list[Count]:
    """The counts of batches at a facility that are dated after an instant and stand, the last of them first."""
    reversal = aliased(StockEvent)
    undone = exists().where(reversal.reverses_id == StockEvent.id, reversal.batch_id == StockEvent.batch_id)
    later = select(StockEvent.batch_id, StockEvent.occurred_at, StockEvent.details).where(
        StockEvent.facility_id == facility,
        StockEvent.batch_id.in_(batches),
        StockEvent.kind == EventKind.COUNT,
        StockEvent.occurred_at > at,
        ~undone,
    )
    return [Count(*row) for row in session.execute(later.order_by(StockEvent.occurred_at.desc(), StockEvent.id))]


def refuse_before_a_count(session: Session, events: Sequence[Touched]) -> None:
    """Refuse events that move doses of a place before a count of it that differed.

    Raises:
        Conflict: `time_before_count`.
    """
    for facility in {each.facility for each in events if each.places}:
        mine = [each for each in events if each.facility == facility and each.places]
        first = min(each.at for each in mine)
        for count in counts_after(session, {each.batch for each in mine}, facility, first):
            if count.differed:
                _refuse(session, count, mine)


def _refuse(session: Session, count: Count, events: Iterable[Touched]) -> None:
    kind = LocationKind.QUARANTINE if count.details["held"] else LocationKind.STORAGE
    place = session.scalars(
        select(Location.id)
        .join(Appliance, Appliance.id == Location.appliance_id)
        .where(Appliance.code == count.details["appliance"], Location.kind == kind)
    ).one()
    for event in events:
        if event.batch == count.batch and event.at < count.at and place in event.places:
            expected = N_("correct the count of %(counted)s first, then enter this and count again")
            counted = count.at.isoformat()
            raise Conflict(Code.TIME_BEFORE_COUNT, "occurred_at", event.at.isoformat(), expected, counted=counted)
