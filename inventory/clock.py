"""The only place that asks the time.

A scaled clock lets a demonstration county live a day in minutes: every process given the same three figures
sees the same time. Operating a real installation never needs it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class ScaledClock:
    """A clock that stands at `shown` until the real instant `anchor` and runs `speed` times as fast from then on.

    It stands before, for a county that goes on from yesterday's run must not live its last minutes again.
    """

    anchor: datetime
    shown: datetime
    speed: float

    def __call__(self) -> datetime:
        """The time now on this clock, aware, in UTC."""
        return self.shown + max(system_clock() - self.anchor, timedelta()) * self.speed

    @classmethod
    def parse(cls, text: str) -> "ScaledClock":
        """Read `ANCHOR,SHOWN,SPEED`, two ISO 8601 instants with offsets and a factor; ValueError if it is not."""
        anchor, shown, speed = text.split(",")
        clock = cls(datetime.fromisoformat(anchor), datetime.fromisoformat(shown), float(speed))
        if clock.anchor.tzinfo is None or clock.shown.tzinfo is None or not 0 < clock.speed < inf:
            raise ValueError(text)
        return cls(clock.anchor.astimezone(UTC), clock.shown.astimezone(UTC), clock.speed)

    def __str__(self) -> str:
        return f"{self.anchor.isoformat()},{self.shown.isoformat()},{self.speed}"


def speed_of(clock: Clock) -> float:
    """How many times as fast as real time a clock runs."""
    return clock.speed if isinstance(clock, ScaledClock) else 1.0
