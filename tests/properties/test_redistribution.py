"""The proposal for what will be late, against every other that could be made, each worked off dose by dose."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import product
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.domain.custody import Holding
from inventory.domain.deadlines import Deadline, RuleName
from inventory.domain.forecast import Basis, Rate, Worker
from inventory.domain.hours import WorkingDay
from inventory.domain.queues import Lot, Queue, Work
from inventory.domain.redistribution import Problem, Transfer, problem
from inventory.services.solver import solve

NOW = datetime(2026, 1, 5, 4, tzinfo=UTC)
SLOT = timedelta(minutes=10)
ROUND_THE_CLOCK = WorkingDay("Asia/Shanghai", "00:00")
THERE = NOW + 2 * SLOT
RATES = [3, 4, 5, 6, 10]
"""Doses in a slot, such that each takes a whole number of seconds and so many are done in a whole hour."""

Sent = Mapping[tuple[Lot, str], int]
"""How many doses of a lot go to a site."""


@st.composite
def lots(draw: st.DrawFn, number: int, due: st.SearchStrategy[int], vials: int) -> Lot:
    clock = Deadline("double-24", RuleName.USE, NOW, NOW + draw(due) * SLOT)
    per_vial = draw(st.sampled_from([1, 1, 2]))
    doses = draw(st.integers(1, vials)) * per_vial
    holding = Holding(UUID(int=number), doses, date(2026, 6, draw(st.integers(1, 3))), NOW, (clock,))
    return Lot(holding, "06901234567892", f"B{number}", per_vial, draw(st.sampled_from([False, False, False, True])))


@st.composite
def counties(draw: st.DrawFn) -> Problem:
    """A site with more than it can give, perhaps another, and two with little to do; all work round the clock."""
    number, queues = iter(range(1, 99)), []
    kinds = (("A", 2, (1, 8), 3), ("B", 2, (2, 14), 2), ("C", 2, (3, 14), 2))
    for site, most, (first, last), vials in kinds:
        worker = Worker(ROUND_THE_CLOCK, Rate(draw(st.integers(1, 2)), SLOT, Basis.PACE), NOW)
        due = st.integers(first, last)
        mine = [draw(lots(next(number), due, vials)) for _ in range(draw(st.integers(0, most)))]
        queues.append(Queue.of(site, worker, Work.GIVE, mine))
    return problem(queues, THERE)


def county(lots_a_site: int, seed: int) -> Problem:
    """A county of 28 sites, every third of them with more than it can give, with expiries and dues in any order."""
    dice, number, queues = Random(seed), iter(range(1, 10_000)), []
    for site in range(28):
        worker = Worker(ROUND_THE_CLOCK, Rate(dice.choice(RATES), SLOT, Basis.CAPACITY), NOW)
        doses = dice.choice([300, 900, 1600] if site % 3 == 0 else [50, 150])
        mine = [some_lot(dice, next(number), doses // lots_a_site) for _ in range(lots_a_site)]
        queues.append(Queue.of(f"S{site}", worker, Work.GIVE, mine))
    return problem(queues, NOW + 6 * SLOT)


def some_lot(dice: Random, number: int, doses: int) -> Lot:
    clock = Deadline("double-24", RuleName.USE, NOW, NOW + timedelta(hours=dice.randint(2, 23)))
    per_vial = dice.choice([1, 1, 2, 5])
    whole = max(doses // per_vial, 1) * per_vial
    holding = Holding(UUID(int=number), whole, date(2026, 6, dice.randint(1, 4)), NOW, (clock,))
    return Lot(holding, "06901234567892", f"B{number}", per_vial)


def proposals(asked: Problem) -> Iterator[Sent]:
    """Everything that could be sent anywhere."""
    ways = [(each, target.queue.facility) for each in asked.surplus for target in asked.targets]
    for vials in product(*(range(each.vials + 1) for each, _ in ways)):
        of = Counter[Lot]()
        for (each, _), many in zip(ways, vials, strict=True):
            of[each.lot] += many
        if all(of[each.lot] <= each.vials for each in asked.surplus):
            yield {
                (each.lot, to): many * each.lot.doses_per_vial
                for (each, to), many in zip(ways, vials, strict=True)
                if many
            }


def works(asked: Problem, sent: Sent) -> bool:
    """Whether everything that is sent is given in time where it comes, and nobody's own doses become late by it."""
    for target in asked.targets:
        come = {lot: doses for (lot, to), doses in sent.items() if to == target.queue.facility}
        if late(target.queue, {each: each.holding.remaining for each in target.queue.lots}, come, target.there_at):
            return False
    return True


def late(queue: Queue, own: Mapping[Lot, int], come: Mapping[Lot, int], there_at: datetime = THERE) -> int:
    """How many doses are late at a site that gives one dose after another, always one whose turn it is."""
    assert queue.worker.rate is not None
    each_takes = queue.worker.rate.per / queue.worker.rate.doses
    waiting = Counter(dict(own)) + Counter(dict(come))
    at, found = NOW, 0
    while +waiting:
        there = [lot for lot in +waiting if lot in own or at >= there_at]
        at += each_takes
        if there:
            first = min(there, key=lambda each: each.holding.turn)
            waiting[first] -= 1
            found += at > first.due_at
    return found


def worth(asked: Problem, sent: Sent) -> tuple[int, int, int]:
    """What a proposal is judged by: doses that are late where they are, trips, doses sent."""
    gone = Counter[Lot]()
    for (lot, _), doses in sent.items():
        gone[lot] += doses
    left = sum(
        late(queue, {lot: lot.holding.remaining - gone[lot] for lot in queue.lots}, {}) for queue in asked.sources
    )
    home = {lot: queue.facility for queue in asked.sources for lot in queue.lots}
    return left, len({(home[lot], to) for lot, to in sent}), gone.total()


def as_sent(transfers: tuple[Transfer, ...]) -> Sent:
    return {(each.surplus.lot, each.target.queue.facility): each.doses for each in transfers}


@settings(deadline=None, max_examples=200)
@given(counties())
def test_nothing_better_can_be_proposed(asked: Problem) -> None:
    solution = solve(asked)
    sent = as_sent(solution.transfers)
    assert solution.proven
    assert works(asked, sent)
    assert worth(asked, sent) == min(worth(asked, each) for each in proposals(asked) if works(asked, each))


@settings(deadline=None, max_examples=200)
@given(counties())
def test_what_is_said_of_a_proposal_is_what_comes_of_it(asked: Problem) -> None:
    assert asked.late == worth(asked, {})[0]
    transfers = solve(asked).transfers
    assert asked.late_after(transfers) == worth(asked, as_sent(transfers))[0]
    for each in transfers:
        ahead = [
            other.doses
            for other in transfers
            if other.target is each.target and other.surplus.lot.holding.turn <= each.surplus.lot.holding.turn
        ]
        done_at = each.target.done_at(each.surplus.lot, sum(ahead))
        assert done_at is not None
        assert done_at <= each.surplus.lot.due_at


@pytest.mark.parametrize("lots_a_site", [3, 10, 70])
def test_a_whole_county_is_helped_soon(lots_a_site: int) -> None:
    asked = county(lots_a_site, seed=1)
    transfers = solve(asked).transfers
    assert asked.late_after(transfers) < 0.8 * asked.late
    assert works(asked, as_sent(transfers))
    gone = Counter[UUID]()
    for each in transfers:
        assert each.doses % each.surplus.lot.doses_per_vial == 0
        gone[each.surplus.lot.holding.custody_id] += each.doses
    assert all(gone[each.lot.holding.custody_id] <= each.doses for each in asked.surplus)
