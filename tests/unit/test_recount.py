"""What is made of readings part by part is what is made of all at once."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.excursions import ExcursionRule, detect
from inventory.domain.exposure import Band
from inventory.domain.readings import Reading
from inventory.domain.recount import Stage, hours_of, judged
from inventory.domain.rollup import HOUR, roll_up
from inventory.domain.words import Side

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOLD = 15 * MINUTE
BAND = Band(200, 800)
RULES = [
    ExcursionRule("HOT", Side.ABOVE, 800, False, 30 * MINUTE),
    ExcursionRule("COLD", Side.BELOW, 200, True, 20 * MINUTE),
]
SUMMED = ExcursionRule("SUM", Side.ABOVE, 700, False, 25 * MINUTE, 90 * MINUTE)

steps = st.lists(st.tuples(st.integers(1, 50), st.sampled_from([100, 500, 500, 750, 900])), max_size=40)
sizes = st.lists(st.integers(1, 7), min_size=1)
rule_sets = st.sampled_from([RULES, [*RULES, SUMMED], []])


def readings(given_steps: list[tuple[int, int]]) -> list[Reading]:
    """Readings from steps in minutes and temperatures."""
    instants = accumulate(step for step, _ in given_steps)
    return [Reading(START + at * MINUTE, value) for at, (_, value) in zip(instants, given_steps, strict=True)]


def parts(whole: list[Reading], lengths: list[int]) -> list[list[Reading]]:
    """The readings in parts of some lengths, over and over."""
    found: list[list[Reading]] = []
    rest, turn = whole, 0
    while rest:
        length = lengths[turn % len(lengths)]
        found, rest, turn = [*found, rest[:length]], rest[length:], turn + 1
    return found


@given(steps, sizes)
def test_hours_of_parts_are_hours_of_the_whole(given_steps: list[tuple[int, int]], lengths: list[int]) -> None:
    whole = readings(given_steps)
    found = list(hours_of(parts(whole, lengths), HOLD, BAND))
    assert dict(found) == roll_up(whole, HOLD, BAND)
    assert found == sorted(found, key=lambda each: each[0])


@given(steps, sizes)
def test_hours_up_to_a_reading_that_is_not_shown(given_steps: list[tuple[int, int]], lengths: list[int]) -> None:
    whole = readings(given_steps)
    until = START + 40 * HOUR
    expected = roll_up([*whole, Reading(until, 0)], HOLD, BAND)
    assert dict(hours_of(parts(whole, lengths), HOLD, BAND, until)) == {
        hour: each for hour, each in expected.items() if hour < until
    }


@given(steps, sizes, rule_sets, st.booleans(), st.booleans())
def test_excursions_of_parts_are_excursions_of_the_whole(
    given_steps: list[tuple[int, int]], lengths: list[int], rules: list[ExcursionRule], assigned: bool, ended: bool
) -> None:
    whole = readings(given_steps)
    since = START - HOUR if assigned else None
    until = whole[-1].measured_at + HOUR if ended and whole else None
    found = judged(parts(whole, lengths), rules, HOLD, Stage(since, until))
    assert found is not None
    assert sorted(map(repr, found.spans)) == sorted(map(repr, detect(whole, rules, HOLD, until, since)))


@given(steps, sizes, rule_sets, st.integers(0, 40), st.integers(0, 40))
def test_with_readings_missing_around_them_only_what_is_sure_is_found(
    given_steps: list[tuple[int, int]], lengths: list[int], rules: list[ExcursionRule], one: int, other: int
) -> None:
    whole = readings(given_steps)
    shown = whole[min(one, other) : max(one, other)]
    found = judged(parts(shown, lengths), rules, HOLD, Stage(opened=False, closed=False))
    if found is None:
        return
    assert found.since is not None
    assert found.until is not None
    sure = [
        span
        for span in detect(whole, rules, HOLD)
        if span.started_at >= found.since and span.ended_at is not None and span.ended_at <= found.until
    ]
    assert sorted(map(repr, found.spans)) == sorted(map(repr, sure))


def test_calm_readings_leave_no_more_unjudged_than_they_must() -> None:
    whole = readings([(5, 500)] * 40)
    found = judged([whole], RULES, HOLD, Stage(opened=False, closed=False))
    assert found is not None
    assert (found.since, found.until) == (whole[0].measured_at, whole[-1].measured_at)


def test_without_a_calm_reading_nothing_is_sure() -> None:
    assert judged([readings([(5, 900)] * 40)], RULES, HOLD, Stage(opened=False, closed=False)) is None
    assert judged([], RULES, HOLD, Stage(opened=False)) is None
