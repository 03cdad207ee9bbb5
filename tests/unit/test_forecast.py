"""Forecasts: the working day, the pace and the capacity, the queue, and the instant at which a clock is due."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from inventory.domain.forecast import SHORTEST, WINDOW, Basis, Done, Rate, Worker, rate, unknown, window
from inventory.domain.hours import HORIZON, WorkingDay

SHANGHAI = "Asia/Shanghai"
MINUTE, HOUR, TICK = timedelta(minutes=1), timedelta(hours=1), timedelta(microseconds=1)
DAY = WorkingDay(SHANGHAI)
ROUND_THE_CLOCK = WorkingDay(SHANGHAI, "00:00")


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-01-{text}:00+08:00").astimezone(UTC)


NOON = local("05T12:00")


@pytest.mark.parametrize(
    ("session_ends", "opens", "closes", "hours"),
    [
        (None, "08:00", "18:00", 10),
        ("17:30", "08:00", "17:30", 9.5),
        ("23:59", "08:00", "23:59", 15 + 59 / 60),
        ("00:00", "00:00", "00:00", 24),
        ("08:00", "00:00", "08:00", 8),
        ("06:00", "00:00", "06:00", 6),
    ],
)
def test_a_working_day_ends_with_the_session(session_ends: str | None, opens: str, closes: str, hours: float) -> None:
    day = WorkingDay(SHANGHAI, session_ends)
    assert (f"{day.opens:%H:%M}", f"{day.closes:%H:%M}") == (opens, closes)
    assert day.length == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("05T12:00", "05T15:00", 3),
        ("05T06:00", "05T09:00", 1),
        ("05T17:00", "05T20:00", 1),
        ("05T19:00", "06T07:00", 0),
        ("05T12:00", "06T12:00", 10),
        ("05T12:00", "07T12:00", 20),
        ("05T15:00", "05T12:00", 0),
    ],
)
def test_nothing_is_worked_at_night(since: str, until: str, hours: int) -> None:
    assert DAY.worked(local(since), local(until)) == hours * HOUR


@pytest.mark.parametrize(
    ("since", "hours", "reached"),
    [
        ("05T12:00", 0, "05T12:00"),
        ("05T12:00", 6, "05T18:00"),
        ("05T12:00", 7, "06T09:00"),
        ("05T20:00", 1, "06T09:00"),
        ("05T06:00", 1, "05T09:00"),
    ],
)
def test_work_goes_on_the_next_morning(since: str, hours: int, reached: str) -> None:
    assert DAY.after(local(since), hours * HOUR) == local(reached)


def test_what_lies_beyond_the_horizon_is_not_reckoned() -> None:
    assert ROUND_THE_CLOCK.after(NOON, HORIZON) == NOON + HORIZON
    assert ROUND_THE_CLOCK.after(NOON, HORIZON + TICK) is None
    assert ROUND_THE_CLOCK.worked(NOON, datetime.max.replace(tzinfo=UTC)) == HORIZON
    assert Rate(1, 24 * HOUR, Basis.PACE).needs(100) == HORIZON
    assert Rate(1, 24 * HOUR, Basis.PACE).needs(101) is None


def test_a_night_on_which_the_clocks_go_forward_is_an_hour_shorter() -> None:
    day = WorkingDay("America/New_York", "00:00")
    midnight = datetime.fromisoformat("2026-03-08T00:00:00-05:00")
    assert day.worked(midnight, midnight + 23 * HOUR) == 23 * HOUR
    assert day.span_of(midnight) == (midnight, midnight + 23 * HOUR)


def test_the_window_is_the_last_hours_of_this_working_day() -> None:
    assert window(DAY, NOON) == (NOON - WINDOW, NOON)
    assert window(DAY, local("05T09:00")) == (local("05T08:00"), local("05T09:00"))
    assert window(DAY, local("05T20:00")) == (local("05T17:00"), local("05T18:00"))


@pytest.mark.parametrize("at", ["05T07:00", "05T21:00", "05T23:00"])
def test_at_night_the_window_holds_nothing(at: str) -> None:
    since, until = window(DAY, local(at))
    assert until <= since


def test_a_pace_begins_with_the_first_dose() -> None:
    found = rate(DAY, 1000, Done(60, NOON - HOUR), NOON)
    assert found is not None
    assert (found.basis, found.per_hour) == (Basis.PACE, Fraction(60))


def test_a_site_that_has_stopped_becomes_slower_as_the_hours_go() -> None:
    first = Done(60, NOON)
    paces = [rate(DAY, None, first, NOON + hours * HOUR) for hours in (1, 2, 3)]
    assert [each.per_hour for each in paces if each] == [60, 30, 20]


@pytest.mark.parametrize("done", [None, Done(0, NOON - HOUR), Done(60, NOON - SHORTEST + TICK)])
def test_before_there_is_a_pace_the_capacity_is_spread_over_the_working_day(done: Done | None) -> None:
    found = rate(DAY, 1000, done, NOON)
    assert found is not None
    assert (found.basis, found.per_hour) == (Basis.CAPACITY, Fraction(100))


def test_half_an_hour_is_a_pace() -> None:
    found = rate(DAY, 1000, Done(7, NOON - SHORTEST), NOON)
    assert found is not None
    assert (found.basis, found.per_hour) == (Basis.PACE, Fraction(14))


def test_without_pace_and_capacity_nothing_is_foretold() -> None:
    assert rate(DAY, None, None, NOON) is None
    forecast = Worker(DAY, None, NOON).forecast(0, 10, NOON + HOUR)
    assert (forecast.basis, forecast.doses_per_hour, forecast.done_at, forecast.doses_late) == (
        "none",
        None,
        None,
        None,
    )


@pytest.mark.parametrize(("due", "late"), [(NOON + TICK, None), (NOON, None), (NOON - TICK, 10)])
def test_of_the_unknown_only_what_is_overdue_is_late(due: datetime, late: int | None) -> None:
    assert unknown(10, due, NOON).doses_late == late


TEN_AN_HOUR = Rate(10, HOUR, Basis.PACE)


@pytest.mark.parametrize(
    ("before", "left", "due", "done_at", "late"),
    [
        (0, 10, NOON + HOUR, NOON + HOUR, 0),  # on the instant
        (0, 10, NOON + HOUR - TICK, NOON + HOUR, 1),
        (0, 1, NOON + 6 * MINUTE, NOON + 6 * MINUTE, 0),
        (5, 10, NOON + HOUR, NOON + 90 * MINUTE, 5),
        (10, 10, NOON + HOUR, NOON + 2 * HOUR, 10),
        (50, 10, NOON + HOUR, NOON + 6 * HOUR, 10),
        (0, 61, local("06T08:00"), local("06T08:06"), 1),  # closed at night
        (0, 61, local("06T08:06"), local("06T08:06"), 0),
        (0, 10, NOON, NOON + HOUR, 10),  # due now: nothing more can be done
        (0, 10, NOON - HOUR, NOON + HOUR, 10),  # missed
    ],
)
def test_a_forecast_counts_those_before_it(before: int, left: int, due: datetime, done_at: datetime, late: int) -> None:
    forecast = Worker(DAY, TEN_AN_HOUR, NOON).forecast(before, left, due)
    assert (forecast.basis, forecast.doses_per_hour) == (Basis.PACE, Fraction(10))
    assert (forecast.done_at, forecast.doses_late) == (done_at, late)


def test_a_pace_that_is_no_whole_number_is_kept_exactly() -> None:
    thirds = Rate(1, 3 * HOUR, Basis.PACE)
    assert thirds.per_hour == Fraction(1, 3)
    assert (thirds.within(3 * HOUR - TICK), thirds.within(3 * HOUR)) == (0, 1)
    assert Rate(7, HOUR, Basis.PACE).needs(1) == timedelta(microseconds=514_285_715)
