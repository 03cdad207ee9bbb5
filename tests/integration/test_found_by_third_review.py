"""What a review of the ingest found, each as the thing that must be."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from inventory.domain.words import RejectReason
from inventory.persistence import months
from inventory.persistence.database import Database
from inventory.persistence.tables import Appliance, Excursion, Reading, RejectedMessage, Sensor
from inventory.services import archive
from inventory.services.assignments import watch_appliance
from inventory.services.monitoring import Intake
from inventory.services.reading_verification import is_fault, verify_readings
from tests.county import HOUR, MINUTE, NOW, build, message, series

AUGUST = datetime(2026, 8, 1, tzinfo=UTC)
START = NOW - 8 * HOUR


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as database:
        build(database)
        yield database


def faults(database: Database, serial: str) -> list[object]:
    return [finding for finding in verify_readings(database, serial) if is_fault(finding)]


def test_the_open_hour_is_kept_when_a_watch_becomes_known_and_the_next_reading_comes_hours_later(
    database: Database,
) -> None:
    intake = Intake(database)
    intake.record([series("S-BOX", START, [500] * 3)], NOW)

    def assign(session: Session) -> None:
        sensor = session.scalars(select(Sensor).where(Sensor.serial == "S-BOX")).one()
        fridge = session.scalars(select(Appliance).where(Appliance.code == "A-FRIDGE")).one()
        watch_appliance(session, sensor, fridge, START + 2 * HOUR, NOW)

    database.write(assign)
    intake.record([series("S-BOX", START + 5 * HOUR, [500] * 3)], NOW)
    assert faults(database, "S-BOX") == []


@pytest.mark.parametrize("gap", [5 * MINUTE, 55 * MINUTE, 3 * HOUR])
def test_the_open_hour_is_kept_when_readings_of_a_later_hour_come_in_disorder(database: Database, gap: object) -> None:
    intake = Intake(database)
    intake.record([series("S-FREE", START + 50 * MINUTE, [500] * 2)], NOW)
    later = START + 55 * MINUTE + gap  # type: ignore[operator]
    intake.record([message([("S-FREE", later + MINUTE, 500), ("S-FREE", later, 510)])], NOW)
    intake.record([series("S-FREE", later + 2 * HOUR, [500] * 2)], NOW)
    assert faults(database, "S-FREE") == []


def test_an_excursion_that_began_in_an_archived_month_ends_and_is_not_taken_back(
    database: Database, tmp_path: Path
) -> None:
    intake, begins, step = Intake(database), datetime(2026, 3, 30, tzinfo=UTC), 5 * MINUTE
    count = 4 * 288
    intake.record([message([("S-FREE", begins + each * step, 2200) for each in range(count)])], AUGUST)
    archive.archive_month(database, (2026, 3), tmp_path, AUGUST)
    intake.record([message([("S-FREE", begins + count * step, 2200)])], AUGUST)
    intake.record([message([("S-FREE", begins + (count + 1) * step, 500)])], AUGUST)
    with database.read() as session:
        found = session.scalars(select(Excursion).where(Excursion.side == "above")).all()
        assert found
        assert all(each.cancelled_at is None for each in found)
        assert {each.ended_at for each in found} == {begins + (count + 1) * step}
        assert {each.started_at for each in found} == {begins}
        assert all(each.seen_seconds >= count * 300 for each in found)


def test_strangers_make_no_months(database: Database) -> None:
    odd = [("S-BOX", datetime(2001 + year, 5, 5, tzinfo=UTC), 500) for year in range(20)]
    Intake(database).record([message(odd)._replace(gateway="NOBODY")], NOW)
    with database.read() as session:
        assert [row.reason for row in session.scalars(select(RejectedMessage))] == [RejectReason.UNKNOWN_GATEWAY]
    assert not database.months & {(2001 + year, 5) for year in range(20)}


def test_a_month_that_was_taken_away_is_made_again_and_nobody_is_blamed(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has no months")
    intake = Intake(database)
    intake.record([series("S-BOX", START, [500] * 3)], NOW)
    with database.engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {months.name_of(months.month_of(START))}"))
    chunk = [series("S-BOX", START + HOUR, [500] * 3)]
    with pytest.raises(Exception, match="no partition"):
        intake.record(chunk, NOW)
    intake.record(chunk, NOW)
    with database.read() as session:
        assert len(session.scalars(select(Reading)).all()) == 3
        assert session.scalars(select(RejectedMessage)).all() == []
