from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.excursions import ExcursionRule, Span, detect
from inventory.domain.readings import Reading
from inventory.domain.words import Side

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOLD = 30 * MINUTE

HEAT = ExcursionRule("HEAT", Side.ABOVE, 800, inclusive=False, duration=600 * MINUTE)
HOT = ExcursionRule("HOT", Side.ABOVE, 800, inclusive=False, duration=30 * MINUTE)
COLD = ExcursionRule("COLD", Side.BELOW, 200, inclusive=False, duration=30 * MINUTE)
FRZE = ExcursionRule("FRZE", Side.BELOW, -50, inclusive=True, duration=60 * MINUTE)


def at(minute: float) -> datetime:
    return START + minute * MINUTE


def every(step: int, *temperatures: int) -> list[Reading]:
    return [Reading(at(step * index), temperature) for index, temperature in enumerate(temperatures)]


def found(readings: list[Reading], *rules: ExcursionRule, until: datetime | None = None) -> list[Span]:
    return detect(readings, rules, HOLD, until)


@pytest.mark.parametrize(("rule", "temperature"), [(FRZE, -50), (FRZE, -51), (HEAT, 801), (HOT, 801), (COLD, 199)])
def test_beyond_the_limit_counts(rule: ExcursionRule, temperature: int) -> None:
    assert rule.broken_by(temperature)


@pytest.mark.parametrize(("rule", "temperature"), [(FRZE, -49), (FRZE, 900), (HEAT, 800), (HOT, 800), (COLD, 200)])
def test_within_the_limit_does_not_count(rule: ExcursionRule, temperature: int) -> None:
    assert not rule.broken_by(temperature)


def test_an_hour_at_minus_a_half_is_a_freeze() -> None:
    assert [span.rule for span in found(every(10, *[-50] * 7), FRZE)] == [FRZE]
    assert found(every(10, *[-49] * 60), FRZE) == []


def test_ten_hours_at_eight_are_no_heat() -> None:
    assert found(every(10, *[800] * 70), HEAT) == []
    assert [span.rule for span in found(every(10, *[801] * 61), HEAT)] == [HEAT]


def test_the_duration_counts_to_the_very_instant() -> None:
    assert found(every(10, 900, 900, 900, 500), HOT) == [
        Span(Side.ABOVE, HOT, at(0), at(30), at(30), 30 * MINUTE, 0 * MINUTE, 900)
    ]
    short = [*every(10, 900, 900, 900), Reading(at(30) - timedelta(microseconds=1), 500)]
    assert found(short, HOT) == []


def test_the_alarm_begins_inside_the_stretch_that_fills_the_duration() -> None:
    (span,) = found(every(20, 900, 910, 905, 500), HOT)
    assert (span.started_at, span.alarm_at, span.ended_at) == (at(0), at(30), at(60))
    assert (span.seen, span.extreme) == (60 * MINUTE, 910)


def test_a_run_that_goes_on_has_no_end_and_its_last_reading_counts_for_its_extreme() -> None:
    (span,) = found(every(10, 500, 900, 905, 910, 950), HOT)
    assert (span.started_at, span.alarm_at, span.ended_at, span.extreme) == (at(10), at(40), None, 950)
    assert span.seen == 30 * MINUTE


def test_the_last_reading_stands_for_an_instant_only() -> None:
    assert found(every(10, 900, 900, 900), HOT) == []


def test_where_the_watch_ended_the_last_reading_stands_until_then() -> None:
    assert found(every(10, 900, 900, 900), HOT, until=at(30)) == [
        Span(Side.ABOVE, HOT, at(0), at(30), at(30), 30 * MINUTE, 0 * MINUTE, 900)
    ]


def test_a_calm_reading_ends_a_run_and_the_next_begins_anew() -> None:
    hot = [900] * 5
    spans = found(every(10, *hot, 500, *hot, 500), HOT)
    assert [(span.started_at, span.ended_at) for span in spans] == [(at(0), at(50)), (at(60), at(110))]


def test_short_runs_never_add_up() -> None:
    assert found(every(10, *[900, 900, 500] * 20), HOT) == []


def test_the_extreme_of_cold_is_its_lowest() -> None:
    (span,) = found(every(10, 150, 120, 180, 190, 500), COLD)
    assert (span.side, span.extreme) == (Side.BELOW, 120)


def test_a_gap_adds_nothing_to_a_runs_duration() -> None:
    # Seen are 0 to 20 and, behind five unseen hours, 320 to 325: not the half hour that the rule asks for.
    readings = [Reading(at(0), 900), Reading(at(320), 900), Reading(at(325), 500)]
    strict = ExcursionRule("HOT", Side.ABOVE, 800, inclusive=False, duration=36 * MINUTE)
    assert [span.side for span in found(readings, strict)] == [Side.SILENCE]


def test_a_gap_ends_nothing() -> None:
    readings = [Reading(at(0), 900), Reading(at(320), 920), Reading(at(325), 500)]
    (span, silence) = found(readings, HOT)
    assert span == Span(Side.ABOVE, HOT, at(0), at(30), at(325), 35 * MINUTE, 290 * MINUTE, 920)
    assert silence.side is Side.SILENCE


def test_a_run_may_fill_its_duration_behind_a_gap() -> None:
    readings = [Reading(at(0), 900), Reading(at(100), 900), Reading(at(120), 500)]
    rule = ExcursionRule("HOT", Side.ABOVE, 800, inclusive=False, duration=40 * MINUTE)
    (span, _) = found(readings, rule)
    assert (span.alarm_at, span.seen, span.unseen) == (at(110), 50 * MINUTE, 70 * MINUTE)


def test_a_calm_reading_behind_a_gap_ends_the_run_there() -> None:
    readings = [*every(10, 900, 900, 900, 900), Reading(at(200), 500)]
    (span, _) = found(readings, HOT)
    assert (span.ended_at, span.seen, span.unseen) == (at(200), 60 * MINUTE, 140 * MINUTE)


def test_a_silence_begins_with_the_last_word_and_alarms_when_that_stands_no_longer() -> None:
    assert found([Reading(at(0), 500), Reading(at(90), 500)], HOT) == [
        Span(Side.SILENCE, None, at(0), at(30), at(90), 0 * MINUTE, 90 * MINUTE, None)
    ]


def test_just_as_long_as_a_reading_stands_is_no_silence() -> None:
    assert found([Reading(at(0), 500), Reading(at(30), 500)], HOT) == []


def test_a_watch_that_ends_long_after_the_last_reading_ends_in_silence() -> None:
    assert [span.side for span in found(every(10, 500, 500), until=at(300))] == [Side.SILENCE]


def test_each_rule_is_judged_by_itself() -> None:
    spans = found(every(10, *[-100] * 10, 500), COLD, FRZE, HOT)
    assert [(span.rule, span.alarm_at) for span in spans] == [(COLD, at(30)), (FRZE, at(60))]


def test_a_run_of_one_rule_may_end_on_a_reading_beyond_another() -> None:
    spans = found(every(10, *[900] * 4, *[100] * 4, 500), HOT, COLD)
    assert [(span.rule, span.started_at, span.ended_at) for span in spans] == [
        (HOT, at(0), at(40)),
        (COLD, at(40), at(80)),
    ]


@pytest.mark.parametrize("readings", [[], every(10, 900), every(10, 500, 600, 799)])
def test_nothing_is_made_of_nothing(readings: list[Reading]) -> None:
    assert found(readings, HOT, COLD, HEAT, FRZE) == []


def test_a_rule_without_duration_is_broken_by_one_reading() -> None:
    at_once = ExcursionRule("ONCE", Side.ABOVE, 800, inclusive=False, duration=0 * MINUTE)
    (span,) = found(every(10, 900), at_once)
    assert (span.started_at, span.alarm_at, span.ended_at) == (at(0), at(0), None)
