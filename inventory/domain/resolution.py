"""How finely readings are told: as they are, by the hour or by the day of UTC, so that a chart has points enough."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from inventory.domain.exposure import Band
from inventory.domain.instants import EPOCH
from inventory.domain.readings import Reading
from inventory.domain.rollup import HOUR, Hour, roll_up
from inventory.domain.words import Resolution

MOST_POINTS = 2000
"""More than a screen can show."""

DAY = timedelta(days=1)
SIZES = {Resolution.HOUR: HOUR, Resolution.DAY: DAY}


def coarse(since: datetime, until: datetime) -> Resolution:
    """Hours, where a span has no more of them than can be shown, else days."""
    first, last = widened(since, until, HOUR)
    return Resolution.HOUR if last - first <= MOST_POINTS * HOUR else Resolution.DAY


def begin_of(at: datetime, size: timedelta) -> datetime:
    """The beginning of the hour or day that an instant lies in."""
    return at - (at - EPOCH) % size


def widened(since: datetime, until: datetime, size: timedelta) -> tuple[datetime, datetime]:
    """The whole hours or days that a span touches; an empty one stays empty."""
    first = begin_of(since, size)
    return first, max(first, begin_of(until - timedelta.resolution, size) + size) if since < until else first


def standing(latest: Reading, until: datetime, hold: timedelta, band: Band) -> dict[datetime, Hour]:
    """What the newest reading says of the time after it, up to `until`: it stands for as long as any other."""
    end = min(latest.measured_at + hold, until)
    if end <= latest.measured_at:
        return {}
    hours = roll_up([latest, Reading(end, latest.temperature)], hold, band)
    return {hour: part._replace(readings=0) for hour, part in hours.items() if part.seen}


def gathered(parts: Iterable[Mapping[datetime, Hour]], size: timedelta) -> dict[datetime, Hour]:
    """The sums of hours, or of parts of them, by the hour or day that they lie in."""
    sums: dict[datetime, Hour] = {}
    for hours in parts:
        for hour, part in hours.items():
            begin = begin_of(hour, size)
            sums[begin] = sums[begin].joined(part) if begin in sums else part
    return sums
