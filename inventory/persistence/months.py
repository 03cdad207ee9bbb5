"""The months of the readings: on PostgreSQL each is a partition, made before its first reading is written.

A partition is made beside the table and then attached, which holds up neither readers nor writers; by a connection of
its own, for a transaction that has read the table would wait for itself. Once made it stays: a month that was moved to
an archive leaves it empty, so that what comes late still has a place.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from psycopg import errors
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Unavailable
from inventory.persistence.database import Database, away_told
from inventory.persistence.tables import ArchivedMonth

Month = tuple[int, int]
"""A year and a month of it, in UTC."""

AHEAD = 2
"""How many months are made before they begin: time enough to see that a role may not."""

_MADE_BY_ANOTHER = (errors.WrongObjectType, errors.UniqueViolation, errors.DuplicateTable, errors.DuplicateObject)

_ATTACHED = text("SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(:name) AND inhparent = 'reading'::regclass")


def month_of(at: datetime) -> Month:
    """The month that an instant lies in."""
    utc = at.astimezone(UTC)
    return utc.year, utc.month


def name_of(month: Month) -> str:
    """The partition of a month."""
    return f"reading_{month[0]:04}_{month[1]:02}"


def bounds(month: Month) -> tuple[datetime, datetime]:
    """The first instant of a month and the first after it."""
    year, number = month
    return datetime(year, number, 1, tzinfo=UTC), datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def lacking(database: Database, instants: Iterable[datetime]) -> set[Month]:
    """The months that some instants lie in whose partitions are not known to be there."""
    return set() if database.is_sqlite else {month_of(at) for at in instants} - database.months


def ensure(database: Database, instants: Iterable[datetime]) -> None:
    """Make the partitions of the months that some instants lie in, where the database has none yet.

    Raises:
        Unavailable: `database_away`; `month_missing` where the role of this process may not make one.
    """
    for month in sorted(lacking(database, instants)):
        with away_told():
            _make(database, month)
        database.months.add(month)


def ahead(database: Database, now: datetime) -> None:
    """Make this month's partition and those of the next two.

    Raises:
        Unavailable: as `ensure`.
    """
    instants = [now]
    for _ in range(AHEAD):
        instants.append(bounds(month_of(instants[-1]))[1])
    ensure(database, instants)


def archived(session: Session) -> frozenset[Month]:
    """The months whose readings lie in an archive; what is stored of them came late and is not all there was."""
    return frozenset(
        month_of(at) for at in session.scalars(select(ArchivedMonth.month).where(ArchivedMonth.restored_at.is_(None)))
    )


def spans(found: Iterable[Month]) -> list[tuple[datetime, datetime]]:
    """The time that months cover, months that follow one another as one."""
    joined: list[tuple[datetime, datetime]] = []
    for since, until in map(bounds, sorted(found)):
        begun = joined.pop()[0] if joined and joined[-1][1] == since else since
        joined.append((begun, until))
    return joined


def _make(database: Database, month: Month) -> None:
    """Make a month; that another worker made it at the same moment is what was wanted."""
    name, (since, until) = name_of(month), bounds(month)
    attach = f"ALTER TABLE reading ATTACH PARTITION {name} FOR VALUES FROM ('{since}') TO ('{until}')"
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.scalar(_ATTACHED, {"name": name}):
            return
        for statement in (f"CREATE TABLE IF NOT EXISTS {name} (LIKE reading INCLUDING ALL)", attach):
            _try(connection, statement, name)


def _try(connection: Connection, statement: str, name: str) -> None:
    try:
        connection.execute(text(statement))
    except DBAPIError as error:
        if isinstance(error.orig, errors.InsufficientPrivilege):
            expected = N_("a partition made by the owner of the table reading, or that role for this process")
            raise Unavailable(Code.MONTH_MISSING, "month", name, expected) from error
        if not isinstance(error.orig, _MADE_BY_ANOTHER):
            raise
