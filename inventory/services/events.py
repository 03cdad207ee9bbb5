"""What happened: the events of the ledger, corrected ones and corrections among them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.errors import N_, Code, Invalid, NotFound
from inventory.domain.products import gtin as valid_gtin
from inventory.domain.transport import TransportRecord
from inventory.domain.words import EventKind, WasteReason
from inventory.persistence.database import Database
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Batch, Facility, Movement, StockEvent, Token
from inventory.services import lookups
from inventory.services.ledger import stands
from inventory.services.paging import Page, page
from inventory.services.posting import PostedMovement
from inventory.services.transports import loaded

KEY = (StockEvent.occurred_at, StockEvent.id)
"""Events in the order in which they happened."""


@dataclass(frozen=True)
class EventSummary:
    """An event without what it moved; `corrected_by` is the event that reversed it."""

    id: UUID
    kind: EventKind
    facility: str
    gtin: str
    batch: str
    shipment: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    cause: WasteReason | None
    reason: str | None
    reverses: UUID | None
    corrected_by: UUID | None

    @property
    def stands(self) -> bool:
        """Whether it was not corrected."""
        return self.corrected_by is None


@dataclass(frozen=True)
class Event(EventSummary):
    """An event as it was recorded: what only its kind has, the transport record if one came with it, what it moved."""

    details: dict[str, Any]
    transport: TransportRecord | None
    movements: tuple[PostedMovement, ...]

    @property
    def doses(self) -> int:
        """How many doses it moved."""
        return sum(line.doses for line in self.movements)

    @property
    def recipient(self) -> str | None:
        """To whom doses were given: an opaque reference."""
        found: str | None = self.details.get("recipient")
        return found


@dataclass(frozen=True)
class EventFilter:
    """Which events are wanted: those of a facility, a batch or a shipment, from an instant until before another."""

    facility: str | None = None
    gtin: str | None = None
    batch: str | None = None
    shipment: UUID | None = None
    kind: EventKind | None = None
    since: datetime | None = None
    until: datetime | None = None
    corrected: bool = True
    kinds: tuple[EventKind, ...] = ()

    @property
    def of_kinds(self) -> tuple[EventKind, ...]:
        """The kinds that are wanted; none where all are."""
        return self.kinds if self.kind is None else (self.kind,)


def list_events(database: Database, wanted: EventFilter, after: str | None, limit: int) -> Page[Event]:
    """Events as they happened, the newest last.

    Raises:
        Invalid: `malformed` where neither a facility nor a batch nor a shipment is named, for that would be the whole
            ledger; `not_found` for a facility that is not known, `malformed` or `wrong_check_digit` for the GTIN.
    """
    with database.read() as session:
        return page_of_events(session, wanted, after, limit)


def page_of_events(session: Session, wanted: EventFilter, after: str | None, limit: int) -> Page[Event]:
    """The same for a service that asks more of the same moment."""
    if wanted.facility is None and wanted.batch is None and wanted.shipment is None:
        raise Invalid(Code.MALFORMED, "facility", None, N_("a facility, a batch or a shipment"))
    found = page(session, summaries().where(*_conditions(session, wanted)), KEY, after, limit)
    moved = _movements(session, found.items)
    return found.map(lambda row: _event(row, moved[row[0].id]))


def events_of(session: Session, ids: Iterable[UUID]) -> dict[UUID, Event]:
    """The events of ids, as far as there are any."""
    rows = rows_in(session, summaries(), StockEvent.id, ids)
    moved = _movements(session, rows)
    return {row[0].id: _event(row, moved[row[0].id]) for row in rows}


def get_event(database: Database, event: UUID) -> Event:
    """One event; NotFound `not_found`."""
    with database.read() as session:
        row = session.execute(summaries().where(StockEvent.id == event)).one_or_none()
        if row is None:
            raise NotFound(Code.NOT_FOUND, "event", event, N_("the id of an event"))
        return _event(row, _movements(session, [row])[event])


def summaries() -> Any:
    """A query of events with what a summary needs; the correction is looked up for what is shown, and no more."""
    reversal = aliased(StockEvent)
    undone = and_(reversal.reverses_id == StockEvent.id, reversal.batch_id == StockEvent.batch_id)
    return (
        select(
            StockEvent,
            Facility.code.label("facility"),
            Batch.gtin,
            Batch.number,
            Token.name.label("actor"),
            select(reversal.id).where(undone).scalar_subquery().label("corrected_by"),
        )
        .join(Facility, Facility.id == StockEvent.facility_id)
        .join(Batch, Batch.id == StockEvent.batch_id)
        .join(Token, Token.id == StockEvent.actor_id)
    )


def summary_of(row: Any) -> EventSummary:
    """The summary in a row of `summaries`."""
    event: StockEvent = row[0]
    return EventSummary(
        event.id,
        event.kind,
        row.facility,
        row.gtin,
        row.number,
        event.shipment_id,
        event.occurred_at,
        event.recorded_at,
        row.actor,
        event.cause,
        event.reason,
        event.reverses_id,
        row.corrected_by,
    )


def _conditions(session: Session, wanted: EventFilter) -> list[ColumnElement[bool]]:
    """By ids, so that each has its index: facilities and batches are few, events are many."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.facility is not None:
        conditions.append(StockEvent.facility_id == lookups.facility(session, wanted.facility).id)
    if wanted.batch is not None or wanted.gtin is not None:
        conditions.append(StockEvent.batch_id.in_(_batches(session, wanted)))
    if wanted.shipment is not None:
        conditions.append(StockEvent.shipment_id == wanted.shipment)
    if wanted.of_kinds:
        conditions.append(StockEvent.kind.in_(wanted.of_kinds))
    if wanted.since is not None:
        conditions.append(StockEvent.occurred_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(StockEvent.occurred_at < wanted.until)
    if not wanted.corrected:
        conditions.append(stands(StockEvent.id, StockEvent.batch_id))
    return conditions


def _batches(session: Session, wanted: EventFilter) -> Sequence[UUID]:
    """The batches of a number, of a product, or the one of both."""
    query = select(Batch.id)
    if wanted.gtin is not None:
        query = query.where(Batch.gtin == valid_gtin(wanted.gtin))
    if wanted.batch is not None:
        query = query.where(Batch.number == wanted.batch)
    return session.scalars(query).all()


def _movements(session: Session, rows: Sequence[Any]) -> dict[UUID, list[PostedMovement]]:
    """What each event moved, in the order in which it was written."""
    moved: defaultdict[UUID, list[PostedMovement]] = defaultdict(list)
    query = select(Movement).order_by(Movement.id)
    for (line,) in rows_in(session, query, Movement.event_id, [row[0].id for row in rows]):
        moved[line.event_id].append(
            PostedMovement(line.from_custody_id, line.to_custody_id, line.end_kind, line.doses, line.chosen)
        )
    return moved


def _event(row: Any, movements: Sequence[PostedMovement]) -> Event:
    details = dict(row[0].details or {})
    transport = details.pop("transport", None)
    return Event(
        **vars(summary_of(row)),
        details=details,
        transport=loaded(transport) if transport else None,
        movements=tuple(movements),
    )
