"""Instants and civil days: aware datetimes only, UTC inside."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from inventory.domain.errors import N_, Code, Invalid

CLOCK_SKEW = timedelta(minutes=5)
"""How far ahead of ours another's clock may run before what it says is refused."""


BEGINNING = datetime.min.replace(tzinfo=UTC)
"""Before everything."""

FOREVER = datetime.max.replace(tzinfo=UTC)
"""After everything: the end of what has none."""

OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
"""What is said to be older was never so: the clock was not set."""


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""From where instants are counted where they must be integers."""

_MICROSECOND = timedelta(microseconds=1)


def counted(at: datetime) -> int:
    """An instant in microseconds since 1970."""
    return (at - EPOCH) // _MICROSECOND


def instant(microseconds: int) -> datetime:
    """The instant so many microseconds after 1970, in UTC."""
    return EPOCH + timedelta(microseconds=microseconds)


def stated(field: str, at: datetime, now: datetime) -> datetime:
    """The instant `at` in UTC, as somebody stated it, if it can be one that somebody lived.

    Raises:
        Invalid: `naive_time` without an offset, `time_in_future` beyond a small clock skew,
            `time_too_old` before the year 2000.
    """
    if at.tzinfo is None:
        raise Invalid(
            Code.NAIVE_TIME, field, at.isoformat(), N_("a time with an offset, such as 2026-01-05T08:30:00+08:00")
        )
    if at > now + CLOCK_SKEW:
        expected = N_("a time not after %(now)s")
        raise Invalid(Code.TIME_IN_FUTURE, field, at.isoformat(), expected, now=now.isoformat())
    if at < OLDEST:
        raise Invalid(Code.TIME_TOO_OLD, field, at.isoformat(), N_("a time of this century"))
    return at.astimezone(UTC)


def civil_day(at: datetime, zone: str) -> date:
    """The calendar day of an instant in a facility's zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def end_of_day(day: date, zone: str) -> datetime:
    """The instant in UTC at which a civil day ends in a zone, whatever its length."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
