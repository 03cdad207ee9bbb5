"""Budgets of time outside the band, and what several sensors of a place say together."""

from datetime import timedelta

from inventory.domain.budgets import Budget, Measures, together
from inventory.domain.exposure import Band
from inventory.domain.profiles import BUDGETS, PROFILES
from inventory.domain.seen import Interval, Seen, nothing, summed

HOUR = 3_600_000_000
COOL = Band(200, 800)
ROOM = Budget("ROOM", 801, 2500, timedelta(hours=12))


def seen(*spells: tuple[float, int], measures: Measures) -> Seen:
    """What a sensor with an endless hold saw: hours at hundredths of a degree, one after the other."""
    at, points = 0, []
    for hours, temperature in spells:
        points.append((at, temperature))
        at += int(hours * HOUR)
    return summed(points, 1000 * HOUR, 0, at, measures.intervals)


def test_a_budget_counts_its_temperatures_and_no_others() -> None:
    measures = Measures(COOL, (ROOM,))
    found = seen((5, 500), (3, 801), (4, 2500), (1, 2501), (2, 800), measures=measures)
    (use,) = measures.uses(found, timedelta(hours=2))
    assert (use.used, use.left, use.uncertain) == (timedelta(hours=7), timedelta(hours=5), timedelta(hours=2))
    assert not use.exceeded


def test_a_budget_that_is_used_up_is_not_exceeded() -> None:
    measures = Measures(COOL, (ROOM,))
    for hours, exceeded in ((12, False), (12.5, True)):
        (use,) = measures.uses(seen((hours, 2000), measures=measures), timedelta())
        assert use.exceeded is exceeded


def test_time_in_the_storage_band_is_never_counted() -> None:
    across = Budget("ACROSS", -300, 2500, timedelta(hours=4))
    assert across.outside(COOL) == (Interval(-300, 199), Interval(801, 2500))
    measures = Measures(COOL, (across, ROOM))
    first, second = measures.uses(seen((1, 0), (5, 500), (2, 900), measures=measures), timedelta())
    assert (first.used, second.used) == (timedelta(hours=3), timedelta(hours=2))


def test_a_budget_within_the_band_counts_nothing() -> None:
    inside = Budget("INSIDE", 300, 400, timedelta(hours=4))
    measures = Measures(COOL, (inside, ROOM))
    assert [use.used for use in measures.uses(seen((5, 350), (1, 900), measures=measures), timedelta())] == [
        timedelta(),
        timedelta(hours=1),
    ]


def test_thawed_doses_of_a_frozen_product_use_their_month_and_their_hours() -> None:
    measures = Measures(Band(*PROFILES["frozen"]), BUDGETS["frozen"])
    found = seen((100, -2000), (48, 500), (3, 1500), measures=measures)
    assert {use.budget.name: use.used for use in measures.uses(found, timedelta())} == {
        "THAWED": timedelta(hours=48),
        "ROOM": timedelta(hours=3),
    }


def test_of_two_sensors_beside_each_other_the_worst_counts_and_of_two_in_turn_both() -> None:
    measures = Measures(COOL)
    warm, calm = seen((2, 900), (2, 500), measures=measures), seen((1, 1000), (3, 100), measures=measures)
    none = nothing(2)
    beside = together([(0, 4 * HOUR, warm), (0, 4 * HOUR, calm)], none)
    assert (beside.times, beside.lowest, beside.highest) == ((2 * HOUR, 3 * HOUR), 100, 1000)
    in_turn = together([(0, 4 * HOUR, warm), (4 * HOUR, 8 * HOUR, calm)], none)
    assert (in_turn.times, in_turn.seen) == ((3 * HOUR, 3 * HOUR), 8 * HOUR)


def test_of_two_that_overlap_in_part_nothing_is_left_out() -> None:
    measures = Measures(COOL)
    first, second = seen((4, 900), measures=measures), seen((4, 900), measures=measures)
    found = together([(0, 4 * HOUR, first), (2 * HOUR, 6 * HOUR, second)], nothing(2))
    assert (found.times[0], found.seen) == (6 * HOUR, 6 * HOUR)
