"""Fixtures of the real services that tests run against; `services` finds and starts them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.buffers import open_buffer as open_buffer
from tests.deployment import deployed as deployed
from tests.services import (
    BROKERS,
    ENGINES,
    Postgres,
    PostgresTemplate,
    SqliteTemplate,
    Template,
    postgres_server,
    require_mosquitto,
    sqlite_url,
)

if TYPE_CHECKING:
    from coldtrail.broker import Broker

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes name no case: gzip writes the second it packed in, and two workers would then collect different tests."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh, migrated database on each engine in turn."""
    template: Template = request.getfixturevalue(f"{request.param}_template")
    with template.clone() as url:
        yield url


@pytest.fixture(params=ENGINES, scope="session")
def database_template(request: pytest.FixtureRequest) -> Template:
    """Where a test that needs many databases (each Hypothesis example, say) clones them itself."""
    template: Template = request.getfixturevalue(f"{request.param}_template")
    return template


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    """The migrated file that each test's SQLite database is a copy of."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrate(sqlite_url(file))
    return SqliteTemplate(file)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server where databases can be created."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgres: Postgres) -> Iterator[PostgresTemplate]:
    """The migrated database that each test's PostgreSQL database is a copy of."""
    with postgres.database() as name:
        _migrate(postgres.url(name))
        yield PostgresTemplate(postgres, name)


def _migrate(url: str) -> None:
    from inventory.persistence.migrate import upgrade  # only here: most unit tests need no SQLAlchemy

    upgrade(url)


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Broker"]:
    """A started broker of each kind in turn."""
    from coldtrail.broker import start_broker

    if request.param == "mosquitto":
        require_mosquitto()
    with start_broker(None, tmp_path, prefer=request.param) as started:
        yield started


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real device files beside the checkout; not part of the project, so their absence is never a failure."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"there is no real data at {SHARED_DATA}")
    return SHARED_DATA
