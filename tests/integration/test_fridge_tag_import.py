"""A real logger's file, judged by its own limits, alarms when the logger itself did."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from coldtrail.importing import import_fridge_tag
from inventory.domain.errors import Invalid
from inventory.domain.words import Side
from inventory.persistence.database import Database
from inventory.services.evidence import ExcursionSummary
from inventory.services.imports import Imported
from inventory.services.series import list_readings
from mqtt_ingest.formats.fridge_tag import FridgeTagExport
from tests.county import NOW, build, counts
from tests.services import Template

ZONE = ZoneInfo("Asia/Shanghai")
INTERVAL = timedelta(minutes=5)
SERIAL = "130500109088"
TS_A = ("2022-06-03 16:30", "2022-06-06 13:35", "2022-06-07 14:55")
"""When the device itself alarmed above +8.0 for 60 minutes: its `TS A` of limit 1, but for those carried over."""


@dataclass(frozen=True)
class Import:
    """The file taken in twice, and what each time came of it."""

    database: Database
    export: FridgeTagExport
    first: Imported
    again: Imported
    rows: tuple[dict[str, int], dict[str, int]]


@pytest.fixture(scope="module")
def log(shared_data: Path) -> Path:
    return shared_data / "fridge_tag" / "130500109088_202206081014.txt"


@pytest.fixture(scope="module")
def taken(database_template: Template, log: Path) -> Iterator[Import]:
    """The file taken in twice, on each engine."""
    with database_template.clone() as url:
        database = Database(url)
        first, export = import_fridge_tag(database, log, ZONE, None, NOW)
        before = counts(database)
        again, _ = import_fridge_tag(database, log, ZONE, None, NOW)
        yield Import(database, export, first, again, (before, counts(database)))
        database.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    build(found)
    yield found
    found.close()


def local(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)


def of_limit(taken: Import, limit: int) -> list[ExcursionSummary]:
    side = (Side.BELOW, Side.ABOVE)[limit]
    return [each for each in taken.first.excursions if each.side is side]


def test_every_reading_of_the_file_is_stored_once(taken: Import) -> None:
    assert (taken.first.readings, taken.first.new) == (10_653, 10_653)
    assert taken.rows[0]["reading"] == 10_653


def test_the_alarms_begin_within_one_interval_of_the_devices_own(taken: Import) -> None:
    alarms = [each.alarm_at for each in of_limit(taken, 1)]
    for at in TS_A:
        assert any(abs(alarm - local(at)) <= INTERVAL for alarm in alarms), at


def test_each_day_of_the_devices_report_is_found_again(taken: Import) -> None:
    """The report has the first alarm of a day, midnight where it was carried over, none where the minutes were few."""
    assert len(taken.export.alarms) > 30
    for day in taken.export.alarms:
        found = of_limit(taken, day.limit)
        began = [each.alarm_at for each in found if each.alarm_at.astimezone(ZONE).date() == day.day]
        if day.alarmed_at is None:
            assert began == [], day
        elif day.alarmed_at == datetime.combine(day.day, time(), ZONE):
            assert any(each.started_at < day.alarmed_at < (each.ended_at or NOW) for each in found), day
        else:
            assert abs(min(began) - day.alarmed_at) <= INTERVAL, day


def test_there_is_no_excursion_on_a_day_without_minutes_beyond_the_limit(taken: Import) -> None:
    for limit in (0, 1):
        days = {each.day for each in taken.export.alarms if each.limit == limit and each.alarmed_at is not None}
        assert {each.alarm_at.astimezone(ZONE).date() for each in of_limit(taken, limit)} <= days


def test_the_same_file_again_changes_nothing(taken: Import) -> None:
    assert (taken.again.readings, taken.again.new) == (taken.first.readings, 0)
    assert taken.again.excursions == taken.first.excursions
    assert taken.rows[0] == taken.rows[1]


def test_local_times_are_read_in_the_zone_that_was_given(taken: Import) -> None:
    first = list_readings(taken.database, SERIAL, None, None, None, 1).page.items[0]
    assert (first.measured_at, first.temperature) == (local("2022-05-02 04:44"), 2630)


def test_a_logger_of_daily_summaries_has_no_readings_and_is_no_error(database: Database, shared_data: Path) -> None:
    found, _ = import_fridge_tag(
        database, shared_data / "fridge_tag" / "130400191544_202304201514.txt", ZONE, None, NOW
    )
    assert (found.readings, found.new, found.excursions) == (0, 0, ())


@pytest.fixture
def short(log: Path, tmp_path: Path) -> Path:
    """The file with its first hundred readings only."""
    lines = log.read_text().splitlines(keepends=True)
    cut = tmp_path / "short.txt"
    cut.write_text("".join(lines[: lines.index("Data:\n") + 102]))
    return cut


def test_an_appliance_that_is_named_is_watched_from_the_loggers_activation(database: Database, short: Path) -> None:
    import_fridge_tag(database, short, ZONE, "A-FRIDGE", NOW)
    assert counts(database)["sensor_assignment"] == 3 + 1


def test_an_appliance_that_is_not_known_is_refused_and_nothing_stored(database: Database, short: Path) -> None:
    before = counts(database)
    with pytest.raises(Invalid, match="appliance"):
        import_fridge_tag(database, short, ZONE, "NONE", NOW)
    assert counts(database) == before


def test_an_appliance_that_is_named_for_a_known_logger_is_not_passed_over_in_silence(
    database: Database, short: Path
) -> None:
    import_fridge_tag(database, short, ZONE, None, NOW)
    before = counts(database)["sensor_assignment"]
    import_fridge_tag(database, short, ZONE, "A-FRIDGE", NOW)
    assert counts(database)["sensor_assignment"] == before + 1
