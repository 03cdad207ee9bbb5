"""The temperatures of the demonstration: a pure function of place, time and what has failed there.

Being pure, a gateway that was away can fill in what its sensors measured meanwhile, and a second run of the
demonstration goes on where the first stopped.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coldtrail.demo.county import ZONE

MEAN = 450
"""What a thermostat holds, in hundredths of a degree Celsius."""

_SWING = 70
_NOISE = 12
_DOOR_BUMP = 110
_DOOR_MINUTES = 6.0
_AMBIENT = 2000
_WARMING_MINUTES = 60.0
_RECOVERY_MINUTES = 20.0
_RECOVERY = timedelta(hours=4)
_WORKING_HOURS = range(7, 18)


@dataclass(frozen=True)
class Failure:
    """A compressor that stands still for a time."""

    appliance: str
    since: datetime
    until: datetime


def fridge(serial: str, appliance: str, at: datetime, failures: Sequence[Failure] = ()) -> int:
    """What a sensor in a fridge or a cold room measures, in hundredths of a degree Celsius."""
    noise = random.Random(f"{serial} {at.timestamp():.0f}").gauss(0, _NOISE)  # noqa: S311  (a model, not a secret)
    failed = [_drift(failure, at) for failure in failures if failure.appliance == appliance]
    return round(MEAN + max([_cycle(serial, at) + _door(appliance, at), *failed]) + noise)


def cold_box(serial: str, at: datetime) -> int:
    """What a logger in a cold box with ice packs measures, in hundredths of a degree Celsius: 3 to 6 degrees."""
    noise = random.Random(f"{serial} {at.timestamp():.0f}").uniform(-20, 20)  # noqa: S311
    slow = math.sin(_minutes(at) / 37 + _phase(serial))
    return round(MEAN + 120 * slow + noise)


def _cycle(serial: str, at: datetime) -> float:
    """The thermostat's rise and fall, of 35 to 50 minutes, each appliance's its own."""
    phase = _phase(serial)
    period = 35 + 15 * phase / math.tau
    return _SWING * math.sin(math.tau * _minutes(at) / period + phase)


def _door(appliance: str, at: datetime) -> float:
    """A door that was opened within the last minutes of working hours, once an hour at a minute of its own."""
    local = at.astimezone(ZONE)
    if local.hour not in _WORKING_HOURS:
        return 0.0
    opened = random.Random(f"{appliance} {local:%Y-%m-%d %H}").randrange(50)  # noqa: S311
    since = local.minute - opened
    return _DOOR_BUMP * math.exp(-since / _DOOR_MINUTES) if since >= 0 else 0.0


def _drift(failure: Failure, at: datetime) -> float:
    """How far a failure has brought an appliance: towards the air of the room, and back when it runs again."""
    if at <= failure.since or at >= failure.until + _RECOVERY:
        return -math.inf
    warm = _warmed(min(at, failure.until) - failure.since)
    back = max(at - failure.until, timedelta())
    return warm * math.exp(-_minutes_of(back) / _RECOVERY_MINUTES)


def _warmed(stood: timedelta) -> float:
    return (_AMBIENT - MEAN) * (1 - math.exp(-_minutes_of(stood) / _WARMING_MINUTES))


def _minutes_of(span: timedelta) -> float:
    return span.total_seconds() / 60


def _minutes(at: datetime) -> float:
    return at.timestamp() / 60


def _phase(serial: str) -> float:
    return random.Random(serial).uniform(0, math.tau)  # noqa: S311
