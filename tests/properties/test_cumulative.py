"""Cumulative excursions against a slow oracle, and what holds for them whatever the readings are."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import event, given, settings
from hypothesis import strategies as st

from inventory.domain.excursions import ExcursionRule, Span, detect
from inventory.domain.readings import Reading
from inventory.domain.words import Side
from tests.properties.oracle_cumulative import Found, expected, whole
from tests.properties.strategies import COLD, HOLD, HOT, MINUTE, START


@st.composite
def rules(draw: st.DrawFn) -> ExcursionRule:
    """Limits whose windows are short enough for a timeline to leave them and to come back."""
    duration = draw(st.integers(1, 60))
    window = draw(st.integers(duration, 180))
    side, threshold = draw(st.sampled_from([(Side.ABOVE, 800), (Side.BELOW, 200)]))
    return ExcursionRule("SUM", side, threshold, draw(st.booleans()), duration * MINUTE, window * MINUTE)


@st.composite
def spells(draw: st.DrawFn) -> list[Reading]:
    """Readings that go in and out of the limits, now and then silent for longer than a reading stands."""
    at, found = START, []
    for _ in range(draw(st.integers(1, 14))):
        temperature = draw(st.sampled_from([450, 450, *HOT, 800, *COLD, 200]))
        for step in draw(st.lists(st.sampled_from([1, 3, 5, 10, 14, 15, 16, 40]), min_size=1, max_size=4)):
            found.append(Reading(at, temperature))
            at += step * MINUTE
    return found


def told(span: Span) -> Found:
    since = span.started_at - START
    ended = None if span.ended_at is None else whole(span.ended_at - START)
    assert span.extreme is not None
    return whole(since), whole(span.alarm_at - START), ended, whole(span.seen), whole(span.unseen), span.extreme


def sums(readings: list[Reading], rule: ExcursionRule) -> list[Span]:
    return [span for span in detect(readings, [rule], HOLD) if span.rule is not None]


@settings(max_examples=100, deadline=None)
@given(spells(), rules())
def test_it_finds_what_counting_every_minute_finds(readings: list[Reading], rule: ExcursionRule) -> None:
    found = sums(readings, rule)
    event(f"{min(len(found), 3)} excursions")
    assert [told(span) for span in found] == expected(readings, rule, HOLD)


@given(spells(), rules())
def test_excursions_of_a_cumulative_rule_never_overlap_and_last_as_long_as_it_asks(
    readings: list[Reading], rule: ExcursionRule
) -> None:
    found = sums(readings, rule)
    assert all(span.seen >= rule.duration for span in found)
    assert all(one.ended_at is not None and one.ended_at <= other.started_at for one, other in pairwise(found))


@given(spells(), rules())
def test_a_window_finds_at_least_what_one_run_finds(readings: list[Reading], rule: ExcursionRule) -> None:
    """What lasts long enough without a break also does with breaks; a run bridges unseen time of any length."""
    endless = timedelta(days=99)
    single = ExcursionRule(rule.name, rule.side, rule.threshold, rule.inclusive, rule.duration)
    runs = [span for span in detect(readings, [single], endless) if span.rule]
    added = [span for span in detect(readings, [rule], endless) if span.rule]
    for run in runs:
        assert any(
            span.started_at <= run.started_at
            and span.alarm_at <= run.alarm_at
            and (span.ended_at is None or (run.ended_at is not None and run.ended_at <= span.ended_at))
            for span in added
        )


@given(spells(), rules())
def test_in_a_window_without_end_all_time_beyond_adds_up(readings: list[Reading], rule: ExcursionRule) -> None:
    endless = ExcursionRule("SUM", rule.side, rule.threshold, rule.inclusive, rule.duration, timedelta(days=99))
    at_once = ExcursionRule("ALL", rule.side, rule.threshold, rule.inclusive, timedelta())
    total = sum((span.seen for span in detect(readings, [at_once], HOLD) if span.rule), timedelta())
    assert [span.seen for span in sums(readings, endless)] == ([total] if total >= rule.duration else [])
