"""Hourly roll-ups against figures that were computed elsewhere, and against exposure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.exposure import Band, expose
from inventory.domain.readings import Reading, stretches
from inventory.domain.rollup import (
    HOUR,
    Hour,
    begin,
    factor,
    go_on,
    hour_of,
    kinetic,
    mean_kinetic,
    microseconds,
    roll_up,
)

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BAND = Band(200, 800)
HOLD = 15 * MINUTE
HOTTEST = 200_00


def mkt(*parts: tuple[int, float]) -> float:
    """MKT of temperatures (hundredths) and hours, piece by piece of an hour at most."""
    total = seen = 0
    for temperature, hours in parts:
        left = round(hours * 3600 * 10**6)
        while left:
            piece = min(left, 3600 * 10**6)
            total, seen, left = total + kinetic(temperature, piece), seen + piece, left - piece
    found = mean_kinetic(total, seen)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(500, 1)], 5.0),
        ([(200, 1), (800, 1)], 5.5364),
        ([(200, 2), (500, 1), (800, 4)], 6.2503),
        ([(500, 23.5), (2500, 0.5)], 6.4924),
        ([(500, 22), (1500, 2)], 6.4623),
        ([(500, 708), (2500, 12)], 6.2147),
        ([(2000, 1), (2200, 1), (2400, 1), (2600, 1), (2800, 1)], 24.421),
    ],
)
def test_mean_kinetic_temperature_of_integer_sums(parts: list[tuple[int, float]], expected: float) -> None:
    assert mkt(*parts) == pytest.approx(expected, abs=5e-4)


def test_the_hottest_hour_fits_into_64_bits() -> None:
    assert 0 < kinetic(HOTTEST, 3600 * 10**6) < 2**63


def test_colder_than_anything_adds_nothing() -> None:
    assert factor(-273_15) == 0
    assert factor(-80_00) > 0


def test_a_reading_stands_into_the_next_hour_and_no_longer_than_it_holds() -> None:
    readings = [Reading(START + 50 * MINUTE, 900), Reading(START + 100 * MINUTE, 500)]
    first, second = roll_up(readings, HOLD, BAND).items()
    assert first == (START, Hour(1, 900, 900, *seen_above(10), kinetic(900, 600 * 10**6)))
    assert second == (START + HOUR, Hour(1, 500, 900, *seen_above(5), kinetic(900, 300 * 10**6)))


def seen_above(minutes: int) -> tuple[int, int, int]:
    """Above, below and seen, where all that was seen lay above."""
    return minutes * 60 * 10**6, 0, minutes * 60 * 10**6


timelines = st.lists(
    st.tuples(st.integers(0, 6 * 3600 * 10**6), st.integers(-5000, 5000)),
    min_size=1,
    max_size=30,
    unique_by=lambda x: x[0],
).map(lambda found: [Reading(START + timedelta(microseconds=at), value) for at, value in sorted(found)])


@given(timelines)
def test_the_sum_of_the_hours_is_the_exposure(readings: list[Reading]) -> None:
    exposure = expose(stretches(readings, HOLD), BAND)
    hours = roll_up(readings, HOLD, BAND).values()
    assert sum(hour.readings for hour in hours) == len(readings)
    assert sum(hour.above for hour in hours) == microseconds(exposure.above)
    assert sum(hour.below for hour in hours) == microseconds(exposure.below)
    assert sum(hour.seen for hour in hours) == microseconds(
        readings[-1].measured_at - readings[0].measured_at - exposure.unseen
    )
    assert min(hour.lowest for hour in hours) == min(reading.temperature for reading in readings)
    assert max(hour.highest for hour in hours) == max(reading.temperature for reading in readings)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def counted(reading: Reading) -> tuple[int, int]:
    return microseconds(reading.measured_at - EPOCH), reading.temperature


@given(timelines, st.integers(0, 30))
def test_going_on_from_reading_to_reading_gives_what_one_pass_gives(readings: list[Reading], cut: int) -> None:
    first, *rest = map(counted, readings)
    rolling, hours = begin(*first), list[tuple[int, Hour]]()
    for part in (rest[:cut], rest[cut:]):
        rolling, over = go_on(rolling, part, microseconds(HOLD), BAND)
        hours += over
    found = {EPOCH + timedelta(microseconds=at): hour for at, hour in [*hours, (rolling.hour, rolling.rolled)]}
    assert found == roll_up(readings, HOLD, BAND)
    assert len(found) == len(hours) + 1
    assert (rolling.at, rolling.value) == counted(readings[-1])


@given(timelines, st.integers(0, 30))
def test_a_later_part_adds_to_the_earlier_one(readings: list[Reading], cut: int) -> None:
    earlier, later = readings[: cut + 1], readings[min(cut, len(readings) - 1) :]
    hours = dict(roll_up(earlier, HOLD, BAND))
    once = hour_of(later[0].measured_at)
    for hour, part in roll_up(later, HOLD, BAND).items():
        new = Hour(part.readings - (hour == once), *part_of(part))
        hours[hour] = hours[hour].joined(new) if hour in hours else new
    assert hours == roll_up(readings, HOLD, BAND)


def part_of(part: Hour) -> tuple[int, int, int, int, int, int]:
    """All of an hour but the number of its readings."""
    return part.lowest, part.highest, part.above, part.below, part.seen, part.kinetic
