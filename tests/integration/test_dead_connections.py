"""Connections that die in the pool, as at a restart of the database, are replaced and nobody is told of it."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import func, literal, select, text
from sqlalchemy.orm import Session

from inventory.domain.errors import Code, Unavailable
from inventory.persistence.database import Database
from inventory.persistence.prepared import Prepared
from inventory.persistence.tables import Programme
from inventory.services import rules
from tests.services import PostgresTemplate

ALL = select(func.count()).select_from(Programme)
ONE = Prepared(select(literal(1)))


@pytest.fixture
def url(postgresql_template: PostgresTemplate) -> Iterator[str]:
    with postgresql_template.clone() as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    rules.seed(database)
    yield database
    database.close()


def kill_others(url: str) -> None:
    """End every connection to the database but this one, whatever it is doing."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_writer_whose_connection_died_in_the_pool_is_run_again(url: str, database: Database) -> None:
    kill_others(url)
    tried = []

    def work(session: Session) -> int:
        tried.append(session)
        return session.scalars(ALL).one()

    assert database.write(work) == 1
    assert len(tried) == 2


def test_a_writer_whose_connection_dies_between_two_statements_is_run_again_and_writes_once(
    url: str, database: Database
) -> None:
    kills = [lambda: kill_others(url)]

    def work(session: Session) -> None:
        session.execute(text("UPDATE programme SET name = name || '!'"))
        if kills:
            kills.pop()()
        session.execute(ALL)

    database.write(work)
    with database.read() as session:
        assert session.scalars(select(Programme.name)).one().count("!") == 1


def test_a_writer_whose_connection_dies_before_the_commit_is_told_for_nobody_knows_what_was_done(
    url: str, database: Database
) -> None:
    def work(session: Session) -> None:
        session.execute(ALL)
        kill_others(url)

    with pytest.raises(Unavailable) as refused:
        database.write(work)
    assert refused.value.code is Code.DATABASE_AWAY


def test_a_reader_and_a_question_get_a_living_connection(url: str, database: Database) -> None:
    kill_others(url)
    with database.read() as session:
        assert session.scalar(ALL) == 1
    kill_others(url)
    assert [tuple(row) for row in database.ask(ONE)] == [(1,)]


def test_a_question_is_answered_in_no_transaction_that_stays_open(url: str, database: Database) -> None:
    database.ask(ONE)
    with psycopg.connect(url) as connection:
        idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
        assert connection.execute(idle).fetchone() == (0,)
