"""Cumulative excursions: time beyond a limit that adds up within a sliding window, however often it is calm between.

A spell is a stretch of time seen beyond the limit without a break. A window of the rule's length is full when the
spells in it last as long together as the rule asks. All spells in a full window count, and those that share a full
window, or share one with a spell that does, are one excursion:

- it starts where the first of its spells begins, and alarms at the instant at which its first full window ends;
- it ends at the first reading after the last of its spells: what is calm from then on harms nobody, though the window
  may stay full for long. More spells within the window take it up again;
- it has not ended while the last reading is beyond the limit and a window that ends there is full;
- `seen` is the sum of its spells and `extreme` the worst in them; unseen time never counts.

No spell is ever cut: while a spell lasts, the sum in the window that ends there never falls, so it is first full at
an instant when none leaves it; and when it ceases to be full, no spell is going on.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from itertools import accumulate

from inventory.domain.limits import ExcursionRule, Span
from inventory.domain.readings import Stretch

NONE = timedelta()


@dataclass
class _Spell:
    """Time beyond the limit without a break; `ended_at` is when something else was seen, None if nothing was."""

    since: datetime
    until: datetime
    extreme: int
    ended_at: datetime | None = None


@dataclass
class _Chain:
    """The spells of one excursion: the first and the last by number."""

    first: int
    last: int
    alarm_at: datetime


class _Sums:
    """How long it was beyond the limit in a window that ends at an instant."""

    def __init__(self, spells: Sequence[_Spell], window: timedelta) -> None:
        self.window = window
        self.starts = [spell.since for spell in spells]
        self.ends = [spell.until for spell in spells]
        lengths = [spell.until - spell.since for spell in spells]
        self.before = list(accumulate(lengths, initial=NONE))
        """The sum of all spells before each."""

    def at(self, instant: datetime) -> timedelta:
        """The sum in the window that ends at an instant."""
        return self._since_the_first(instant) - self._since_the_first(instant - self.window)

    def first_in(self, instant: datetime) -> int:
        """The first spell with time in the window that ends at an instant."""
        return bisect_right(self.ends, instant - self.window)

    def full_at(self, number: int, duration: timedelta) -> datetime | None:
        """The first instant of a spell at which the sum is at least `duration`."""
        since, until = self.starts[number], self.ends[number]
        if self.at(since) >= duration:
            return since
        if self.at(until) < duration:
            return None
        return min(self._full_from(first, number, duration) for first in range(self.first_in(since), number + 1))

    def _full_from(self, first: int, number: int, duration: timedelta) -> datetime:
        """When the whole spells from the first on make the sum, if none of them has left the window then."""
        at = self.starts[number] + duration - (self.before[number] - self.before[first])
        return at if self.starts[first] >= at - self.window else self.ends[number]

    def _since_the_first(self, instant: datetime) -> timedelta:
        number = bisect_right(self.starts, instant)
        if number == 0:
            return NONE
        return self.before[number - 1] + min(instant, self.ends[number - 1]) - self.starts[number - 1]


def cumulative(parts: Sequence[Stretch], rule: ExcursionRule, until: datetime | None) -> Iterator[Span]:
    """The excursions by a cumulative rule in stretches that follow one another; `until` ends the last one."""
    spells = _spells(parts, rule, until)
    for chain in _chains(spells, rule):
        yield _span(spells[chain.first : chain.last + 1], chain, parts, rule)


def _spells(parts: Sequence[Stretch], rule: ExcursionRule, until: datetime | None) -> list[_Spell]:
    found: list[_Spell] = []
    for part in parts:
        if part.temperature is None:
            continue
        last = found[-1] if found else None
        if rule.broken_by(part.temperature) and last is not None and last.until == part.since:
            last.until, last.extreme = part.until, rule.worse(last.extreme, part.temperature)
            continue
        if last is not None and last.ended_at is None:
            last.ended_at = part.since
        if rule.broken_by(part.temperature):
            found.append(_Spell(part.since, part.until, part.temperature))
    if found and found[-1].ended_at is None:
        found[-1].ended_at = until
    return found


def _chains(spells: Sequence[_Spell], rule: ExcursionRule) -> list[_Chain]:
    sums = _Sums(spells, rule.window or NONE)
    found: list[_Chain] = []
    for number in range(len(spells)):
        alarm_at = sums.full_at(number, rule.duration)
        if alarm_at is None:
            continue
        first = min(sums.first_in(alarm_at), number)
        if found and first <= found[-1].last:
            found[-1].last = number
        else:
            found.append(_Chain(first, number, alarm_at))
    return found


def _span(spells: Sequence[_Spell], chain: _Chain, parts: Sequence[Stretch], rule: ExcursionRule) -> Span:
    started_at, ended_at = spells[0].since, spells[-1].ended_at
    inside = [part for part in parts if started_at <= part.since and (ended_at is None or part.until <= ended_at)]
    return Span(
        rule.side,
        rule,
        started_at,
        chain.alarm_at,
        ended_at,
        sum((spell.until - spell.since for spell in spells), NONE),
        sum((part.duration for part in inside if part.temperature is None), NONE),
        reduce(rule.worse, (spell.extreme for spell in spells)),
    )
