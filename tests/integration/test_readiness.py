"""What a process says of its own health, to whoever starts it."""

from pathlib import Path

import pytest

from api.app import create_app
from inventory.persistence.database import Database
from tests.http import Client
from tests.services import sqlite_url


def test_a_migrated_database_is_ready(client: Client) -> None:
    assert client.send("GET", "/readyz").status == 200


@pytest.mark.parametrize(("language", "says"), [("en", "has not been migrated"), ("zh", "迁移")])
def test_a_database_of_another_version_is_not_and_that_is_said_in_the_language_asked_for(
    tmp_path: Path, language: str, says: str
) -> None:
    database = Database(sqlite_url(tmp_path / "empty.db"))
    client = create_app(database).test_client()
    answer = client.get("/readyz", headers={"Accept-Language": language})
    database.close()
    assert answer.status_code == 503
    assert says in answer.get_json()["status"]
    assert "`coldtrail migrate`" in answer.get_json()["status"]
