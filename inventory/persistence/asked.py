"""A statement that is asked of many rows of parameters at once, whatever the database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import FromClause, Select, literal, select, union_all
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from inventory.persistence import arrays
from inventory.persistence.prepared import Prepared

_PART = 100
"""How many rows SQLite is asked at a time: a compound SELECT takes only so many."""


@dataclass
class Asked:
    """A query made over a table of parameters with columns of these names and types.

    On PostgreSQL it is made once and sent as one statement; on SQLite the rows are written out in parts, so that the
    query has to be one whose answer for a row is not spread over several of them. It asks for columns, and not for
    objects; whether these are `named` is as in Prepared.
    """

    kinds: Mapping[str, TypeEngine[Any]]
    build: Callable[[FromClause], Select[*tuple[Any, ...]]]
    named: bool = True

    def rows(self, session: Session, values: Sequence[Sequence[Any]], **parameters: Any) -> Sequence[Any]:
        """The answers to all rows of values, each in the order of the columns."""
        if not values:
            return []
        connection = session.connection()
        if connection.dialect.name != "postgresql":
            parts = (values[start : start + _PART] for start in range(0, len(values), _PART))
            return [row for part in parts for row in connection.execute(self.build(self._written(part)), parameters)]
        columns = zip(self.kinds.items(), zip(*values, strict=True), strict=True)
        packed = {name: arrays.packed(column, kind) for (name, kind), column in columns}
        return self._made.rows(session, **packed, **parameters)

    @cached_property
    def _made(self) -> Prepared:
        return Prepared(self.build(arrays.rows(**self.kinds)), self.named)

    def _written(self, values: Sequence[Sequence[Any]]) -> FromClause:
        kinds = list(self.kinds.items())
        each = [
            select(*(literal(value, kind).label(name) for (name, kind), value in zip(kinds, row, strict=True)))
            for row in values
        ]
        return union_all(*each).subquery("asked")
