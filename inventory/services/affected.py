"""Which stretch of a sensor's readings new ones can have changed the excursions of.

A run beyond a limit is bounded by readings within all limits, so new readings can change only what lies between the
last such reading before them and the first after them. With cumulative rules that is not enough: a window may reach
over calm readings. There the stretch is widened by the longest window, and by the excursions that stand within it:
these tell where sums began, so that the cost of a reading does not grow with a sensor's history.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from inventory.domain.instants import BEGINNING
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


_GOES_ON = Excursion.ended_at.is_(None)


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
        """The last calm reading before `first`, before where a window reaches, and before the sums that stand there."""
        if first - BEGINNING < self.reach:
            return BEGINNING
        if self.reach:
            near = first - self.reach
            begun = self._sums(func.min(Excursion.started_at), or_(_GOES_ON, Excursion.ended_at > near))
            first = min(near, begun or near)
        return self._calm_before(first) or BEGINNING

    def until(self, last: datetime) -> datetime | None:
        """The first calm reading after `last` and after the same on that side; None where there is none yet."""
        if self.reach:
            near = last + self.reach
            if self._sums(func.count(), and_(_GOES_ON, Excursion.started_at < near)):
                return None
            ended = self._sums(func.max(Excursion.ended_at), Excursion.started_at < near)
            last = max(near, ended or near)
        return self._calm_after(last)

    def _sums(self, asked: Any, where: ColumnElement[bool]) -> Any:
        """Of the standing excursions of cumulative rules: found once, they tell how far back a sum began."""
        names = [rule.name for rule in self.rules if rule.window is not None]
        mine = and_(Excursion.sensor_id == self.sensor_id, Excursion.rule_name.in_(names))
        return self.session.scalar(select(asked).where(mine, Excursion.cancelled_at.is_(None), where))

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
