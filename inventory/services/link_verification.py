"""Proving that what the ledger's rows name is there: with foreign keys off, a database lets anything be deleted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Column, FromClause, and_, select
from sqlalchemy.orm import Session

from inventory.persistence.statements import core
from inventory.persistence.tables import (
    AdverseEvent,
    Custody,
    Deadline,
    Location,
    Movement,
    Pack,
    PackRegistration,
    Shipment,
    StockEvent,
)

_TABLES = (StockEvent, Custody, Movement, Deadline, Pack, PackRegistration, Shipment, Location, AdverseEvent)
_CORRECTIONS = (StockEvent, Movement)
"""What names its original, by a column that has no foreign key."""


@dataclass(frozen=True)
class _Link:
    """A table, its columns that name a row, and, in their order, those by which the row is found in another table."""

    table: FromClause
    columns: tuple[Column[object], ...]
    target: FromClause
    key: tuple[str, ...]


def broken_links(session: Session) -> list[str]:
    """Rows that name what is not there."""
    return [fault for link in _links() for fault in _broken(session, link)]


CHECKS: tuple[Callable[[Session], list[str]], ...] = (broken_links,)


def _links() -> Iterator[_Link]:
    for table in map(core, _TABLES):
        for constraint in sorted(table.foreign_key_constraints, key=lambda each: tuple(each.column_keys)):
            key = tuple(each.column.name for each in constraint.elements)
            yield _Link(table, tuple(constraint.columns), constraint.referred_table, key)
    for table in map(core, _CORRECTIONS):
        yield _Link(table, (table.c.reverses_id, table.c.batch_id), table, ("id", "batch_id"))


def _broken(session: Session, link: _Link) -> Iterator[str]:
    target, named = link.target.alias(), link.columns[0]
    there = select(target.c[link.key[0]]).where(
        *(target.c[key] == column for key, column in zip(link.key, link.columns, strict=True))
    )
    mine = next(iter(link.table.primary_key))
    query = select(mine, named.label("named")).where(
        and_(*(each.is_not(None) for each in link.columns)), ~there.exists()
    )
    for row in session.execute(query):
        yield f"{link.table.description} {row[0]}: its {named.name} {row.named} is not in {link.target.description}"
