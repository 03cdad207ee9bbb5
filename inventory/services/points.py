"""A sensor's readings by the hour or the day: from the roll-ups that are stored, and what is younger than they are."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, func, literal_column, select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.exposure import Band
from inventory.domain.instants import EPOCH
from inventory.domain.readings import HOLD_INTERVALS
from inventory.domain.readings import Reading as Measured
from inventory.domain.resolution import begin_of, gathered, standing
from inventory.domain.rollup import HOUR, Hour, mean_kinetic, roll_up
from inventory.persistence.seconds import whole_seconds
from inventory.persistence.tables import Reading, ReadingHour, Sensor, SensorState, StorageProfile
from inventory.services.judgement import read_between

_WORD = 1 << 31
"""A day of the hottest hours is more than 64 bits hold, so the two halves of `kinetic` are summed by themselves."""


@dataclass(frozen=True)
class Point:
    """What was seen from `since` to `until`, whole hours or days of UTC; the last one ends now.

    `lowest` and `highest` are hundredths of a degree Celsius, `mean_kinetic` is in degrees; all over what was seen, a
    reading that stood into the time included. `above` and `below` are outside the band of the sensor's profile.
    """

    since: datetime
    until: datetime
    readings: int
    lowest: int
    highest: int
    above: timedelta
    below: timedelta
    unseen: timedelta
    mean_kinetic: float | None


@dataclass(frozen=True)
class Followed:
    """A sensor, the band it is judged by, and its newest reading with the roll-up of its hour so far.

    `rolled` is None for a sensor that was never followed: then all is made from its readings.
    """

    id: UUID
    hold: timedelta
    band: Band
    latest: Measured | None
    rolled: tuple[datetime, Hour] | None


def followed(session: Session, serial: str) -> Followed:
    """What is known of the sensor of a serial.

    Raises:
        NotFound: `not_found` for one that is not registered.
    """
    query = (
        select(Sensor, StorageProfile, SensorState)
        .join(StorageProfile, StorageProfile.code == Sensor.profile_code)
        .outerjoin(SensorState, SensorState.sensor_id == Sensor.id)
        .where(Sensor.serial == serial)
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound(Code.NOT_FOUND, "sensor", serial, N_("the serial of a sensor"))
    sensor, profile, state = found
    latest, rolled = _state(state) or (_newest(session, sensor.id), None)
    hold = timedelta(seconds=sensor.interval_seconds * HOLD_INTERVALS)
    return Followed(sensor.id, hold, Band(profile.low, profile.high), latest, rolled)


def beginning(session: Session, sensor: Followed) -> datetime | None:
    """The first instant of which a sensor's readings say anything; None where there is none."""
    if sensor.rolled is None:
        query = select(func.min(Reading.measured_at)).where(Reading.sensor_id == sensor.id)
        return session.scalar(query)
    first = session.scalar(select(func.min(ReadingHour.hour)).where(ReadingHour.sensor_id == sensor.id))
    return first or sensor.rolled[0]


@dataclass(frozen=True)
class Points:
    """Points of a span, of those behind the last page `limit` at most and one more, and the time seen in all of it."""

    items: Sequence[tuple[datetime, Hour]]
    seen: timedelta


def points(
    session: Session,
    sensor: Followed,
    span: tuple[datetime, datetime],
    size: timedelta,
    after: datetime | None,
    limit: int,
) -> Points:
    """What was seen in each hour or day of a span of whole ones, or up to now; none for one that nobody saw."""
    since, until = span
    recent = {hour: part for hour, part in _recent(session, sensor, since, until).items() if since <= hour < until}
    first = since if after is None else max(since, begin_of(min(after, until), size) + size)
    stored: dict[datetime, Hour] = {}
    if sensor.rolled is not None:
        until = min(until, sensor.rolled[0])
        stored = _stored(session, sensor.id, first, until, size, limit + 1)
    parts = gathered([stored, {hour: part for hour, part in recent.items() if hour >= first}], size)
    whole = sensor.rolled is None or (after is None and len(parts) <= limit)
    seen = _sum(stored.values() if whole else ()) + _sum(recent.values())
    if not whole:
        seen += _seen(session, sensor.id, since, until)
    return Points(sorted(parts.items())[: limit + 1], seen)


def _sum(parts: Iterable[Hour]) -> timedelta:
    return timedelta(microseconds=sum(part.seen for part in parts))


def point(begin: datetime, size: timedelta, horizon: datetime, seen: Hour) -> Point:
    """An hour or a day as it is shown; beyond the `horizon` nobody could see."""
    until = min(begin + size, horizon)
    unseen = max(until - begin - timedelta(microseconds=seen.seen), timedelta())
    return Point(
        since=begin,
        until=until,
        readings=seen.readings,
        lowest=seen.lowest,
        highest=seen.highest,
        above=timedelta(microseconds=seen.above),
        below=timedelta(microseconds=seen.below),
        unseen=unseen,
        mean_kinetic=mean_kinetic(seen.kinetic, seen.seen),
    )


def _state(state: SensorState | None) -> tuple[Measured, tuple[datetime, Hour]] | None:
    """The newest reading and the roll-up of its hour, of a sensor that was followed."""
    if state is None or state.open_hour is None or state.latest_at is None or state.latest is None:
        return None
    hour, *numbers = json.loads(state.open_hour)
    return Measured(state.latest_at, state.latest), (datetime.fromisoformat(hour).astimezone(UTC), Hour(*numbers))


def _newest(session: Session, sensor_id: UUID) -> Measured | None:
    query = (
        select(Reading.measured_at, Reading.temperature)
        .where(Reading.sensor_id == sensor_id)
        .order_by(Reading.measured_at.desc())
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return row and Measured(*row)


def _recent(session: Session, sensor: Followed, since: datetime, until: datetime) -> Mapping[datetime, Hour]:
    """What no roll-up is stored of: the hour of the newest reading and what that one stands into, or all."""
    if sensor.latest is None:
        return {}
    if sensor.rolled is not None:
        hours = dict([sensor.rolled])
        last = sensor.latest
    else:
        readings = read_between(session, sensor.id, since - sensor.hold, until)
        if not readings:
            return {}
        hours, last = roll_up(readings, sensor.hold, sensor.band), readings[-1]
    return gathered([hours, standing(last, until, sensor.hold, sensor.band)], HOUR)


def _stored(
    session: Session, sensor_id: UUID, since: datetime, until: datetime, size: timedelta, limit: int
) -> dict[datetime, Hour]:
    """The sums of the stored hours by the hour or day that they lie in, the first of them."""
    of = ReadingHour
    number = (whole_seconds(of.hour) // literal_column(str(size // timedelta(seconds=1)), Integer)).label("number")
    times = [func.sum(each) for each in (of.above, of.below, of.seen)]
    sums = [*times, func.sum(of.kinetic // _WORD), func.sum(of.kinetic % _WORD)]
    query = select(number, func.sum(of.readings), func.min(of.lowest), func.max(of.highest), *sums)
    query = query.where(of.sensor_id == sensor_id, of.hour >= since, of.hour < until)
    rows = session.execute(query.group_by("number").order_by("number").limit(limit))
    return {EPOCH + number * size: _sums(sums) for number, *sums in rows}


def _sums(figures: Iterable[Any]) -> Hour:
    readings, lowest, highest, above, below, seen, high, low = map(int, figures)
    return Hour(readings, lowest, highest, above, below, seen, high * _WORD + low)


def _seen(session: Session, sensor_id: UUID, since: datetime, until: datetime) -> timedelta:
    of = ReadingHour
    query = select(func.sum(of.seen)).where(of.sensor_id == sensor_id, of.hour >= since, of.hour < until)
    return timedelta(microseconds=int(session.scalar(query) or 0))
