"""When doses that wait in a queue will be done, and how many of them will be late.

All is reckoned in whole doses and whole microseconds, rounded against the site: a dose counts once it is done, and
is in time up to the very instant at which its clock is due.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from inventory.domain.hours import HORIZON, WorkingDay

WINDOW = timedelta(hours=3)
"""The last hours over which a pace is taken: long enough for the lulls between two groups of people, short enough to
follow a morning's rush into a slow noon."""

SHORTEST = timedelta(minutes=30)
"""Less working time than this is no pace: ten doses in the first minute are not six hundred an hour."""

_TICK = timedelta(microseconds=1)


class Basis(StrEnum):
    """What a forecast rests on."""

    PACE = "pace"
    CAPACITY = "capacity"
    NONE = "none"


@dataclass(frozen=True)
class Done:
    """Doses that were done within a window, and when the first of them was."""

    doses: int
    first_at: datetime


@dataclass(frozen=True)
class Rate:
    """So many doses, at least one, in so much working time."""

    doses: int
    per: timedelta
    basis: Basis

    @property
    def per_hour(self) -> Fraction:
        """Doses an hour."""
        return Fraction(self.doses * _ticks(timedelta(hours=1)), _ticks(self.per))

    def within(self, work: timedelta) -> int:
        """How many whole doses are done in so much working time."""
        return _ticks(work) * self.doses // _ticks(self.per)

    def needs(self, doses: int) -> timedelta | None:
        """The working time in which so many doses are done, rounded up; None where that is beyond the horizon."""
        ticks = -(-doses * _ticks(self.per) // self.doses)
        return ticks * _TICK if ticks <= _ticks(HORIZON) else None


def window(day: WorkingDay, now: datetime) -> tuple[datetime, datetime]:
    """The last hours, as far as they lie in the working day of `now`: a night is no sign of a slow site.

    Before the day's work begins, and once it has been over for three hours, nothing lies between the two.
    """
    begins, ends = day.span_of(now)
    return max(now - WINDOW, begins), min(now, ends)


def rate(day: WorkingDay, capacity: int | None, done: Done | None, now: datetime) -> Rate | None:
    """The pace of the last hours; before there is one, the stated capacity of a day, spread over its working hours.

    A pace begins with the first dose in the window, for before that there may have been nothing to give. None where
    neither is known: then nothing is foretold.
    """
    if done is not None and done.doses > 0:
        _, until = window(day, now)
        per = day.worked(done.first_at, until)
        if per >= SHORTEST:
            return Rate(done.doses, per, Basis.PACE)
    return Rate(capacity, day.length, Basis.CAPACITY) if capacity else None


@dataclass(frozen=True)
class Forecast:
    """What is to be expected of the doses under one clock.

    `done_at` is None where that is beyond the horizon, or unknown. `doses_late` is None where it is unknown: nobody can
    tell, and the clock has not run out.
    """

    basis: Basis
    doses_per_hour: Fraction | None
    done_at: datetime | None
    doses_late: int | None


@dataclass(frozen=True)
class Worker:
    """Who does doses one after another: the hours and the rate, as known at `now`."""

    day: WorkingDay
    rate: Rate | None
    now: datetime

    def does(self, since: datetime, until: datetime) -> int:
        """How many doses are done between two instants."""
        return self.rate.within(self.day.worked(since, until)) if self.rate else 0

    def done(self, doses: int, since: datetime) -> datetime | None:
        """When so many doses, begun at an instant, are done."""
        work = self.rate.needs(doses) if self.rate else None
        return None if work is None else self.day.after(since, work)

    def in_time(self, before: int, left: int, due_at: datetime) -> int:
        """How many of `left` doses, behind `before` others in the queue, are done when they are due."""
        return min(max(self.does(self.now, due_at) - before, 0), left)

    def forecast(self, before: int, left: int, due_at: datetime) -> Forecast:
        """What is to be expected of `left` doses that stand behind `before` others in the queue."""
        if self.rate is None:
            return unknown(left, due_at, self.now)
        done_at = self.done(before + left, self.now)
        in_time = left if done_at and done_at <= due_at else self.in_time(before, left, due_at)
        return Forecast(self.rate.basis, self.rate.per_hour, done_at, left - in_time)


def unknown(left: int, due_at: datetime, now: datetime) -> Forecast:
    """The forecast of doses of which nobody knows when they go on; once they are overdue they all are late."""
    return Forecast(Basis.NONE, None, None, left if now > due_at else None)


def _ticks(span: timedelta) -> int:
    return span // _TICK
