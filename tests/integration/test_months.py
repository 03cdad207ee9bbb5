"""The months of the readings: made ahead, made on demand by many at once, and read without looking into the others."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from inventory.domain.errors import Code, Unavailable
from inventory.persistence import months
from inventory.persistence.bulk import insert_certain
from inventory.persistence.database import Database
from inventory.persistence.tables import Reading
from inventory.services.ids import new_id
from inventory.services.judgement import read_between
from tests.services import Postgres, PostgresTemplate

DECEMBER = datetime(2025, 12, 31, 23, 59, tzinfo=UTC)
COLUMNS = ("sensor_id", "measured_at", "temperature", "received_at")
SENSOR = new_id()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(database_url)) as found:
        yield found


@pytest.fixture
def postgres_database(postgresql_template: PostgresTemplate) -> Iterator[Database]:
    with postgresql_template.clone() as url, closing(Database(url)) as found:
        yield found


def partitions(database: Database) -> set[str]:
    """The months that are attached to the table."""
    query = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reading'::regclass")
    with database.engine.connect() as connection:
        return set(connection.scalars(query))


def store(database: Database, *instants: datetime) -> None:
    """Readings of the one sensor."""
    months.ensure(database, instants)
    rows = [(SENSOR, at, 500, at) for at in instants]
    database.write(lambda session: insert_certain(session, Reading, COLUMNS, rows))


def test_a_month_is_where_utc_says(database: Database) -> None:
    east = datetime.fromisoformat("2026-01-01T07:30:00+08:00")
    assert months.month_of(east) == (2025, 12)
    store(database, east, datetime.fromisoformat("2026-01-01T08:00:00+08:00"))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Reading)) == 2


def test_bounds_of_months_leave_no_hole() -> None:
    for month in [(2025, 11), (2025, 12), (2026, 1), (2026, 2)]:
        since, until = months.bounds(month)
        assert months.month_of(since) == months.month_of(until - timedelta(microseconds=1)) == month
        assert months.month_of(until) != month


def test_months_that_follow_one_another_are_one_span() -> None:
    found = months.spans([(2026, 1), (2025, 11), (2025, 12), (2026, 5)])
    assert [(since.month, until.month) for since, until in found] == [(11, 2), (5, 6)]


def test_this_month_and_two_more_are_made_ahead(postgres_database: Database) -> None:
    months.ahead(postgres_database, DECEMBER)
    assert partitions(postgres_database) == {"reading_2025_12", "reading_2026_01", "reading_2026_02"}
    months.ahead(postgres_database, DECEMBER + timedelta(minutes=1))
    assert len(partitions(postgres_database)) == 4


def test_nothing_is_made_where_there_are_no_months(sqlite_template: Any) -> None:
    with sqlite_template.clone() as url, closing(Database(url)) as database:
        before = inspect(database.engine).get_table_names()
        months.ahead(database, DECEMBER)
        assert inspect(database.engine).get_table_names() == before


def test_sixteen_workers_make_the_same_months_at_once(postgres_database: Database) -> None:
    url = postgres_database.engine.url.render_as_string(hide_password=False)
    wanted = [DECEMBER + timedelta(days=31 * number) for number in range(6)]
    start = Barrier(16)

    def work(number: int) -> None:
        with closing(Database(url)) as mine:
            start.wait()
            months.ensure(mine, wanted)
            rows = [(new_id(), at, number, at) for at in wanted]
            mine.write(lambda session: insert_certain(session, Reading, COLUMNS, rows))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert len(partitions(postgres_database)) == len(wanted)
    with postgres_database.read() as session:
        assert session.scalar(select(func.count()).select_from(Reading)) == 16 * len(wanted)


def test_a_month_that_was_left_half_made_is_finished(postgres_database: Database) -> None:
    with postgres_database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE reading_2025_12 (LIKE reading INCLUDING ALL)"))
    store(postgres_database, DECEMBER)
    assert partitions(postgres_database) == {"reading_2025_12"}


@pytest.fixture
def poor_role(postgres: Postgres, postgres_database: Database) -> Iterator[str]:
    """The URL of a role that may read and write, but make nothing."""
    name = f"poor_{new_id().hex}"
    with postgres_database.engine.begin() as connection:
        for statement in (
            f"CREATE ROLE {name} LOGIN PASSWORD 'x'",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        ):
            connection.execute(text(statement))
    parts = urlsplit(postgres.url(str(postgres_database.engine.url.database)))
    yield parts._replace(netloc=f"{name}:x@{parts.hostname}:{parts.port or 5432}").geturl()
    with postgres_database.engine.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {name}"))
        connection.execute(text(f"DROP ROLE {name}"))


def test_a_role_that_may_make_nothing_says_which_month_it_lacks(poor_role: str) -> None:
    with closing(Database(poor_role)) as poor, pytest.raises(Unavailable) as refused:
        months.ensure(poor, [DECEMBER])
    assert refused.value.code is Code.MONTH_MISSING
    assert "reading_2025_12" in str(refused.value)
    assert "owner of the table reading" in str(refused.value)


def test_a_role_that_may_make_nothing_uses_what_its_owner_made(postgres_database: Database, poor_role: str) -> None:
    months.ensure(postgres_database, [DECEMBER])
    with closing(Database(poor_role)) as poor:
        store(poor, DECEMBER)


def test_a_role_without_rights_is_refused_again_until_it_gets_them(postgres_database: Database, poor_role: str) -> None:
    with closing(Database(poor_role)) as poor:
        for _ in range(2):
            with pytest.raises(Unavailable):
                months.ensure(poor, [DECEMBER])
        months.ensure(postgres_database, [DECEMBER])
        store(poor, DECEMBER)


def scanned(session: Session, statement: str, **parameters: object) -> set[str]:
    """The months that a prepared statement with bound parameters looks into."""
    names = list(parameters)
    types = {"sensor": "uuid", "since": "timestamptz", "until": "timestamptz"}
    numbered = re.sub(r":(\w+)", lambda found: f"${names.index(found[1]) + 1}", statement)
    session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    declared = ", ".join(types[name] for name in names)
    session.execute(text(f"PREPARE asked ({declared}) AS {numbered}".replace(":", "\\:")))
    given = ", ".join(f"'{each}'" for each in parameters.values()).replace(":", "\\:")
    plan = "\n".join(session.scalars(text(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE asked ({given})")))
    looked = [line for line in plan.splitlines() if "never executed" not in line]
    return set(re.findall(r"on (reading_\d{4}_\d\d)", "\n".join(looked)))


@pytest.fixture
def five_years(postgres_database: Database) -> Database:
    """Sixty months with a reading in each."""
    store(postgres_database, *(datetime(2021 + number // 12, number % 12 + 1, 15, tzinfo=UTC) for number in range(60)))
    return postgres_database


def test_a_span_of_time_is_looked_for_in_its_months_alone(five_years: Database) -> None:
    query = "SELECT * FROM reading WHERE sensor_id = :sensor AND measured_at >= :since AND measured_at < :until"
    with five_years.read() as session:
        found = scanned(session, query, sensor=SENSOR, since="2023-03-10Z", until="2023-04-10Z")
    assert found == {"reading_2023_03", "reading_2023_04"}


def test_the_newest_reading_is_looked_for_from_the_newest_month_back(five_years: Database) -> None:
    query = "SELECT max(measured_at) FROM reading WHERE sensor_id = :sensor AND measured_at < :until"
    with five_years.read() as session:
        assert scanned(session, query, sensor=SENSOR, until="2023-04-20Z") == {"reading_2023_04"}


def test_readings_of_a_span_are_those_of_it(five_years: Database) -> None:
    with five_years.read() as session:
        found = read_between(session, SENSOR, datetime(2023, 3, 10, tzinfo=UTC), datetime(2023, 5, 15, tzinfo=UTC))
    assert [(each.measured_at.month, each.measured_at.day) for each in found] == [(3, 15), (4, 15), (5, 15)]
