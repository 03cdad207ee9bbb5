"""The roll-ups of a sensor's hours, and its newest reading, beside what the readings give."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from inventory.domain.instants import BEGINNING, FOREVER
from inventory.domain.readings import Reading as Measured
from inventory.domain.recount import hours_of
from inventory.domain.rollup import Hour, hour_of
from inventory.persistence.tables import ReadingHour, SensorState
from inventory.services.recounting import PART, Difference, Subject

FIGURES = ("readings", "lowest", "highest", "above", "below", "seen", "kinetic")


def hour_differences(subject: Subject, state: SensorState) -> Iterator[Difference]:
    """Where the roll-ups of hours that are over, the open hour or the newest reading are others.

    Behind an archived month the hours are left out that its last reading may have stood into.
    """
    newest: Measured | None = None
    for since, until in subject.windows:
        heard_later = state.latest_at is not None and state.latest_at >= until
        track = _Newest()
        parts = track.along(subject.parts(since, until))
        hours = hours_of(parts, subject.hold, subject.band, until if heard_later else None)
        sure = since if since == BEGINNING else since + subject.hold
        for hour, stored, given in _beside(_stored(subject, since, until), hours):
            if hour < sure:
                continue
            is_open = not heard_later and track.found is not None and hour == hour_of(track.found.measured_at)
            if is_open:
                yield from _open_hour(subject, state, hour, given)
            yield from _figures(subject, f"hour {hour.isoformat()}", stored, None if is_open else given)
        newest = track.found or newest
    yield from _latest(subject, state, newest)


@dataclass
class _Newest:
    """The last of some readings, once they were gone through."""

    found: Measured | None = None

    def along(self, parts: Iterator[list[Measured]]) -> Iterator[list[Measured]]:
        for part in parts:
            self.found = part[-1]
            yield part


def _stored(subject: Subject, since: datetime, until: datetime) -> Iterator[tuple[datetime, Hour]]:
    columns = [getattr(ReadingHour, name) for name in FIGURES]
    query = select(ReadingHour.hour, *columns).where(
        ReadingHour.sensor_id == subject.sensor.id, ReadingHour.hour >= since, ReadingHour.hour < until
    )
    for row in subject.session.execute(query.order_by(ReadingHour.hour).execution_options(yield_per=PART)):
        yield row[0], Hour(*row[1:])


def _beside(
    stored: Iterator[tuple[datetime, Hour]], given: Iterator[tuple[datetime, Hour]]
) -> Iterator[tuple[datetime, Hour | None, Hour | None]]:
    """Two runs of hours, each by time, side by side."""
    ends: tuple[datetime, None] = (FOREVER, None)
    one: tuple[datetime, Hour | None] = next(stored, ends)
    other: tuple[datetime, Hour | None] = next(given, ends)
    while one[1] is not None or other[1] is not None:
        hour = min(one[0], other[0])
        yield hour, one[1] if one[0] == hour else None, other[1] if other[0] == hour else None
        one, other = (
            next(stored, ends) if one[0] == hour else one,
            next(given, ends) if other[0] == hour else other,
        )


def _figures(subject: Subject, of: str, stored: Hour | None, given: Hour | None) -> Iterator[Difference]:
    if stored is None or given is None:
        yield from subject.difference(of, "the row", stored, given)
        return
    for name in FIGURES:
        yield from subject.difference(of, name, getattr(stored, name), getattr(given, name))


def _open_hour(subject: Subject, state: SensorState, hour: datetime, given: Hour | None) -> Iterator[Difference]:
    begins, stored = _read(state.open_hour)
    yield from subject.difference("open hour", "hour", begins, hour)
    yield from _figures(subject, "open hour", stored, given)


def _read(text: str | None) -> tuple[datetime | None, Hour | None]:
    """The open hour as it is stored; None where that is not one."""
    try:
        begins, *figures = json.loads(text or "")
        return datetime.fromisoformat(begins), Hour(*figures)
    except (ValueError, TypeError):
        return None, None


def _latest(subject: Subject, state: SensorState, newest: Measured | None) -> Iterator[Difference]:
    told = state.latest_at
    if told is not None and subject.lacks(told) and (newest is None or newest.measured_at < told):
        return
    yield from subject.difference("state", "latest_at", state.latest_at, newest and newest.measured_at)
    yield from subject.difference("state", "latest", state.latest, newest and newest.temperature)
    if newest is None:
        yield from subject.difference("state", "open_hour", state.open_hour, None)
