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
        with away_told(), database.engine.begin() as connection:
            command.upgrade(_config(connection), "head")
    finally:
        database.close()


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
