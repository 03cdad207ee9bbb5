"""The best redistribution, as a mixed-integer program that HiGHS solves through SciPy (decision 0010)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, inf
from typing import Any
from uuid import UUID

from inventory.domain.queues import Lot, Queue
from inventory.domain.redistribution import Problem, Surplus, Target, Transfer

WAYS_AT_ONCE = 1_000
"""A question with more ways than this is not asked as a whole: hardly any answer would be found in time."""

WAYS_A_ROUND = 150
"""About so many ways are decided on in one round: mostly it is answered in a fraction of a second."""

SECONDS = 1.5
"""How long each question about the whole may take, and how long each about a round in all rounds together."""


@dataclass(frozen=True)
class Solution:
    """The transfers to be made; `proven` unless time ran out before it was sure that none are better."""

    transfers: tuple[Transfer, ...]
    proven: bool


def solve(problem: Problem) -> Solution:
    """The transfers after which the fewest doses are late; of such the fewest trips, and then the fewest doses.

    What is too large for that is answered in rounds, the most urgent lots first: what one round sends stands in the next.
    """
    ways = _ways(problem)
    whole = Solution((), proven=not ways)
    if 0 < len(ways) <= WAYS_AT_ONCE:
        whole = _Question(problem, ways, ()).answer(SECONDS)
    if whole.proven:
        return whole
    in_rounds = Solution(_in_rounds(problem, ways), proven=False)
    return min(whole, in_rounds, key=lambda each: _worth(problem, each.transfers))


def _worth(problem: Problem, transfers: Sequence[Transfer]) -> tuple[int, int]:
    return problem.late_after(transfers), len({(each.surplus.site, each.target.queue.facility) for each in transfers})


@dataclass(frozen=True)
class _Way:
    """A surplus that could go to a target, and how many doses with their turn up to it may go there if it does."""

    surplus: Surplus
    target: Target
    room: int

    @property
    def most(self) -> int:
        """How many vials could go."""
        return min(self.surplus.vials, self.room // self.surplus.lot.doses_per_vial)

    @property
    def trip(self) -> tuple[str, str]:
        """From where to where."""
        return self.surplus.site, self.target.queue.facility


def _ways(problem: Problem) -> list[_Way]:
    """All that at least a vial could go, at each target in the turn of the lots."""
    found = (_Way(each, target, target.room(each.lot)) for target in problem.targets for each in problem.surplus)
    return [way for way in found if way.most]


def _in_rounds(problem: Problem, ways: Sequence[_Way]) -> tuple[Transfer, ...]:
    urgent = sorted(ways, key=lambda way: way.surplus.lot.due_at)
    rounds = ceil(len(ways) / WAYS_A_ROUND)
    ...
