"""What becomes a leaf, and how a fact is read with all that was written with it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.domain.leaves import FactKind, plain
from inventory.persistence.columns import Base
from inventory.persistence.statements import core, rows_in
from inventory.persistence.tables import (
    AdverseEvent,
    Batch,
    Custody,
    Deadline,
    Excursion,
    ExcursionVersion,
    LogLeaf,
    Movement,
    PackRegistration,
    StockEvent,
)

Row = Mapping[str, Any]
Key = tuple[UUID, int]
"""A fact: its id, and which version of it, 0 where it has none."""


@dataclass(frozen=True)
class Fact:
    """A fact by its key, and the stream that it belongs to: its batch, or its sensor."""

    key: Key
    stream: UUID


@dataclass(frozen=True)
class Source:
    """A table whose rows become leaves; `recorded_at` is when one was written, by the service's clock."""

    kind: FactKind
    table: type[Base]
    id: InstrumentedAttribute[UUID]
    version: ColumnElement[int] | InstrumentedAttribute[int]
    stream: InstrumentedAttribute[UUID]
    recorded_at: InstrumentedAttribute[Any]
    read: Callable[[Session, Sequence[Key]], dict[Key, Row]]

    def without_leaf(self) -> Select[UUID, int, UUID]:
        """The facts that are in no leaf, by id, version and stream."""
        leaf = select(LogLeaf.number).where(LogLeaf.fact_id == self.id, LogLeaf.version == self.version)
        return (
            select(self.id, self.version.label("version"), self.stream)
            .where(~leaf.exists())
            .order_by(self.id, self.version)
        )


def read_events(session: Session, keys: Sequence[Key]) -> dict[Key, Row]:
    """Events with their batch, their movements, the custodies that these opened, and the clocks of those."""
    ids = [key for key, _ in keys]
    events = _rows(session, StockEvent, StockEvent.id, ids)
    movements = _rows(session, Movement, Movement.event_id, ids)
    opened = [row["to_custody_id"] for row in movements if row["to_custody_id"] and not row["reverses_id"]]
    custodies = _rows(session, Custody, Custody.id, opened, leave=("remaining",))
    deadlines = _rows(session, Deadline, Deadline.custody_id, opened)
    batches = _batches(session, events)
    entered = {row["to_custody_id"]: row["event_id"] for row in movements if not row["reverses_id"]}
    known = {row["id"]: {"event_id": row["id"], "batch_id": row["batch_id"]} for row in events}
    lines = _grouped(movements, known, lambda row: row["event_id"], lambda row: str(row["id"]))
    opens = _grouped(custodies, known, lambda row: entered[row["id"]], lambda row: str(row["id"]))
    clocks = _grouped(deadlines, known, lambda row: entered[row["custody_id"]], _clock_order)
    return {
        (row["id"], 0): {
            "event": plain(row),
            **_named(batches, row),
            "movements": lines[row["id"]],
            "custodies": opens[row["id"]],
            "deadlines": clocks[row["id"]],
        }
        for row in events
    }


def read_versions(session: Session, keys: Sequence[Key]) -> dict[Key, Row]:
    """Verdicts on excursions, with the rule that was copied onto the excursion."""
    wanted, ids = set(keys), {key for key, _ in keys}
    found = _rows(session, ExcursionVersion, ExcursionVersion.excursion_id, ids)
    excursions = rows_in(session, select(Excursion.id, *_RULE), Excursion.id, ids)
    rules = {row.id: plain({each.key: getattr(row, each.key) for each in _RULE}) for row in excursions}
    return {
        key: {"version": plain(row), "rule": rules.get(key[0], {})}
        for row in found
        if (key := (row["excursion_id"], int(row["version"]))) in wanted
    }


_RULE = (
    Excursion.side,
    Excursion.rule_name,
    Excursion.threshold,
    Excursion.inclusive,
    Excursion.duration_seconds,
    Excursion.window_seconds,
)
"""Of an excursion, what no verdict changes."""


def read_adverse_events(session: Session, keys: Sequence[Key]) -> dict[Key, Row]:
    """What was said of adverse events, each statement by itself."""
    rows = _rows(session, AdverseEvent, AdverseEvent.id, [key for key, _ in keys])
    return {(row["id"], 0): {"adverse_event": plain(row)} for row in rows}


def read_registrations(session: Session, keys: Sequence[Key]) -> dict[Key, Row]:
    """What was said of packs, by its digest; `coldtrail verify` holds the packs against what that was made of."""
    rows = _rows(session, PackRegistration, PackRegistration.id, [key for key, _ in keys], leave=("packs",))
    batches = _batches(session, rows)
    return {(row["id"], 0): {"registration": plain(row), **_named(batches, row)} for row in rows}


SOURCES: tuple[Source, ...] = (
    Source(
        FactKind.PACK_REGISTRATION,
        PackRegistration,
        PackRegistration.id,
        literal(0),
        PackRegistration.batch_id,
        PackRegistration.recorded_at,
        read_registrations,
    ),
    Source(
        FactKind.STOCK_EVENT,
        StockEvent,
        StockEvent.id,
        literal(0),
        StockEvent.batch_id,
        StockEvent.recorded_at,
        read_events,
    ),
    Source(
        FactKind.EXCURSION_VERSION,
        ExcursionVersion,
        ExcursionVersion.excursion_id,
        ExcursionVersion.version,
        ExcursionVersion.sensor_id,
        ExcursionVersion.recorded_at,
        read_versions,
    ),
    Source(
        FactKind.ADVERSE_EVENT,
        AdverseEvent,
        AdverseEvent.id,
        literal(0),
        AdverseEvent.batch_id,
        AdverseEvent.recorded_at,
        read_adverse_events,
    ),
)


def source(kind: FactKind) -> Source:
    """Where facts of a kind are read."""
    return next(each for each in SOURCES if each.kind is kind)


def _batches(session: Session, rows: Iterable[Row]) -> dict[UUID, Row]:
    """The batches of rows."""
    return {row["id"]: row for row in _rows(session, Batch, Batch.id, {row["batch_id"] for row in rows})}


def _named(batches: Mapping[UUID, Row], row: Row) -> Row:
    """The batch of a row by its name, for those who have nothing but the leaf."""
    batch = batches.get(row["batch_id"], {})
    return {"gtin": batch.get("gtin"), "batch": batch.get("number")}


def _clock_order(row: Row) -> tuple[str, str]:
    return str(row["custody_id"]), row["name"]


def _rows(
    session: Session,
    table: type[Base],
    column: InstrumentedAttribute[Any],
    values: Iterable[UUID],
    leave: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Rows as mappings, without the columns that move."""
    columns = [each for each in core(table).columns if each.name not in leave]
    names = [each.name for each in columns]
    return [dict(zip(names, row, strict=True)) for row in rows_in(session, select(*columns), column, values)]


def _grouped(
    rows: Iterable[Row], known: Mapping[UUID, Row], by: Callable[[Row], UUID], order: Callable[[Row], Any]
) -> defaultdict[UUID, list[dict[str, Any]]]:
    """Rows by their event, in an order; what they say of event and batch is left out where it is as `known`."""
    found: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=order):
        event = by(row)
        mine = known.get(event, {})
        found[event].append(plain({name: value for name, value in row.items() if mine.get(name) != value}))
    return found
