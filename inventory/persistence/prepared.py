"""Queries that are asked again and again, sent to PostgreSQL with as little around them as there can be.

SQLAlchemy makes a query, once, and the driver sends it. What is left out takes SQLAlchemy longer than many of them take
the database: to look up by all of its parts what was made of a query, and to describe its result anew each time.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

import psycopg
from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.dialects.postgresql import psycopg as postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

K = TypeVar("K")
Change = Callable[[Any], Any]

_POSTGRES: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass
class Prepared:
    """A query of columns with named parameters, each of one value.

    `named`: whether its columns are known by name and not only by place, which costs a little for each row.
    """

    query: Select[*tuple[Any, ...]]
    named: bool = True

    def rows(self, session: Session, **parameters: Any) -> Sequence[Any]:
        """The rows."""
        return self.on(session.connection(), parameters)

    def on(self, connection: Connection, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """The rows by a connection."""
        if connection.dialect.name != "postgresql":
            return connection.execute(self.query, parameters).all()
        return self._made.rows(connection, parameters)

    @cached_property
    def _made(self) -> "_Made":
        return _Made(self.query, named=self.named)


class _Made:
    """The text of a query, and what values have to be changed into on their way there and back."""

    def __init__(self, query: Select[*tuple[Any, ...]], *, named: bool) -> None:
        compiled = query.compile(dialect=_POSTGRES)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        columns = query.selected_columns
        self._text = compiled.string.encode()
        self._there = dict(_changes((name, _there(bind.type)) for name, bind in binds.items()))
        self._known = self._bound({name: bind.value for name, bind in binds.items() if bind.value is not None})
        self._back = list(_changes((place, _back(column.type)) for place, column in enumerate(columns)))
        self._row: Change = _row([getattr(column, "name", "") for column in columns]) if named else tuple

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        found = _fetched(connection, self._text, self._known | self._bound(parameters))
        return [*map(self._row, map(self._read, found) if self._back else found)]

    def _bound(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        there = self._there
        return {name: there[name](value) if name in there else value for name, value in parameters.items()}

    def _read(self, row: tuple[Any, ...]) -> list[Any]:
        values = list(row)
        for place, change in self._back:
            values[place] = change(values[place])
        return values


def _row(names: Iterable[str]) -> Change:
    """What makes a row of values; a value without a name is known by its place only."""
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    return cast(Change, kind._make)


def _changes(named: Iterable[tuple[K, Change | None]]) -> Iterable[tuple[K, Change]]:
    return ((name, change) for name, change in named if change is not None)


def _there(kind: TypeEngine[Any]) -> Change | None:
    return kind.dialect_impl(_POSTGRES).bind_processor(_POSTGRES)


def _back(kind: TypeEngine[Any]) -> Change | None:
    return kind.dialect_impl(_POSTGRES).result_processor(_POSTGRES, None)


def _fetched(connection: Connection, text: bytes, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """What the driver fetches; its errors are told as SQLAlchemy would tell them."""
    driver = cast(psycopg.Connection[tuple[Any, ...]], connection.connection.dbapi_connection)
    try:
        with driver.cursor() as cursor:
            return cursor.execute(text, parameters).fetchall()
    except psycopg.Error as error:
        if lost := driver.closed:
            connection.invalidate(error)
            connection.engine.dispose()  # the others in the pool, which are as old, have died with it
        told = DBAPIError.instance(text.decode(), None, error, psycopg.Error, connection_invalidated=lost)
        raise told from error
