"""The same SQL by hand: the statements that a service sends, sent again by psycopg with nothing around them."""

from collections.abc import Callable
from typing import Any, Self, cast

import psycopg

from inventory.persistence.database import Database

Statement = tuple[bytes, Any]


def recorded(database: Database, call: Callable[[], object]) -> list[Statement]:
    """What a call sends on a database's connection, of which there is one so far, or none."""
    said: list[Statement] = []

    class Hearing(psycopg.Cursor[Any]):
        """A cursor that is heard."""

        def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
            said.append((query if isinstance(query, bytes) else query.encode(), params))
            return super().execute(query, params, **options)

    with database.reader.connect() as connection:
        cast(psycopg.Connection[Any], connection.connection.dbapi_connection).cursor_factory = Hearing
    call()
    return said


def send(connection: psycopg.Connection[Any], statements: list[Statement]) -> None:
    """Send statements, of which the first begins a transaction, and fetch every row, as a program by hand would."""
    with connection.cursor() as cursor:
        for statement, parameters in statements:
            cursor.execute(statement, parameters)
            if cursor.description:
                cursor.fetchall()
        cursor.execute("COMMIT")
