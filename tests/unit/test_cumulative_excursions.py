"""Limits whose time beyond adds up within a window."""

from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.excursions import ExcursionRule, Span, detect
from inventory.domain.readings import Reading
from inventory.domain.words import Side

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
HOLD = 30 * MINUTE

HOT = ExcursionRule("HOT-SUM", Side.ABOVE, 800, inclusive=False, duration=60 * MINUTE, window=DAY)
COLD = ExcursionRule("COLD-SUM", Side.BELOW, 200, inclusive=True, duration=40 * MINUTE, window=120 * MINUTE)
RUN = ExcursionRule("RUN", Side.ABOVE, 800, inclusive=False, duration=30 * MINUTE)


def at(minute: float) -> datetime:
    return START + minute * MINUTE


def every(step: int, *temperatures: int, since: int = 0) -> list[Reading]:
    return [Reading(at(since + step * index), temperature) for index, temperature in enumerate(temperatures)]


def sums(readings: list[Reading], *rules: ExcursionRule, until: datetime | None = None) -> list[Span]:
    return [span for span in detect(readings, rules or (HOT,), HOLD, until) if span.rule]


def test_short_spells_add_up() -> None:
    (span,) = sums(every(10, *[900, 900, 500] * 3, 500))
    assert span == Span(Side.ABOVE, HOT, at(0), at(80), at(80), 60 * MINUTE, 0 * MINUTE, 900)


def test_a_minute_less_is_nothing() -> None:
    readings = [*every(10, *[900, 900, 500] * 2), *every(10, 900, 900, since=60), Reading(at(79), 500)]
    assert sums(readings) == []


def test_it_alarms_at_the_instant_at_which_the_sum_is_full() -> None:
    (span,) = sums([*every(10, 900, 900, 500), *every(10, *[900] * 8, 500, since=30)])
    assert (span.started_at, span.alarm_at, span.ended_at, span.seen) == (at(0), at(70), at(110), 100 * MINUTE)


def test_what_has_left_the_window_counts_no_more() -> None:
    """40 minutes cold of the two hours ask for both spells in one window: here they are too far apart by a minute."""
    far = [*every(10, 100, 100, 300), *every(20, *[300] * 3, since=30), *every(10, 100, 100, 300, since=101)]
    near = [*every(10, 100, 100, 300), *every(20, *[300] * 3, since=30), *every(10, 100, 100, 300, since=100)]
    assert sums(far, COLD) == []
    assert [(span.started_at, span.alarm_at) for span in sums(near, COLD)] == [(at(0), at(120))]


def test_it_begins_with_the_first_spell_that_is_wholly_in_the_full_window() -> None:
    readings = [*every(10, 100, 300, 300, 300, 300, 300, 300, 300, 300), *every(10, *[100] * 4, 300, since=90)]
    (span,) = sums(readings, COLD)
    assert (span.started_at, span.alarm_at, span.seen) == (at(0), at(120), 50 * MINUTE)
    late = [*readings[:-5], *every(10, *[100] * 4, 300, since=115)]
    (span,) = sums(late, COLD)
    assert (span.started_at, span.alarm_at, span.seen) == (at(115), at(155), 40 * MINUTE)


def test_it_ends_when_it_is_calm_though_its_window_stays_full_for_long() -> None:
    (span,) = sums([*every(10, *[900] * 7, *[500] * 50)])
    assert span.ended_at == at(70)


def test_another_spell_within_the_window_takes_it_up_again() -> None:
    (span,) = sums([*every(10, *[900] * 7, *[500] * 50, 950, 500)])
    assert (span.started_at, span.alarm_at, span.ended_at, span.seen, span.extreme) == (
        at(0),
        at(60),
        at(580),
        80 * MINUTE,
        950,
    )


def test_spells_that_share_no_full_window_are_two_excursions() -> None:
    readings = every(10, *[100] * 4, *[300] * 12, *[100] * 4, 300)
    assert [(span.started_at, span.ended_at) for span in sums(readings, COLD)] == [
        (at(0), at(40)),
        (at(160), at(200)),
    ]


def test_it_has_no_end_while_the_last_reading_is_beyond_and_a_window_is_full() -> None:
    (span,) = sums(every(10, *[900] * 7, *[500] * 20, 990))
    assert (span.ended_at, span.seen, span.extreme) == (None, 70 * MINUTE, 990)


def test_a_last_reading_beyond_that_fills_no_window_belongs_to_none() -> None:
    (span,) = sums(every(10, *[100] * 4, *[300] * 20, 50), COLD)
    assert (span.ended_at, span.extreme) == (at(40), 100)


def test_unseen_time_never_counts_and_ends_nothing() -> None:
    readings = [Reading(at(0), 900), Reading(at(400), 900), *every(10, 900, 500, since=430)]
    (span,) = sums(readings)
    assert span == Span(Side.ABOVE, HOT, at(0), at(430), at(440), 70 * MINUTE, 370 * MINUTE, 900)


def test_where_the_watch_ended_the_last_spell_ends() -> None:
    (span,) = sums(every(10, *[900] * 6), until=at(60))
    assert (span.alarm_at, span.ended_at) == (at(60), at(60))


def test_the_limit_itself_counts_where_it_is_inclusive() -> None:
    assert sums(every(10, *[200] * 5), COLD) != []
    assert sums(every(10, *[800] * 50), HOT) == []


def test_a_rule_by_runs_and_one_by_sums_are_judged_apart() -> None:
    spans = sums(every(10, 900, 900, 500, 900, 900, 900, 900, 500), HOT, RUN)
    assert [(span.rule, span.started_at, span.alarm_at) for span in spans] == [
        (HOT, at(0), at(70)),
        (RUN, at(30), at(60)),
    ]


def test_the_run_of_a_real_logger_is_found_as_the_logger_found_it() -> None:
    """Q-tag CLm: hot from 21:50 on, its alarm by runs (30 min) stood at 22:20, that by sums (60 min) at 22:50."""
    since = datetime(2022, 11, 8, 21, 50, tzinfo=UTC)
    readings = [Reading(since + 10 * index * MINUTE, 2000) for index in range(10)]
    spans = sums(readings, HOT, RUN)
    assert [(span.rule, f"{span.alarm_at:%H:%M}") for span in spans] == [(HOT, "22:50"), (RUN, "22:20")]


@pytest.mark.parametrize("readings", [[], every(10, 900), every(10, 500, 600, 799)])
def test_nothing_is_made_of_nothing(readings: list[Reading]) -> None:
    assert sums(readings, HOT, COLD) == []
