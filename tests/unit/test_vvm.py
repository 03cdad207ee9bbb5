"""The lives of vial monitors against published and computed figures."""

from datetime import timedelta

import pytest

from inventory.domain.vvm import Monitor, lasts, lost, lost_a_day

TEN_MINUTES = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("monitor", "a_day", "percent_a_sample"),
    [
        (Monitor.VVM2, 0.5689053, 0.3950731),
        (Monitor.VVM7, 0.1646515, 0.1143413),
        (Monitor.VVM14, 0.08232575, 0.05717066),
        (Monitor.VVM30, 0.03847373, 0.02671787),
    ],
)
def test_what_is_lost_at_37_degrees_is_that_of_the_oracle(
    monitor: Monitor, a_day: float, percent_a_sample: float
) -> None:
    assert lost_a_day(monitor, 3700) == pytest.approx(a_day, rel=1e-6)
    assert lost(monitor, [(3700, TEN_MINUTES)]) * 100 == pytest.approx(percent_a_sample, rel=1e-6)


def test_two_days_at_37_degrees_use_up_more_than_a_vvm2() -> None:
    assert lost(Monitor.VVM2, [(3700, TEN_MINUTES)] * 288) * 100 == pytest.approx(113.7811, abs=0.00005)


@pytest.mark.parametrize(
    ("monitor", "days"),
    [
        (Monitor.VVM2, (176.7, 8.8, 1.8)),
        (Monitor.VVM7, (961, 35.7, 6.1)),
        (Monitor.VVM14, (1922, 71.4, 12.1)),
        (Monitor.VVM30, (4120, 152.9, 26.0)),
    ],
)
def test_they_last_as_long_as_the_constants_say(monitor: Monitor, days: tuple[float, float, float]) -> None:
    for temperature, expected in zip((500, 2500, 3700), days, strict=True):
        assert lasts(monitor, temperature) / timedelta(days=1) == pytest.approx(expected, rel=0.001, abs=0.05)


def test_what_is_lost_adds_up_and_nothing_seen_is_nothing_lost() -> None:
    warm, cold = (2500, timedelta(days=2)), (500, timedelta(days=30))
    assert lost(Monitor.VVM7, [warm, cold]) == pytest.approx(lost(Monitor.VVM7, [warm]) + lost(Monitor.VVM7, [cold]))
    assert lost(Monitor.VVM7, []) == 0
