"""The migrations make what the models say, and can be taken back."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from inventory.persistence import migrate
from inventory.persistence.database import Database
from inventory.persistence.tables import Base
from inventory.services import rules
from inventory.services.log import sequencer
from inventory.services.verification import verify
from tests.county import NOW, build, counts
from tests.http import serving
from tests.packed import Case


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    yield found
    found.close()


@contextmanager
def alembic(database: Database) -> Iterator[tuple[Config, Connection]]:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        yield config, connection


def is_month(name: str | None) -> bool:
    return re.fullmatch(r"reading_\d{4}_\d\d", name or "") is not None


def tables(connection: Connection) -> set[str]:
    return {name for name in inspect(connection).get_table_names() if not is_month(name)} - {"alembic_version"}


def differences(connection: Connection) -> list[Any]:
    opts = {
        "compare_type": True,
        "compare_server_default": True,
        "include_name": lambda name, kind, _parents: kind != "table" or not is_month(name),
    }
    context = MigrationContext.configure(connection, opts=opts)
    found: list[Any] = compare_metadata(context, Base.metadata)
    return found


def checks(connection: Connection) -> dict[str, set[str | None]]:
    """The check constraints of each table, which Alembic does not compare."""
    return {
        name: {each["name"] for each in inspect(connection).get_check_constraints(name)} for name in tables(connection)
    }


def test_the_migrated_schema_is_that_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        assert differences(connection) == []
        assert tables(connection) == set(Base.metadata.tables)


def test_the_check_constraints_that_guard_the_ledger_are_there(database: Database) -> None:
    with database.engine.connect() as connection:
        found = checks(connection)
    assert {"ck_custody_doses", "ck_custody_remaining"} <= found["custody"]
    assert {"ck_movement_doses", "ck_movement_one_way_out", "ck_movement_somewhere"} <= found["movement"]
    assert "ck_location_one_place" in found["location"]


def test_the_database_itself_refuses_a_custody_below_zero(database: Database) -> None:
    build(database)
    with database.engine.connect() as connection, pytest.raises(Exception, match=r"(?i)check|constraint"):
        connection.execute(
            text(
                "INSERT INTO custody (id, batch_id, event_id, location_id, opened_at, doses, remaining) SELECT"
                " f.id, f.id, f.id, f.id, t.created_at, 1, -1 FROM facility f, token t"
            )
        )


def test_the_migrations_can_be_taken_back_and_made_again(database: Database) -> None:
    with alembic(database) as (config, connection):
        command.downgrade(config, "base")
        assert tables(connection) == set()
    with alembic(database) as (config, connection):
        command.upgrade(config, "head")
        assert differences(connection) == []
    build(database)


def test_migrating_again_changes_nothing(database: Database, database_url: str) -> None:
    build(database)
    before = counts(database)
    migrate.upgrade(database_url)
    assert counts(database) == before
    assert migrate.is_current(database)


def test_a_database_that_was_not_migrated_is_told_from_one_that_was(database: Database) -> None:
    assert migrate.is_current(database)
    with alembic(database) as (config, _):
        command.downgrade(config, "base")
    assert not migrate.is_current(database)


def test_seeding_twice_is_seeding_once(database: Database) -> None:
    rules.seed(database)
    before = counts(database)
    rules.seed(database)
    assert counts(database) == before
    assert before["storage_profile"] == len(rules.PROFILES)


def test_packs_that_were_known_before_are_written_down_and_come_into_the_log(database: Database) -> None:
    with serving(build(database)) as server:
        cases = [Case(server.client), Case(server.client)]
        cases[0].receive().ok()
    sequencer.append(database, NOW)
    with alembic(database) as (config, _):
        command.downgrade(config, "0014")
    with alembic(database) as (config, _):
        command.upgrade(config, "head")
    assert verify(database).faults == ()
    with database.read() as session:
        said = session.execute(text("SELECT packs FROM pack_registration")).scalars().all()
    assert sorted(len(json.loads(each)) for each in said) == [9, 9]
    assert sequencer.append(database, NOW) == 2
