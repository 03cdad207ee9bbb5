"""What a device's own alarm codes, and the arrival of its messages, say."""

from datetime import timedelta

import pytest

from inventory.domain.device_alarms import side_of
from inventory.domain.presence import clock_state
from inventory.domain.words import ClockState, Side


@pytest.mark.parametrize(
    ("code", "side"),
    [
        ("HEAT", Side.ABOVE),
        ("FRZE", Side.BELOW),
        ("HEATACK", Side.ABOVE),
        ("FRZEACK", Side.BELOW),
        ("HIGH +8.0/600", Side.ABOVE),
        ("LOW -0.5/60", Side.BELOW),
        ("LOWBATT", None),
        ("DOOR", None),
        ("POWR", None),
        ("0x01", None),
        ("ACK", None),
        ("heat", None),
        ("", None),
    ],
)
def test_a_code_has_the_side_that_it_says_and_no_other(code: str, side: Side | None) -> None:
    assert side_of(code) is side


@pytest.mark.parametrize(
    ("seconds", "state"),
    [
        (-3600, ClockState.AHEAD),
        (-0.001, ClockState.AHEAD),
        (0, ClockState.PLAUSIBLE),
        (300, ClockState.PLAUSIBLE),
        (300.001, ClockState.BEHIND_OR_LATE),
    ],
)
def test_nothing_arrives_before_it_was_measured(seconds: float, state: ClockState) -> None:
    assert clock_state(timedelta(seconds=seconds)) is state
