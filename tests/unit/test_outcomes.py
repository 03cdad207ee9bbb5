"""The law of what becomes of a clock, walked exhaustively: each name, each way out, before, at and after it is due."""

from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.deadlines import RuleName
from inventory.domain.outcomes import MEETS, Exit, Outcome, exit_of, outcome
from inventory.domain.words import End

DUE = datetime(2026, 1, 6, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
MEANT = {
    RuleName.DELIVER: "arrived",
    RuleName.FORWARD: "departed returned wasted",
    RuleName.USE: "administered departed returned wasted",
    RuleName.OPEN_VIAL: "administered wasted",
    RuleName.THAW: "administered wasted",
}


@pytest.mark.parametrize("way", Exit)
@pytest.mark.parametrize("name", RuleName)
def test_every_way_out_of_every_clock(name: RuleName, way: Exit) -> None:
    in_time = Outcome.MET if way in MEANT[name].split() else Outcome.ENDED
    assert [outcome(name, way, at, DUE) for at in (DUE - TICK, DUE)] == [in_time, in_time]
    assert outcome(name, way, DUE + TICK, DUE) is Outcome.LATE


def test_every_clock_can_be_met() -> None:
    assert set(MEETS) == set(RuleName)
    assert all(MEETS.values())


@pytest.mark.parametrize("end", End)
def test_an_end_is_a_way_out_of_its_own_name(end: End) -> None:
    assert exit_of(end, into_shipment=False).value == end.value


def test_what_goes_on_a_trip_departs_and_what_is_put_away_arrives() -> None:
    assert exit_of(None, into_shipment=True) is Exit.DEPARTED
    assert exit_of(None, into_shipment=False) is Exit.ARRIVED
