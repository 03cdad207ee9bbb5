"""Vaccine vial monitors: how much of a monitor's life warmth has used up.

A monitor darkens with heat and time and can be read with the eye; this reckons, from readings, where one that was
there would stand. It lags real monitors a little and shows no freezing. Kinetics after Goldwood and Diesburg (2018):
a life is lost at A * exp(-E / T) a day, T in kelvin.
"""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from math import exp

from inventory.domain.exposure import ZERO_CELSIUS

DAY = timedelta(days=1)


class Monitor(StrEnum):
    """A type of monitor, by the days that it lasts at 37 degrees Celsius."""

    VVM2 = "VVM2"
    VVM7 = "VVM7"
    VVM14 = "VVM14"
    VVM30 = "VVM30"


_KINETICS = {
    Monitor.VVM2: (1.4422e17, 12_429.0),
    Monitor.VVM7: (2.1532e18, 13_652.0),
    Monitor.VVM14: (1.0766e18, 13_652.0),
    Monitor.VVM30: (5.1131e17, 13_657.0),
}
"""A in lives a day, and E in kelvin."""


def lost_a_day(monitor: Monitor, temperature: int) -> float:
    """The part of its life that a monitor loses in a day at a temperature in hundredths of a degree Celsius."""
    factor, energy = _KINETICS[monitor]
    return factor * exp(-energy / (temperature / 100 + ZERO_CELSIUS))


def lost(monitor: Monitor, seen: Iterable[tuple[int, timedelta]]) -> float:
    """The part of its life that a monitor has lost, over 1 when it is past its end point.

    `seen` are temperatures in hundredths of a degree Celsius and the time that each stands for.
    """
    return sum(lost_a_day(monitor, temperature) * (duration / DAY) for temperature, duration in seen)


def lasts(monitor: Monitor, temperature: int) -> timedelta:
    """How long a new monitor lasts at a temperature in hundredths of a degree Celsius."""
    return DAY / lost_a_day(monitor, temperature)
