"""The database: one transaction a call, on SQLite and on PostgreSQL."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from inventory.domain.errors import N_, Code, Unavailable
from inventory.persistence.prepared import Prepared

T = TypeVar("T")

TRIES = 6
"""How often a transaction that lost a race is run before the caller is told to try again later."""

ATTEMPT = "coldtrail_attempt"
"""Under this name a session's `info` tells how often its transaction was tried before."""

_BEGIN = "coldtrail_begin"
_SQLITE_AWAY = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOTADB,
}
_SQLITE_RACES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SQLITE_CONSTRAINTS = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
_POSTGRES_AWAY = {"08", "53", "57"}
"""SQLSTATE classes: connection exception, insufficient resources, operator intervention."""

_RACES = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.UniqueViolation,
)
_KEPT = 8
"""How many connections a pool keeps open; those beyond are closed when they are given back, which is dear."""

_NOT_FOR_EVER = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
"""A server that vanished without a word is given up after a minute; TCP by itself waits a quarter of an hour."""

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000")


class LostRace(Exception):
    """Another writer took what this transaction had chosen; `Database.write` runs it again."""


class Database:
    """A database by its URL: `sqlite:////path/to/file` or `postgresql://user@host/name`.

    `engine` is what writes go through, `reader` what all others do. `months` are those whose partitions are known to be
    there; see inventory.persistence.months.
    """

    def __init__(self, url: str) -> None:
        self.engine: Engine = _engine(url)
        self.reader: Engine = self.engine
        self._writer: Engine = self.engine
        self.months: set[tuple[int, int]] = set()
        if self.is_sqlite:
            self._writer = self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            self.reader = self.engine.execution_options(**{_BEGIN: "BEGIN"})
        else:
            self.reader = _engine(url, isolation_level="AUTOCOMMIT")  # its own: to change a connection's level is dear

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite, where writers queue for the whole database."""
        return self.engine.dialect.name == "sqlite"

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction and commit; again where another writer or a dead connection was in the way.

        `work` must have no effect outside the session.

        Raises:
            Unavailable: `busy` when it lost the race `TRIES` times, `database_away` when there is no database to ask.
        """
        with away_told():
            for attempt in range(TRIES):
                try:
                    with Session(self._writer, expire_on_commit=False) as session, session.begin():
                        session.info[ATTEMPT] = attempt
                        return work(session)
                except (DBAPIError, LostRace) as error:
                    last = attempt == TRIES - 1 and (isinstance(error, IntegrityError) or _died(error))
                    if last or not (_lost_a_race(error) or _died(error)):
                        raise
                    time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  (jitter, not a secret)
        raise Unavailable(Code.BUSY, "request", "refused", N_("fewer writers at the same moment; try again"))

    @contextmanager
    def read(self, settings: str = "") -> Iterator[Session]:
        """A session whose queries all see one state of the database; nothing is written.

        `settings` are a statement that PostgreSQL is sent along with the beginning of the transaction, for this one.
        It ends with a commit, for after a rollback the driver forgets what it has prepared, and all is planned anew.

        Raises:
            Unavailable: `database_away`.
        """
        with away_told(), Session(self.reader, expire_on_commit=False) as session:
            self._begin(session, settings)
            yield session
            session.commit()

    def ask(self, question: Prepared, **parameters: object) -> Sequence[Any]:
        """The rows of one query, which needs no transaction around it to see one state of the database.

        Raises:
            Unavailable: `database_away`.
        """
        with away_told():
            try:
                return self._rows(question, parameters)
            except DBAPIError as error:
                if not _died(error):
                    raise
                return self._rows(question, parameters)

    def _rows(self, question: Prepared, parameters: Mapping[str, object]) -> Sequence[Any]:
        with self.reader.connect() as connection:
            return question.on(connection, parameters)

    def _begin(self, session: Session, settings: str) -> None:
        """Begin on a connection that lives: it may have died in the pool, and who reads cannot be run again."""
        if not self.is_sqlite:
            beginning = f"{_SNAPSHOT}; {settings}"
            try:
                session.connection().exec_driver_sql(beginning)
            except DBAPIError as error:
                if not _died(error):
                    raise
                session.rollback()
                session.connection().exec_driver_sql(beginning)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        self.reader.dispose()


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
    """Whether the database, and not the statement, is at fault: no connection, no room, shutting down."""
    cause = error.orig
    if isinstance(cause, sqlite3.DatabaseError):
        return _primary(cause) in _SQLITE_AWAY
    if error.connection_invalidated or error.statement is None:
        return True
    return isinstance(cause, psycopg.Error) and (cause.sqlstate or "")[:2] in _POSTGRES_AWAY


def _died(error: DBAPIError | LostRace) -> bool:
    """Whether the connection died under a statement: nothing was committed then, as it may have been under a commit."""
    return isinstance(error, DBAPIError) and error.connection_invalidated and error.statement is not None


def _primary(error: sqlite3.Error) -> int:
    """SQLite's error code without what extends it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _lost_a_race(error: DBAPIError | LostRace) -> bool:
    """Whether running the transaction again may succeed, or be refused for what another writer has done meanwhile."""
    if isinstance(error, LostRace):
        return True
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        extended = getattr(cause, "sqlite_errorcode", 0)
        return _primary(cause) in _SQLITE_RACES or extended in _SQLITE_CONSTRAINTS
    return isinstance(cause, _RACES)


def _engine(url: str, **options: Any) -> Engine:
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        options |= {"pool_size": _KEPT, "max_overflow": 3 * _KEPT, "connect_args": _NOT_FOR_EVER}
    engine = create_engine(parsed, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    """Take the BEGIN out of the driver's hands: its late one lets two writers lose an update."""
    connection.isolation_level = None
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _prepare_postgres(connection: psycopg.Connection[Any], _entry: ConnectionPoolEntry) -> None:
    """Have instants come in UTC, whatever the server's zone; see `columns.Instant`."""
    connection.execute("SET TIME ZONE 'UTC'")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"))
