from datetime import UTC, datetime, timedelta

import pytest

from inventory.clock import ScaledClock, system_clock

MORNING = datetime(2026, 1, 5, 6, tzinfo=UTC)


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert system_clock().tzinfo is UTC


def test_a_scaled_clock_runs_so_many_times_as_fast_from_its_anchor() -> None:
    before = system_clock()
    clock = ScaledClock(before - timedelta(seconds=10), MORNING, 60.0)
    shown = clock()
    after = system_clock()
    assert MORNING + timedelta(minutes=10) <= shown <= MORNING + timedelta(minutes=10) + (after - before) * 60


def test_a_scaled_clock_stands_until_its_anchor() -> None:
    assert ScaledClock(system_clock() + timedelta(minutes=1), MORNING, 60.0)() == MORNING


def test_every_process_given_the_same_figures_sees_the_same_time() -> None:
    clock = ScaledClock(MORNING, MORNING + timedelta(days=3), 120.0)
    assert ScaledClock.parse(str(clock)) == clock


def test_instants_of_any_offset_are_read_as_utc() -> None:
    clock = ScaledClock.parse("2026-01-05T14:00:00+08:00,2026-01-05T06:00:00Z,60")
    assert (clock.anchor, clock.shown) == (MORNING, MORNING)
    assert clock.anchor.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "60",
        "2026-01-05T06:00:00,2026-01-05T06:00:00Z,60",
        "2026-01-05T06:00:00Z,2026-01-05T06:00:00,60",
        "2026-01-05T06:00:00Z,2026-01-05T06:00:00Z,0",
        "2026-01-05T06:00:00Z,2026-01-05T06:00:00Z,-1",
        "2026-01-05T06:00:00Z,2026-01-05T06:00:00Z,fast",
        "2026-01-05T06:00:00Z,2026-01-05T06:00:00Z,60,1",
        "2026-01-05T06:00:00Z,2026-01-05T06:00:00Z,nan",
        "2026-01-05T06:00:00Z,2026-01-05T06:00:00Z,inf",
    ],
)
def test_what_is_no_clock_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (what it says is the settings' matter)
        ScaledClock.parse(text)
