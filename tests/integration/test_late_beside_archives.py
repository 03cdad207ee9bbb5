"""What comes late beside an archived month is told at once as far as it can be, and whole when the month is back."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inventory.domain.errors import Unavailable
from inventory.domain.excursions import ExcursionRule, detect
from inventory.domain.profiles import EXCURSION_RULES
from inventory.persistence.database import Database
from inventory.persistence.tables import Appliance, ArchivedMonth, Sensor
from inventory.services import lookups, unjudged
from inventory.services.archive import archive_month
from inventory.services.assignments import watch_appliance
from inventory.services.monitoring import record
from inventory.services.reading_verification import is_fault, verify_readings
from inventory.services.restoring import restore
from inventory.services.unjudged import PutOff, waiting
from tests.county import HOUR, MINUTE, NOW, build, message
from tests.properties.strategies import HOLD
from tests.properties.test_judgement import SENSOR, Timeline, expected, send, standing, stored
from tests.properties.test_judgement_of_sums import judge_by
from tests.properties.test_judgement_over_gaps import LIMITS
from tests.services import PostgresTemplate

MAY = (2024, 5)
JUNE = datetime(2024, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CALM, HOT, HOTTER = 500, 900, 1200
STRICT, LOGGER = EXCURSION_RULES["strict-2-8"], EXCURSION_RULES["logger-2-8"]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as found:
        build(found)
        yield found


def every(step: timedelta, since: datetime, until: datetime, temperature: int = CALM) -> Timeline:
    """Readings at even steps, before `until`."""
    return [(since + number * step, temperature) for number in range((until - since) // step)]


def be(database: Database, profile: str, interval: timedelta) -> None:
    """What the sensor is judged by, and how often it measures."""
    values = {"profile_code": profile, "interval_seconds": int(interval.total_seconds())}
    database.write(lambda session: session.execute(update(Sensor).where(Sensor.serial == SENSOR).values(values)))


def faults(database: Database) -> list[object]:
    return [each for each in verify_readings(database, SENSOR) if is_fault(each)]


def put_off(database: Database) -> list[PutOff]:
    with database.read() as session:
        return waiting(session, lookups.sensor(session, SENSOR).id)


def names(database: Database) -> list[str]:
    return sorted(str(row[1]) for row in standing(database))


def is_one_pass(database: Database, rules: Sequence[ExcursionRule], hold: timedelta) -> bool:
    return standing(database) == expected(detect(stored(database), rules, hold)) and not faults(database)


def test_what_comes_late_in_the_first_hours_behind_the_month(database: Database, tmp_path: Path) -> None:
    step = 30 * MINUTE
    be(database, "strict-2-8", step)
    late = every(step, JUNE + step, JUNE + 4 * HOUR, HOT)
    times = {at for at, _ in late}
    send(database, [[each for each in every(step, JUNE - 7 * DAY, JUNE + 11 * DAY) if each[0] not in times]])
    file = archive_month(database, MAY, tmp_path, NOW).file
    assert names(database) == ["SILENCE"]
    send(database, [late])
    assert names(database) == ["HOT"]
    assert faults(database) == []
    restore(database, tmp_path / file, NOW)
    assert is_one_pass(database, STRICT, 3 * step)
    assert put_off(database) == []


def test_what_comes_late_within_a_sum_that_goes_over_the_end_of_the_month(database: Database, tmp_path: Path) -> None:
    step = 10 * MINUTE
    be(database, "logger-2-8", step)
    warm = [
        (at, HOT if 1 <= at.hour < 3 else CALM)
        for at, _ in every(step, JUNE - 5 * DAY, JUNE + 9 * DAY)
        if at >= JUNE + 4 * DAY + 210 * MINUTE or at < JUNE + 4 * DAY
    ]
    send(database, [warm])
    file = archive_month(database, MAY, tmp_path, NOW).file
    assert names(database).count("HOT-SUM") == 2
    send(database, [every(step, JUNE + 4 * DAY, JUNE + 4 * DAY + 210 * MINUTE, HOTTER)])
    assert faults(database) == []
    assert [each.first for each in put_off(database)] == [JUNE + 4 * DAY]
    restore(database, tmp_path / file, NOW)
    assert is_one_pass(database, LOGGER, 3 * step)
    assert names(database).count("HOT-SUM") == 1


def test_what_cannot_be_judged_yet_is_no_fault(database: Database, tmp_path: Path) -> None:
    """At 00:40 it was calm for as long as one remembers; but a reading may have stood, and what comes next waits."""
    judge_by(database, LIMITS)
    calm = [*every(5 * MINUTE, JUNE - HOUR, JUNE + 45 * MINUTE), (JUNE + 70 * MINUTE, CALM), (JUNE + DAY, CALM)]
    send(database, [calm])
    file = archive_month(database, MAY, tmp_path, NOW).file
    send(database, [every(5 * MINUTE, JUNE + 45 * MINUTE, JUNE + 55 * MINUTE, HOT)])
    assert put_off(database)
    assert "HOT-SUM" not in names(database)
    assert faults(database) == []
    restore(database, tmp_path / file, NOW)
    assert "HOT-SUM" in names(database)
    assert is_one_pass(database, LIMITS, HOLD)


def test_hours_beside_the_month_are_right_at_once(database: Database, tmp_path: Path) -> None:
    send(database, [every(5 * MINUTE, JUNE - HOUR, JUNE - 30 * MINUTE), every(5 * MINUTE, JUNE + 2 * HOUR, JUNE + DAY)])
    file = archive_month(database, MAY, tmp_path, NOW).file
    send(database, [every(5 * MINUTE, JUNE + 10 * MINUTE, JUNE + 2 * HOUR, HOT)])
    assert faults(database) == []
    restore(database, tmp_path / file, NOW)
    assert is_one_pass(database, STRICT, HOLD)


def test_a_watch_that_becomes_known_late_is_judged_in_the_month_when_that_is_back(
    database: Database, tmp_path: Path
) -> None:
    hot = every(5 * MINUTE, JUNE - 10 * DAY, JUNE - 10 * DAY + HOUR, HOT)
    later = every(5 * MINUTE, JUNE + DAY, JUNE + DAY + HOUR, HOT)
    send(database, [[(JUNE - 15 * DAY, CALM), *hot, (JUNE - 9 * DAY, CALM), *later, (JUNE + 2 * DAY, CALM)]])
    file = archive_month(database, MAY, tmp_path, NOW).file
    since = JUNE + 36 * HOUR

    def watch(session: Session) -> None:
        room = session.scalars(select(Appliance).where(Appliance.code == "CITY-ROOM")).one()
        watch_appliance(session, lookups.sensor(session, SENSOR), room, since, NOW)

    database.write(watch)
    assert faults(database) == []
    restore(database, tmp_path / file, NOW)
    assert faults(database) == []
    assert standing(database) == expected(
        detect([each for each in stored(database) if each.measured_at >= since], STRICT, HOLD, None, since)
    )


def test_a_sensor_that_is_new_and_hot_from_the_beginning_waits_for_no_month(database: Database, tmp_path: Path) -> None:
    send(database, [[(JUNE - DAY, CALM), (JUNE, CALM)]])
    archive_month(database, MAY, tmp_path, NOW)
    for at, temperature in every(5 * MINUTE, JUNE + 90 * DAY, JUNE + 90 * DAY + HOUR, HOT):
        record(database, [message([("S-BOX-2", at, temperature)])], NOW)
    assert names(database) == ["HOT", "SILENCE"]
    with database.read() as session:
        assert waiting(session, lookups.sensor(session, "S-BOX-2").id) == []


def test_who_puts_something_off_while_the_month_comes_back_sees_that_it_did(
    postgresql_template: PostgresTemplate, tmp_path: Path
) -> None:
    with postgresql_template.clone() as url, closing(Database(url)) as database, ThreadPoolExecutor() as others:
        build(database)
        send(database, [[(JUNE - DAY, CALM), (JUNE, CALM)]])
        archive_month(database, MAY, tmp_path, NOW)
        with database.read() as session:
            sensor = lookups.sensor(session, SENSOR).id
        with database.engine.begin() as connection:
            connection.execute(update(ArchivedMonth).values(restored_at=NOW))
            work = others.submit(database.write, lambda session: unjudged.put_off(session, sensor, MAY, JUNE, JUNE))
            with pytest.raises(TimeoutError):
                work.result(timeout=0.5)
        with pytest.raises(Unavailable):
            work.result(timeout=10)
        assert put_off(database) == []
