"""Following a sensor reading by reading: what the newest one can change."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.following import HIGHEST, LOWEST, Step, anew, calm, calm_band, from_plain, go_on, to_plain
from inventory.domain.instants import counted
from inventory.domain.limits import ExcursionRule
from inventory.domain.profiles import EXCURSION_RULES
from inventory.domain.readings import Reading
from inventory.domain.runs import Run
from inventory.domain.words import Side

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOLD = 30 * MINUTE

HOT = ExcursionRule("HOT", Side.ABOVE, 800, inclusive=False, duration=30 * MINUTE)
WARM = ExcursionRule("WARM", Side.ABOVE, 700, inclusive=True, duration=60 * MINUTE)
COLD = ExcursionRule("COLD", Side.BELOW, 200, inclusive=False, duration=30 * MINUTE)
FROST = ExcursionRule("FROST", Side.BELOW, -50, inclusive=True, duration=30 * MINUTE)
SUM = ExcursionRule("SUM", Side.ABOVE, 750, inclusive=False, duration=60 * MINUTE, window=600 * MINUTE)
RULES = (HOT, COLD)


def at(minute: float) -> datetime:
    return START + minute * MINUTE


def every(step: int, *temperatures: int) -> list[Reading]:
    return [Reading(at(step * index), temperature) for index, temperature in enumerate(temperatures)]


def last_of(readings: Sequence[Reading], rules: Sequence[ExcursionRule] = RULES) -> Step:
    """What the last of some readings comes to."""
    *before, latest, newest = readings
    return go_on(anew([*before, latest], rules, HOLD), latest, [newest], rules, HOLD)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (RULES, (200, 800)),
        ((HOT, WARM, COLD, FROST), (200, 699)),
        ((FROST,), (-49, HIGHEST)),
        ((SUM,), (LOWEST, 750)),
        ((), (LOWEST, HIGHEST)),
        (EXCURSION_RULES["who-2-8"], (-49, 800)),
        (EXCURSION_RULES["who-shipment-2"], (LOWEST, 999)),
    ],
)
def test_the_calm_band_breaks_no_rule_and_a_hundredth_beyond_it_does(
    rules: Sequence[ExcursionRule], expected: tuple[int, int]
) -> None:
    low, high = calm_band(rules)
    assert (low, high) == expected
    assert not any(rule.broken_by(each) for rule in rules for each in expected)
    assert low == LOWEST or any(rule.broken_by(low - 1) for rule in rules)
    assert high == HIGHEST or any(rule.broken_by(high + 1) for rule in rules)


@pytest.mark.parametrize(
    ("latest", "newest", "gap", "expected"),
    [
        (200, 800, 30, True),
        (800, 200, 1, True),
        (801, 500, 10, False),
        (500, 801, 10, False),
        (500, 199, 10, False),
        (199, 500, 10, False),
        (500, 500, 30.1, False),
    ],
)
def test_calm_is_within_the_band_on_both_sides_and_no_silence_between(
    latest: int, newest: int, gap: float, expected: bool
) -> None:
    held = HOLD // timedelta(microseconds=1)
    found = calm((counted(at(0)), latest), [(counted(at(gap)), newest)], calm_band(RULES), held)
    assert found is expected


def test_a_run_that_begins_is_remembered_and_changes_nothing_yet() -> None:
    assert last_of(every(10, 500, 900)) == Step({"HOT": Run(at(10), 900)}, False, frozenset())


def test_a_run_that_goes_on_counts_what_the_reading_before_stood_for() -> None:
    assert last_of(every(10, 500, 900, 950)) == Step({"HOT": Run(at(10), 950, 10 * MINUTE)}, False, frozenset())


def test_a_run_too_short_to_be_an_excursion_is_forgotten_when_it_is_calm() -> None:
    assert last_of(every(10, 500, 900, 950, 500)) == Step({}, False, frozenset())


def test_the_reading_that_fills_the_duration_must_be_judged() -> None:
    step = last_of(every(10, 900, 900, 900, 900))
    assert step == Step({"HOT": Run(at(0), 900, 30 * MINUTE, alarm_at=at(30))}, True, frozenset({"HOT"}))


def test_so_must_the_calm_one_that_fills_and_ends_it_at_once() -> None:
    assert last_of(every(10, 900, 900, 900, 500)) == Step({}, True, frozenset())


def test_an_excursion_that_goes_on_grows_and_need_not_be_judged() -> None:
    step = last_of(every(10, 900, 900, 900, 900, 980))
    assert step == Step({"HOT": Run(at(0), 980, 40 * MINUTE, alarm_at=at(30))}, False, frozenset({"HOT"}))


def test_an_excursion_that_ends_must_be_judged() -> None:
    assert last_of(every(10, 900, 900, 900, 900, 980, 500)) == Step({}, True, frozenset())


def test_a_reading_beyond_the_other_limit_ends_one_run_and_begins_another() -> None:
    step = last_of(every(10, 900, 900, 900, 900, 100))
    assert (step.runs, step.must_judge) == ({"COLD": Run(at(40), 100)}, True)


def test_a_gap_is_a_silence_and_must_be_judged_but_the_run_goes_on() -> None:
    step = last_of([Reading(at(0), 900), Reading(at(31), 900)])
    assert step.must_judge
    assert step.runs == {"HOT": Run(at(0), 900, 30 * MINUTE, MINUTE, at(30))}


def test_the_first_reading_of_all_begins_runs() -> None:
    assert go_on({}, None, every(10, 900), RULES, HOLD) == Step({"HOT": Run(at(0), 900)}, False, frozenset())


def test_a_rule_without_duration_is_judged_with_its_first_reading() -> None:
    at_once = ExcursionRule("ONCE", Side.ABOVE, 800, inclusive=False, duration=0 * MINUTE)
    assert go_on({}, None, every(10, 900), [at_once], HOLD).must_judge


def test_several_readings_are_followed_as_one_after_the_other() -> None:
    first, *others = every(10, 500, 900, 900, 900, 900, 900)
    step = go_on({}, first, others, RULES, HOLD)
    assert step == Step({"HOT": Run(at(10), 900, 40 * MINUTE, alarm_at=at(40))}, True, frozenset({"HOT"}))


def test_what_grew_and_ended_within_the_same_readings_grows_no_more() -> None:
    *first, one, other = every(10, *[900] * 4, 950, 500)
    step = go_on(anew(first, RULES, HOLD), first[-1], [one, other], RULES, HOLD)
    assert step == Step({}, True, frozenset())


@pytest.mark.parametrize(
    ("temperatures", "expected"),
    [((500, 760), True), ((760, 760), True), ((760, 500), True), ((500, 750), False), ((760, 500, 500), False)],
    ids=["begins", "goes on", "ends", "within", "was calm before"],
)
def test_what_touches_a_cumulative_limit_must_be_judged(temperatures: tuple[int, ...], expected: bool) -> None:
    step = last_of(every(10, *temperatures), [HOT, SUM])
    assert (step.runs, step.must_judge) == ({}, expected)


def test_runs_come_back_from_json_as_they_were() -> None:
    odd = timedelta(microseconds=1_000_001)
    runs = {"HOT": Run(at(0) + odd, 900, odd, 3 * odd, at(7) + odd), "COLD": Run(at(1), -2500)}
    assert from_plain(json.loads(json.dumps(to_plain(runs)))) == runs
    assert from_plain(json.loads(json.dumps(to_plain({})))) == {}
