"""Limits of a storage profile, and the spans of time in which one was broken."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory.domain.words import Side


@dataclass(frozen=True)
class ExcursionRule:
    """A limit of a storage profile: beyond `threshold` (a hundredth of a degree) for `duration`.

    Without a `window` that is one run without a calm reading in it. With one, the time beyond the limit is summed
    over each stretch of that length, however often it was calm between; a window is no shorter than the duration.

    WHO PQS E006: HEAT is above +8.0 for 10 h, FRZE is at or below -0.5 for 60 min, so the limit itself counts
    (`inclusive`) in one and not in the other.
    """

    name: str
    side: Side
    threshold: int
    inclusive: bool
    duration: timedelta
    window: timedelta | None = None

    def broken_by(self, temperature: int) -> bool:
        """Whether a temperature lies beyond the limit."""
        if self.inclusive and temperature == self.threshold:
            return True
        return temperature > self.threshold if self.side is Side.ABOVE else temperature < self.threshold

    def worse(self, one: int, other: int) -> int:
        """The temperature of two that lies farther on the rule's side."""
        return max(one, other) if self.side is Side.ABOVE else min(one, other)


@dataclass(frozen=True)
class Span:
    """An excursion found: what broke, since when, when its duration was full, and until when.

    `ended_at` is None while the last reading is still beyond the limit. `seen` is the time beyond the limit that
    readings stand for, `unseen` the time within the span that nobody saw; the rest of a cumulative one was calm.
    A silence has no rule and no extreme.
    """

    side: Side
    rule: ExcursionRule | None
    started_at: datetime
    alarm_at: datetime
    ended_at: datetime | None
    seen: timedelta
    unseen: timedelta
    extreme: int | None
