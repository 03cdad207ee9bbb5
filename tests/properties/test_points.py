"""Hours and days of readings, whatever the readings are: what one pass over them says of the same time."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.exposure import Band, expose
from inventory.domain.readings import Reading, stretches, within
from inventory.domain.resolution import DAY, gathered, standing, widened
from inventory.domain.rollup import HOUR, roll_up
from tests.properties.strategies import HOLD, MINUTE, START, as_readings, timelines

BAND = Band(200, 800)
READINGS = timelines().map(as_readings)
AGES = st.sampled_from([0, 1, 14, 15, 16, 59, 700])
"""How many minutes ago the newest reading was."""


@given(READINGS, AGES, st.sampled_from([HOUR, DAY]))
def test_each_point_says_what_one_pass_says(readings: list[Reading], age: int, size: timedelta) -> None:
    now = readings[-1].measured_at + age * MINUTE
    points = gathered([roll_up(readings, HOLD, BAND), standing(readings[-1], now, HOLD, BAND)], size)
    for begin, point in points.items():
        until = min(begin + size, now)
        seen = expose(within(stretches(readings, HOLD, now), begin, until), BAND)
        assert (point.above, point.below) == tuple(
            each // timedelta(microseconds=1) for each in (seen.above, seen.below)
        )
        assert timedelta(microseconds=point.seen) == until - begin - seen.unseen
        assert point.readings == sum(begin <= each.measured_at < begin + size for each in readings)
        if seen.lowest is not None and until == begin + size:
            assert (point.lowest, point.highest) == (seen.lowest, seen.highest)


@given(READINGS, AGES)
def test_every_reading_and_all_that_was_seen_is_in_one_point(readings: list[Reading], age: int) -> None:
    now = readings[-1].measured_at + age * MINUTE
    for size in (HOUR, DAY):
        points = gathered([roll_up(readings, HOLD, BAND), standing(readings[-1], now, HOLD, BAND)], size).values()
        assert sum(point.readings for point in points) == len(readings)
        seen = [part.duration for part in stretches(readings, HOLD, now) if part.temperature is not None]
        assert timedelta(microseconds=sum(point.seen for point in points)) == sum(seen, timedelta())


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from([HOUR, DAY]))
def test_a_widened_span_holds_the_one_asked_for_and_no_whole_one_more(begin: int, end: int, size: timedelta) -> None:
    since, until = START + begin * MINUTE, START + end * MINUTE
    first, last = widened(since, until, size)
    assert first <= since < first + size
    if since < until:
        assert last - size < until <= last
    else:
        assert last == first
