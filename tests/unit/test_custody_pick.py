from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from inventory.domain.custody import Holding, pick
from inventory.domain.deadlines import Deadline, RuleName
from inventory.domain.errors import Code, Conflict

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
