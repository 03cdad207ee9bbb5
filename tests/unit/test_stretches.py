from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.readings import Reading, Stretch, stretches, within

START = datetime(2026, 1, 5, tzinfo=UTC)
HOLD = timedelta(minutes=3)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def series(*points: tuple[float, int]) -> list[Reading]:
    return [Reading(at(minute), temperature) for minute, temperature in points]


def part(since: float, until: float, temperature: int | None) -> Stretch:
    return Stretch(at(since), at(until), temperature)


def test_no_readings_say_nothing_even_of_a_watch_that_has_an_end() -> None:
    assert list(stretches([], HOLD, at(9))) == []


def test_one_reading_says_nothing_of_the_time_behind_it_until_the_watch_ends() -> None:
    assert list(stretches(series((0, 450)), HOLD)) == []
    assert list(stretches(series((0, 450)), HOLD, at(2))) == [part(0, 2, 450)]


def test_a_reading_stands_until_the_next() -> None:
    assert list(stretches(series((0, 450), (1, 460), (3, 470)), HOLD)) == [part(0, 1, 450), part(1, 3, 460)]


def test_a_reading_stands_for_exactly_its_hold_and_what_follows_is_unseen() -> None:
    assert list(stretches(series((0, 450), (3, 460)), HOLD)) == [part(0, 3, 450)]
    assert list(stretches(series((0, 450), (4, 460)), HOLD)) == [part(0, 3, 450), part(3, 4, None)]


def test_the_last_reading_stands_until_the_end_of_the_watch_but_no_longer_than_its_hold() -> None:
    assert list(stretches(series((0, 450)), HOLD, at(10))) == [part(0, 3, 450), part(3, 10, None)]


def test_stretches_cut_to_a_window_are_clipped_on_both_sides() -> None:
    parts = [part(0, 5, 450), part(5, 10, None), part(10, 15, 460)]
    assert list(within(parts, at(2), at(12))) == [part(2, 5, 450), part(5, 10, None), part(10, 12, 460)]


def test_what_no_stretch_covers_in_a_window_is_unseen() -> None:
    assert list(within([part(4, 6, 450)], at(2), at(9))) == [part(2, 4, None), part(4, 6, 450), part(6, 9, None)]
    assert list(within([], at(2), at(9))) == [part(2, 9, None)]


@pytest.mark.parametrize(("since", "until"), [(0, 4), (6, 9)])
def test_a_stretch_that_only_touches_a_window_is_not_in_it(since: float, until: float) -> None:
    assert list(within([part(since, until, 450)], at(4), at(6))) == [part(4, 6, None)]


def test_an_empty_window_holds_nothing() -> None:
    assert list(within([part(0, 5, 450)], at(2), at(2))) == []
