"""Changing what may not be changed, as somebody does who owns the database: no guard and no foreign key is in force."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from inventory.persistence import guards
from inventory.persistence.database import Database


@contextmanager
def tampered(database: Database) -> Iterator[Session]:
    """A session of somebody who may do anything; what he does is undone at the end."""
    with _owned(database) as connection:
        transaction = connection.begin()
        _disarm(connection)
        with Session(connection) as session:
            yield session
        transaction.rollback()


def tamper(database: Database, *statements: Any) -> None:
    """Carry out statements as somebody who may do anything; the guards stand again afterwards."""
    with _owned(database) as connection, connection.begin():
        _disarm(connection)
        for each in statements:
            connection.execute(each)
        guards.install(connection)


@contextmanager
def _owned(database: Database) -> Iterator[Connection]:
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if database.is_sqlite:
            driver.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
        finally:
            if database.is_sqlite:
                driver.execute("PRAGMA foreign_keys=ON")


def _disarm(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
    guards.remove(connection)
