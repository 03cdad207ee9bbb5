"""What lies beside an archived month is made anew without it, and what lies in it is left as it was."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from inventory.persistence import months
from inventory.persistence.database import Database
from inventory.persistence.tables import Sensor
from inventory.services.affected import affected
from inventory.services.archive import archive_month
from inventory.services.archived_stretches import Stretch, runs_of, sure_hours, sure_stretch
from inventory.services.rules import excursion_rules
from tests.county import HOUR, MINUTE, NOW, build
from tests.readings_of_months import feed

MAY = (2024, 5)
START, END = months.bounds(MAY)
HOLD = 15 * MINUTE
DAY = timedelta(days=1)


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """A sensor with calm readings, but hot ones over both ends of May, which is archived."""
    with closing(Database(database_url)) as found:
        build(found)
        for day in (-2, -1, 5, 32, 40):
            feed(found, "S-FREE", START + day * DAY, [500] * 6, 5 * MINUTE)
        for end in (START, END):
            feed(found, "S-FREE", end - HOUR, [500] * 3 + [900] * 18 + [500], 5 * MINUTE)
        archive_month(found, MAY, tmp_path, NOW)
        yield found


def stretch(database: Database, first: datetime, last: datetime | None) -> Stretch | None:
    with database.read() as session:
        sensor = session.scalars(select(Sensor).where(Sensor.serial == "S-FREE")).one()
        rules = excursion_rules(session, sensor.profile_code)
        whole = affected(session, sensor.id, rules, HOLD, first, last)
        sure = sure_stretch(session, sensor.id, rules, HOLD, whole, last)
        assert (sure.lacks == MAY) is (sure.stretch != whole)
        return sure.stretch


CALM_BEFORE, CALM_AFTER = START - 50 * MINUTE, END + 45 * MINUTE
WHOLE: list[tuple[Any, Any, Any]] = [
    (START - 2 * DAY + MINUTE, START - 2 * DAY + 2 * MINUTE, (START - 2 * DAY, START - 2 * DAY + 5 * MINUTE)),
    (START - HOUR + MINUTE, START - 30 * MINUTE, (START - HOUR, CALM_BEFORE)),
    (START + MINUTE, START + 2 * MINUTE, None),
    (START + 5 * DAY, END + 20 * MINUTE, None),
    (END + 30 * MINUTE, END + 31 * MINUTE, None),
    (END + HOUR, END + 2 * HOUR, (CALM_AFTER, START + 32 * DAY)),
    (START - HOUR, None, (CALM_AFTER, None)),
    (END + 9 * DAY, None, (START + 32 * DAY + 25 * MINUTE, None)),
]


@pytest.mark.parametrize(("first", "last", "expected"), WHOLE)
def test_a_stretch_ends_where_archived_readings_have_a_say(
    database: Database, first: datetime, last: datetime | None, expected: Stretch | None
) -> None:
    assert stretch(database, first, last) == expected


def test_runs_of_instants_leave_out_what_is_in_an_archived_month(database: Database) -> None:
    instants = [START - 2 * DAY, START - MINUTE, START, START + DAY, END - MINUTE, END, END + DAY]
    with database.read() as session:
        assert runs_of(session, reversed(instants)) == [(START - 2 * DAY, START - MINUTE), (END, END + DAY)]
        assert runs_of(session, [START + DAY]) == []


HOURS: list[tuple[datetime, datetime, list[tuple[datetime, datetime]], set[months.Month]]] = [
    (START - DAY, START - 2 * HOUR, [(START - DAY - HOUR, START - 2 * HOUR)], set()),
    (START - HOUR, START - MINUTE, [(START - 2 * HOUR, START - HOUR)], {MAY}),
    (START + DAY, START + 2 * DAY, [], {MAY}),
    (END, END, [], {MAY}),
    (END + 70 * MINUTE, END + 80 * MINUTE, [(END + HOUR, END + HOUR)], {MAY}),
    (END + 80 * MINUTE, END + DAY, [(END + HOUR, END + DAY)], set()),
    (START - DAY, END + DAY, [(START - DAY - HOUR, START - HOUR), (END + HOUR, END + DAY)], {MAY}),
]


@pytest.mark.parametrize(("first", "last", "expected", "lacks"), HOURS)
def test_hours_are_left_out_that_an_archived_reading_may_have_stood_into(
    database: Database,
    first: datetime,
    last: datetime,
    expected: list[tuple[datetime, datetime]],
    lacks: set[months.Month],
) -> None:
    with database.read() as session:
        assert sure_hours(session, first, last, HOLD) == (expected, lacks)


def test_where_nothing_is_archived_all_is_one_run(database_url: str) -> None:
    with closing(Database(database_url)) as database, database.read() as session:
        assert runs_of(session, [END, START]) == [(START, END)]
        assert sure_hours(session, START, END, HOLD) == ([(START - HOUR, END)], set())
