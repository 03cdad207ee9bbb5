"""Statements that both databases know under different imports."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.persistence.columns import Base


def insert_new(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Insert the rows whose key is not there yet; the primary keys of those that were new, in no order."""
    if not rows:
        return []
    core = table.__table__
    assert isinstance(core, Table)  # noqa: S101  (every table of ours is one; the type says FromClause)
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(core).on_conflict_do_nothing().returning(*core.primary_key.columns)
    return [tuple(row) for row in session.execute(statement, list(rows))]


PART = 500
"""How many values are asked for at a time; a statement takes only so many."""


def rows_in(
    session: Session,
    query: Select[*tuple[Any, ...]],
    column: ColumnElement[Any] | InstrumentedAttribute[Any],
    values: Iterable[Any],
) -> list[Row[*tuple[Any, ...]]]:
    """The rows of a query whose `column` is one of many values, asked for in parts."""
    wanted = iter(values)
    found: list[Row[*tuple[Any, ...]]] = []
    while part := list(islice(wanted, PART)):
        found += session.execute(query.where(column.in_(part)))
    return found
