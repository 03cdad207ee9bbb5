"""Administrations that go together ask for their shelves and ways at once, however many they are."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from inventory.persistence.database import Database
from tests.county import build
from tests.http import Server, serving
from tests.orders import administration, at_site
from tests.services import PostgresTemplate


@pytest.fixture(scope="module")
def postgres_server(postgresql_template: PostgresTemplate) -> Iterator[Server]:
    with postgresql_template.clone() as url:
        database = Database(url)
        with serving(build(database)) as server:
            yield server
        database.close()


def asked(server: Server, batches: list[str]) -> list[str]:
    """The statements of a list of doses, one of each batch."""
    statements: list[str] = []
    engine = server.county.database.engine

    def note(*each: object) -> None:
        statements.append(str(each[2]).split(maxsplit=1)[0])

    event.listen(engine, "before_cursor_execute", note)
    try:
        lines = [administration(batch) for batch in batches]
        found = server.client.post("/administration-lists", {"administrations": lines}).ok()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert [line["status"] for line in found["results"]] == [201] * len(batches)
    return statements


def test_a_long_list_asks_no_more_than_a_short_one(postgres_server: Server) -> None:
    batches = [at_site(postgres_server.client, 10) for _ in range(8)]
    short, long = asked(postgres_server, batches[:2]), asked(postgres_server, batches)
    assert len(short) == len(long) <= 7, (short, long)
