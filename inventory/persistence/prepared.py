"""Queries and writes that go again and again, sent to PostgreSQL with as little around them as there can be.

SQLAlchemy makes a statement, once, and the driver sends it. What is left out takes SQLAlchemy longer than many of them
take the database: to look up by all of its parts what was made of it, and to describe its result anew each time.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, cast

import psycopg
from sqlalchemy import CompoundSelect, Connection, Dialect, Insert, Select, Update
from sqlalchemy.dialects.postgresql import psycopg as postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

K = TypeVar("K")
Query = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
_Change = Callable[[Any], Any]

_POSTGRES: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass
class Prepared:
    """A query of columns with named parameters, each of one value.

    `named`: whether its columns are known by name and not only by place, which costs a little for each row.
    """

    query: Query
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


@dataclass
class PreparedWrite:
    """An insert or update with named parameters; no other value of a row is made up beside it."""

    statement: Insert | Update

    def carry_out(self, session: Session, parameters: Sequence[Mapping[str, Any]]) -> int:
        """Carry it out once for each of these parameters; how many rows that wrote."""
        connection = session.connection()
        if connection.dialect.name != "postgresql":
            return connection.execute(self.statement, list(parameters)).rowcount
        return self._made.carry_out(connection, parameters)

    @cached_property
    def _made(self) -> "_Text":
        return _Text(self.statement)


class _Text:
    """The text of a statement, and what values have to be changed into on their way there."""

    def __init__(self, statement: Query | Insert | Update) -> None:
        compiled = statement.compile(dialect=_POSTGRES)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        self._text = compiled.string.encode()
        self._there = dict(_changes((name, _there(bind.type)) for name, bind in binds.items()))
        self._known = self._bound({name: bind.value for name, bind in binds.items() if bind.value is not None})

    def fetched(self, connection: Connection, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with self._told(connection) as cursor:
            return cursor.execute(self._text, self._known | self._bound(parameters)).fetchall()

    def carry_out(self, connection: Connection, parameters: Sequence[Mapping[str, Any]]) -> int:
        with self._told(connection) as cursor:
            bound = [self._known | self._bound(each) for each in parameters]
            if len(bound) == 1:
                cursor.execute(self._text, bound[0])
            else:
                cursor.executemany(self._text, bound)
            return cursor.rowcount

    def _bound(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        there = self._there
        return {name: there[name](value) if name in there else value for name, value in parameters.items()}

    @contextmanager
    def _told(self, connection: Connection) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
        """A cursor of the driver, whose errors are told as SQLAlchemy would tell them."""
        driver = cast(psycopg.Connection[tuple[Any, ...]], connection.connection.dbapi_connection)
        try:
            with driver.cursor() as cursor:
                yield cursor
        except psycopg.Error as error:
            if lost := driver.closed:
                connection.invalidate(error)
                connection.engine.dispose()  # the others in the pool, which are as old, have died with it
            text = self._text.decode()
            told = DBAPIError.instance(text, None, error, psycopg.Error, connection_invalidated=lost)
            raise told from error


class _Made(_Text):
    """The text of a query, and what its values have to be changed into on their way back."""

    def __init__(self, query: Query, *, named: bool) -> None:
        super().__init__(query)
        columns = query.selected_columns
        self._back = list(_changes((place, _back(column.type)) for place, column in enumerate(columns)))
        self._row: _Change = _row([getattr(column, "name", "") for column in columns]) if named else tuple

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        found = self.fetched(connection, parameters)
        return [*map(self._row, map(self._read, found) if self._back else found)]

    def _read(self, row: tuple[Any, ...]) -> list[Any]:
        values = list(row)
        for place, change in self._back:
            values[place] = change(values[place])
        return values


def _row(names: Iterable[str]) -> _Change:
    """What makes a row of values; a value without a name is known by its place only."""
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    return cast(_Change, kind._make)


def _changes(named: Iterable[tuple[K, _Change | None]]) -> Iterable[tuple[K, _Change]]:
    return ((name, change) for name, change in named if change is not None)


def _there(kind: TypeEngine[Any]) -> _Change | None:
    return kind.dialect_impl(_POSTGRES).bind_processor(_POSTGRES)


def _back(kind: TypeEngine[Any]) -> _Change | None:
    return kind.dialect_impl(_POSTGRES).result_processor(_POSTGRES, None)
