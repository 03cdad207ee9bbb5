"""Roll-ups and excursions of readings that come in parts, so that no more than a part is in memory.

What `rollup.roll_up` and `excursions.detect` say of all readings at once. Roll-ups add up; excursions are looked for
between readings at which nothing goes on. So it is the longest time beyond a limit that has to fit into memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory.domain.excursions import ExcursionRule, Span, detect
from inventory.domain.exposure import Band
from inventory.domain.readings import Reading
from inventory.domain.rollup import Hour, hour_of, roll_up

Hours = dict[datetime, Hour]


def hours_of(
    parts: Iterable[Sequence[Reading]], hold: timedelta, band: Band, until: datetime | None = None
) -> Iterator[tuple[datetime, Hour]]:
    """The hours that sorted readings say something of, by time.

    The last reading stands for its instant only, unless `until`, the end of an hour, is where one is that nobody shows.
    """
    hours: Hours = {}
    last: Reading | None = None
    for part in parts:
        readings = part if last is None else [last, *part]
        _add(hours, roll_up(readings, hold, band))
        last = readings[-1]
        _uncount(hours, last)
        yield from _over(hours, hour_of(last.measured_at))
    if last is not None:
        _add(hours, roll_up([last] if until is None else [last, Reading(until, last.temperature)], hold, band))
        yield from _over(hours, until)


def _add(hours: Hours, more: Hours) -> None:
    for hour, each in more.items():
        hours[hour] = hours[hour].joined(each) if hour in hours else each


def _uncount(hours: Hours, last: Reading) -> None:
    """The last reading of a part is the first of the next, and counts there."""
    hour = hour_of(last.measured_at)
    hours[hour] = hours[hour]._replace(readings=hours[hour].readings - 1)


def _over(hours: Hours, until: datetime | None) -> Iterator[tuple[datetime, Hour]]:
    for hour in sorted(hours):
        if until is None or hour < until:
            yield hour, hours.pop(hour)


@dataclass(frozen=True)
class Stage:
    """A time in which a sensor is judged, as `detect` takes it: None where it always was, or still is.

    `opened` and `closed` say that no readings of it are missing at its beginning and at its end.
    """

    since: datetime | None = None
    until: datetime | None = None
    opened: bool = True
    closed: bool = True


@dataclass(frozen=True)
class Judged:
    """The excursions found between two readings at which nothing goes on; None where it was from, or to, the end."""

    spans: tuple[Span, ...]
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True)
class _Piece:
    """Readings that can be judged by themselves; the last of them is the first of the next piece."""

    readings: Sequence[Reading]
    first: bool
    last: bool


def judged(
    parts: Iterable[Sequence[Reading]], rules: Sequence[ExcursionRule], hold: timedelta, stage: Stage
) -> Judged | None:
    """The excursions of a stage; where readings are missing, only those that can be known without them.

    None where there are none such: nothing is known of how it was at any of the readings.
    """
    spans: list[Span] = []
    since = until = None
    for piece in _pieces(parts, rules, eager=not stage.opened):
        if piece.first and piece.last and not (stage.opened and stage.closed):
            return None
        if piece.first and not stage.opened:
            since = piece.readings[-1].measured_at
        elif piece.last and not stage.closed:
            until = piece.readings[0].measured_at
        else:
            ends = stage.until if piece.last else None, stage.since if piece.first else None
            spans += detect(piece.readings, rules, hold, *ends)
    return Judged(tuple(spans), since, until)


def _pieces(parts: Iterable[Sequence[Reading]], rules: Sequence[ExcursionRule], *, eager: bool) -> Iterator[_Piece]:
    """The readings, cut where nothing goes on; the first cut is as early as it can be where one is `eager`."""
    held: list[Reading] = []
    first = True
    for part in parts:
        held += part
        wanted = [True, False] if eager and first else [False]
        for earliest in wanted:
            at = _rest(held, rules, earliest=earliest)
            if at is None or not (at or earliest):
                break
            yield _Piece(held[: at + 1], first, last=False)
            held, first = held[at:], False
    yield _Piece(held, first, last=True)


def _rest(readings: Sequence[Reading], rules: Sequence[ExcursionRule], *, earliest: bool) -> int | None:
    """The number of a reading at which no rule has anything going on: it was calm for as long as one remembers."""
    memory = max((rule.window or timedelta() for rule in rules), default=timedelta())
    found: int | None = None
    calm_since: datetime | None = None
    for number, reading in enumerate(readings):
        if any(rule.broken_by(reading.temperature) for rule in rules):
            calm_since = None
            continue
        calm_since = calm_since or reading.measured_at
        if reading.measured_at - calm_since >= memory:
            found = number
            if earliest:
                break
    return found
