"""Doses that will be late at one site, and the other sites that could still give them in time: the problem, exactly.

A site gives its doses one after another in their turn. Doses that are taken from it leave at once, and those behind
them move up. Doses that are sent to it join its queue in their turn once the way is made; they have to be done before
their own clock runs out, and no dose of the site itself that would have been in time may become late by them.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from uuid import UUID

from inventory.domain.queues import Lot, Queue

HANDLING = timedelta(minutes=60)
"""From the order to the first dose given elsewhere: to pack, to drive within a county, to check and to put away."""

UNLIMITED = 10**9
"""More doses than wait anywhere."""

Turn = tuple[date, datetime, datetime, UUID]


@dataclass(frozen=True)
class Surplus:
    """A lot with doses that will be late where they are, and how many whole vials of them may be sent on."""

    site: str
    lot: Lot
    vials: int

    @property
    def doses(self) -> int:
        """The doses of these vials."""
        return self.vials * self.lot.doses_per_vial


@dataclass(frozen=True)
class Target:
    """A site that could take doses, and when what is sent now would be there."""

    queue: Queue
    there_at: datetime

    def room(self, lot: Lot) -> int:
        """How many doses from elsewhere may have their turn up to a lot's: then it and all behind it is in time."""
        place = bisect_left(self._turns, lot.holding.turn)
        return min(max(self._does_until(lot.due_at) - self._waiting(place), 0), self._slack[place])

    def _waiting(self, place: int) -> int:
        """How many of the site's own first doses, up to a place in its queue, still wait when what is sent is there."""
        before = self.queue.before[place] if place < len(self.queue.lots) else self._all
        return max(before - self._done_before, 0)

    @cached_property
    def _turns(self) -> list[Turn]:
        return [lot.holding.turn for lot in self.queue.lots]

    @cached_property
    def _all(self) -> int:
        return sum(lot.holding.remaining for lot in self.queue.lots)

    @cached_property
    def _done_before(self) -> int:
        return self.queue.worker.does(self.queue.worker.now, self.there_at)

    @cached_property
    def _slack(self) -> list[int]:
        """How many doses may be put before each place of the queue: as many as all behind it can wait for."""
        slack = [UNLIMITED]
        for place in range(len(self.queue.lots), 0, -1):
            waiting, lot = self._waiting(place), self.queue.lots[place - 1]
            mine = self._does_until(lot.due_at) - waiting if waiting else UNLIMITED
            slack.append(min(slack[-1], max(mine, 0)))
        return slack[::-1]

    def _does_until(self, due_at: datetime) -> int:
        """How many doses are done from the arrival on; kept, for most lots are due at the same few instants."""
        if due_at not in self._does:
            self._does[due_at] = self.queue.worker.does(self.there_at, due_at)
        return self._does[due_at]

    @cached_property
    def _does(self) -> dict[datetime, int]:
        return {}

    def done_at(self, lot: Lot, sent: int) -> datetime | None:
        """When a lot from elsewhere is done, where so many sent doses have their turn up to it."""
        waiting = self._waiting(bisect_left(self._turns, lot.holding.turn))
        return self.queue.worker.done(waiting + sent, self.there_at)


@dataclass(frozen=True)
class Transfer:
    """Whole vials of one custody, sent from one site to another."""

    surplus: Surplus
    target: Target
    doses: int


@dataclass(frozen=True)
class Problem:
    """Sites with doses that will be late, and sites that could take some."""

    sources: tuple[Queue, ...]
    targets: tuple[Target, ...]

    @cached_property
    def surplus(self) -> tuple[Surplus, ...]:
        """What may be sent on, in its turn: no more than will be late, in whole vials, and while its clock runs."""
        found = [
            _surplus(queue, lot, late)
            for queue in self.sources
            for lot, late in zip(queue.lots, queue.late, strict=True)
        ]
        return tuple(sorted((each for each in found if each.vials), key=lambda each: each.lot.holding.turn))

    @property
    def late(self) -> int:
        """How many doses will be late if nothing is done."""
        return sum(sum(queue.late) for queue in self.sources)

    def late_after(self, transfers: Sequence[Transfer]) -> int:
        """How many doses will be late where they are, once the transfers have left."""
        return sum(sum(queue.late) for queue in self.left(transfers))

    def left(self, transfers: Sequence[Transfer]) -> list[Queue]:
        """What the sources have once the transfers have left."""
        gone = Counter[UUID]()
        for each in transfers:
            gone[each.surplus.lot.holding.custody_id] += each.doses
        return [queue.without(gone) for queue in self.sources]


def problem(queues: Iterable[Queue], there_at: datetime) -> Problem:
    """Who has too much, and who could take some: no site does both, and none takes at a pace that nobody knows."""
    known = [queue for queue in queues if queue.worker.rate is not None]
    sources = tuple(queue for queue in known if any(queue.late))
    return Problem(sources, tuple(Target(queue, there_at) for queue in known if not any(queue.late)))


def _surplus(queue: Queue, lot: Lot, late: int) -> Surplus:
    vials = min(-(-late // lot.doses_per_vial), lot.holding.remaining // lot.doses_per_vial)
    may_go = not lot.under_way and not lot.holding.is_opened and lot.due_at > queue.worker.now
    return Surplus(queue.facility, lot, vials if may_go else 0)
