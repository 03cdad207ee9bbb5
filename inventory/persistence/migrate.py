"""Bringing a database to the current schema with Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from inventory.persistence.database import Database, away_told


def upgrade(url: str) -> None:
    """Run every migration that the database lacks, in one transaction.

    Raises:
        Unavailable: `database_away`.
    """
    database = Database(url)
    try:
        with away_told(), database.engine.connect() as connection:
            if database.is_sqlite:
                _let_tables_be_made_anew(connection)
            with connection.begin():
                command.upgrade(_config(connection), "head")
    finally:
        database.close()


def _let_tables_be_made_anew(connection: Connection) -> None:
    """SQLite alters a table by making it anew, which foreign keys forbid; outside a transaction they can be put off."""
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  (a connection that was just opened has one)
    driver.execute("PRAGMA foreign_keys=OFF")


def is_current(database: Database) -> bool:
    """Whether the database has the schema that this code was written for."""
    with database.read() as session:
        connection = session.connection()
        found = MigrationContext.configure(connection).get_current_heads()
        return set(found) == set(ScriptDirectory.from_config(_config(connection)).get_heads())


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config
