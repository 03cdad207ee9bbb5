"""A logger's files give the same excursions in whatever order they come, and a refusal is true."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.errors import Conflict
from inventory.domain.words import Side
from inventory.persistence.database import Database
from inventory.persistence.tables import Appliance, Sensor, SensorAssignment
from inventory.services.excursions import list_excursions
from inventory.services.imports import Limit, LoggerFile, import_logger_file
from inventory.services.messages import Measurement
from inventory.services.reading_verification import is_fault, verify_readings
from tests.county import HOUR, MINUTE, NOW, build, counts
from tests.services import Template

LIMITS = (Limit(Side.BELOW, 200, timedelta()), Limit(Side.ABOVE, 800, 30 * MINUTE))
DAY = timedelta(days=1)
FIRST = NOW - 90 * DAY
CALM, WARM, COLD = [450] * 6, [1200] * 6, [-100] * 6
SERIAL = "LT77"

Make = Callable[[], Database]


def file(begins: timedelta, temperatures: Sequence[int]) -> LoggerFile:
    """Ten minutes between its readings, from so long after FIRST on."""
    since = FIRST + begins
    readings = [Measurement(SERIAL, since + 10 * MINUTE * each, value) for each, value in enumerate(temperatures)]
    return LoggerFile(SERIAL, 600, LIMITS, since, readings)


FILES = {
    "apart": [file(timedelta(), CALM + WARM + CALM), file(30 * DAY, WARM + CALM), file(60 * DAY, CALM + COLD)],
    "one after the other": [file(timedelta(), CALM + WARM), file(2 * HOUR, WARM + CALM), file(4 * HOUR, WARM)],
    "over each other": [file(timedelta(), WARM * 3), file(2 * HOUR, WARM + CALM), file(150 * MINUTE, WARM[3:] + CALM)],
}


@pytest.fixture
def counties(database_template: Template) -> Iterator[Make]:
    """Makes counties."""
    with ExitStack() as stack:

        def begin() -> Database:
            database = Database(stack.enter_context(database_template.clone()))
            stack.callback(database.close)
            build(database)
            return database

        yield begin


def excursions(database: Database) -> list[tuple[object, ...]]:
    found = list_excursions(database, SERIAL, True, None, 100).items
    return [(each.rule, each.side, each.started_at, each.alarm_at, each.ended_at, each.extreme) for each in found]


def watches(database: Database) -> list[tuple[object, ...]]:
    query = select(SensorAssignment.since, SensorAssignment.until, Appliance.code).join(
        Sensor, Sensor.id == SensorAssignment.sensor_id
    )
    with database.read() as session:
        placed = query.outerjoin(Appliance, Appliance.id == SensorAssignment.appliance_id)
        rows = session.execute(placed.where(Sensor.serial == SERIAL).order_by(SensorAssignment.since))
        return [tuple(row) for row in rows]


@pytest.mark.parametrize("files", FILES.values(), ids=FILES.keys())
def test_files_in_any_order_give_the_same_excursions(counties: Make, files: list[LoggerFile]) -> None:
    in_order = counties()
    for each in files:
        import_logger_file(in_order, each, "A-FRIDGE", NOW)
    expected = excursions(in_order)
    assert expected
    for order in list(permutations(files))[1:]:
        database = counties()
        for each in order:
            import_logger_file(database, each, "A-FRIDGE", NOW)
        assert excursions(database) == expected
        assert watches(database) == watches(in_order) == [(FIRST, None, "A-FRIDGE")]
        assert not any(map(is_fault, verify_readings(database, SERIAL)))


def watched_meanwhile(database: Database, since: timedelta, until: timedelta) -> None:
    """Let the logger have watched another fridge for a while."""

    def work(session: Session) -> None:
        sensor = session.scalars(select(Sensor.id).where(Sensor.serial == SERIAL)).one()
        fridge = session.scalars(select(Appliance.id).where(Appliance.code == "B-FRIDGE")).one()
        session.add(SensorAssignment(sensor_id=sensor, since=FIRST + since, until=FIRST + until, appliance_id=fridge))

    database.write(work)


def test_a_file_of_between_makes_the_next_watch_begin_earlier_and_touches_no_other(counties: Make) -> None:
    database = counties()
    import_logger_file(database, file(60 * DAY, CALM), "A-FRIDGE", NOW)
    watched_meanwhile(database, 10 * DAY, 12 * DAY)
    imported = import_logger_file(database, file(20 * DAY, WARM + CALM), "A-FRIDGE", NOW)
    assert [each.started_at for each in imported.excursions] == [FIRST + 20 * DAY]
    other, mine = watches(database)
    assert other == (FIRST + 10 * DAY, FIRST + 12 * DAY, "B-FRIDGE")
    assert mine == (FIRST + 20 * DAY, None, "A-FRIDGE")


@pytest.mark.parametrize("begins", [5 * DAY, 10 * DAY, 11 * DAY], ids=["before", "with", "within"])
def test_a_file_from_before_or_within_a_watch_of_another_place_is_refused_and_nothing_stored(
    counties: Make, begins: timedelta
) -> None:
    database = counties()
    import_logger_file(database, file(60 * DAY, CALM), "A-FRIDGE", NOW)
    watched_meanwhile(database, 10 * DAY, 12 * DAY)
    before = watches(database), counts(database)
    with pytest.raises(Conflict):
        import_logger_file(database, file(begins, WARM), "A-FRIDGE", NOW)
    assert (watches(database), counts(database)) == before


def test_an_earlier_file_for_another_place_is_refused(counties: Make) -> None:
    database = counties()
    import_logger_file(database, file(60 * DAY, CALM), "A-FRIDGE", NOW)
    with pytest.raises(Conflict, match="watches nothing else"):
        import_logger_file(database, file(timedelta(), WARM), "B-FRIDGE", NOW)


def test_a_file_that_was_imported_without_its_place_is_judged_when_it_is_named(counties: Make) -> None:
    database = counties()
    import_logger_file(database, file(60 * DAY, CALM), "A-FRIDGE", NOW)
    assert import_logger_file(database, file(timedelta(), WARM), None, NOW).excursions == ()
    again = import_logger_file(database, file(timedelta(), WARM), "A-FRIDGE", NOW)
    assert (again.new, [each.started_at for each in again.excursions]) == (0, [FIRST])
