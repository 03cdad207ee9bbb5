"""What holds for the detection of excursions whatever the readings are."""

from datetime import timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.excursions import Span, detect
from inventory.domain.readings import Reading, stretches, within
from inventory.domain.words import Side
from inventory.services.rules import EXCURSION_RULES
from tests.properties.strategies import HOLD, MINUTE, as_readings, timelines

RULES = EXCURSION_RULES["strict-2-8"]
ENDLESS = timedelta(days=999)
READINGS = timelines().map(as_readings)


@given(READINGS)
def test_every_excursion_lasted_as_long_as_its_rule_asks(readings: list[Reading]) -> None:
    for span in detect(readings, RULES, HOLD):
        if span.rule is not None:
            assert span.seen >= span.rule.duration
            assert span.started_at + span.rule.duration <= span.alarm_at
            assert span.ended_at is None or span.alarm_at <= span.ended_at


@given(READINGS)
def test_seen_and_unseen_time_of_an_excursion_fill_it(readings: list[Reading]) -> None:
    last = readings[-1].measured_at
    for span in detect(readings, RULES, HOLD):
        assert span.seen + span.unseen == (span.ended_at or last) - span.started_at


@given(READINGS)
def test_an_extreme_was_read_within_its_excursion_and_is_beyond_the_limit(readings: list[Reading]) -> None:
    for span in detect(readings, RULES, HOLD):
        if span.rule is not None and span.extreme is not None:
            inside = [each.temperature for each in readings if span.started_at <= each.measured_at]
            assert span.extreme in inside
            assert span.rule.broken_by(span.extreme)


@given(READINGS)
def test_excursions_of_one_rule_never_overlap(readings: list[Reading]) -> None:
    for rule in RULES:
        spans = [span for span in detect(readings, RULES, HOLD) if span.rule is rule]
        for earlier, later in pairwise(spans):
            assert earlier.ended_at is not None
            assert earlier.ended_at <= later.started_at


@given(READINGS)
def test_silences_are_the_gaps_and_nothing_else(readings: list[Reading]) -> None:
    gaps = [
        (one.measured_at, other.measured_at)
        for one, other in pairwise(readings)
        if other.measured_at - one.measured_at > HOLD
    ]
    spans = [span for span in detect(readings, RULES, HOLD) if span.side is Side.SILENCE]
    assert [(span.started_at, span.ended_at) for span in spans] == gaps


@given(READINGS)
def test_judging_by_all_rules_is_judging_by_each(readings: list[Reading]) -> None:
    together = [span for span in detect(readings, RULES, HOLD) if span.rule]
    apart = [span for rule in RULES for span in detect(readings, [rule], HOLD) if span.rule]
    assert sorted(map(str, together)) == sorted(map(str, apart))


@given(READINGS)
def test_a_stricter_rule_finds_at_least_what_a_milder_one_finds(readings: list[Reading]) -> None:
    hot, heat = RULES[0], RULES[2]
    strict = [(span.started_at, span.ended_at) for span in detect(readings, [hot], HOLD) if span.rule]
    assert {(span.started_at, span.ended_at) for span in detect(readings, [heat], HOLD) if span.rule} <= set(strict)


@given(READINGS, st.integers(-50_000, 50_000))
def test_the_same_readings_at_another_time_give_the_same_excursions_then(readings: list[Reading], minutes: int) -> None:
    shift = minutes * MINUTE
    moved = detect([Reading(each.measured_at + shift, each.temperature) for each in readings], RULES, HOLD)
    here = detect(readings, RULES, HOLD)
    assert [(span.started_at - shift, span.rule, span.seen, span.extreme) for span in moved] == [
        (span.started_at, span.rule, span.seen, span.extreme) for span in here
    ]


@given(READINGS, st.data())
def test_a_reading_that_says_what_stood_there_anyway_changes_no_time(
    readings: list[Reading], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(readings) - 1))
    one = readings[place]
    room = (readings[place + 1].measured_at if place + 1 < len(readings) else one.measured_at + HOLD) - one.measured_at
    if room > 2 * MINUTE:
        more = Reading(one.measured_at + min(room, HOLD) / 2, one.temperature)
        told = detect([*readings[: place + 1], more, *readings[place + 1 :]], RULES, ENDLESS)
        assert [_times(span) for span in told if span.ended_at] == [
            _times(span) for span in detect(readings, RULES, ENDLESS) if span.ended_at
        ]


def _times(span: Span) -> tuple[object, ...]:
    return span.rule, span.started_at, span.alarm_at, span.ended_at, span.seen


@given(READINGS, st.randoms())
def test_stretches_cover_a_window_once_and_without_a_hole(readings: list[Reading], random: Random) -> None:
    first, last = readings[0].measured_at, readings[-1].measured_at
    since = first + timedelta(minutes=random.randint(-60, 600))
    until = since + timedelta(minutes=random.randint(1, 900))
    parts = list(within(stretches(readings, HOLD, last + HOLD), since, until))
    assert (parts[0].since, parts[-1].until) == (since, until)
    assert all(one.until == other.since for one, other in pairwise(parts))
    assert all(part.duration > timedelta() for part in parts)
