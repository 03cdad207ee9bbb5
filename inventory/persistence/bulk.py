"""Many rows at once: what an ingest writes in a chunk, in as few statements as each database takes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

import psycopg
from sqlalchemy import (
    Column,
    Connection,
    Table,
    Update,
    and_,
    bindparam,
    column,
    func,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from inventory.persistence.arrays import array, packed
from inventory.persistence.columns import Base
from inventory.persistence.statements import core, insert_new, insert_rows

Row = tuple[Any, ...]

_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]


def insert_certain(session: Session, table: type[Base], names: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows whose keys are known to be new, by COPY where the database has it."""
    if not rows:
        return
    if _is_postgres(session):
        _copy(session, core(table).name, table, names, rows)
    else:
        insert_rows(session, table, [dict(zip(names, row, strict=True)) for row in rows])


def insert_unknown(session: Session, table: type[Base], names: Sequence[str], rows: Sequence[Row]) -> set[Row]:
    """Insert the rows whose key is not there yet; the keys of those that were new. No key may come twice.

    On PostgreSQL by COPY into a table of this transaction and one INSERT ... ON CONFLICT from it.
    """
    if not rows:
        return set()
    if not _is_postgres(session):
        return set(insert_new(session, table, [dict(zip(names, row, strict=True)) for row in rows]))
    name, key = core(table).name, ", ".join(each.name for each in core(table).primary_key.columns)
    columns = ", ".join(names)
    connection = session.connection()
    connection.exec_driver_sql(f"CREATE TEMP TABLE IF NOT EXISTS staged_{name} (LIKE {name}) ON COMMIT DELETE ROWS")
    connection.exec_driver_sql(f"TRUNCATE staged_{name}")
    _copy(session, f"staged_{name}", table, names, rows)
    found = connection.exec_driver_sql(
        f"INSERT INTO {name} ({columns}) SELECT {columns} FROM staged_{name} "  # noqa: S608  (names are our own)
        f"ON CONFLICT DO NOTHING RETURNING {key}"
    )
    return {tuple(_in_utc(value) for value in row) for row in found}


def _in_utc(value: Any) -> Any:
    """The driver gives instants in the server's zone, in which hours cannot be reckoned with."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def update_where(
    session: Session, table: type[Base], same: Sequence[str], names: Sequence[str], rows: Sequence[Row]
) -> int:
    """Set columns `names` of the rows whose columns `same` have some values; how many rows were changed.

    Each of `rows` holds the values of `same` and then those of `names`. A condition that no row meets any more, such
    as a version, leaves its row alone and the count short.
    """
    if not rows:
        return 0
    columns = _named(core(table), same, names)
    parameters: Any
    if _is_postgres(session):
        statement = _update_from_arrays(table, tuple(same), tuple(names))
        values = zip(columns.items(), zip(*rows, strict=True), strict=True)
        parameters = {name: packed(each, column.type) for (name, column), each in values}
    else:
        statement = _update_each(table, tuple(same), tuple(names))
        parameters = [dict(zip(columns, row, strict=True)) for row in rows]
    changed: int = session.execute(statement, parameters).rowcount  # type: ignore[attr-defined]
    return changed


@cache
def _update_from_arrays(table: type[Base], same: tuple[str, ...], names: tuple[str, ...]) -> Update:
    target = core(table)
    columns = _named(target, same, names)
    arrays = [array(name, each.type) for name, each in columns.items()]
    given = [column(name, each.type) for name, each in columns.items()]
    new = func.unnest(*arrays).table_valued(*given, name="new").render_derived()
    statement = update(target).values({name: new.c[f"to_{name}"] for name in names})
    return statement.where(and_(*(target.c[name] == new.c[f"is_{name}"] for name in same)))


@cache
def _update_each(table: type[Base], same: tuple[str, ...], names: tuple[str, ...]) -> Update:
    target = core(table)
    statement = update(target).values({name: bindparam(f"to_{name}", type_=target.c[name].type) for name in names})
    return statement.where(and_(*(target.c[name] == bindparam(f"is_{name}") for name in same)))


def _named(target: Table, same: Sequence[str], names: Sequence[str]) -> dict[str, Column[Any]]:
    """Columns by the names of their parameters; one may be both condition and set, as a version is."""
    conditions = {f"is_{name}": target.c[name] for name in same}
    return conditions | {f"to_{name}": target.c[name] for name in names}


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _copy(session: Session, into: str, table: type[Base], names: Sequence[str], rows: Sequence[Row]) -> None:
    connection = session.connection()
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101  (the dialect that was asked for)
    statement = f"COPY {into} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"
    with _told(connection, statement), driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(_types(core(table), tuple(names)))
        for row in rows:
            copy.write_row(row)


@cache
def _types(table: Table, names: tuple[str, ...]) -> list[str]:
    """The types' names as the driver knows them, without a length."""
    return [table.c[name].type.compile(_POSTGRES).lower().partition("(")[0] for name in names]


@contextmanager
def _told(connection: Connection, statement: str) -> Iterator[None]:
    """Tell the driver's errors as SQLAlchemy does, which it cannot where the driver was spoken to directly."""
    try:
        yield
    except psycopg.Error as error:
        died = connection.dialect.is_disconnect(error, None, None)  # type: ignore[arg-type]
        if died:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, connection_invalidated=died, dialect=connection.dialect
        ) from error
