from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from inventory.domain.custody import Holding, pick, pick_vials, unspent
from inventory.domain.deadlines import Deadline, RuleName
from inventory.domain.errors import Code, Conflict, Invalid

MORNING = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def holding(number: int, remaining: int = 10, *, expiry: int = 10, due: int | None = 24, opened: int = 0) -> Holding:
    """A holding; `expiry` in days of January, `due` and `opened` in hours after the morning."""
    clocks = () if due is None else (Deadline("double-24", RuleName.USE, MORNING, MORNING + due * HOUR),)
    return Holding(UUID(int=number), remaining, date(2026, 1, expiry), MORNING + opened * HOUR, clocks)


def taken(holdings: list[Holding], doses: int) -> list[tuple[int, int]]:
    """Which custodies give how many."""
    return [(take.custody_id.int, take.doses) for take in pick(holdings, doses)]


def order_of(*holdings: Holding) -> list[int]:
    """The numbers of the holdings in the order in which all of their doses are taken."""
    return [take.custody_id.int for take in pick(holdings, sum(each.remaining for each in holdings))]


def test_the_earliest_expiry_goes_first_whatever_its_deadline_and_opening() -> None:
    late, early = holding(1, expiry=11, due=1, opened=0), holding(2, expiry=10, due=30, opened=5)
    assert order_of(late, early) == [2, 1]


def test_with_one_expiry_the_earliest_deadline_goes_first_whatever_its_opening() -> None:
    assert order_of(holding(1, due=30, opened=0), holding(2, due=24, opened=5)) == [2, 1]


def test_what_has_no_deadline_goes_behind_what_has_one() -> None:
    assert order_of(holding(1, due=None, opened=0), holding(2, due=9999, opened=5)) == [2, 1]


def test_with_one_deadline_the_oldest_opening_goes_first() -> None:
    assert order_of(holding(1, opened=5), holding(2, opened=4), holding(3, opened=6)) == [2, 1, 3]


def test_the_order_in_which_holdings_are_found_does_not_matter() -> None:
    holdings = [holding(1, expiry=12), holding(2, due=20), holding(3, opened=2), holding(4)]
    assert {tuple(order_of(*each)) for each in permutations(holdings)} == {(2, 4, 3, 1)}


def test_as_few_custodies_as_their_turn_allows() -> None:
    assert taken([holding(1, 3), holding(2, 5, opened=1), holding(3, 9, opened=2)], 6) == [(1, 3), (2, 3)]


def test_an_empty_custody_gives_nothing_and_is_not_named() -> None:
    assert taken([holding(1, 0), holding(2, 2, opened=1)], 2) == [(2, 2)]


def test_the_very_last_doses_can_be_taken() -> None:
    assert taken([holding(1, 3), holding(2, 5, opened=1)], 8) == [(1, 3), (2, 5)]


@pytest.mark.parametrize("holdings", [[], [holding(1, 3), holding(2, 4)]])
def test_more_doses_than_there_are_is_refused_and_says_how_many_there_are(holdings: list[Holding]) -> None:
    there = sum(each.remaining for each in holdings)
    with pytest.raises(Conflict) as refused:
        pick(holdings, there + 1)
    assert refused.value.code is Code.NOT_ENOUGH_DOSES
    assert refused.value.facts == {"there": there}


def opened(number: int, remaining: int, *, due: int = 6) -> Holding:
    """Doses of a vial that somebody opened, good for so many hours after the morning."""
    limit = Deadline("double-24", RuleName.OPEN_VIAL, MORNING, MORNING + due * HOUR)
    return Holding(UUID(int=number), remaining, date(2026, 1, 10), MORNING, (limit,))


VIAL = 10
SEALED, OLDER = holding(1, 100), holding(1, 100, due=2)


@pytest.mark.parametrize(
    ("there", "doses", "taken"),
    [
        pytest.param([SEALED, opened(2, 7)], 7, [(2, 7)], id="in their turn where that breaks nothing"),
        pytest.param([SEALED, opened(2, 7)], 17, [(2, 7), (1, 10)], id="the opened one and a whole one"),
        pytest.param([SEALED, opened(2, 7)], 10, [(1, 10)], id="a whole one stays whole"),
        pytest.param([OLDER, opened(2, 7)], 1, [(2, 1)], id="a part is of the opened one, whose turn is later"),
        pytest.param([OLDER, opened(2, 7)], 13, [(1, 10), (2, 3)], id="a whole one and a part"),
        pytest.param([OLDER, opened(2, 2), opened(3, 2, due=7)], 3, [(2, 2), (3, 1)], id="a part of two"),
        pytest.param([holding(1, 10), opened(2, 19)], 20, [(1, 10), (2, 10)], id="opened ones hold a vial's worth"),
        pytest.param([holding(1, 10), opened(2, 9), opened(3, 9)], 25, [(1, 10), (2, 9), (3, 6)], id="and more"),
        pytest.param(
            [holding(1, 13), holding(2, 20, due=25), opened(3, 5, due=30)], 28, [(1, 13), (2, 10), (3, 5)], id="odd"
        ),
        pytest.param([SEALED, opened(2, 7)], 107, [(2, 7), (1, 100)], id="all there is"),
        pytest.param([holding(1, 3), holding(2, 20, due=25)], 10, [(2, 10)], id="what is no whole vial is left alone"),
        pytest.param(
            [holding(1, 3), holding(2, 4, due=25), holding(3, 7, due=26), holding(4, 20, due=27)],
            17,
            [(1, 3), (2, 4), (4, 10)],
            id="or emptied where that helps",
        ),
        pytest.param(
            [holding(1, 3), holding(2, 4, due=25), holding(3, 20, due=26)],
            14,
            [(2, 4), (3, 10)],
            id="not the first",
        ),
        pytest.param([holding(1, 25), holding(2, 7, due=25)], 17, [(1, 10), (2, 7)], id="a part of what is odd"),
    ],
)
def test_sealed_vials_are_taken_whole_and_what_is_over_is_of_opened_ones(
    there: list[Holding], doses: int, taken: list[tuple[int, int]]
) -> None:
    for order in permutations(there):
        assert [(take.custody_id.int, take.doses) for take in pick_vials(order, doses, VIAL)] == taken


@pytest.mark.parametrize("there", [[SEALED], [SEALED, opened(2, 3)]])
def test_more_than_whole_vials_is_refused_where_no_opened_one_has_it(there: list[Holding]) -> None:
    with pytest.raises(Invalid) as refused:
        pick_vials(there, 15, VIAL)
    assert (refused.value.code, refused.value.value) == (Code.NOT_WHOLE_VIALS, 15)


def test_opened_vials_past_their_limit_are_left_out_and_named_where_there_is_nothing_else() -> None:
    evening = MORNING + 8 * HOUR
    spent, used_up = opened(2, 3, due=7), opened(3, 0, due=9)
    assert unspent([SEALED, spent, used_up], evening, "B1") == [SEALED]
    assert unspent([spent], MORNING + 7 * HOUR, "B1") == [spent]
    assert unspent([used_up], evening, "B1") == []
    with pytest.raises(Conflict) as refused:
        unspent([spent, used_up], evening, "B1")
    assert (refused.value.code, refused.value.field, refused.value.value) == (Code.BATCH_EXPIRED, "batch", "B1")


def test_many_custodies_that_hold_no_whole_vials_are_looked_through_at_once() -> None:
    """All of their sums would be more than there is memory for."""
    there = [holding(number, number * number * VIAL + 1 + number % 9, due=number) for number in range(1, 120)]
    takes = pick_vials(there, 300_005, VIAL)
    assert sum(take.doses for take in takes) == 300_005
    assert all(take.takes_all or take.doses % VIAL == 0 for take in takes)
