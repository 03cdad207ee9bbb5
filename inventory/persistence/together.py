"""Inserts and the update that goes with them in one statement, where the database can."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import JSON, Insert, Update, bindparam, column, func, insert, select
from sqlalchemy.orm import Session

from inventory.persistence.columns import Base
from inventory.persistence.prepared import PreparedWrite
from inventory.persistence.statements import core, insert_rows

Rows = Mapping[type[Base], Sequence[Mapping[str, Any]]]
"""New rows of tables, each row with every column."""


Change = tuple[Update, Mapping[str, Any]]
"""An update that is made beforehand, and its parameters."""


def insert_and_change(session: Session, rows: Rows, change: Change | None) -> int:
    """Insert the rows and carry out the update, if there is one; how many rows it changed.

    PostgreSQL takes inserts beside an update and looks at foreign keys when all is done, which saves the way there and
    back for each table. SQLite takes them one by one, and is not far away.
    """
    filled = {table: new for table, new in rows.items() if new}
    if change is not None and session.get_bind().dialect.name == "postgresql":
        update, parameters = change
        written = {f"new_{core(table).name}": [_plain(row) for row in new] for table, new in filled.items()}
        return _made(update, tuple(filled)).carry_out(session, [{**written, **parameters}])
    for table, new in filled.items():
        insert_rows(session, table, new)
    return 0 if change is None else _made(change[0]).carry_out(session, [change[1]])


def changed_one_each(session: Session, changes: Sequence[Change]) -> bool:
    """Carry out updates in their order, as few ways to the database as can be; whether each changed one row.

    None of them may change more than one.
    """
    return all(
        _made(update).carry_out(session, [parameters for _, parameters in alike]) == len(alike)
        for update, alike in ((update, list(group)) for update, group in groupby(changes, key=itemgetter(0)))
    )


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON can hold it; PostgreSQL reads ids and times from their text."""
    return {
        name: value if value is None or isinstance(value, int | str | dict | list) else str(value)
        for name, value in row.items()
    }


@cache
def _made(change: Update, inserted: tuple[type[Base], ...] = ()) -> PreparedWrite:
    return PreparedWrite(change.add_cte(*(_insert(table).cte(f"new_{core(table).name}") for table in inserted)))


def _insert(table: type[Base]) -> Insert:
    into = core(table)
    rows = func.json_to_recordset(bindparam(f"new_{into.name}", type_=JSON))
    columns = [column(each.name, each.type) for each in into.columns]
    new = rows.table_valued(*columns, name="new").render_derived(with_types=True)
    return insert(into).from_select([each.name for each in columns], select(*new.c))
