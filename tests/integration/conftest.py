"""A county on each engine, alone and behind a real HTTP server; shared by a module's tests, which use other batches."""

from collections.abc import Iterator

import pytest

from tests.counties import CountyTemplate
from tests.counties import any_county as any_county
from tests.counties import postgresql_county as postgresql_county
from tests.counties import sqlite_county as sqlite_county
from tests.county import NOW, County
from tests.http import Client, Server, serving


@pytest.fixture(scope="module")
def county(any_county: CountyTemplate) -> Iterator[County]:
    """A county in a database of its own, on each engine in turn."""
    with any_county.fresh() as county:
        yield county


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
