"""Exposure budgets: how long a product may be at temperatures outside its storage band, in total over its life.

A budget never refills (standards: the labels of mRNA vaccines, 12 hours at 8 to 25 degrees). Time in the storage band
itself is never counted, where a budget's temperatures reach into it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from inventory.domain.exposure import Band
from inventory.domain.seen import Interval, Seen, above, below, total


@dataclass(frozen=True)
class Budget:
    """What a storage profile allows: temperatures from `low` to `high`, both included, for `allowed` in total."""

    name: str
    low: int
    high: int
    allowed: timedelta

    def outside(self, band: Band) -> tuple[Interval, ...]:
        """The temperatures of it that lie outside a storage band."""
        if self.high < band.low or self.low > band.high:
            return (Interval(self.low, self.high),)
        parts = (Interval(self.low, band.low - 1), Interval(band.high + 1, self.high))
        return tuple(part for part in parts if part.low <= part.high)


@dataclass(frozen=True)
class Use:
    """How much of a budget was used, and how much time there was of which that cannot be said."""

    budget: Budget
    used: timedelta
    uncertain: timedelta

    @property
    def left(self) -> timedelta:
        """What may still be used, if nothing of the uncertain time was; negative where it was exceeded."""
        return self.budget.allowed - self.used

    @property
    def exceeded(self) -> bool:
        """Whether more was used for certain than is allowed."""
        return self.used > self.budget.allowed


@dataclass(frozen=True)
class Measures:
    """What is to be told of time: above and below the band, and what each budget counts."""

    band: Band
    budgets: tuple[Budget, ...] = ()

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """The intervals whose time is to be known, above and below first."""
        found = [above(self.band), below(self.band)]
        for budget in self.budgets:
            found += budget.outside(self.band)
        return tuple(found)

    def uses(self, seen: Seen, uncertain: timedelta) -> Iterator[Use]:
        """What was used of each budget, in time that was seen; `uncertain` is what was not."""
        times = iter(seen.times[2:])
        for budget in self.budgets:
            used = sum(next(times) for _ in budget.outside(self.band))
            yield Use(budget, timedelta(microseconds=used), uncertain)


def worst(parts: Sequence[Seen]) -> Seen:
    """Of sensors that watched the same time, each figure's worst; what one of them saw was seen."""
    lows = [part.lowest for part in parts if part.lowest is not None]
    highs = [part.highest for part in parts if part.highest is not None]
    warmest = max(parts, key=lambda part: part.kinetic * 1_000_000 // part.seen if part.seen else -1)
    return Seen(
        max(part.seen for part in parts),
        min(lows, default=None),
        max(highs, default=None),
        warmest.kinetic * max(part.seen for part in parts) // warmest.seen if warmest.seen else 0,
        tuple(max(times) for times in zip(*(part.times for part in parts), strict=True)),
        min(part.unknown for part in parts),
        max(part.undecided for part in parts),
    )


Span = tuple[int, int, Seen]
"""The microseconds from and until which a sensor watched, and what it saw."""


def together(spans: Sequence[Span], none: Seen) -> Seen:
    """What sensors of one place say together: those one after another are added, of those beside each other the worst.

    Where two overlap only in part, their times are added, which can be too much and is never too little.
    """
    if len(spans) == 1:
        return spans[0][2]
    whole, cluster = none, list[Span]()
    for span in sorted(spans, key=lambda each: each[:2]):
        if cluster and span[0] >= max(each[1] for each in cluster):
            whole, cluster = whole.joined(_beside(cluster)), []
        cluster.append(span)
    return whole.joined(_beside(cluster)) if cluster else whole


def _beside(cluster: Sequence[Span]) -> Seen:
    parts = [seen for _, _, seen in cluster]
    if len({(since, until) for since, until, _ in cluster}) == 1:
        return worst(parts)
    added = total(parts, len(parts[0].times))
    length = max(each[1] for each in cluster) - min(each[0] for each in cluster)
    shared = worst(parts)
    times = tuple(min(each, length) for each in added.times)
    seen = min(added.seen, length)
    kinetic = shared.kinetic * seen // shared.seen if shared.seen else 0
    return added._replace(seen=seen, times=times, kinetic=kinetic, unknown=min(added.unknown, length - seen))
