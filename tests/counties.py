"""Counties that are copied for each module or example, because building one takes far longer than copying it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from inventory.persistence.database import Database
from tests.county import County, build
from tests.services import ENGINES, PostgresTemplate, SqliteTemplate, Template, sqlite_url


@dataclass(frozen=True)
class CountyTemplate:
    """A database that holds a county, and the secrets of its tokens."""

    template: Template
    tokens: dict[str, str]
    engine: str

    @contextmanager
    def fresh(self) -> Iterator[County]:
        """A copy of the county, dropped at the end."""
        with self.template.clone() as url:
            database = Database(url)
            try:
                yield County(database, dict(self.tokens))
            finally:
                database.close()


def _built(url: str) -> dict[str, str]:
    database = Database(url)
    try:
        return build(database).tokens
    finally:
        database.close()


@pytest.fixture(scope="session")
def sqlite_county(sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory) -> CountyTemplate:
    """In a folder of its own, for each folder of tests that imports this builds one, with other tokens."""
    file = tmp_path_factory.mktemp("county") / "county.db"
    file.write_bytes(sqlite_template.file.read_bytes())
    tokens = _built(sqlite_url(file))
    return CountyTemplate(SqliteTemplate(file), tokens, "sqlite")


@pytest.fixture(scope="session")
def postgresql_county(postgresql_template: PostgresTemplate) -> Iterator[CountyTemplate]:
    server = postgresql_template.server
    with server.database(template=postgresql_template.name) as name:
        tokens = _built(server.url(name))
        yield CountyTemplate(PostgresTemplate(server, name), tokens, "postgresql")


@pytest.fixture(params=ENGINES, scope="session")
def any_county(request: pytest.FixtureRequest) -> CountyTemplate:
    """A county on each engine in turn."""
    found: CountyTemplate = request.getfixturevalue(f"{request.param}_county")
    return found
