"""The worst that doses may have gone through that were picked, and not scanned or named.

A pick says from which custody doses are taken to have come; they may have come from any other of their batch that stood
there then, and these may have been picked themselves. So the ways that doses may have gone branch at each pick, and of
each figure the worst over all of them is told.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import Generic, NamedTuple, TypeVar

from inventory.domain.rollup import mean_kinetic

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Stand(Generic[K]):
    """A custody until doses left it: its figures (times in microseconds), and where the doses may have come from."""

    above: int
    below: int
    unseen: int
    uncertain: int
    lowest: int | None
    highest: int | None
    seen: int
    kinetic: int
    sources: tuple[K, ...]


class Bound(NamedTuple, Generic[K]):
    """A figure at its worst, and the place of the custody, among those to choose from, on the way that has it."""

    value: int | float | None
    way: tuple[K, ...]


@dataclass(frozen=True)
class Worst(Generic[K]):
    """Each figure of a whole way at its worst; see `Stand`. `mean_kinetic` is in degrees Celsius."""

    above: Bound[K]
    below: Bound[K]
    unseen: Bound[K]
    uncertain: Bound[K]
    lowest: Bound[K]
    highest: Bound[K]
    mean_kinetic: Bound[K]


def worst(stands: Mapping[K, Stand[K]], ends: Sequence[K]) -> Worst[K]:
    """The worst over all ways from a root to one of `ends`; a stand's sources come before it, so no way is endless."""
    ways = _Ways(stands, ends, _in_order(stands, ends))
    lowest = ways.most(lambda each: None if each.lowest is None else -each.lowest, max)
    return Worst(
        above=ways.most(lambda each: each.above, add),
        below=ways.most(lambda each: each.below, add),
        unseen=ways.most(lambda each: each.unseen, add),
        uncertain=ways.most(lambda each: each.uncertain, add),
        lowest=lowest._replace(value=None if lowest.value is None else -lowest.value),
        highest=ways.most(lambda each: each.highest, max),
        mean_kinetic=ways.warmest(),
    )


@dataclass(frozen=True)
class _Ways(Generic[K]):
    """All ways to `ends`; `order` has every stand that they lead over, each behind its sources."""

    stands: Mapping[K, Stand[K]]
    ends: Sequence[K]
    order: Sequence[K]

    def most(self, figure: Callable[[Stand[K]], int | None], join: Callable[[int, int], int]) -> Bound[K]:
        """The way on which a figure, joined over its stands, is greatest; of equal ones the first."""
        known: dict[K, tuple[int | None, K | None]] = {}

        def best(keys: Sequence[K]) -> K:
            found = keys[0]
            for key in keys[1:]:
                value, other = known[key][0], known[found][0]
                if value is not None and (other is None or value > other):
                    found = key
            return found

        for key in self.order:
            stand = self.stands[key]
            mine, source = figure(stand), best(stand.sources) if stand.sources else None
            before = None if source is None else known[source][0]
            known[key] = (before if mine is None else mine if before is None else join(before, mine)), source
        end = best(self.ends)
        way: tuple[K, ...] = _back(known, end)
        return Bound(known[end][0], way)

    def warmest(self) -> Bound[K]:
        """The way with the greatest mean of `kinetic` over the time that was seen (Dinkelbach's method)."""
        way = self.most(lambda each: each.seen, add).way
        warmth, seen = self._sums(way)
        while seen:
            mean, weight = warmth, seen
            better = self.most(lambda each, m=mean, w=weight: each.kinetic * w - m * each.seen, add).way  # type: ignore[misc]
            warmth, seen = self._sums(better)
            if warmth * weight <= mean * seen:
                return Bound(mean_kinetic(mean, weight), way)
            way = better
        return Bound(None, way)

    def _sums(self, way: Sequence[K]) -> tuple[int, int]:
        passed = [self.stands[key] for key in way]
        return sum(each.kinetic for each in passed), sum(each.seen for each in passed)


def _back(known: Mapping[K, tuple[int | None, K | None]], end: K) -> tuple[K, ...]:
    """The way that leads to a stand, from its root on."""
    way, at = [end], known[end][1]
    while at is not None:
        way.append(at)
        at = known[at][1]
    return tuple(reversed(way))


def _in_order(stands: Mapping[K, Stand[K]], ends: Sequence[K]) -> list[K]:
    """Every stand that a way leads over, each behind its sources."""
    ordered: list[K] = []
    done: set[K] = set()
    waiting = [(key, False) for key in reversed(ends)]
    while waiting:
        key, ready = waiting.pop()
        if ready:
            ordered.append(key)
        elif key not in done:
            done.add(key)
            waiting.append((key, True))
            waiting += [(source, False) for source in reversed(stands[key].sources) if source not in done]
    return ordered
