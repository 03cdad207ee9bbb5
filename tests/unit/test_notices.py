from datetime import timedelta
from itertools import pairwise

import pytest

from inventory.domain.deadlines import SOON, Status, status
from inventory.domain.notices import (
    CLOSE,
    FIRST_DELAY,
    GIVE_UP,
    LONGEST_DELAY,
    NoticeKind,
    key,
    next_attempt,
    stage,
)
from tests.county import HOUR, MINUTE, NOW

DUE = NOW + 24 * HOUR
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("before_due", "expected"),
    [
        (24 * HOUR, None),
        (SOON, None),
        (SOON - SECOND, NoticeKind.DUE_IN_6_HOURS),
        (CLOSE, NoticeKind.DUE_IN_6_HOURS),
        (CLOSE - SECOND, NoticeKind.DUE_IN_2_HOURS),
        (timedelta(), NoticeKind.DUE_IN_2_HOURS),
        (-SECOND, NoticeKind.MISSED),
        (-1000 * HOUR, NoticeKind.MISSED),
    ],
)
def test_a_clock_is_in_one_stage_at_a_time_the_latest(before_due: timedelta, expected: NoticeKind | None) -> None:
    assert stage(NOW, DUE, DUE - before_due) is expected


@pytest.mark.parametrize("minutes", range(-60, 60 * 8, 7))
def test_the_first_and_the_last_stage_begin_with_what_the_board_says(minutes: int) -> None:
    now = DUE - minutes * MINUTE
    kind = stage(NOW, DUE, now)
    assert (kind is None) == (status(DUE, 1, 0, now) is Status.OPEN)
    assert (kind is NoticeKind.MISSED) == (status(DUE, 1, 0, now) is Status.MISSED)


def test_a_warning_that_lay_before_the_clock_began_is_none() -> None:
    due = NOW + 6 * HOUR
    assert stage(NOW, due, NOW + SECOND) is None
    assert stage(NOW, due, due - HOUR) is NoticeKind.DUE_IN_2_HOURS
    assert stage(due - HOUR, due, due - SECOND) is None
    assert stage(due - HOUR, due, due + SECOND) is NoticeKind.MISSED


def test_keys_tell_causes_apart() -> None:
    assert key(NoticeKind.MISSED, "use", NOW) == "deadline-missed/use/2026-01-05T04:00:00+00:00"
    assert key("a", "b") != key("b", "a")


def test_each_delay_is_twice_the_one_before_up_to_the_longest() -> None:
    delays = []
    for attempt in range(1, 12):
        again = next_attempt(NOW, attempt, NOW)
        assert again is not None
        delays.append(again - NOW)
    assert delays[:3] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY]
    assert delays[-1] == LONGEST_DELAY
    assert all(later == min(2 * earlier, LONGEST_DELAY) for earlier, later in pairwise(delays))


@pytest.mark.parametrize("attempts", [1, 50, 10_000])
def test_a_notice_is_given_up_when_it_is_worth_nothing_any_more(attempts: int) -> None:
    end = NOW + GIVE_UP
    assert next_attempt(NOW, attempts, end - LONGEST_DELAY) is not None
    assert next_attempt(NOW, attempts, end) is None


def test_a_receiver_that_never_answers_is_asked_so_many_times_and_no_more() -> None:
    at, attempts = NOW, 1
    while (again := next_attempt(NOW, attempts, at)) is not None:
        at, attempts = again, attempts + 1
    assert at <= NOW + GIVE_UP
    assert 72 <= attempts <= 80
