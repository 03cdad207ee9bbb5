"""Exposure: what the doses of a custody went through in their place, and mean kinetic temperature.

MKT (USP <1079.2>, Haynes): T_k = (dH/R) / -ln(sum(w_i * exp(-dH / (R * T_i))) / sum(w_i)), T in kelvin, w the time
that each reading stands for. dH/R = 10,000 K by convention (83.144 kJ/mol over 8.3144 J/(mol K)).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from math import exp, log

from inventory.domain.readings import Stretch

ACTIVATION = 10_000.0
"""dH/R in kelvin."""

ZERO_CELSIUS = 273.15


@dataclass(frozen=True)
class Band:
    """The temperatures a product is kept at, both ends included, in hundredths of a degree Celsius."""

    low: int
    high: int


@dataclass(frozen=True)
class Exposure:
    """Time above the band, below it and unseen; the lowest, highest and mean kinetic temperature, None if unseen.

    Temperatures are hundredths of a degree Celsius, `mean_kinetic` is in degrees. `uncertain` is time of which it
    cannot be said here whether it was above, below or seen at all, for its readings are in files; it is in none of
    the three.
    """

    above: timedelta
    below: timedelta
    unseen: timedelta
    lowest: int | None
    highest: int | None
    mean_kinetic: float | None
    uncertain: timedelta = timedelta()


def expose(parts: Iterable[Stretch], band: Band) -> Exposure:
    """The exposure over a stretch of time that `parts` cover without a hole."""
    above = below = unseen = timedelta()
    seen: list[tuple[int, timedelta]] = []
    for part in parts:
        if part.temperature is None:
            unseen += part.duration
            continue
        seen.append((part.temperature, part.duration))
        if part.temperature > band.high:
            above += part.duration
        elif part.temperature < band.low:
            below += part.duration
    values = [temperature for temperature, _ in seen]
    return Exposure(
        above,
        below,
        unseen,
        min(values, default=None),
        max(values, default=None),
        mean_kinetic_temperature(seen),
    )


def mean_kinetic_temperature(seen: Iterable[tuple[int, timedelta]]) -> float | None:
    """MKT in degrees Celsius of temperatures (hundredths of a degree) and the time each stands for."""
    weight = total = 0.0
    for temperature, duration in seen:
        seconds = duration.total_seconds()
        weight += seconds
        total += seconds * exp(-ACTIVATION / (temperature / 100 + ZERO_CELSIUS))
    return ACTIVATION / -log(total / weight) - ZERO_CELSIUS if weight else None
