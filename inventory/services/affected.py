"""Which stretch of a sensor's readings new ones can have changed the excursions of.

A run beyond a limit is bounded by readings within all limits, so new readings can change only what lies between the
last such reading before them and the first after them. With cumulative rules that is not enough: a window may reach
over calm readings. There the stretch is widened by the longest window, and by the excursions that stand over its ends:
these tell how far sums go, so that the cost of a reading does not grow with a sensor's history. The calm reading at
which it then ends may itself lie in a sum, which has calm readings in it; so it is widened until it does not.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from inventory.domain.instants import BEGINNING, FOREVER
from inventory.domain.limits import ExcursionRule
from inventory.domain.words import Side
from inventory.persistence.tables import Excursion, Reading


def affected(
    session: Session,
    sensor_id: UUID,
    rules: Sequence[ExcursionRule],
    hold: timedelta,
    first: datetime,
    last: datetime | None,
) -> tuple[datetime, datetime | None]:
    """The stretch that what changed from `first` to `last` can have to do with.

    It begins and ends with a reading within all limits, or reaches from before everything (BEGINNING) or to what may
    come (None) where there is no such reading or `last` is None.
    """
    field = _Field(session, sensor_id, rules, hold)
    return field.since(first), None if last is None else field.until(last)


@dataclass(frozen=True)
class _Field:
    """The readings of a sensor, asked for their calm and their cumulative side."""

    session: Session
    sensor_id: UUID
    rules: Sequence[ExcursionRule]
    hold: timedelta

    @property
    def reach(self) -> timedelta:
        """How far the longest window reaches from time beyond a limit; a reading may stand for `hold` of it."""
        return max((rule.window + self.hold for rule in self.rules if rule.window is not None), default=timedelta())

    def since(self, first: datetime) -> datetime:
        """The last calm reading before `first` and before where a window reaches, at which no sum stands."""
        if first - BEGINNING < self.reach:
            return BEGINNING
        begun = self._begun_over(first - self.reach)
        found = self._calm_before(begun)
        while found is not None and (begun := self._begun_over(found)) < found:
            found = self._calm_before(begun)
        return found or BEGINNING

    def until(self, last: datetime) -> datetime | None:
        """The first calm reading after `last` and after the same on that side; None where there is none yet."""
        ended = self._ended_over(last + self.reach)
        found = self._calm_after(ended)
        while found is not None and (ended := self._ended_over(found)) > found:
            found = self._calm_after(ended)
        return found

    def _begun_over(self, instant: datetime) -> datetime:
        """When the first of the sums that stand over an instant began; the instant itself where there is none."""
        begun: datetime | None = self._sums_over(instant, func.min(Excursion.started_at))
        return begun or instant

    def _ended_over(self, instant: datetime) -> datetime:
        """When the last of the sums that stand over an instant ended; FOREVER where one goes on."""
        ended: datetime | None = self._sums_over(instant, func.max(func.coalesce(Excursion.ended_at, FOREVER)))
        return ended or instant

    def _sums_over(self, instant: datetime, asked: Any) -> Any:
        """Of the standing excursions of cumulative rules over an instant: found once, they tell how far a sum goes."""
        names = [rule.name for rule in self.rules if rule.window is not None]
        if not names:
            return None
        mine = and_(Excursion.sensor_id == self.sensor_id, Excursion.rule_name.in_(names))
        over = and_(Excursion.started_at < instant, or_(Excursion.ended_at.is_(None), Excursion.ended_at > instant))
        return self.session.scalar(select(asked).where(mine, Excursion.cancelled_at.is_(None), over))

    def _calm_before(self, instant: datetime) -> datetime | None:
        return self._one(func.max(Reading.measured_at), self._calm(), Reading.measured_at < instant)

    def _calm_after(self, instant: datetime) -> datetime | None:
        return self._one(func.min(Reading.measured_at), self._calm(), Reading.measured_at > instant)

    def _one(self, asked: Any, *where: ColumnElement[bool]) -> datetime | None:
        found: datetime | None = self.session.scalar(select(asked).where(Reading.sensor_id == self.sensor_id, *where))
        return found

    def _calm(self) -> ColumnElement[bool]:
        return and_(True, *(not_(each) for each in _broken(self.rules)))


def _broken(rules: Iterable[ExcursionRule]) -> Iterator[ColumnElement[bool]]:
    """`ExcursionRule.broken_by` for each rule, in SQL."""
    for rule in rules:
        if rule.side is Side.ABOVE:
            yield (Reading.temperature >= rule.threshold if rule.inclusive else Reading.temperature > rule.threshold)
        else:
            yield (Reading.temperature <= rule.threshold if rule.inclusive else Reading.temperature < rule.threshold)
