"""Readings of a sensor: as they are, or by the hour or the day where a span holds more than can be shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.instants import BEGINNING, FOREVER, OLDEST
from inventory.domain.resolution import MOST_POINTS, SIZES, coarse, widened
from inventory.domain.words import Resolution
from inventory.persistence import months
from inventory.persistence.database import Database
from inventory.persistence.tables import Reading, ReadingConflict, ReadingHour, Sensor
from inventory.services import points
from inventory.services.paging import Page, cursor_of, instant_in, page
from inventory.services.points import Point


@dataclass(frozen=True)
class ReadingLine:
    """One temperature (hundredths of a degree Celsius) and when it was measured and received."""

    measured_at: datetime
    temperature: int
    received_at: datetime


@dataclass(frozen=True)
class Readings:
    """A page of a sensor's readings, and how many values that contradict a stored one were kept aside."""

    page: Page[ReadingLine]
    conflicts: int


@dataclass(frozen=True)
class Archived:
    """Whole months, from `since` until before `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Asked:
    """Readings from `since` until before `until`, at a resolution, behind a cursor.

    Without a resolution a client that pages gets readings, as it always did, and one that does not what AUTO chooses.
    """

    since: datetime | None = None
    until: datetime | None = None
    resolution: Resolution | None = None
    after: str | None = None
    limit: int | None = None

    @property
    def chosen(self) -> Resolution:
        """The resolution that is asked for."""
        if self.resolution is not None:
            return self.resolution
        return Resolution.AUTO if self.after is None and self.limit is None else Resolution.RAW


@dataclass(frozen=True)
class Series:
    """A sensor's readings, or points made of them, from `since` until before `until`.

    Of `items` and `points` that one is filled that the resolution says. The span of points is widened to whole hours
    or days of UTC and ends now at the latest; `unseen` is the time in all of it that nobody saw, None for readings.
    `archived` are the months of it of which the sensor's readings are in files; its points tell of them all the same.
    """

    resolution: Resolution
    since: datetime | None
    until: datetime | None
    items: Sequence[ReadingLine]
    points: Sequence[Point]
    next: str | None
    unseen: timedelta | None
    archived: Sequence[Archived]
    conflicts: int


def list_readings(
    database: Database, serial: str, since: datetime | None, until: datetime | None, after: str | None, limit: int
) -> Readings:
    """Readings from `since` until before `until`, by time.

    Raises:
        NotFound: `not_found` for a sensor that is not registered.
    """
    found = read_series(database, serial, Asked(since, until, Resolution.RAW, after, limit), OLDEST)
    return Readings(Page(found.items, found.next), found.conflicts)


def read_series(database: Database, serial: str, asked: Asked, now: datetime) -> Series:
    """A sensor's readings, at most 2,000 at a time, or points made of them.

    Raises:
        NotFound: `not_found` for a sensor that is not registered.
        Invalid: `malformed` for a cursor that no page gave.
    """
    with database.read() as session:
        resolution, archived = asked.chosen, _archived(session, serial, asked)
        few = resolution is Resolution.AUTO and not archived and _are_few(session, serial, asked)
        if resolution is Resolution.RAW or few:
            return _raw(session, serial, asked, archived)
        return _rolled_up(session, serial, asked, archived, now)


def _raw(session: Session, serial: str, asked: Asked, archived: Sequence[Archived]) -> Series:
    if session.scalar(select(Sensor.id).where(Sensor.serial == serial)) is None:
        raise NotFound(Code.NOT_FOUND, "sensor", serial, N_("the serial of a sensor"))
    query = _between(select(Reading.temperature, Reading.received_at, Reading.measured_at), serial, asked)
    found = page(session, query, [Reading.measured_at], asked.after, asked.limit or MOST_POINTS)
    lines = [ReadingLine(row.measured_at, row.temperature, row.received_at) for row in found.items]
    return Series(
        resolution=Resolution.RAW,
        since=asked.since,
        until=asked.until,
        items=lines,
        points=(),
        next=found.next,
        unseen=None,
        archived=archived,
        conflicts=_conflicts(session, serial),
    )


def _rolled_up(session: Session, serial: str, asked: Asked, archived: Sequence[Archived], now: datetime) -> Series:
    sensor = points.followed(session, serial)
    horizon = max(now, sensor.latest.measured_at) if sensor.latest else now
    since = max(asked.since or points.beginning(session, sensor) or horizon, OLDEST)
    until = min(asked.until or horizon, horizon)
    resolution = coarse(since, until) if asked.chosen is Resolution.AUTO else asked.chosen
    size, limit = SIZES[resolution], asked.limit or MOST_POINTS
    since, until = widened(since, until, size)
    until = min(until, max(since, horizon))
    after = None if asked.after is None else instant_in(asked.after)
    found = points.points(session, sensor, (since, until), size, after, limit)
    shown = [points.point(begin, size, horizon, seen) for begin, seen in found.items[:limit]]
    return Series(
        resolution=resolution,
        since=since,
        until=until,
        items=(),
        points=shown,
        next=cursor_of([shown[-1].since]) if len(found.items) > limit else None,
        unseen=max(until - since - found.seen, timedelta()),
        archived=archived,
        conflicts=_conflicts(session, serial),
    )


def _archived(session: Session, serial: str, asked: Asked) -> Sequence[Archived]:
    """The archived months of a span of which there are roll-ups of the sensor, next to each other in one."""
    since, until = asked.since or BEGINNING, asked.until or FOREVER
    spans = [span for span in months.spans(months.archived(session)) if span[0] < until and span[1] > since]
    return [Archived(*span) for span in spans if _has_hours(session, serial, *span)]


def _has_hours(session: Session, serial: str, since: datetime, until: datetime) -> bool:
    mine = select(Sensor.id).where(Sensor.serial == serial).scalar_subquery()
    some = exists().where(ReadingHour.sensor_id == mine, ReadingHour.hour >= since, ReadingHour.hour < until)
    return bool(session.scalar(select(some)))


def _are_few(session: Session, serial: str, asked: Asked) -> bool:
    """Whether all readings of a span can be shown; no more are counted than that needs."""
    some = _between(select(Reading.measured_at), serial, asked).limit(MOST_POINTS + 1).subquery()
    return (session.scalar(select(func.count()).select_from(some)) or 0) <= MOST_POINTS


def _between(query: Select[*tuple[Any, ...]], serial: str, asked: Asked) -> Select[*tuple[Any, ...]]:
    sensor = select(Sensor.id).where(Sensor.serial == serial).scalar_subquery()
    query = query.where(Reading.sensor_id == sensor)
    if asked.since is not None:
        query = query.where(Reading.measured_at >= asked.since)
    return query if asked.until is None else query.where(Reading.measured_at < asked.until)


def _conflicts(session: Session, serial: str) -> int:
    query = select(func.count()).select_from(ReadingConflict).join(Sensor, Sensor.id == ReadingConflict.sensor_id)
    return session.scalar(query.where(Sensor.serial == serial)) or 0
