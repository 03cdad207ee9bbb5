"""Guards: triggers by which the database itself refuses to update, delete or empty what is only ever added to.

They stand on statements and on columns, so that the one update of the ledger's hot path, of `custody.remaining`, meets
none. Whoever owns the database can take them away; what he changes then, the log shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

_MOVES = {
    "custody": {"remaining"},
    "pack": {"custody_id", "opened", "remaining"},
    "shipment": {"arrived_at", "arrival"},
}
"""Of guarded tables, the columns that may be updated."""

_GUARDED = (
    "stock_event",
    "movement",
    "custody",
    "deadline",
    "pack",
    "pack_registration",
    "shipment",
    "excursion_version",
    "adverse_event",
    "log_leaf",
    "log_node",
    "log_checkpoint",
)
_FUNCTION = "coldtrail_refuse"
_BODY = " BEGIN RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END "


@dataclass(frozen=True)
class Guard:
    """A trigger: its table, its name, and the statement that makes it."""

    table: str
    name: str
    made_by: str


def install(connection: Connection) -> None:
    """Make the guards that are missing, once there is a log."""
    lacking = list(_lacking(connection))
    if lacking and _is_postgres(connection):
        connection.execute(
            text(f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${_BODY}$$")
        )
    for guard in lacking:
        connection.execute(text(_dropped(connection, guard)))
        connection.execute(text(guard.made_by))


def remove(connection: Connection) -> None:
    """Take the guards away, for a migration that changes what they guard."""
    for guard in _guards(connection):
        connection.execute(text(_dropped(connection, guard)))


def missing(connection: Connection) -> list[str]:
    """Each guard that is not there as it was made, or not in force, named."""
    return [f"table {guard.table}: its guard {guard.name} is missing or was changed" for guard in _lacking(connection)]


def _lacking(connection: Connection) -> Iterator[Guard]:
    standing = _postgres_guards(connection) if _is_postgres(connection) else _sqlite_guards(connection)
    for guard in _guards(connection):
        if standing.get(guard.name) != _normal(guard.made_by):
            yield guard


def _guards(connection: Connection) -> Iterator[Guard]:
    """Every guard of the tables that are there; none before the migration that brings the log."""
    found = inspect(connection)
    tables = set(found.get_table_names())
    for table in _GUARDED:
        if table in tables and "log_leaf" in tables:
            columns = [each["name"] for each in found.get_columns(table)]
            yield from _guards_of(connection, table, columns)


def _guards_of(connection: Connection, table: str, columns: list[str]) -> Iterator[Guard]:
    fixed = [column for column in columns if column not in _MOVES.get(table, set())]
    updated = f"UPDATE OF {', '.join(fixed)}" if len(fixed) < len(columns) else "UPDATE"
    for action in (updated, "DELETE", "TRUNCATE"):
        name = f"guard_{table}_{action.split()[0].lower()}"
        if _is_postgres(connection):
            execution = f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
        elif action != "TRUNCATE":
            execution = f"BEGIN SELECT RAISE(ABORT, '{table} is only ever added to'); END"
        else:
            continue  # SQLite has none
        yield Guard(table, name, f"CREATE TRIGGER {name} BEFORE {action} ON {table} {execution}")


def _dropped(connection: Connection, guard: Guard) -> str:
    on = f" ON {guard.table}" if _is_postgres(connection) else ""
    return f"DROP TRIGGER IF EXISTS {guard.name}{on}"


def _sqlite_guards(connection: Connection) -> dict[str, str]:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    return {name: _normal(sql) for name, sql in connection.execute(text(query))}


def _postgres_guards(connection: Connection) -> dict[str, str]:
    """Those that are in force, each with the function that we made."""
    query = """
        SELECT tgname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE tgenabled IN ('O', 'A') AND proname = :function AND prosrc = :body
    """
    rows = connection.execute(text(query), {"function": _FUNCTION, "body": _BODY})
    return {name: _normal(made_by) for name, made_by in rows}


def _normal(made_by: str) -> str:
    """The statement as both databases write it: tables without their schema, names without quotes."""
    return " ".join(made_by.replace('"', "").replace(" ON public.", " ON ").split())


def _is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
