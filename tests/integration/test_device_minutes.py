"""Sums of time beyond a limit against those that a real logger counted: `t Acc`, minutes of a day in a row or not."""

from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from inventory.domain.excursions import ExcursionRule, detect
from inventory.domain.readings import Reading
from inventory.domain.words import Side
from mqtt_ingest.formats import fridge_tag

ZONE = ZoneInfo("UTC")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
HOLD = 15 * MINUTE
ROUNDING = 8 * MINUTE
"""The device counts every minute and the file has every fifth, so each spell is off by a few minutes at its ends."""


@pytest.fixture(scope="module")
def export(shared_data: Path) -> fridge_tag.FridgeTagExport:
    file = shared_data / "fridge_tag" / "130500109088_202206081014.txt"
    return fridge_tag.parse(file.read_text(), ZONE)


def sums(readings: list[Reading], limit: int, duration: timedelta, until: datetime) -> int:
    """How many excursions there are by the device's limit with so much time in a day."""
    side, threshold = ((Side.BELOW, 200), (Side.ABOVE, 800))[limit]
    rule = ExcursionRule("SUM", side, threshold, inclusive=False, duration=duration, window=DAY)
    return len([span for span in detect(readings, [rule], HOLD, until) if span.rule])


def test_a_days_sum_is_full_just_where_the_device_says(export: fridge_tag.FridgeTagExport) -> None:
    """But for its first day: it did not count the hours between its activation and its first row but one."""
    readings = [Reading(each.measured_at, each.temperature) for each in export.readings]
    checked = 0
    for day in export.alarms:
        midnight = datetime.combine(day.day, time(), ZONE)
        of_day = [each for each in readings if midnight <= each.measured_at < midnight + DAY]
        counted = day.minutes * MINUTE
        if midnight < export.activated_at or counted <= ROUNDING:
            continue
        checked += 1
        until = min(midnight + DAY, readings[-1].measured_at)
        assert sums(of_day, day.limit, counted - ROUNDING, until) == 1, day
        assert sums(of_day, day.limit, counted + ROUNDING, until) == 0, day
    assert checked == 34
