"""Doses that wait at one place, and what works them off: each custody in its turn, one dose after another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from inventory.domain.custody import Holding
from inventory.domain.deadlines import RuleName
from inventory.domain.forecast import Forecast, Worker, unknown
from inventory.domain.instants import civil_day


class Work(StrEnum):
    """What works off doses: a site gives them, a store sends them on, what a store sent arrives."""

    GIVE = "give"
    SEND = "send"
    ARRIVE = "arrive"


WORK: Mapping[RuleName, Work] = {
    RuleName.DELIVER: Work.ARRIVE,
    RuleName.FORWARD: Work.SEND,
    RuleName.USE: Work.GIVE,
    RuleName.OPEN_VIAL: Work.GIVE,
    RuleName.THAW: Work.GIVE,
}
"""The work by which the doses under a clock come to meet it."""


@dataclass(frozen=True)
class Lot:
    """What one custody holds: doses of a batch, in a storage or, `under_way`, in a shipment that has not arrived."""

    holding: Holding
    gtin: str
    batch: str
    doses_per_vial: int
    under_way: bool = False

    @property
    def due_at(self) -> datetime:
        """When the first of its clocks runs out."""
        return self.holding.turn[1]

    def usable(self, at: datetime, zone: str) -> bool:
        """Whether its doses may still be given: what has expired waits to be thrown away, and holds up nobody."""
        return civil_day(at, zone) <= self.holding.expiry and not self.holding.is_spent(at)


@dataclass(frozen=True)
class Queue:
    """The doses of one facility in the order in which they are worked off, and how fast they are."""

    facility: str
    worker: Worker
    lots: tuple[Lot, ...]

    @classmethod
    def of(cls, facility: str, worker: Worker, work: Work, lots: Iterable[Lot]) -> "Queue":
        """A queue of lots in any order: by the turn of the picker, what is under way before what is to be sent."""

        def turn(lot: Lot) -> tuple[object, ...]:
            return (work is Work.ARRIVE and not lot.under_way, *lot.holding.turn)

        return cls(facility, worker, tuple(sorted(lots, key=turn)))

    @cached_property
    def before(self) -> tuple[int, ...]:
        """How many doses come before each lot."""
        sums = [0]
        for lot in self.lots:
            sums.append(sums[-1] + lot.holding.remaining)
        return tuple(sums[:-1])

    @cached_property
    def in_time(self) -> tuple[int, ...]:
        """How many doses of each lot are done when its first clock runs out."""
        pairs = zip(self.before, self.lots, strict=True)
        return tuple(self.worker.in_time(before, lot.holding.remaining, lot.due_at) for before, lot in pairs)

    @property
    def late(self) -> tuple[int, ...]:
        """How many doses of each lot are late."""
        pairs = zip(self.lots, self.in_time, strict=True)
        return tuple(lot.holding.remaining - in_time for lot, in_time in pairs)

    def forecast(self, custody_id: UUID, left: int, due_at: datetime) -> Forecast:
        """What is to be expected of a custody's doses under one clock; unknown for one that does not wait here."""
        place = self._places.get(custody_id)
        if place is None:
            return unknown(left, due_at, self.worker.now)
        return self.worker.forecast(self.before[place], left, due_at)

    @cached_property
    def _places(self) -> dict[UUID, int]:
        return {lot.holding.custody_id: place for place, lot in enumerate(self.lots)}

    def done_when_due(self, lot: Lot) -> int:
        """How many doses of the queue are done when a lot's first clock runs out."""
        return self.worker.does(self.worker.now, lot.due_at)

    def without(self, gone: Mapping[UUID, int]) -> "Queue":
        """The queue once so many doses of each custody have left it."""
        left = [_less(lot, gone.get(lot.holding.custody_id, 0)) for lot in self.lots]
        return Queue(self.facility, self.worker, tuple(lot for lot in left if lot.holding.remaining))


def _less(lot: Lot, doses: int) -> Lot:
    return replace(lot, holding=replace(lot.holding, remaining=lot.holding.remaining - doses)) if doses else lot
