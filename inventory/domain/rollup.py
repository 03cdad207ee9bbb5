"""Hourly roll-ups: what was seen of a place in an hour of UTC, in integers, so that sums are the same in any order.

The mean kinetic temperature needs a sum of exponentials. Each temperature's is taken as an integer, relative to that at
5 degrees, by decimal arithmetic: the same on every machine. Relative error 1e-9 at 2 to 8 degrees, 1 % at -80 degrees,
where MKT is not used (USP <1079.2>). The hottest hour there can be still fits into 64 bits.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import cache
from math import log
from typing import NamedTuple

from inventory.domain.exposure import ACTIVATION, ZERO_CELSIUS, Band
from inventory.domain.readings import Reading

HOUR = timedelta(hours=1)
MICROSECONDS = 1_000_000
HOUR_MICROSECONDS = 3600 * MICROSECONDS

_REFERENCE = Decimal("278.15")
_SCALE = 1 << 29
_PRECISE = Context(prec=40)


class Hour(NamedTuple):
    """What was seen in an hour, or in the part of it up to the newest reading.

    `readings` are those measured in it; `lowest` and `highest` are over what was seen, a reading that stood into the
    hour included. `above` and `below` (the storage band) and `seen` are microseconds; `kinetic` is the weighted sum
    that `mean_kinetic` reads.
    """

    readings: int
    lowest: int
    highest: int
    above: int
    below: int
    seen: int
    kinetic: int

    def joined(self, other: "Hour") -> "Hour":
        """What was seen in two parts of the same hour."""
        return Hour(
            self.readings + other.readings,
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
            self.above + other.above,
            self.below + other.below,
            self.seen + other.seen,
            self.kinetic + other.kinetic,
        )


def hour_of(at: datetime) -> datetime:
    """The hour of UTC that an instant lies in, by its beginning."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def roll_up(readings: Sequence[Reading], hold: timedelta, band: Band) -> dict[datetime, Hour]:
    """The hours that sorted readings say something of.

    A reading stands until the next, but for no longer than `hold`; the last one stands for its instant only. So what
    is said of the hour of the last reading is said up to that reading.
    """
    hours: dict[datetime, Hour] = {}
    for index, reading in enumerate(readings):
        until = min(readings[index + 1].measured_at, reading.measured_at + hold) if index + 1 < len(readings) else None
        for hour, part in _parts(reading, until, band):
            hours[hour] = hours[hour].joined(part) if hour in hours else part
    return hours


class Rolling(NamedTuple):
    """The newest reading, and the roll-up of its hour up to it. Instants are microseconds since 1970."""

    at: int
    value: int
    hour: int
    rolled: Hour


def begin(at: int, value: int) -> Rolling:
    """The roll-up of a first reading."""
    return Rolling(at, value, at - at % HOUR_MICROSECONDS, Hour(1, value, value, 0, 0, 0, 0))


def go_on(
    rolling: Rolling, readings: Sequence[tuple[int, int]], hold: int, band: Band
) -> tuple[Rolling, list[tuple[int, Hour]]]:
    """The roll-up after more readings, in order and all later, and the hours that are over with them.

    What `roll_up` says of all readings at once, at the cost of the new ones alone. `hold` is in microseconds.
    """
    at, value, hour, rolled = rolling.at, rolling.value, rolling.hour, rolling.rolled
    count, lowest, highest = rolled.readings, rolled.lowest, rolled.highest
    above, below, seen, warmth = rolled.above, rolled.below, rolled.seen, rolled.kinetic
    over: list[tuple[int, Hour]] = []
    for next_at, next_value in readings:
        if next_at - hour >= HOUR_MICROSECONDS:
            so_far = Hour(count, lowest, highest, above, below, seen, warmth)
            begun, ended = _across(Rolling(at, value, hour, so_far), next_at, next_value, hold, band)
            over += ended
            hour, rolled = begun.hour, begun.rolled
            count, lowest, highest = rolled.readings, rolled.lowest, rolled.highest
            above, below, seen, warmth = rolled.above, rolled.below, rolled.seen, rolled.kinetic
        else:
            stood = min(next_at - at, hold)
            seen += stood
            warmth += kinetic(value, stood)
            if value > band.high:
                above += stood
            elif value < band.low:
                below += stood
            count += 1
            if next_value < lowest:
                lowest = next_value
            elif next_value > highest:
                highest = next_value
        at, value = next_at, next_value
    return Rolling(at, value, hour, Hour(count, lowest, highest, above, below, seen, warmth)), over


def _across(rolling: Rolling, at: int, value: int, hold: int, band: Band) -> tuple[Rolling, list[tuple[int, Hour]]]:
    """The roll-up after a reading in a later hour: the newest one may stand into several."""
    hours = {rolling.hour: rolling.rolled}
    start, until = rolling.at, min(at, rolling.at + hold)
    while start < until:
        hour = start - start % HOUR_MICROSECONDS
        end = min(until, hour + HOUR_MICROSECONDS)
        part = _part(0, rolling.value, end - start, band)
        hours[hour] = hours[hour].joined(part) if hour in hours else part
        start = end
    begun = begin(at, value)
    if begun.hour in hours:
        begun = Rolling(at, value, begun.hour, hours.pop(begun.hour).joined(begun.rolled))
    return begun, list(hours.items())


def _parts(reading: Reading, until: datetime | None, band: Band) -> Iterator[tuple[datetime, Hour]]:
    """What one reading adds to its own hour and to those that it stands into."""
    at, value = reading.measured_at, reading.temperature
    hour, counted = hour_of(at), 1
    while True:
        end = min(until, hour + HOUR) if until is not None else at
        yield hour, _part(counted, value, microseconds(end - at), band)
        hour, at, counted = hour + HOUR, end, 0
        if until is None or hour >= until:
            return


def _part(counted: int, value: int, seen: int, band: Band) -> Hour:
    above, below = (seen if value > band.high else 0), (seen if value < band.low else 0)
    return Hour(counted, value, value, above, below, seen, kinetic(value, seen))


def microseconds(duration: timedelta) -> int:
    """A duration as an integer."""
    return duration // timedelta(microseconds=1)


def kinetic(temperature: int, seen: int) -> int:
    """What a temperature (a hundredth of a degree) adds in `seen` microseconds, all within one hour."""
    return (factor(temperature) * seen + MICROSECONDS // 2) // MICROSECONDS


@cache
def factor(temperature: int) -> int:
    """exp(dH/R * (1/T0 - 1/T)) of a temperature (a hundredth of a degree), scaled and rounded."""
    kelvin = _PRECISE.add(Decimal(temperature).scaleb(-2), Decimal("273.15"))
    if kelvin <= 0:
        return 0
    activation = Decimal(int(ACTIVATION))
    exponent = _PRECISE.subtract(_PRECISE.divide(activation, _REFERENCE), _PRECISE.divide(activation, kelvin))
    return int(_PRECISE.multiply(_PRECISE.exp(exponent), _SCALE).to_integral_value())


def mean_kinetic(total: int, seen: int) -> float | None:
    """Mean kinetic temperature (degrees Celsius) of a `kinetic` sum over `seen` microseconds; None if nothing was seen.

    Source: USP <1079.2>, with dH/R = 10,000 K; see inventory.domain.exposure.
    """
    if not total or not seen:
        return None
    mean = total * MICROSECONDS / seen / _SCALE
    return ACTIVATION / (ACTIVATION / float(_REFERENCE) - log(mean)) - ZERO_CELSIUS
