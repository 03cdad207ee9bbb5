"""What a sensor saw of a stretch of time, in integers that add up: from its readings, or from roll-ups of its hours.

A stretch is cut at the hours of UTC, as roll-ups are. So the sum over whole hours from roll-ups and over the rest from
readings is, to the last digit, what the readings alone give.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from inventory.domain.exposure import Band, Exposure
from inventory.domain.rollup import HOUR_MICROSECONDS, kinetic, mean_kinetic

COLDEST, HOTTEST = -100_000, 100_000
"""Beyond all that is measured, in hundredths of a degree: the open ends of intervals."""

Point = tuple[int, int]
"""A reading: microseconds since 1970, and hundredths of a degree."""


class Interval(NamedTuple):
    """Temperatures from `low` to `high`, both included, in hundredths of a degree Celsius."""

    low: int
    high: int


def above(band: Band) -> Interval:
    """What is too warm."""
    return Interval(band.high + 1, HOTTEST)


def below(band: Band) -> Interval:
    """What is too cold."""
    return Interval(COLDEST, band.low - 1)


class Seen(NamedTuple):
    """What was seen; all times are microseconds.

    `times` are those in each of the intervals that were asked for. `unknown` is time of which the readings are in
    files: nobody can say here whether it was seen. `undecided` was seen, but not how long in which interval.
    """

    seen: int
    lowest: int | None
    highest: int | None
    kinetic: int
    times: tuple[int, ...]
    unknown: int = 0
    undecided: int = 0

    def joined(self, other: "Seen") -> "Seen":
        """Both together."""
        return Seen(
            self.seen + other.seen,
            _of(min, self.lowest, other.lowest),
            _of(max, self.highest, other.highest),
            self.kinetic + other.kinetic,
            tuple(map(int.__add__, self.times, other.times)),
            self.unknown + other.unknown,
            self.undecided + other.undecided,
        )

    def exposure(self, whole: int) -> Exposure:
        """The same of a stretch of `whole` microseconds, where the first two intervals are above and below the band."""
        return Exposure(
            above=timedelta(microseconds=self.times[0]),
            below=timedelta(microseconds=self.times[1]),
            unseen=timedelta(microseconds=whole - self.seen - self.unknown),
            lowest=self.lowest,
            highest=self.highest,
            mean_kinetic=mean_kinetic(self.kinetic, self.seen),
            uncertain=timedelta(microseconds=self.unknown + self.undecided),
        )


def nothing(intervals: int) -> Seen:
    """Nothing was seen."""
    return Seen(0, None, None, 0, (0,) * intervals)


def total(parts: Iterable[Seen], intervals: int) -> Seen:
    """All parts together."""
    whole = nothing(intervals)
    for part in parts:
        whole = whole.joined(part)
    return whole


def cuts(points: Sequence[Point], hold: int, since: int, until: int) -> list[tuple[int, int, int]]:
    """What sorted readings saw from `since` to `until`: start, end and temperature of pieces, each within an hour.

    A reading stands until the next, but for no longer than `hold`.
    """
    found = []
    later = [at for at, _ in points[1:]] + [until]
    for (at, temperature), following in zip(points, later, strict=False):
        end = min(following, at + hold, until)
        start = max(at, since)
        hour = start - start % HOUR_MICROSECONDS + HOUR_MICROSECONDS
        while hour < end:
            found.append((start, hour, temperature))
            start, hour = hour, hour + HOUR_MICROSECONDS
        if start < end:
            found.append((start, end, temperature))
    return found


def summed(points: Sequence[Point], hold: int, since: int, until: int, intervals: Sequence[Interval]) -> Seen:
    """What sorted readings say of a stretch; those from `hold` before it on are asked for."""
    seen = warmth = 0
    spent: dict[int, int] = {}
    for start, stop, temperature in cuts(points, hold, since, until):
        stood = stop - start
        seen += stood
        warmth += kinetic(temperature, stood)
        spent[temperature] = spent.get(temperature, 0) + stood
    times = tuple([sum([spent[each] for each in spent if low <= each <= high]) for low, high in intervals])
    return Seen(seen, min(spent, default=None), max(spent, default=None), warmth, times)


def _of(choose: Callable[[int, int], int], one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)
