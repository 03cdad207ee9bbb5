"""A sensor's readings over any span: as they are, by the hour or by the day, and always the same figures."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from inventory.domain.exposure import Band, expose
from inventory.domain.readings import Reading, stretches, within
from inventory.domain.resolution import MOST_POINTS
from inventory.domain.words import Resolution
from inventory.persistence import months
from inventory.persistence.database import Database
from inventory.persistence.statements import insert_rows
from inventory.persistence.tables import Reading as Stored
from inventory.persistence.tables import ReadingHour, SensorState
from inventory.services import lookups, monitoring
from inventory.services.archive import archive_month
from inventory.services.kept_aside import list_conflicts
from inventory.services.series import Asked, Series, read_series
from tests.county import HOUR, MINUTE, NOW, County, build, message, series
from tests.http import Client
from tests.orders import stated

DAY = 24 * HOUR
START = NOW - 3 * DAY - 17 * MINUTE
HOLD = 15 * MINUTE
NOVEMBER = datetime(2025, 11, 1, tzinfo=UTC)
SENSOR = "S-BOX"
"""It watches nothing, so that it may have been heard at any time."""


@pytest.fixture
def alone(database_url: str) -> Iterator[County]:
    """A county of this test's own."""
    with closing(Database(database_url)) as database:
        yield build(database)


def values(count: int) -> list[int]:
    """Temperatures that go up and down through both ends of the band."""
    return [500 + (index * 37) % 800 - 400 for index in range(count)]


def days_of(county: County) -> list[Reading]:
    """Three days of readings with a hole of two hours and a late piece; the newest is 12 minutes old."""
    all_at = [START + index * 5 * MINUTE for index in range(3 * 288 + 2)]
    kept = [Reading(at, value) for at, value in zip(all_at, values(len(all_at)), strict=True)]
    kept = [each for each in kept if not START + 30 * HOUR < each.measured_at < START + 32 * HOUR]
    late = kept[100:130]
    for part in (kept[:100], kept[130:500], kept[500:], late):
        sent = [(SENSOR, each.measured_at, each.temperature) for each in part]
        monitoring.record(county.database, [message(sent)], NOW)
    return kept


def asked(county: County, resolution: Resolution | None = None, **more: Any) -> Series:
    return read_series(county.database, SENSOR, Asked(resolution=resolution, **more), NOW)


def expected(readings: Sequence[Reading], since: datetime, until: datetime) -> tuple[Any, ...]:
    """What one pass over the readings says of a span, by the other way of reckoning."""
    parts = list(within(stretches(readings, HOLD, NOW), since, until))
    seen = expose(parts, Band(200, 800))
    count = sum(since <= each.measured_at < until for each in readings)
    mean = None if seen.mean_kinetic is None else round(seen.mean_kinetic, 6)
    return count, seen.lowest, seen.highest, seen.above, seen.below, seen.unseen, mean


def told(point: Any) -> tuple[Any, ...]:
    mean = None if point.mean_kinetic is None else round(point.mean_kinetic, 6)
    return point.readings, point.lowest, point.highest, point.above, point.below, point.unseen, mean


def assert_right(found: Series, readings: Sequence[Reading]) -> None:
    for each in found.points:
        assert told(each) == expected(readings, each.since, each.until)


def forget(county: County) -> None:
    """As if the sensor had never been followed: its readings are from before there were roll-ups."""

    def work(session: Any) -> None:
        session.execute(delete(ReadingHour))
        session.execute(update(SensorState).values(latest_at=None, latest=None, open_hour=None, runs=None, version=0))

    county.database.write(work)


@pytest.mark.parametrize("resolution", [Resolution.HOUR, Resolution.DAY])
@pytest.mark.parametrize("followed", [True, False], ids=["followed", "never followed"])
def test_points_say_what_one_pass_over_the_readings_says(alone: County, resolution: Resolution, followed: bool) -> None:
    readings = days_of(alone)
    if not followed:
        forget(alone)
    found = asked(alone, resolution)
    assert [told(each) for each in found.points] == [
        expected(readings, each.since, each.until) for each in found.points
    ]
    assert sum(each.readings for each in found.points) == len(readings)
    assert found.points[-1].until == found.until == NOW
    assert found.next is None


@pytest.mark.parametrize("followed", [True, False], ids=["followed", "never followed"])
def test_a_window_is_widened_to_whole_hours_and_says_so(alone: County, followed: bool) -> None:
    readings = days_of(alone)
    if not followed:
        forget(alone)
    since, until = START + 10 * HOUR + 20 * MINUTE, START + 12 * HOUR
    found = asked(alone, Resolution.HOUR, since=since, until=until)
    assert found.since is not None
    assert found.until is not None
    assert found.since <= since < found.since + HOUR
    assert found.until - HOUR < until <= found.until
    assert [told(each) for each in found.points] == [
        expected(readings, each.since, each.until) for each in found.points
    ]
    assert (found.points[0].since, found.points[-1].until) == (found.since, found.until)


def test_an_hour_that_nobody_saw_has_no_point_but_counts_as_unseen(alone: County) -> None:
    readings = days_of(alone)
    found = asked(alone, Resolution.HOUR, since=START - 5 * HOUR)
    assert found.since is not None
    parts = within(stretches(readings, HOLD, NOW), found.since, NOW)
    assert found.unseen == sum((part.duration for part in parts if part.temperature is None), timedelta())
    assert found.points[0].since > found.since
    assert found.unseen > sum((each.unseen for each in found.points), timedelta())


def test_the_silence_after_the_newest_reading_is_unseen(alone: County) -> None:
    monitoring.record(alone.database, [series(SENSOR, NOW - 5 * HOUR, [450, 450])], NOW)
    found = asked(alone, Resolution.HOUR)
    assert found.unseen == 5 * HOUR - 20 * MINUTE
    assert [(each.readings, each.unseen) for each in found.points] == [(2, 40 * MINUTE)]


def test_nothing_lies_in_the_future_and_nothing_before_this_century(alone: County) -> None:
    days_of(alone)
    found = asked(alone, Resolution.DAY, since=datetime.min.replace(tzinfo=UTC), until=datetime.max.replace(tzinfo=UTC))
    assert (found.since, found.until) == (datetime(2000, 1, 1, tzinfo=UTC), NOW)
    assert found.unseen is not None
    assert found.unseen > 26 * 365 * DAY
    assert asked(alone, Resolution.HOUR, since=NOW + DAY).points == []
    assert asked(alone, Resolution.HOUR, since=NOW, until=NOW - DAY).points == []


@pytest.mark.parametrize("resolution", [Resolution.HOUR, Resolution.DAY])
def test_points_are_paged_each_once(alone: County, resolution: Resolution) -> None:
    days_of(alone)
    whole = asked(alone, resolution)
    pages, after = [asked(alone, resolution, limit=1)], None
    while pages[-1].next is not None:
        after = pages[-1].next
        pages.append(asked(alone, resolution, limit=1, after=after))
    assert [each for page in pages for each in page.points] == list(whole.points)
    assert all(page.unseen == whole.unseen for page in pages)


def test_a_sensor_without_readings_has_an_empty_series(alone: County) -> None:
    for resolution in Resolution:
        found = asked(alone, resolution)
        assert (list(found.items), list(found.points), found.next) == ([], [], None)


def many(county: County, count: int, step: timedelta) -> None:
    """So many readings of a sensor that was never followed, written past the ingest; the newest is now."""
    database = county.database
    instants = [NOW - index * step for index in range(count)]
    months.ensure(database, instants)

    def work(session: Any) -> None:
        mine = lookups.sensor(session, SENSOR).id
        rows = [{"sensor_id": mine, "measured_at": at, "temperature": 450, "received_at": NOW} for at in instants]
        insert_rows(session, Stored, rows)

    database.write(work)


@pytest.mark.parametrize(
    ("count", "step", "resolution"),
    [
        (MOST_POINTS, 5 * MINUTE, Resolution.RAW),
        (MOST_POINTS + 1, 5 * MINUTE, Resolution.HOUR),
        (MOST_POINTS + 1, 70 * MINUTE, Resolution.DAY),
    ],
)
def test_the_finest_is_chosen_that_can_be_shown(
    alone: County, count: int, step: timedelta, resolution: Resolution
) -> None:
    many(alone, count, step)
    found = asked(alone)
    assert found.resolution is resolution
    assert 0 < len(found.items) + len(found.points) <= MOST_POINTS
    assert bool(found.items) == (resolution is Resolution.RAW)


def test_readings_themselves_are_never_more_than_can_be_shown(alone: County) -> None:
    many(alone, MOST_POINTS + 1, 5 * MINUTE)
    found = asked(alone, Resolution.RAW)
    assert len(found.items) == MOST_POINTS
    assert len(asked(alone, Resolution.RAW, after=found.next).items) == 1


def test_a_client_that_pages_gets_readings_as_it_always_did(alone: County) -> None:
    many(alone, MOST_POINTS + 1, 5 * MINUTE)
    page = asked(alone, limit=100)
    assert (page.resolution, len(page.items)) == (Resolution.RAW, 100)
    assert asked(alone, after=page.next).resolution is Resolution.RAW


def test_a_day_of_the_hottest_readings_can_still_be_added_up(alone: County) -> None:
    begin = NOW - 2 * DAY
    for part in range(3):
        hottest = series(SENSOR, begin + part * 16 * HOUR, [20_000] * 192)
        monitoring.record(alone.database, [hottest], NOW)
    found = asked(alone, Resolution.DAY)
    assert {round(each.mean_kinetic or 0, 3) for each in found.points} == {200.0}


@pytest.fixture
def archived(alone: County, tmp_path: Path) -> County:
    """Of a sensor, readings of two days on both sides of a month's end; that month is archived."""
    for begin in (NOVEMBER - DAY, NOVEMBER):
        monitoring.record(alone.database, [series(SENSOR, begin, values(288))], NOW)
    monitoring.record(alone.database, [message([(SENSOR, NOVEMBER - HOUR, 9999)])], NOW)
    archive_month(alone.database, months.month_of(NOVEMBER - DAY), tmp_path, NOW + 60 * DAY)
    return alone


def test_a_span_of_an_archived_month_is_told_by_its_points(archived: County) -> None:
    found = asked(archived, since=NOVEMBER - DAY, until=NOVEMBER + DAY)
    assert (found.resolution, len(found.points)) == (Resolution.HOUR, 48)
    assert [(each.since, each.until) for each in found.archived] == [(datetime(2025, 10, 1, tzinfo=UTC), NOVEMBER)]
    assert found.unseen == timedelta()


def test_readings_that_are_asked_for_say_what_of_them_is_archived(archived: County) -> None:
    found = asked(archived, Resolution.RAW)
    assert (len(found.items), len(found.archived)) == (288, 1)
    assert asked(archived, since=NOVEMBER).archived == []
    assert asked(archived, since=NOVEMBER).resolution is Resolution.RAW
    assert read_series(archived.database, "S-FREE", Asked(), NOW).archived == []


def test_a_conflict_in_an_archived_month_is_still_shown(archived: County) -> None:
    (found,) = list_conflicts(archived.database, SENSOR, None, 10).items
    assert (found.temperature, found.standing, found.standing_received_at) == (9999, None, None)


def test_points_over_http(client: Client) -> None:
    start = NOW - 6 * HOUR
    answer = client.get("/sensors/S-FREE/readings", resolution="hour", **{"from": stated(start)})
    assert answer.ok()["points"] == []
    assert answer.body["unseen_minutes"] == 360
    assert client.get("/sensors/NO-SUCH/readings", resolution="hour").status == 404
    assert client.get("/sensors/NO-SUCH/readings").status == 404
    assert client.get("/sensors/S-FREE/readings", resolution="week").status == 422
    assert client.get("/sensors/S-FREE/readings", limit=2001).status == 422
    forged = json.dumps(["9999-12-31T23:59:59+00:00"]).encode()
    after = base64.urlsafe_b64encode(forged).decode()
    assert client.get("/sensors/S-FREE/readings", resolution="day", after=after).ok()["points"] == []
    assert client.get("/sensors/S-FREE/readings", resolution="day", after="x").status == 422
