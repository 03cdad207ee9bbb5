"""Many values as one parameter of PostgreSQL.

Most go as one text that the database cuts up: the driver takes longer to write an array of them than the database to
read this one. What may be empty, or hold anything, goes as the driver's array.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, String, TableValuedAlias, Text, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

_SEPARATOR = "\x1f"


def are_taken(session: Session) -> bool:
    """Whether the database of a session takes many values so."""
    return session.get_bind().dialect.name == "postgresql"


def array(name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """The array that the parameter `name` holds as `packed` made it."""
    if _is_free(kind):
        return bindparam(name, type_=ARRAY(kind))
    return cast(func.string_to_array(bindparam(name, type_=String), _SEPARATOR, ""), ARRAY(kind))


def rows(**columns: TypeEngine[Any]) -> TableValuedAlias:
    """A table of parameters of these names, each an array as `packed` made it, row by row.

    How many there are is hidden from the planner: to plan anew for each number is dearer than what it would save.
    """
    hidden = (select(array(name, kind)).scalar_subquery() for name, kind in columns.items())
    return func.unnest(*hidden).table_valued(*columns).render_derived("asked")


def packed(values: Iterable[Any], kind: TypeEngine[Any]) -> Any:
    """Values of a column as a parameter; None is NULL."""
    if _is_free(kind):
        return list(values)
    return _SEPARATOR.join(["" if value is None else str(value) for value in values])


def _is_free(kind: TypeEngine[Any]) -> bool:
    """Whether texts of a type may be anything: names and codes. Those of type Text are JSON that we wrote."""
    return isinstance(kind, String) and not isinstance(kind, Text)
