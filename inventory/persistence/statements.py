"""Statements that both databases know under different imports."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Insert, Row, Select, Table, Uuid, func, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.persistence.arrays import array, packed
from inventory.persistence.columns import Base
from inventory.persistence.prepared import PreparedWrite


def insert_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that hold every column, with no object made of them."""
    if rows:
        session.execute(_insert(table), rows if len(rows) > 1 else rows[0])


def insert_new(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Insert the rows whose key is not there yet; the primary keys of those that were new, in no order."""
    if not rows:
        return []
    keys = core(table).primary_key.columns
    return [tuple(row) for row in session.execute(_insert_new(table, _dialect(session)).returning(*keys), list(rows))]


def insert_unless_there(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows, that hold every column, whose key is not there yet; how many were new."""
    return _unless_there(table, _dialect(session)).carry_out(session, rows) if rows else 0


@cache
def _unless_there(table: type[Base], dialect: str) -> PreparedWrite:
    return PreparedWrite(_insert_new(table, dialect))


@cache
def _insert(table: type[Base]) -> Insert:
    return insert(core(table))


@cache
def _insert_new(table: type[Base], dialect: str) -> postgresql.Insert | sqlite.Insert:
    made: postgresql.Insert | sqlite.Insert = (sqlite if dialect == "sqlite" else postgresql).insert(core(table))
    return made.on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


def core(table: type[Base]) -> Table:
    """The table without its objects."""
    core = table.__table__
    assert isinstance(core, Table)  # noqa: S101  (every table of ours is one; the type says FromClause)
    return core


PART = 500
"""How many values are asked for at a time; a statement takes only so many."""


def rows_in(
    session: Session,
    query: Select[*tuple[Any, ...]],
    column: ColumnElement[Any] | InstrumentedAttribute[Any],
    values: Iterable[Any],
) -> list[Row[*tuple[Any, ...]]]:
    """The rows of a query whose `column` is one of many values, asked for in parts; ids, on PostgreSQL, at once."""
    if isinstance(column.type, Uuid) and _dialect(session) == "postgresql":
        ids = list(values)
        several = query.where(column == func.any(array("among", column.type)))
        return list(session.execute(several, {"among": packed(ids, column.type)})) if ids else []
    wanted = iter(values)
    found: list[Row[*tuple[Any, ...]]] = []
    while part := list(islice(wanted, PART)):
        found += session.execute(query.where(column.in_(part)))
    return found


def rows_with(
    session: Session,
    query: Select[*tuple[Any, ...]],
    columns: Sequence[InstrumentedAttribute[Any]],
    keys: Iterable[Sequence[Any]],
) -> list[Row[*tuple[Any, ...]]]:
    """The rows of a query in which some columns together have one of many values."""
    if _dialect(session) != "postgresql":
        return rows_in(session, query, tuple_(*columns), keys)
    values = list(zip(*keys, strict=True))
    if not values:
        return []
    names = [f"among_{each.key}" for each in columns]
    given = [array(name, each.type) for name, each in zip(names, columns, strict=True)]
    among = func.unnest(*given).table_valued(*names).render_derived()
    parameters = {name: packed(each, column.type) for name, column, each in zip(names, columns, values, strict=True)}
    return list(session.execute(query.where(tuple_(*columns).in_(select(*among.c))), parameters))
