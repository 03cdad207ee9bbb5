"""What was so at an instant, and what was known of it at another.

Both are a filter over movements and nothing else. A movement counts where it had happened, and where its event had been
recorded. A correction's lines have the times of what they take back and the correction's own recording, so that they
count from when they were recorded on, at every instant.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from inventory.domain.instants import stated
from inventory.persistence.tables import Custody, Movement, StockEvent


@dataclass(frozen=True)
class AsOf:
    """`at`: as it was then, `known_at`: as it was known then; None for each is now."""

    at: datetime | None = None
    known_at: datetime | None = None

    @staticmethod
    def asked(at: datetime | None, known_at: datetime | None, now: datetime) -> "AsOf":
        """What somebody asks for: nobody knows the future.

        Raises:
            Invalid: `naive_time`, `time_in_future`, `time_too_old`.
        """
        named = {"at": at, "known_at": known_at}
        return AsOf(**{name: None if each is None else stated(name, each, now) for name, each in named.items()})

    @property
    def is_now(self) -> bool:
        """Whether nothing is left out: then the custodies' own `remaining` is the answer."""
        return self.at is None and self.known_at is None

    def until(self, now: datetime) -> datetime:
        """The last instant that is asked about: nobody knew at `known_at` what came after it."""
        return min(each for each in (self.at, self.known_at, now) if each is not None)

    def counts(self, movement: Any = Movement) -> ColumnElement[bool]:
        """A condition on a movement: it had happened, and was known."""
        happened = true() if self.at is None else movement.occurred_at <= self.at
        if self.known_at is None:
            return happened
        event = aliased(StockEvent)
        told = exists().where(
            event.id == movement.event_id, event.batch_id == movement.batch_id, event.recorded_at <= self.known_at
        )
        return and_(happened, told)

    def told(self, event: Any = StockEvent) -> ColumnElement[bool]:
        """A condition on an event that is no correction: it had happened, and was known."""
        happened = true() if self.at is None else event.occurred_at <= self.at
        return happened if self.known_at is None else and_(happened, event.recorded_at <= self.known_at)

    def stands(self, event_id: ColumnElement[UUID] | InstrumentedAttribute[UUID], batch_id: Any) -> ColumnElement[bool]:
        """A condition: nobody knew of a correction of the event; `ledger.stands` where it is asked of now."""
        reversal = aliased(StockEvent)
        known = true() if self.known_at is None else reversal.recorded_at <= self.known_at
        return ~exists().where(reversal.reverses_id == event_id, reversal.batch_id == batch_id, known)

    def remaining(self) -> ColumnElement[int]:
        """The doses of the custody of a query that were left in it; of one that a correction made void, none.

        For one whose opening counts. It reads the lines of that custody only.
        """
        if self.is_now:
            return Custody.remaining  # type: ignore[return-value]
        gone = (
            select(func.coalesce(func.sum(Movement.doses), 0))
            .where(Movement.from_custody_id == Custody.id, Movement.batch_id == Custody.batch_id, self.counts())
            .correlate(Custody)
            .scalar_subquery()
        )
        return case((self.stands(Custody.event_id, Custody.batch_id), Custody.doses - gone), else_=0)

    def opened(self) -> ColumnElement[bool]:
        """A condition on a custody: what opened it had happened, and was known."""
        happened = true() if self.at is None else Custody.opened_at <= self.at
        if self.known_at is None:
            return happened
        event = aliased(StockEvent)
        told = exists().where(
            event.id == Custody.event_id, event.batch_id == Custody.batch_id, event.recorded_at <= self.known_at
        )
        return and_(happened, told)


NOW = AsOf()
