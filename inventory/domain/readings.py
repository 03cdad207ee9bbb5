"""Readings, and for how long one speaks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory.domain.instants import BEGINNING

HOLD_INTERVALS = 3
"""A reading speaks for at most three of its sensor's intervals; after that the place is unseen."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One temperature of one sensor, in hundredths of a degree Celsius, at an instant."""

    measured_at: datetime
    temperature: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `since` to `until` the place was at `temperature`; None where nothing was seen."""

    since: datetime
    until: datetime
    temperature: int | None

    @property
    def duration(self) -> timedelta:
        """How long it is."""
        return self.until - self.since


def stretches(readings: Sequence[Reading], hold: timedelta, until: datetime | None = None) -> Iterator[Stretch]:
    """What sorted readings say of the time from the first to the last, or to `until`.

    A reading stands until the next, but for no longer than `hold`; what no reading stands for is unseen.
    """
    ends = [reading.measured_at for reading in readings[1:]]
    if until is not None and readings:
        ends.append(until)
    for reading, end in zip(readings, ends, strict=False):
        seen_until = min(end, reading.measured_at + hold)
        yield Stretch(reading.measured_at, seen_until, reading.temperature)
        if seen_until < end:
            yield Stretch(seen_until, end, None)


def within(parts: Iterable[Stretch], since: datetime, until: datetime) -> Iterator[Stretch]:
    """The same stretches, cut to a window; what lies outside them in the window is unseen."""
    reached = since
    for part in parts:
        start, end = max(part.since, since), min(part.until, until)
        if start < end:
            if reached < start:
                yield Stretch(reached, start, None)
            yield Stretch(start, end, part.temperature)
            reached = end
    if reached < until:
        yield Stretch(reached, until, None)


def covered(parts: Iterable[Stretch]) -> timedelta:
    """How much time stretches cover together, however they overlap."""
    total, reached = timedelta(), BEGINNING
    for part in sorted(parts, key=lambda each: each.since):
        total += max(part.until - max(part.since, reached), timedelta())
        reached = max(reached, part.until)
    return total
