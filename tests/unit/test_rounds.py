"""Requests that wait at the same moment go together; what goes wrong for one is told that one."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier, Event
from uuid import UUID

import pytest

from inventory.domain.words import Role
from inventory.services.access import Actor
from inventory.services.posting import Posted, Request
from inventory.services.rounds import Rounds, Waiting

REQUEST = Request(Actor(UUID(int=1), "admin", Role.ADMIN, frozenset()), datetime(2026, 1, 5, tzinfo=UTC), "key")


class Desk:
    """Answers each order with a shipment of its number; odd orders are refused, and `fails` breaks every round."""

    def __init__(self, *, fails: bool = False) -> None:
        self.rounds: Rounds[int] = Rounds()
        self.parties: list[int] = []
        self.alone_done: list[int] = []
        self.first_under_way, self.go_on = Event(), Event()
        self.fails = fails

    def alone(self, _: Request, order: int) -> Posted:
        if order == 0:
            self.first_under_way.set()
            assert self.go_on.wait(10)
        self.alone_done.append(order)
        if order % 2:
            raise ValueError(order)
        return Posted((), UUID(int=order))

    def together(self, party: Sequence[Waiting[int]]) -> Sequence[Posted | None]:
        self.parties.append(len(party))
        if self.fails:
            raise RuntimeError("the database is away")
        return [None if each.order % 2 else Posted((), UUID(int=each.order)) for each in party]

    def post(self, order: int) -> Posted:
        return self.rounds.post(REQUEST, order, self.alone, self.together)


def all_at_once(desk: Desk, orders: Sequence[int]) -> list[object]:
    """What each is answered, or refused with, where all come while the first is under way."""
    gate = Barrier(len(orders))

    def post(order: int) -> object:
        if order:
            assert desk.first_under_way.wait(10)
            gate.wait(10)
        try:
            return desk.post(order).shipment
        except ValueError as refused:
            return refused.args[0]

    with ThreadPoolExecutor(len(orders)) as pool:
        answers = [pool.submit(post, order) for order in orders]
        assert desk.first_under_way.wait(10)
        gate.wait(10)
        while len(desk.rounds._queue) < len(orders) - 1:  # noqa: SLF001  (until all others wait)
            pass
        desk.go_on.set()
        return [answer.result(10) for answer in answers]


def test_who_is_alone_goes_alone() -> None:
    desk = Desk()
    assert desk.post(2).shipment == UUID(int=2)
    assert (desk.parties, desk.alone_done) == ([], [2])


def test_those_who_wait_go_together_and_each_is_answered_for_himself() -> None:
    desk = Desk()
    assert all_at_once(desk, range(0, 12, 2)) == [UUID(int=order) for order in range(0, 12, 2)]
    assert (desk.parties, desk.alone_done) == ([5], [0])


def test_who_is_refused_in_a_round_is_told_alone() -> None:
    desk = Desk()
    assert all_at_once(desk, [0, 1, 2, 3]) == [UUID(int=0), 1, UUID(int=2), 3]
    assert desk.parties == [3]
    assert sorted(desk.alone_done) == [0, 1, 3]


def test_after_a_round_that_failed_each_goes_alone() -> None:
    desk = Desk(fails=True)
    assert all_at_once(desk, [0, 2, 4]) == [UUID(int=order) for order in (0, 2, 4)]
    assert sorted(desk.alone_done) == [0, 2, 4]


def test_no_round_is_larger_than_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.services.rounds.MOST", 3)
    desk = Desk()
    assert len(all_at_once(desk, range(0, 16, 2))) == 8
    assert desk.parties == [3, 3]
    assert len(desk.alone_done) == 2


def test_who_leads_and_is_refused_calls_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.services.rounds.MOST", 1)
    desk = Desk()
    assert all_at_once(desk, [0, 1, 3, 5, 2]) == [UUID(int=0), 1, 3, 5, UUID(int=2)]
    assert (desk.parties, sorted(desk.alone_done)) == ([], [0, 1, 2, 3, 5])
