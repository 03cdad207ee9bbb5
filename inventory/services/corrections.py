"""An event is corrected: it is reversed as a whole, once, by an event that stays on record beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Conflict, Invalid, NotFound
from inventory.domain.handling import may_post
from inventory.domain.instants import stated
from inventory.domain.words import EventKind, Purpose
from inventory.persistence.database import Database
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Batch, Custody, Facility, Movement, Shipment, StockEvent
from inventory.services import assignments, ledger, lookups, pack_files, settled
from inventory.services.arrivals_known import is_arrival
from inventory.services.posting import Posted, Request, post


@dataclass(frozen=True)
class CorrectionOrder:
    """An event that is to be reversed, and why."""

    event: UUID
    occurred_at: datetime
    reason: str


def correct(database: Database, request: Request, order: CorrectionOrder) -> Posted:
    """Reverse an event: its doses are where they were, and what it opened is void.

    Raises:
        NotFound: `not_found`.
        Forbidden: `forbidden`; `not_your_facility` for what others wrote elsewhere.
        Invalid: `not_reversible` for a correction, `naive_time`, `time_in_future`.
        Conflict: `already_reversed`, `custody_touched` while later events stand on this one, or the administration
            that an override was for,
            `time_before_custody` for a time before the event's own, `time_before_count` where a later count of a place
            of the event differed, and for a count that differed while any later one of its place stands.
    """
    return post(database, request, order, _correct)


def _correct(session: Session, request: Request, order: CorrectionOrder) -> Posted:
    event = _event(session, order.event)
    may_post(EventKind.CORRECT, request.actor.role)
    may_post(event.kind, request.actor.role)
    facility = session.get_one(Facility, event.facility_id)
    if event.actor_id != request.actor.id:
        request.actor.may_write_for(_ordered_by(session, event, facility))
    at = stated("occurred_at", order.occurred_at, request.now)
    _refuse_what_cannot_be(session, event, at)
    lines = session.scalars(
        select(Movement).where(Movement.event_id == event.id, Movement.batch_id == event.batch_id).order_by(Movement.id)
    ).all()
    _refuse_touched(session, event, lines)
    _refuse_under_a_later_count(session, event, lines)
    _refuse_answered(session, event)
    batch = session.get_one(Batch, event.batch_id)
    if any(line.from_custody_id is None for line in lines) and (event.details or {}).get("packs"):
        pack_files.in_turn(session)  # its packs are to come again
    if event.shipment_id is not None:
        lookups.shipment(session, event.shipment_id, hold=True)  # when it arrived hangs on its other receipts
    draft = ledger.Draft(EventKind.CORRECT, batch, facility, at, event.shipment_id, order.reason, reverses_id=event.id)
    located = _located(session, event, lines)
    for line in lines:
        draft.reverse(line, located)
    if any(line.end_kind for line in lines):
        draft.packs.give_back(session, event.batch_id, event.details)
    events = ledger.record(session, request, [draft])
    _refuse_under_a_later_count(session, event, lines, keep_out=True)  # again, for one may have come meanwhile
    if event.kind is EventKind.RECEIVE and event.shipment_id is not None:
        _arrive_anew(session, event.shipment_id, request.now)
    elif event.kind in {EventKind.DISPATCH, EventKind.RETURN} and event.shipment_id is not None:
        _stay(session, event.shipment_id, request.now)
    return Posted(events, event.shipment_id)


def _event(session: Session, event_id: UUID) -> StockEvent:
    found = session.scalars(select(StockEvent).where(StockEvent.id == event_id)).one_or_none()
    if found is None:
        raise NotFound(Code.NOT_FOUND, "event", event_id, N_("the id of an event"))
    return found


def _ordered_by(session: Session, event: StockEvent, facility: Facility) -> Facility:
    """Whose word the event was: a transfer leaves a site by order of the store above it."""
    if event.kind is EventKind.DISPATCH and event.shipment_id is not None and facility.supplied_by_id is not None:
        shipment = session.get_one(Shipment, event.shipment_id)
        if shipment.purpose is Purpose.TRANSFER:
            return session.get_one(Facility, facility.supplied_by_id)
    return facility


def _refuse_what_cannot_be(session: Session, event: StockEvent, at: datetime) -> None:
    if event.kind is EventKind.CORRECT:
        expected = N_("an event that is no correction; record anew what was right")
        raise Invalid(Code.NOT_REVERSIBLE, "event", event.id, expected)
    reversed_by = select(StockEvent.id).where(StockEvent.reverses_id == event.id, StockEvent.batch_id == event.batch_id)
    if session.scalars(reversed_by).first() is not None:
        raise Conflict(Code.ALREADY_REVERSED, "event", event.id, N_("an event that was not corrected before"))
    if at < event.occurred_at:
        expected = N_("a time not before the event's own, %(occurred)s")
        occurred = event.occurred_at.isoformat()
        raise Conflict(Code.TIME_BEFORE_CUSTODY, "occurred_at", at.isoformat(), expected, occurred=occurred)


def _refuse_touched(session: Session, event: StockEvent, lines: Sequence[Movement]) -> None:
    """Later events first: what has been taken out of a custody that this event opened cannot be void."""
    opened = [line.to_custody_id for line in lines if line.to_custody_id is not None]
    touched = session.scalars(
        select(Custody.id).where(
            Custody.batch_id == event.batch_id, Custody.id.in_(opened), Custody.remaining != Custody.doses
        )
    ).first()
    if touched is not None:
        expected = N_("an event on which no later one stands; correct the later ones out of custody %(custody)s first")
        raise Conflict(Code.CUSTODY_TOUCHED, "event", event.id, expected, custody=touched)


def _located(session: Session, event: StockEvent, lines: Sequence[Movement]) -> dict[UUID, UUID]:
    """Where the custodies of an event's lines are."""
    custodies = {each for line in lines for each in (line.from_custody_id, line.to_custody_id) if each}
    query = select(Custody.id, Custody.location_id).where(Custody.batch_id == event.batch_id)
    return {row.id: row.location_id for row in rows_in(session, query, Custody.id, custodies)}


def _refuse_answered(session: Session, event: StockEvent) -> None:
    """A supervisor's word for one administration cannot be taken back while the doses count as given on it."""
    administration = (event.details or {}).get("administration") if event.kind is EventKind.OVERRIDE else None
    if administration is None:
        return
    given = select(StockEvent.id).where(
        StockEvent.id == UUID(administration),
        StockEvent.batch_id == event.batch_id,
        ledger.stands(StockEvent.id, StockEvent.batch_id),
    )
    if session.scalars(given).first() is not None:
        expected = N_("an override whose administration does not stand; correct the administration %(given)s first")
        raise Conflict(Code.CUSTODY_TOUCHED, "event", event.id, expected, given=administration)


def _refuse_under_a_later_count(
    session: Session, event: StockEvent, lines: Sequence[Movement], *, keep_out: bool = False
) -> None:
    """A later count has found what this one had brought the book to; without it, the book would differ from that."""
    if event.kind is not EventKind.COUNT or not lines:
        return
    details = event.details or {}
    if keep_out:
        settled.keep_out(session, details["appliance"], held=details["held"])
    for later in settled.counts_after(session, [(event.batch_id, event.facility_id)], event.occurred_at):
        if later.is_of(details["appliance"], held=details["held"]):
            expected = N_("the last count there; correct the count of %(counted)s first")
            counted = later.at.isoformat()
            raise Conflict(Code.TIME_BEFORE_COUNT, "event", event.id, expected, counted=counted)


def _arrive_anew(session: Session, shipment_id: UUID, now: datetime) -> None:
    """A shipment has arrived with the first of its receipts that still stands; with none, it is on its way again."""
    shipment = session.get_one(Shipment, shipment_id)
    first = _first_receipt(session, shipment)
    at, details = first or (None, {})
    ended_at, shipment.arrived_at, shipment.arrival = shipment.arrived_at, at, details.get("transport")
    session.flush()
    if ended_at not in {None, at}:
        assignments.resume_watch(session, shipment_id, ended_at, now)
        if at is not None:
            assignments.end_watch(session, shipment_id, at, now)


def _first_receipt(session: Session, shipment: Shipment) -> tuple[datetime, dict[str, Any]] | None:
    """When, and with what details, its receiver first received of it."""
    receipts = (
        select(StockEvent.occurred_at, StockEvent.details)
        .where(is_arrival(StockEvent, shipment), ledger.stands(StockEvent.id, StockEvent.batch_id))
        .order_by(StockEvent.recorded_at, StockEvent.id)
    )
    found = session.execute(receipts.limit(1)).first()
    return None if found is None else (found.occurred_at, found.details or {})


def _stay(session: Session, shipment_id: UUID, now: datetime) -> None:
    """A shipment that never left, for all that was on it was a slip: its sensors have watched nothing."""
    left = select(StockEvent.id).where(
        StockEvent.shipment_id == shipment_id,
        StockEvent.kind.in_([EventKind.DISPATCH, EventKind.RETURN]),
        ledger.stands(StockEvent.id, StockEvent.batch_id),
    )
    if session.scalars(left.limit(1)).first() is None:
        assignments.forget_watch(session, shipment_id, now)
