"""The demonstration's temperatures: repeatable, in their band, and out of it when a compressor fails."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from coldtrail.demo.thermal import Failure, cold_box, fridge
from inventory.domain.excursions import detect
from inventory.domain.readings import Reading
from inventory.services.rules import EXCURSION_RULES

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SERIALS = [f"T-{number}" for number in range(20)]
FAILURE = Failure("F", BEGIN + timedelta(hours=2), BEGIN + timedelta(hours=2, minutes=80))


def day(serial: str, failures: Sequence[Failure] = ()) -> list[Reading]:
    instants = [BEGIN + MINUTE * number for number in range(24 * 60)]
    return [Reading(at, fridge(serial, "F", at, failures)) for at in instants]


def test_the_same_sensor_at_the_same_minute_measures_the_same() -> None:
    assert day("T-1", [FAILURE]) == day("T-1", [FAILURE])


def test_two_sensors_measure_differently() -> None:
    assert day("T-1") != day("T-2")


@pytest.mark.parametrize("serial", SERIALS)
def test_a_sound_fridge_stays_between_two_and_eight_degrees(serial: str) -> None:
    temperatures = [reading.temperature for reading in day(serial)]
    assert min(temperatures) >= 300
    assert max(temperatures) <= 700
    assert 400 <= sum(temperatures) / len(temperatures) <= 500


@pytest.mark.parametrize("serial", SERIALS)
def test_a_failed_compressor_is_an_excursion_that_ends(serial: str) -> None:
    spans = detect(day(serial, [FAILURE]), EXCURSION_RULES["strict-2-8"], timedelta(minutes=3))
    assert [span.rule.name for span in spans if span.rule] == ["HOT"]
    (span,) = spans
    assert FAILURE.since < span.started_at < FAILURE.since + timedelta(minutes=25)
    assert span.ended_at is not None
    assert FAILURE.until < span.ended_at < FAILURE.until + timedelta(minutes=60)
    assert span.extreme is not None
    assert 1300 < span.extreme < 2000


def test_a_failure_elsewhere_changes_nothing() -> None:
    elsewhere = Failure("OTHER", FAILURE.since, FAILURE.until)
    assert day("T-1", [elsewhere]) == day("T-1")


@pytest.mark.parametrize("serial", SERIALS)
def test_a_cold_box_stays_between_three_and_six_degrees(serial: str) -> None:
    temperatures = [cold_box(serial, BEGIN + MINUTE * number) for number in range(300)]
    assert 300 <= min(temperatures) <= max(temperatures) <= 600
