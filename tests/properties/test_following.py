"""Following reading by reading, judged only where told so, gives exactly what one pass gives after each reading."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from hypothesis import event, given, settings
from hypothesis import strategies as st

from inventory.domain.excursions import ExcursionRule, Span, detect
from inventory.domain.following import Runs, anew, calm, calm_band, from_plain, go_on, to_plain
from inventory.domain.instants import counted
from inventory.domain.profiles import EXCURSION_RULES
from inventory.domain.readings import Reading
from inventory.domain.runs import Run
from inventory.domain.words import Side
from tests.properties.strategies import HOLD, MINUTE, as_readings, timelines

SUMS = (
    ExcursionRule("SUM", Side.ABOVE, 800, inclusive=True, duration=25 * MINUTE, window=90 * MINUTE),
    ExcursionRule("ALL", Side.BELOW, 200, inclusive=False, duration=60 * MINUTE, window=600 * MINUTE),
)
RULES = st.sampled_from(
    [EXCURSION_RULES["strict-2-8"], EXCURSION_RULES["who-2-8"], SUMS, (*EXCURSION_RULES["strict-2-8"], *SUMS)]
)
READINGS = timelines().map(as_readings)


def grown(
    spans: Sequence[Span], readings: Sequence[Reading], rules: Sequence[ExcursionRule], names: set[str]
) -> list[Span]:
    """The spans, those of some rules that are open grown to what their runs are now."""
    runs = anew(readings, rules, HOLD)
    return [
        _now(span, runs[span.rule.name]) if span.rule and span.ended_at is None and span.rule.name in names else span
        for span in spans
    ]


def _now(span: Span, run: Run) -> Span:
    return Span(span.side, span.rule, span.started_at, span.alarm_at, None, run.seen, run.unseen, run.extreme)


@settings(max_examples=100, deadline=None)
@given(READINGS, RULES, st.data())
def test_judging_only_where_told_so_misses_nothing(
    readings: list[Reading], rules: Sequence[ExcursionRule], data: st.DataObject
) -> None:
    runs: Runs = {}
    verdict: list[Span] = []
    done = judged = 0
    while done < len(readings):
        size = data.draw(st.integers(1, 3))
        latest = readings[done - 1] if done else None
        step = go_on(runs, latest, readings[done : done + size], rules, HOLD)
        done = min(done + size, len(readings))
        now = readings[:done]
        judged += step.must_judge
        verdict = detect(now, rules, HOLD) if step.must_judge else grown(verdict, now, rules, set(step.grown))
        assert verdict == detect(now, rules, HOLD)
        assert step.runs == anew(now, rules, HOLD)
        runs = from_plain(to_plain(step.runs))
    event(f"judged {round(10 * judged / len(readings))} of 10")


@given(READINGS, RULES)
def test_what_is_calm_changes_nothing_and_leaves_no_run(
    readings: list[Reading], rules: Sequence[ExcursionRule]
) -> None:
    band = calm_band(rules)
    for latest, reading in pairwise(readings):
        before, behind = ((counted(each.measured_at), each.temperature) for each in (latest, reading))
        if calm(before, [behind], band, HOLD // timedelta(microseconds=1)):
            step = go_on({}, latest, [reading], rules, HOLD)
            assert (step.runs, step.must_judge, step.grown) == ({}, False, frozenset())


@given(READINGS, RULES)
def test_runs_may_be_found_anew_from_any_calm_reading_on(
    readings: list[Reading], rules: Sequence[ExcursionRule]
) -> None:
    low, high = calm_band(rules)
    calm_ones = [number for number, each in enumerate(readings) if low <= each.temperature <= high]
    for number in calm_ones:
        assert anew(readings[number:], rules, HOLD) == anew(readings, rules, HOLD)
