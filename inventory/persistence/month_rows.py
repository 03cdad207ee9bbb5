"""All readings of a month: read in order, taken out, and brought back; nobody else writes them meanwhile."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import errors
from sqlalchemy import Select, delete, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Forbidden, Unavailable
from inventory.persistence.bulk import insert_certain
from inventory.persistence.months import Month, bounds, name_of
from inventory.persistence.parquet import CHUNK, Row
from inventory.persistence.tables import Reading

PATIENCE = "10s"
"""How long readers are waited for; who comes after them waits as well, so it is not long."""

_COLUMNS = ("sensor_id", "measured_at", "temperature", "received_at")


def rows_of(session: Session, month: Month) -> Iterator[list[Row]]:
    """The readings of a month by sensor and time, in parts; never all of them in memory."""
    query = _within(select(*(getattr(Reading, name) for name in _COLUMNS)), month)
    ordered = query.order_by(Reading.sensor_id, Reading.measured_at).execution_options(yield_per=CHUNK)
    for part in session.execute(ordered).partitions():
        yield [(row[0], row[1], row[2], row[3]) for row in part]


def sums(session: Session, month: Month) -> tuple[Any, ...]:
    """What would be another had a reading of a month been added, removed or changed; cheap to ask for."""
    figures = func.count(), func.sum(Reading.temperature), func.max(Reading.received_at)
    return tuple(session.execute(_within(select(*figures), month)).one())


def hold_still(session: Session, month: Month) -> None:
    """Let nobody else write readings of a month until the transaction ends; who reads is not held up.

    Raises:
        Forbidden: `forbidden` for a role that may not.
    """
    if not _is_sqlite(session):
        with _told(month):
            session.execute(text(f"LOCK TABLE {name_of(month)} IN SHARE ROW EXCLUSIVE MODE"))


def take_out(session: Session, month: Month) -> None:
    """Take the readings of a month out of the database.

    Raises:
        Unavailable: `busy` while somebody reads them for long.
        Forbidden: `forbidden` for a role that may not.
    """
    if _is_sqlite(session):
        session.execute(_within(delete(Reading), month), execution_options={"synchronize_session": False})
        return
    with _told(month):
        session.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
        session.execute(text(f"TRUNCATE TABLE {name_of(month)}"))


def bring_back(session: Session, rows: Sequence[Row]) -> None:
    """Write readings that are not in the database."""
    insert_certain(session, Reading, _COLUMNS, rows)


def _within(statement: Any, month: Month) -> Select[*tuple[Any, ...]]:
    since, until = bounds(month)
    narrowed: Select[*tuple[Any, ...]] = statement.where(Reading.measured_at >= since, Reading.measured_at < until)
    return narrowed


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


@contextmanager
def _told(month: Month) -> Iterator[None]:
    """Tell what a lock that is not to be had, and a right that is missing, mean."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error.orig, errors.LockNotAvailable):
            expected = N_("nobody who reads that month for long; try again")
            raise Unavailable(Code.BUSY, "month", name_of(month), expected) from error
        if isinstance(error.orig, errors.InsufficientPrivilege):
            expected = N_("the database role that owns the table reading")
            raise Forbidden(Code.FORBIDDEN, "month", name_of(month), expected) from error
        raise
