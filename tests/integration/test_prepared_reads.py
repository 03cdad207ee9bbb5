"""What is read again and again is planned once: no transaction that reads makes the driver forget what it prepared."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, text

from inventory.persistence.database import Database
from inventory.persistence.planning import ONCE
from inventory.persistence.tables import Programme
from tests.services import PostgresTemplate

OFTEN = 7
"""The driver prepares what it has sent five times."""


@pytest.fixture(scope="module")
def database(postgresql_template: PostgresTemplate) -> Iterator[Database]:
    with postgresql_template.clone() as url:
        database = Database(url)
        yield database
        database.close()


def test_a_statement_that_was_read_often_stays_prepared(database: Database) -> None:
    for _ in range(OFTEN):
        with database.read(ONCE) as session:
            session.execute(select(func.count()).select_from(Programme))
    with database.read() as session:
        prepared = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert any("FROM programme" in statement for statement in prepared)


def test_settings_of_one_reading_are_not_those_of_the_next(database: Database) -> None:
    with database.read(ONCE) as session:
        assert session.scalar(text("SHOW plan_cache_mode")) == "force_generic_plan"
    with database.read() as session:
        assert session.scalar(text("SHOW plan_cache_mode")) == "auto"
