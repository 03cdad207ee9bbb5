"""What of a sensor's time can be made anew although the readings of some months are archived.

A reading that comes for an archived month is stored but not judged: what was made of the whole month is better than
what one reading says. What comes beside one is made right as far as it can be without the readings there; the rest is
put off until the month is restored (inventory.services.unjudged).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from inventory.domain.instants import FOREVER
from inventory.domain.limits import ExcursionRule
from inventory.domain.rollup import HOUR, hour_of
from inventory.persistence import months
from inventory.persistence.months import Month
from inventory.persistence.tables import Excursion, ReadingHour, SensorState
from inventory.services.affected import affected

Stretch = tuple[datetime, datetime | None]
Hours = tuple[datetime, datetime]

_MOMENT = timedelta(microseconds=1)


class Sure(NamedTuple):
    """What is left of a stretch without archived readings, if anything, and a month that the rest has to wait for."""

    stretch: Stretch | None
    lacks: Month | None


def sure_stretch(
    session: Session,
    sensor_id: UUID,
    rules: Sequence[ExcursionRule],
    hold: timedelta,
    stretch: Stretch,
    last: datetime | None,
) -> Sure:
    """The part of an affected stretch whose excursions can be found without archived readings.

    It is cut at readings at which nothing goes on. Where an archived month lies in the middle, the later part is taken
    if `last`, the latest instant that changed, lies there or is None; the earlier one stays as it was.
    """
    since, until = stretch
    lacks: Month | None = None
    window = max((rule.window or timedelta() for rule in rules), default=timedelta())
    for gone, back in months.spans(months.archived(session)):
        if back <= since or gone >= (until or FOREVER) or not heard_before(session, sensor_id, back):
            continue
        lacks = _nearest(gone, back, last)
        calm_before, calm_after = affected(session, sensor_id, rules, hold, gone, back + window - _MOMENT)
        if last is not None and last < gone:
            until = calm_before
            break
        if calm_after is None or (last is not None and last < calm_after):
            return Sure(None, lacks)
        since = calm_after
    return Sure((since, until) if until is None or since < until else None, lacks)


def sure_hours(session: Session, first: datetime, last: datetime, hold: timedelta) -> tuple[list[Hours], set[Month]]:
    """The hours that readings from one instant to another have a say in and no archived one has; what others wait for.

    An archived reading stands into hours behind its month for `hold`. In the hours before it, what stands there stands
    to their end.
    """
    since, until = hour_of(first - hold), hour_of(last + hold)
    found: list[Hours] = []
    lacks: set[Month] = set()
    for gone, back in months.spans(months.archived(session)):
        if since < back + hold and gone <= until:
            lacks.add(_nearest(gone, back, last))
            found.append((since, gone - HOUR))
            since = hour_of(back + hold - _MOMENT) + HOUR
    return [each for each in (*found, (since, until)) if each[0] <= each[1]], lacks


def heard_before(session: Session, sensor_id: UUID, instant: datetime) -> bool:
    """Whether anything was made of readings of a sensor from before an instant; else none of it are archived there."""
    traces = (
        (ReadingHour.sensor_id == sensor_id, ReadingHour.hour < instant),
        (Excursion.sensor_id == sensor_id, Excursion.started_at < instant),
        (SensorState.sensor_id == sensor_id, SensorState.latest_at < instant),
    )
    return bool(session.scalar(select(or_(*(exists().where(*each) for each in traces)))))


def _nearest(gone: datetime, back: datetime, last: datetime | None) -> Month:
    """Of the months archived from one instant to another, the one that what changed until `last` lies at."""
    return months.month_of(gone if last is not None and last < gone else back - _MOMENT)


def runs_of(session: Session, instants: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    """The first and the last of instants between which no month is archived; those within one are left out."""
    spans = months.spans(months.archived(session))
    runs: dict[int, list[datetime]] = {}
    for at in sorted(instants):
        if not any(gone <= at < back for gone, back in spans):
            runs.setdefault(sum(back <= at for _, back in spans), []).append(at)
    return [(each[0], each[-1]) for each in runs.values()]
