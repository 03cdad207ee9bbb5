"""What is made of the readings is what they give, and each column that is not is named."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, insert, select, update

from coldtrail.cli import main
from inventory.domain.errors import NotFound
from inventory.domain.words import Side
from inventory.persistence import month_rows
from inventory.persistence.database import Database
from inventory.persistence.statements import core
from inventory.persistence.tables import Excursion, ExcursionVersion, Reading, ReadingHour, Sensor, SensorState
from inventory.services import recounting
from inventory.services.archive import archive_month
from inventory.services.ids import new_id
from inventory.services.reading_verification import Checked, Finding, LeftOut, NotFollowed, is_fault, report
from inventory.services.reading_verification import verify_readings as verify
from inventory.services.recounting import Difference
from inventory.services.restoring import restore
from tests.county import HOUR, MIDNIGHT, MINUTE, NOW, build
from tests.readings_of_months import feed
from tests.services import Template
from tests.tampering import tamper

HOT = [500] * 7 + [900] * 20 + [500] * 9 + [100] * 20 + [510] * 5
SILENT = MIDNIGHT + 11 * HOUR


def fill(database: Database) -> None:
    """A county in which two sensors were too hot, too cold and silent."""
    build(database)
    for sensor in ("S-A", "S-CITY"):
        feed(database, sensor, MIDNIGHT, HOT, 5 * MINUTE)
        feed(database, sensor, SILENT, [500, 500, 501], 5 * MINUTE)


@pytest.fixture
def fresh(database_url: str) -> Iterator[Database]:
    """A database of its own."""
    with closing(Database(database_url)) as found:
        fill(found)
        yield found


@pytest.fixture(scope="module")
def filled(database_template: Template) -> Iterator[tuple[Database, dict[Any, list[dict[str, Any]]]]]:
    """A database for all, and what is in it."""
    with database_template.clone() as url, closing(Database(url)) as found:
        fill(found)
        with found.read() as session:
            kept = {
                each: [dict(row) for row in session.execute(select(core(each))).mappings()]
                for each in (Reading, ReadingHour, SensorState, ExcursionVersion, Excursion)
            }
        yield found, kept


@pytest.fixture
def database(filled: tuple[Database, dict[Any, list[dict[str, Any]]]]) -> Iterator[Database]:
    """The same for all, made as it was after each test."""
    database, kept = filled
    yield database

    before = [insert(core(table)).values(kept[table]) for table in reversed(kept) if kept[table]]
    tamper(database, *(delete(table) for table in kept), *before)


def findings(database: Database, sensor: str | None = None) -> list[Finding]:
    return [each for each in verify(database, sensor) if not isinstance(each, Checked | NotFollowed)]


def differences(database: Database) -> set[tuple[str, str]]:
    """The sensors and columns that are not as they should be."""
    found = findings(database)
    assert all(isinstance(each, Difference) for each in found)
    return {(each.sensor, each.column) for each in found if isinstance(each, Difference)}


def change(database: Database, statement: Any) -> None:
    database.write(lambda session: session.execute(statement))


def sensor_id(database: Database, serial: str) -> Any:
    with database.read() as session:
        return session.scalars(select(Sensor.id).where(Sensor.serial == serial)).one()


def test_what_the_ingest_made_is_what_the_readings_give(database: Database) -> None:
    assert findings(database) == []
    with database.read() as session:
        sides = set(session.scalars(select(Excursion.side)))
        hours = session.scalars(select(ReadingHour.hour)).all()
    assert sides == {Side.ABOVE, Side.BELOW, Side.SILENCE}
    assert len(hours) > 10


@pytest.mark.parametrize("part", [1, 2, 7, 61])
def test_in_parts_of_any_size(database: Database, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    monkeypatch.setattr(recounting, "PART", part)
    assert findings(database) == []


HOURS = {
    "readings": 1,
    "lowest": -1,
    "highest": 1,
    "above": 1,
    "below": 1,
    "seen": 1,
    "kinetic": 1,
}


@pytest.mark.parametrize(("column", "by"), HOURS.items())
def test_each_column_of_an_hour_is_named(database: Database, column: str, by: int) -> None:
    mine = sensor_id(database, "S-A")
    changed = update(ReadingHour).where(ReadingHour.sensor_id == mine, ReadingHour.hour == MIDNIGHT + 2 * HOUR)
    change(database, changed.values({column: getattr(ReadingHour, column) + by}))
    (found,) = findings(database)
    assert isinstance(found, Difference)
    assert (found.sensor, found.of, found.column) == ("S-A", "hour 2026-01-04T18:00:00+00:00", column)
    assert isinstance(found.stored, int)
    assert found.stored - by == found.recomputed


def test_an_hour_that_is_missing_is_named(database: Database) -> None:
    mine = sensor_id(database, "S-A")
    change(database, delete(ReadingHour).where(ReadingHour.sensor_id == mine, ReadingHour.hour == MIDNIGHT))
    (found,) = findings(database)
    assert isinstance(found, Difference)
    assert (found.of, found.column, found.stored) == ("hour 2026-01-04T16:00:00+00:00", "the row", None)


@pytest.mark.parametrize("hour", [MIDNIGHT - HOUR, MIDNIGHT + 8 * HOUR, SILENT, SILENT + HOUR])
def test_an_hour_too_many_is_named(database: Database, hour: datetime) -> None:
    row = dict.fromkeys(HOURS, 0) | {"sensor_id": sensor_id(database, "S-A"), "hour": hour}
    change(database, insert(ReadingHour).values(row))
    assert differences(database) == {("S-A", "the row")}


STATES = {
    "latest_at": SILENT + 9 * MINUTE,
    "latest": 502,
}


@pytest.mark.parametrize(("column", "value"), STATES.items())
def test_each_column_of_a_state_is_named(database: Database, column: str, value: object) -> None:
    mine = sensor_id(database, "S-A")
    change(database, update(SensorState).where(SensorState.sensor_id == mine).values({column: value}))
    assert differences(database) == {("S-A", column)}


@pytest.mark.parametrize(("number", "column"), list(enumerate(["hour", *HOURS])))
def test_each_figure_of_the_open_hour_is_named(database: Database, number: int, column: str) -> None:
    mine = sensor_id(database, "S-A")
    with database.read() as session:
        told = json.loads(session.get_one(SensorState, mine).open_hour or "")
    told[number] = (datetime.fromisoformat(told[0]) - HOUR).isoformat() if column == "hour" else told[number] + 1
    change(database, update(SensorState).where(SensorState.sensor_id == mine).values(open_hour=json.dumps(told)))
    assert differences(database) == {("S-A", column)}


@pytest.mark.parametrize("text", [None, "", "[]", "7", "{}", '["now", 1]', "not JSON"])
def test_an_open_hour_that_is_none_is_named(database: Database, text: str | None) -> None:
    mine = sensor_id(database, "S-A")
    change(database, update(SensorState).where(SensorState.sensor_id == mine).values(open_hour=text))
    assert differences(database) == {("S-A", "hour"), ("S-A", "the row")}


EXCURSIONS: dict[str, Any] = {
    "side": Side.BELOW,
    "rule_name": "OTHER",
    "threshold": 801,
    "inclusive": True,
    "duration_seconds": 1,
    "window_seconds": 86400,
    "started_at": MIDNIGHT + 36 * MINUTE,
    "alarm_at": MIDNIGHT + 66 * MINUTE,
    "ended_at": None,
    "seen_seconds": 1,
    "unseen_seconds": 1,
    "extreme": 901,
}


@pytest.mark.parametrize(("column", "value"), EXCURSIONS.items())
def test_each_column_of_an_excursion_is_named(database: Database, column: str, value: Any) -> None:
    mine = sensor_id(database, "S-A")
    one = (Excursion.sensor_id == mine) & (Excursion.side == Side.ABOVE)
    with database.read() as session:
        assert len(session.scalars(select(Excursion.id).where(one)).all()) == 1
    change(database, update(Excursion).where(one).values({column: value}))
    assert differences(database) == {("S-A", column)}


@pytest.mark.parametrize("side", Side)
def test_an_excursion_that_was_taken_back_wrongly_is_named(database: Database, side: Side) -> None:
    change(database, update(Excursion).where(Excursion.side == side).values(cancelled_at=NOW))
    assert differences(database) == {("S-A", "the row"), ("S-CITY", "the row")}


def test_an_excursion_that_nobody_measured_is_named(database: Database) -> None:
    with database.read() as session:
        row = dict(
            session.execute(select(Excursion.__table__).where(Excursion.side == Side.ABOVE)).mappings().first() or {}
        )
    since = MIDNIGHT - 30 * HOUR
    row |= {"id": new_id(), "started_at": since, "ended_at": since + HOUR}
    change(database, insert(Excursion).values(row))
    assert len(differences(database)) == 1


def test_a_reading_that_was_changed_or_lost_is_seen_in_what_was_made_of_it(database: Database) -> None:
    mine = sensor_id(database, "S-A")
    one = (Reading.sensor_id == mine) & (Reading.measured_at == MIDNIGHT + 50 * MINUTE)
    change(database, update(Reading).where(one).values(temperature=905))
    assert {column for _, column in differences(database)} >= {"highest", "kinetic", "extreme"}
    change(database, delete(Reading).where(one))
    assert {column for _, column in differences(database)} == {"readings"}


@pytest.mark.parametrize("table", [Reading, ReadingHour])
def test_rows_of_a_sensor_that_is_not_registered_are_named(database: Database, table: Any) -> None:
    stranger = new_id()
    row = {"sensor_id": stranger, "measured_at": MIDNIGHT, "temperature": 1, "received_at": NOW}
    if table is ReadingHour:
        row = dict.fromkeys(HOURS, 0) | {"sensor_id": stranger, "hour": MIDNIGHT}
    change(database, insert(table).values(row))
    (found,) = findings(database)
    assert is_fault(found)
    assert str(stranger) in (report(found) or "")
    assert "1 rows" in (report(found) or "")
    assert findings(database, "S-A") == []


def test_a_sensor_without_a_state_is_not_followed_yet(database: Database) -> None:
    mine = sensor_id(database, "S-A")
    change(database, delete(SensorState).where(SensorState.sensor_id == mine))
    change(database, delete(ReadingHour).where(ReadingHour.sensor_id == mine))
    found = list(verify(database, "S-A"))
    assert found == [NotFollowed("S-A"), Checked("S-A")]
    assert not any(map(is_fault, found))
    one = (Excursion.sensor_id == mine) & (Excursion.side == Side.ABOVE)
    change(database, update(Excursion).where(one).values(cancelled_at=NOW))
    assert differences(database) == {("S-A", "the row")}


def test_one_sensor_alone_is_looked_through(database: Database) -> None:
    change(database, update(ReadingHour).where(ReadingHour.sensor_id == sensor_id(database, "S-CITY")).values(seen=1))
    assert findings(database, "S-A") == []
    assert findings(database, "S-CITY")
    with pytest.raises(NotFound):
        list(verify(database, "S-NONE"))


MAY = (2024, 5)
FIRST, LAST = datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture
def with_may(fresh: Database) -> Database:
    """With excursions before May, over both its ends, in it and after it; one sensor was never heard again."""
    beyond = [500] * 3 + [900] * 30 + [500] * 3
    feed(fresh, "S-FREE", FIRST - timedelta(days=2), beyond, 5 * MINUTE)
    for at in (FIRST - HOUR, FIRST + timedelta(days=9), LAST - HOUR, LAST + timedelta(days=2)):
        feed(fresh, "S-FREE", at, beyond, 5 * MINUTE)
    feed(fresh, "S-BOX", FIRST + timedelta(days=3), beyond, 5 * MINUTE)
    return fresh


def test_archived_months_are_left_out_and_said_to_be(with_may: Database, tmp_path: Path) -> None:
    assert findings(with_may) == []
    archive_month(with_may, MAY, tmp_path, NOW)
    (found,) = findings(with_may)
    assert found == LeftOut(MAY, 0)
    assert not is_fault(found)
    assert report(found) == "2024-05 is archived and left out"


@pytest.mark.parametrize("month", [(2024, 4), (2024, 6)])
def test_whichever_month_is_archived(with_may: Database, tmp_path: Path, month: tuple[int, int]) -> None:
    archive_month(with_may, month, tmp_path, NOW)
    assert findings(with_may) == [LeftOut(month, 0)]
    archive_month(with_may, MAY, tmp_path, NOW)
    assert findings(with_may) == sorted([LeftOut(month, 0), LeftOut(MAY, 0)], key=lambda each: each.month)


def test_what_lies_around_an_archived_month_is_still_looked_at(with_may: Database, tmp_path: Path) -> None:
    archive_month(with_may, MAY, tmp_path, NOW)
    mine = sensor_id(with_may, "S-FREE")
    far = [FIRST - timedelta(days=2), FIRST - HOUR, LAST + timedelta(days=2)]
    for hour in far:
        one = (ReadingHour.sensor_id == mine) & (ReadingHour.hour == hour)
        change(with_may, update(ReadingHour).where(one).values(seen=1))
    before = (Excursion.sensor_id == mine) & (Excursion.started_at < FIRST - timedelta(days=1))
    after = (Excursion.sensor_id == mine) & (Excursion.started_at > LAST + timedelta(days=2))
    for one in (before, after):
        change(with_may, update(Excursion).where(one, Excursion.side == Side.ABOVE).values(extreme=1))
    found = [each for each in findings(with_may) if isinstance(each, Difference)]
    assert sorted(each.column for each in found) == ["extreme", "extreme", "seen", "seen", "seen"]


def test_what_came_late_for_an_archived_month_is_counted_and_right_after_its_return(
    with_may: Database, tmp_path: Path
) -> None:
    made = archive_month(with_may, MAY, tmp_path, NOW)
    late = [(sensor_id(with_may, "S-FREE"), FIRST + timedelta(days=20) + number * 5 * MINUTE, 900, NOW)
            for number in range(20)]  # fmt: skip
    with_may.write(lambda session: month_rows.bring_back(session, late))
    assert findings(with_may) == [LeftOut(MAY, 20)]
    assert "20 readings that came for it since" in (report(findings(with_may)[0]) or "")
    restore(with_may, tmp_path / made.file, NOW)
    assert findings(with_may) == []


def run(*arguments: str, url: str) -> Any:
    return CliRunner().invoke(main, arguments, env={"COLDTRAIL_DATABASE_URL": url}, catch_exceptions=False)


def test_the_command(fresh: Database, database_url: str) -> None:
    whole = run("verify", "readings", url=database_url)
    assert whole.exit_code == 0, whole.output
    assert whole.output.endswith("7 sensors: as their readings say\n")
    assert "sensor S-FREE: not followed yet" in whole.output
    change(fresh, update(ReadingHour).where(ReadingHour.hour == MIDNIGHT).values(seen=1))
    broken = run("verify", "readings", "--sensor", "S-A", url=database_url)
    assert broken.exit_code == 1
    lines = broken.output.splitlines()
    assert lines == [
        "FAULT sensor S-A, hour 2026-01-04T16:00:00+00:00: seen is 1, the readings give 3600000000",
        "1 sensors: 1 FAULTS",
    ]
    assert run("verify", url=database_url).exit_code == 0
    assert "serial of a sensor" in run("verify", "readings", "--sensor", "S-NONE", url=database_url).output
