"""A county on each engine, alone and behind a real HTTP server; shared by a module's tests, which use other batches."""

from collections.abc import Iterator

import pytest

from inventory.persistence.database import Database
from tests.county import NOW, County, build
from tests.http import Client, Server, serving
from tests.services import Template


@pytest.fixture(scope="module")
def county(database_template: Template) -> Iterator[County]:
    """A county in a database of its own, on each engine in turn."""
    with database_template.clone() as url:
        database = Database(url)
        try:
            yield build(database)
        finally:
            database.close()


@pytest.fixture(scope="module")
def served(county: County) -> Iterator[Server]:
    """The county behind a real HTTP server."""
    with serving(county, connections=16) as server:
        yield server


@pytest.fixture
def server(served: Server) -> Server:
    """The same, with the clock set back to noon."""
    served.clock.at = NOW
    return served


@pytest.fixture
def client(server: Server) -> Client:
    """Its client."""
    return server.client
