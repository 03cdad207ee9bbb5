"""The ledger's events as EPCIS events, a page of stock events at a time, each page by a handful of queries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from inventory.domain.epcis.events import Json
from inventory.domain.epcis.facts import Declared, Fact, Party, Trip
from inventory.domain.epcis.mapping import events_of
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.words import EventKind
from inventory.persistence.database import Database
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Batch, Facility, Product, Shipment, StockEvent
from inventory.services import lookups
from inventory.services.epcis import lines, packing, sensing
from inventory.services.paging import Page, page

KEY = (StockEvent.occurred_at, StockEvent.id)
PART = 1000
"""How many stock events a stream reads at a time."""


@dataclass(frozen=True)
class Span:
    """Which stock events are told: of a batch, a shipment, or from an instant until before another; at one facility."""

    gtin: str | None = None
    batch: str | None = None
    shipment: UUID | None = None
    facility: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_epcis(database: Database, wanted: Span, after: str | None, limit: int) -> Page[Json]:
    """The EPCIS events of a page of at most `limit` stock events, as they happened, the newest last.

    A stock event may be several EPCIS events, and one that was corrected comes twice: when it happened, and with its
    error declaration when the correction was made.

    Raises:
        Invalid: `malformed` where neither a batch nor a shipment nor both ends of a span are stated; `not_found`,
            `unknown_product`, `unknown_batch`.
    """
    with database.read() as session:
        found = page(session, _events().where(*_conditions(session, wanted)), KEY, after, limit)
        told = _told(session, _parties(session), found.items)
        return Page(list(told), found.next)


def stream_epcis(database: Database, wanted: Span) -> Iterator[Json]:
    """The same of all pages, as they were at one moment; what is kept in memory is a page."""
    with database.read() as session:
        parties = _parties(session)
        query = _events().where(*_conditions(session, wanted))
        after: str | None = None
        while True:
            found = page(session, query, KEY, after, PART)
            yield from _told(session, parties, found.items)
            session.expunge_all()
            after = found.next
            if after is None:
                return


def _events() -> Any:
    return (
        select(StockEvent, Batch.gtin, Batch.number, Batch.expiry, Product.doses_per_vial)
        .join(Batch, Batch.id == StockEvent.batch_id)
        .join(Product, Product.gtin == Batch.gtin)
    )


def _conditions(session: Session, wanted: Span) -> list[ColumnElement[bool]]:
    if (wanted.batch is None) != (wanted.gtin is None) or not _is_bounded(wanted):
        expected = N_("a GTIN with a batch, a shipment, or a time from and to")
        raise Invalid(Code.MALFORMED, "batch", wanted.batch or wanted.gtin, expected)
    conditions: list[ColumnElement[bool]] = []
    if wanted.batch is not None and wanted.gtin is not None:
        conditions.append(StockEvent.batch_id == lookups.batch(session, wanted.gtin, wanted.batch).batch.id)
    if wanted.shipment is not None:
        conditions.append(StockEvent.shipment_id == lookups.shipment(session, wanted.shipment).id)
    if wanted.facility is not None:
        conditions.append(StockEvent.facility_id == lookups.facility(session, wanted.facility).id)
    if wanted.since is not None:
        conditions.append(StockEvent.occurred_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(StockEvent.occurred_at < wanted.until)
    return conditions


def _is_bounded(wanted: Span) -> bool:
    """Whether it is less than the whole ledger."""
    return bool(wanted.batch or wanted.shipment or (wanted.since and wanted.until))


def _parties(session: Session) -> Mapping[UUID, Party]:
    """All facilities; they are few."""
    rows = session.execute(select(Facility.id, Facility.code, Facility.gln, Facility.zone))
    return {row.id: Party(row.code, row.gln, row.zone) for row in rows}


def _told(session: Session, parties: Mapping[UUID, Party], rows: Sequence[Any]) -> Iterator[Json]:
    """The EPCIS events of some stock events; of a correction, those of what it reversed, declared an error."""
    reversed_ids = [row[0].reverses_id for row in rows if row[0].kind is EventKind.CORRECT]
    originals = {row[0].id: row for row in rows_in(session, _events(), StockEvent.id, reversed_ids)}
    subjects = [originals[row[0].reverses_id] if row[0].reverses_id else row for row in rows]
    scene = _Scene(session, parties, [row[0] for row in subjects])
    for row, subject in zip(rows, subjects, strict=True):
        error = Declared(row[0].recorded_at, row[0].reason) if row[0].reverses_id else None
        yield from events_of(scene.fact(subject, error))


class _Scene:
    """What some stock events refer to."""

    def __init__(self, session: Session, parties: Mapping[UUID, Party], events: Sequence[StockEvent]) -> None:
        self._parties = parties
        self._by_code = {party.code: party for party in parties.values()}
        self._lines = lines.lines_of(session, events, parties)
        self._trips = _trips(session, parties, {*_shipments(events), *lines.shipments(self._lines)})
        self._measured = sensing.trips_measured(session, [each for each in events if each.kind is EventKind.RECEIVE])
        self._packing = packing.aggregations(session, events)

    def fact(self, row: Any, error: Declared | None) -> Fact:
        """All that is told of one of them."""
        event: StockEvent = row[0]
        details = event.details or {}
        return Fact(
            event.id,
            event.kind,
            row.gtin,
            row.number,
            row.expiry,
            row.doses_per_vial,
            self._parties[event.facility_id],
            event.occurred_at,
            event.recorded_at,
            self._lines.get(event.id, ()),
            cause=event.cause,
            details=details,
            trips=self._trips,
            shipment=event.shipment_id,
            counterpart=self._by_code.get(details.get("supplier") or details.get("to") or ""),
            measured=self._measured.get(event.shipment_id, ()) if event.shipment_id else (),
            aggregations=self._packing.get(event.id, {}),
            error=error,
        )


def _shipments(events: Sequence[StockEvent]) -> Iterator[UUID]:
    return (event.shipment_id for event in events if event.shipment_id is not None)


def _trips(session: Session, parties: Mapping[UUID, Party], wanted: set[UUID]) -> dict[UUID, Trip]:
    query = select(Shipment.id, Shipment.from_facility_id, Shipment.to_facility_id, Shipment.purpose)
    return {
        row.id: Trip(row.id, parties[row.from_facility_id], parties[row.to_facility_id], row.purpose)
        for row in rows_in(session, query, Shipment.id, wanted)
    }
