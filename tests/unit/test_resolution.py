"""How finely readings are told."""

from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.exposure import Band
from inventory.domain.readings import Reading
from inventory.domain.resolution import DAY, MOST_POINTS, coarse, gathered, standing, widened
from inventory.domain.rollup import HOUR, roll_up
from inventory.domain.words import Resolution

BAND = Band(200, 800)
AT = datetime(2026, 1, 5, 4, 30, tzinfo=UTC)
HOLD = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("hours", "resolution"),
    [(1, Resolution.HOUR), (MOST_POINTS, Resolution.HOUR), (MOST_POINTS + 1, Resolution.DAY), (-1, Resolution.HOUR)],
)
def test_hours_are_chosen_where_they_can_be_shown(hours: int, resolution: Resolution) -> None:
    whole = AT.replace(minute=0)
    assert coarse(whole, whole + hours * HOUR) is resolution


def test_a_begun_hour_at_each_end_counts() -> None:
    assert coarse(AT, AT + (MOST_POINTS - 1) * HOUR) is Resolution.HOUR
    assert coarse(AT, AT + MOST_POINTS * HOUR) is Resolution.DAY


@pytest.mark.parametrize(
    ("since", "until", "size", "expected"),
    [
        (AT, AT + HOUR, HOUR, (4, 6)),
        (AT.replace(minute=0), AT.replace(hour=5, minute=0), HOUR, (4, 5)),
        (AT, AT, HOUR, (4, 4)),
        (AT, AT - HOUR, HOUR, (4, 4)),
        (AT, AT + HOUR, DAY, (0, 24)),
    ],
)
def test_a_span_is_widened_to_whole_ones(
    since: datetime, until: datetime, size: timedelta, expected: tuple[int, int]
) -> None:
    midnight = AT.replace(hour=0, minute=0)
    assert widened(since, until, size) == (midnight + expected[0] * HOUR, midnight + expected[1] * HOUR)


def test_the_newest_reading_stands_into_the_next_hour_and_is_counted_once() -> None:
    latest = Reading(AT.replace(minute=50), 900)
    hours = standing(latest, AT + 3 * HOUR, HOLD, BAND)
    seen = {hour.hour: (part.readings, part.seen, part.above) for hour, part in hours.items()}
    assert seen == {4: (0, 600_000_000, 600_000_000), 5: (0, 300_000_000, 300_000_000)}


def test_it_stands_no_longer_than_was_asked_and_not_before_it_was() -> None:
    latest = Reading(AT, 450)
    assert [part.seen for part in standing(latest, AT + timedelta(seconds=1), HOLD, BAND).values()] == [1_000_000]
    assert standing(latest, AT, HOLD, BAND) == {}
    assert standing(latest, AT - HOUR, HOLD, BAND) == {}


def test_what_stands_up_to_the_end_of_an_hour_is_nothing_of_the_next() -> None:
    assert list(standing(Reading(AT.replace(minute=45), 450), AT + HOUR, HOLD, BAND)) == [AT.replace(minute=0)]


def test_a_day_is_the_sum_of_its_hours() -> None:
    readings = [Reading(AT + index * timedelta(minutes=10), 400 + index) for index in range(30)]
    hours = roll_up(readings, HOLD, BAND)
    (whole,) = gathered([hours], DAY).values()
    assert (whole.readings, whole.lowest, whole.highest) == (30, 400, 429)
    assert whole.kinetic == sum(part.kinetic for part in hours.values())
