"""Whatever is changed in the database itself, row by row and column by column, is found, and named."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, Enum, Table, and_, delete, insert, select, text, update
from sqlalchemy.orm import Session

from inventory.domain.checkpoints import Note, VerifierKey
from inventory.persistence import guards
from inventory.persistence.columns import Base
from inventory.persistence.statements import core
from inventory.persistence.tables import (
    AdverseEvent,
    Custody,
    Deadline,
    ExcursionVersion,
    LogCheckpoint,
    LogLeaf,
    LogNode,
    LogState,
    Movement,
    PackRegistration,
    StockEvent,
)
from inventory.services.ids import new_id
from inventory.services.log.verification import Checked, findings
from inventory.services.verification import verify
from tests.county import NOW
from tests.logs import Logged, logged
from tests.services import Template
from tests.tampering import tamper, tampered

FACTS = (StockEvent, Movement, Custody, Deadline, ExcursionVersion, AdverseEvent, PackRegistration)
LOG = (LogLeaf, LogNode, LogCheckpoint)
MOVES = {("custody", "remaining"), ("pack_registration", "packs")}
"""What may change, or is in no leaf, and is recomputed by `coldtrail verify`."""

COLUMNS = [
    pytest.param(table, column.name, id=f"{core(table).name}.{column.name}")
    for table in (*FACTS, *LOG)
    for column in core(table).columns
    if (core(table).name, column.name) not in MOVES
]


@pytest.fixture(scope="module")
def there(database_template: Template) -> Iterator[Logged]:
    with database_template.clone() as url, logged(url) as found:
        yield found


def faults(session: Session, there: Logged, held: tuple[Note, ...] = (), *keys: VerifierKey) -> list[str]:
    """What is found, but for the guards, which are away while somebody tampers."""
    found = findings(session, keys or [there.key.verifier], held)
    return [each for each in found if not isinstance(each, Checked) and "guard" not in each]


def row_of(session: Session, table: type[Base], column: Column[Any] | None = None) -> dict[str, Any]:
    """A row, the oldest one that has something in a column."""
    mine = core(table)
    query = select(mine).order_by(*mine.primary_key.columns)
    if column is not None:
        filled = session.execute(query.where(column.is_not(None))).mappings().first()
        if filled is not None:
            return dict(filled)
    return dict(session.execute(query).mappings().first() or {})


def key_of(table: Table, row: dict[str, Any]) -> Any:
    return and_(*(each == row[each.name] for each in table.primary_key.columns))


def other(column: Column[Any], value: Any) -> Any:
    """Another value that the column can have."""
    if isinstance(column.type, Enum):
        words = column.type.enum_class or ()
        return next(word for word in words if word != value)
    if value is None:
        return column.type.python_type(1) if column.type.python_type is int else new_id()
    return next(change(value) for kind, change in CHANGES.items() if isinstance(value, kind))


CHANGES: dict[type, Any] = {
    UUID: lambda _: new_id(),
    datetime: lambda at: at + timedelta(microseconds=1),
    bool: lambda value: not value,
    int: lambda number: number + 10**6,
    bytes: lambda value: bytes([value[0] ^ 1]) + value[1:],
    dict: lambda value: {**value, "more": 1},
    str: lambda value: value[:-1] + ("x" if value[-1] != "x" else "y"),
}


ANOTHER = new_id()
ALONG: dict[tuple[type[Base], str], dict[str, Any]] = {
    (AdverseEvent, "first_id"): {"version": 2},
    (AdverseEvent, "version"): {"first_id": ANOTHER},
}
"""What has to be changed together, for a check of the table's own would refuse one of them."""


def names(session: Session, table: type[Base], row: dict[str, Any]) -> set[str]:
    """By what a finding may name a row: the fact that it is of, its leaf, or its own key."""
    if table is LogLeaf:
        return {f"leaf {row['number']}", f"leaves {row['number']} to"}
    if table is LogNode:
        return {"log_node"}
    if table is LogCheckpoint:
        return {f"log_checkpoint {row['size']}", "log_checkpoint"}
    if table in {StockEvent, AdverseEvent, PackRegistration}:
        return {str(row["id"])}
    if table is ExcursionVersion:
        return {str(row["excursion_id"])}
    if table is Deadline:
        found = session.scalar(select(Custody.event_id).where(Custody.id == row["custody_id"]))
        return {str(found)}
    return {str(row["event_id"])}


def named(found: list[str], wanted: set[str]) -> bool:
    return any(name in fault for fault in found for name in wanted)


def test_nothing_is_found_where_nothing_was_changed(there: Logged) -> None:
    with there.database.read() as session:
        *found, checked = findings(session, [there.key.verifier], there.notes)
        kinds = {leaf.kind.value for leaf in there.leaves()}
    assert (found, checked) == ([], Checked(there.notes[-1].checkpoint.size, 2, 0))
    assert kinds == {"stock-event", "excursion-version", "adverse-event", "pack-registration"}
    with tampered(there.database) as session:
        assert faults(session, there) == []


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_changed_column_is_found_and_named(there: Logged, table: type[Base], column: str) -> None:
    mine = core(table)
    with tampered(there.database) as session:
        row = row_of(session, table, mine.c[column])
        wanted = names(session, table, row)
        changed = other(mine.c[column], row[column])
        along = {"first_id": changed} if (table, column) == (AdverseEvent, "id") else ALONG.get((table, column), {})
        session.execute(update(mine).where(key_of(mine, row)).values({column: changed, **along}))
        found = faults(session, there)
    assert named(found, wanted), found


def test_each_change_of_a_fact_says_what_it_was_and_is(there: Logged) -> None:
    with tampered(there.database) as session:
        correction = session.scalars(select(StockEvent).where(StockEvent.kind == "correct")).one()
        session.execute(update(StockEvent).where(StockEvent.id == correction.id).values(reason="no slip"))
        (found,) = faults(session, there)
    assert f'stock-event {correction.id}: event.reason was "a slip of the finger", is "no slip"' in found


@pytest.mark.parametrize("table", [*FACTS, *LOG], ids=lambda table: core(table).name)
def test_a_deleted_row_is_found_and_named(there: Logged, table: type[Base]) -> None:
    mine = core(table)
    with tampered(there.database) as session:
        row = row_of(session, table)
        wanted = names(session, table, row)
        session.execute(delete(mine).where(key_of(mine, row)))
        found = faults(session, there)
    assert named(found, wanted), found


@pytest.mark.parametrize("which", [0, -1], ids=["first", "newest"])
def test_a_checkpoint_that_is_gone_is_named_by_what_comes_after_it(there: Logged, which: int) -> None:
    size = there.notes[which].checkpoint.size
    with tampered(there.database) as session:
        session.execute(delete(LogCheckpoint).where(LogCheckpoint.size == size))
        (found,) = faults(session, there)
    assert found.startswith(f"log_checkpoint {size}: is gone, and "), found


def test_the_newest_checkpoint_that_the_state_forgets_is_missed_by_who_kept_it(there: Logged) -> None:
    size, before = there.notes[1].checkpoint.size, there.notes[0].checkpoint.size
    with tampered(there.database) as session:
        session.execute(delete(LogCheckpoint).where(LogCheckpoint.size == size))
        session.execute(update(LogState).values(signed=before))
        assert faults(session, there) == []  # nor can it be told from one that was never signed
        (found,) = faults(session, there, there.notes)
    assert found == f"the checkpoint of {size} leaves that was kept elsewhere: is gone from log_checkpoint"


def test_the_newest_leaf_and_its_checkpoint_deleted_are_found_by_what_was_kept_elsewhere(there: Logged) -> None:
    last = there.notes[-1].checkpoint.size
    with tampered(there.database) as session:
        session.execute(delete(LogCheckpoint).where(LogCheckpoint.size == last))
        session.execute(delete(LogLeaf).where(LogLeaf.number == last - 1))
        session.execute(update(LogState).values(size=last - 1, signed=there.notes[0].checkpoint.size))
        assert faults(session, there) == []
        found = faults(session, there, there.notes)[-1]
    assert found == f"the checkpoint of {last} leaves that was kept elsewhere: the log has only {last - 1} leaves"


INSERTED: dict[type[Base], dict[str, Any]] = {
    StockEvent: {"id": new_id()},
    Movement: {"id": new_id()},
    Deadline: {"name": "thaw"},
    ExcursionVersion: {"version": 9},
    AdverseEvent: {"id": ANOTHER, "first_id": ANOTHER},
    PackRegistration: {"id": new_id()},
    LogLeaf: {"number": 10**6, "fact_id": new_id(), "stream_number": 10**6},
    LogNode: {"number": 10**6},
    LogCheckpoint: {"size": 2},
}


@pytest.mark.parametrize("table", INSERTED, ids=lambda table: core(table).name)
def test_an_inserted_row_is_found_and_named(there: Logged, table: type[Base]) -> None:
    with tampered(there.database) as session:
        row = row_of(session, table) | INSERTED[table]
        session.execute(insert(core(table)).values(row))
        found = faults(session, there)
        wanted = names(session, table, row)
    assert named(found, wanted), found


def test_an_inserted_custody_is_found_by_the_ledger_itself(there: Logged) -> None:
    with tampered(there.database) as session:
        row = row_of(session, Custody) | {"id": new_id()}
    with there.database.read() as session:
        assert session.get(Custody, (row["id"], row["batch_id"])) is None
    tamper(there.database, insert(core(Custody)).values(row))
    try:
        assert any(f"custody {row['id']}: opened with" in each for each in verify(there.database).faults)
    finally:
        tamper(there.database, delete(Custody).where(Custody.id == row["id"]))


def test_rows_in_another_order_are_found_and_named(there: Logged) -> None:
    one, two = there.leaves()[3:5]
    with tampered(there.database) as session:
        for number, into in ((one.number, -1), (two.number, one.number), (-1, two.number)):
            session.execute(update(LogLeaf).where(LogLeaf.number == number).values(number=into))
        found = faults(session, there)
    size = there.notes[0].checkpoint.size
    assert f"log_checkpoint {size}: leaves 0 to {size - 1}, or their order, are not what was signed" in "\n".join(found)


@pytest.mark.parametrize("column", ["occurred_at", "recorded_at", "id"])
def test_events_that_change_places_are_found_and_named(there: Logged, column: str) -> None:
    with tampered(there.database) as session:
        order = getattr(StockEvent, column)
        one, *_, two = session.scalars(select(StockEvent).order_by(order)).all()
        first, second, ids = getattr(one, column), getattr(two, column), {str(one.id), str(two.id)}
        assert first != second
        between = new_id() if column == "id" else NOW
        for at, value in ((one.id, between), (two.id, first), (between if column == "id" else one.id, second)):
            session.execute(update(core(StockEvent)).where(core(StockEvent).c.id == at).values({column: value}))
        found = faults(session, there)
    assert all(any(name in fault for fault in found) for name in ids), found


def test_a_fact_its_leaf_and_its_hash_changed_together_are_found_by_the_signature(there: Logged) -> None:
    from inventory.domain.leaves import canonical
    from inventory.domain.merkle import leaf_hash
    from inventory.services.log.facts import source

    with tampered(there.database) as session:
        leaf = session.scalars(select(LogLeaf).where(LogLeaf.fact_id == UUID(there.administration))).one()
        session.execute(update(StockEvent).where(StockEvent.id == leaf.fact_id).values(reason="forged"))
        facts = source(leaf.kind).read(session, [(leaf.fact_id, 0)])[leaf.fact_id, 0]
        forged = canonical(leaf.kind, leaf.stream_id, leaf.stream_number, facts)
        values = {"content": forged.decode(), "hash": leaf_hash(forged)}
        session.execute(update(LogLeaf).where(LogLeaf.number == leaf.number).values(values))
        found = faults(session, there)
    size = there.notes[0].checkpoint.size
    assert any(f"log_checkpoint {size}: leaves 0 to {size - 1}" in each for each in found)
    assert any(each.startswith("log_node") and "not the hash of leaves" in each for each in found)


def test_a_checkpoint_of_another_key_is_found(there: Logged) -> None:
    from inventory.services.log import keys

    stranger = keys.generate(there.key.verifier.name)
    note = there.notes[-1].checkpoint.signed(stranger.verifier, stranger.sign)
    with tampered(there.database) as session:
        session.execute(
            update(LogCheckpoint).where(LogCheckpoint.size == there.notes[-1].checkpoint.size).values(note=note)
        )
        (found,) = faults(session, there)
    assert found.endswith("not signed by any of the given keys")
    with there.database.read() as session:
        assert faults(session, there, (), stranger.verifier) != []


def test_the_database_refuses_what_may_not_be(there: Logged) -> None:
    """Every guarded table: neither an update of what does not move, nor a delete, nor emptying it."""
    for table in (*FACTS, *LOG):
        name = core(table).name
        column = next(iter(core(table).primary_key.columns)).name
        statements = [f"UPDATE {name} SET {column} = {column}", f"DELETE FROM {name}"]  # noqa: S608
        if not there.database.is_sqlite:
            statements.append(f"TRUNCATE {name} CASCADE")
        for statement in statements:
            with there.database.engine.connect() as connection, pytest.raises(Exception, match="only ever added to"):
                connection.execute(text(statement))
    with there.database.engine.begin() as connection:
        connection.execute(text("UPDATE custody SET remaining = remaining"))
        connection.execute(text("UPDATE pack SET custody_id = custody_id, remaining = remaining, opened = opened"))


def test_a_guard_that_is_away_or_idle_is_named(there: Logged) -> None:
    with there.database.engine.connect() as connection:
        transaction = connection.begin()
        if there.database.is_sqlite:
            connection.execute(text("DROP TRIGGER guard_movement_update"))
        else:
            connection.execute(text("ALTER TABLE movement DISABLE TRIGGER guard_movement_update"))
        (found,) = guards.missing(connection)
        assert "table movement: its guard guard_movement_update" in found
        guards.install(connection)
        assert guards.missing(connection) == []
        transaction.rollback()
        assert guards.missing(connection) == []
