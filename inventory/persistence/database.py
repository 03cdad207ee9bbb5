"""The database: one transaction a call, on SQLite and on PostgreSQL."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from inventory.domain.errors import N_, Code, Unavailable

T = TypeVar("T")

TRIES = 6
"""How often a transaction that lost a race is run before the caller is told to try again later."""

_BEGIN = "coldtrail_begin"
_RACES = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.UniqueViolation,
)
_SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000")


class LostRace(Exception):
    """Another writer took what this transaction had chosen; `Database.write` runs it again."""


class Database:
    """A database by its URL: `sqlite:////path/to/file` or `postgresql://user@host/name`."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._writer = self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        level = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reader = self.engine.execution_options(**{_BEGIN: "BEGIN"}, **level)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite, where writers queue for the whole database."""
        return self.engine.dialect.name == "sqlite"

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction and commit; run it again when another writer was in the way.

        `work` must have no effect outside the session.

        Raises:
            Unavailable: `busy` when it lost the race `TRIES` times, `database_away` when there is no database to ask.
        """
        for attempt in range(TRIES):
            try:
                with away_told(), Session(self._writer, expire_on_commit=False) as session, session.begin():
                    return work(session)
            except (DBAPIError, LostRace) as error:
                if not _lost_a_race(error):
                    raise
                time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  (jitter, not a secret)
        raise Unavailable(Code.BUSY, "request", "refused", N_("fewer writers at the same moment; try again"))

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session whose queries all see one state of the database; nothing is written.

        Raises:
            Unavailable: `database_away`.
        """
        with away_told(), Session(self._reader) as session:
            yield session

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def away_told() -> Iterator[None]:
    """Tell an error of a database that is not there apart from one of a statement."""
    try:
        yield
    except DBAPIError as error:
        if not _is_away(error):
            raise
        expected = N_("a database that answers; try again")
        raise Unavailable(Code.DATABASE_AWAY, "database", "away", expected) from error


def _is_away(error: DBAPIError) -> bool:
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return any(sign in str(cause) for sign in ("unable to open", "disk I/O error", "is full", "readonly"))
    return error.connection_invalidated or (isinstance(cause, psycopg.OperationalError) and not _lost_a_race(error))


def _lost_a_race(error: DBAPIError | LostRace) -> bool:
    """Whether running the transaction again may succeed, or be refused for what another writer has done meanwhile."""
    if isinstance(error, LostRace):
        return True
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return cause.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CONSTRAINT_UNIQUE}
    return isinstance(cause, _RACES)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    """Take the BEGIN out of the driver's hands: its late one lets two writers lose an update."""
    connection.isolation_level = None
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"))
