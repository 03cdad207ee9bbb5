from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.exposure import Band, expose, mean_kinetic_temperature
from inventory.domain.readings import Stretch

START = datetime(2026, 1, 5, tzinfo=UTC)
FRIDGE = Band(200, 800)


def lasting(*spells: tuple[float, float | None]) -> list[Stretch]:
    """Stretches one behind the other, of so many hours at so many degrees."""
    parts, since = [], START
    for hours, degrees in spells:
        until = since + timedelta(hours=hours)
        parts.append(Stretch(since, until, None if degrees is None else round(degrees * 100)))
        since = until
    return parts


def equal(*degrees: float) -> list[tuple[float, float]]:
    return [(1.0, each) for each in degrees]


# The first of these oracles is published (zelti/mkt), the others were computed by hand.
@pytest.mark.parametrize(
    ("spells", "expected"),
    [
        (equal(2, 2, 5, 8, 8, 8, 8), 6.2503),
        (equal(5), 5.0),
        (equal(2, 8), 5.5364),
        ([(23.5, 5), (0.5, 25)], 6.4924),
        ([(22, 5), (2, 15)], 6.4623),
        ([(708, 5), (12, 25)], 6.2147),
        (equal(20, 22, 24, 26, 28), 24.421),
    ],
)
def test_mean_kinetic_temperature_is_that_of_the_oracles(
    spells: Sequence[tuple[float, float]], expected: float
) -> None:
    exposure = expose(lasting(*spells), FRIDGE)
    assert exposure.mean_kinetic == pytest.approx(expected, abs=0.0005)


def test_mean_kinetic_temperature_lies_above_the_mean_for_heat_weighs_more() -> None:
    found = mean_kinetic_temperature([(200, timedelta(hours=1)), (800, timedelta(hours=1))])
    assert found is not None
    assert 5.0 < found < 8.0


def test_the_order_of_warm_and_cold_does_not_matter() -> None:
    warm_first = expose(lasting((1, 9), (3, 4)), FRIDGE)
    cold_first = expose(lasting((3, 4), (1, 9)), FRIDGE)
    assert warm_first.mean_kinetic == pytest.approx(cold_first.mean_kinetic)
    assert (warm_first.above, warm_first.below) == (cold_first.above, cold_first.below)


def test_time_above_below_and_unseen_is_told_apart() -> None:
    exposure = expose(lasting((1, 9), (2, 1), (4, None), (8, 5)), FRIDGE)
    assert (exposure.above, exposure.below, exposure.unseen) == tuple(timedelta(hours=each) for each in (1, 2, 4))
    assert (exposure.lowest, exposure.highest) == (100, 900)


def test_both_ends_of_the_band_are_in_it() -> None:
    exposure = expose(lasting((1, 2), (1, 8)), FRIDGE)
    assert (exposure.above, exposure.below) == (timedelta(), timedelta())


def test_a_hundredth_beyond_the_band_is_outside() -> None:
    exposure = expose(lasting((1, 1.99), (1, 8.01)), FRIDGE)
    assert (exposure.above, exposure.below) == (timedelta(hours=1), timedelta(hours=1))


def test_unseen_time_has_no_weight_in_the_mean() -> None:
    assert expose(lasting((1, 5), (99, None)), FRIDGE).mean_kinetic == pytest.approx(5.0)


@pytest.mark.parametrize("parts", [[], lasting((24, None))])
def test_of_what_nobody_saw_nothing_is_claimed(parts: list[Stretch]) -> None:
    exposure = expose(parts, FRIDGE)
    assert (exposure.lowest, exposure.highest, exposure.mean_kinetic) == (None, None, None)
    assert exposure.above == exposure.below == timedelta()
