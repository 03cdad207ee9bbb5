"""Adverse events: what is heard of them, corrected and reported on, each as a statement beside those before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.adverse_events import AdverseEventKind, Nature, Said, reporting
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.instants import stated
from inventory.domain.recipients import opaque, without_numbers
from inventory.domain.words import EventKind, FacilityKind
from inventory.persistence.database import Database
from inventory.persistence.statements import core, insert_rows
from inventory.persistence.tables import AdverseEvent, Facility, StockEvent
from inventory.services import lookups, reporting_clocks
from inventory.services.adverse_event_history import unknown
from inventory.services.ids import new_id
from inventory.services.ledger import stands
from inventory.services.posting import PostedStatement, Request, post_statement


@dataclass(frozen=True)
class AdverseEventOrder:
    """An adverse event that a facility has heard of, after an administration.

    `reference` names the case in the register of such events, and nobody's person. The facility is the site that gave
    the dose unless another is named; it has to report the event on. `heard_at` is when it heard of it.
    """

    reference: str
    administration: UUID
    kind: AdverseEventKind
    onset_at: datetime
    heard_at: datetime
    facility: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class UpdateOrder:
    """What a facility has heard since at `heard_at`, or what it should have said; None where nothing else is known."""

    adverse_event: UUID
    nature: Nature
    heard_at: datetime
    kind: AdverseEventKind | None = None
    onset_at: datetime | None = None
    reference: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class ReportOrder:
    """That an adverse event, as it is known now, was reported on: when, and to whom."""

    adverse_event: UUID
    reported_at: datetime
    reported_to: str


def record_adverse_event(database: Database, request: Request, order: AdverseEventOrder) -> PostedStatement:
    """Attach an adverse event to an administration, and begin the clock of its report.

    Raises:
        Forbidden: `not_your_facility`.
        Invalid: `not_found` for the administration or the facility, `wrong_facility_kind`, `named_person`,
            `naive_time`, `time_in_future`, `time_before_cause` for an onset before the dose or a hearing before that.
        Conflict: `already_reversed` for an administration that was corrected, `idempotency_key_reused`.
    """
    return post_statement(database, request, order, _record)


def update_adverse_event(database: Database, request: Request, order: UpdateOrder) -> PostedStatement:
    """Follow an adverse event up, or correct what was said last; what was said before stays.

    Raises:
        NotFound: `not_found`.
        Others: as `record_adverse_event`; `time_before_cause` also for a follow-up that was heard before what it
            follows, and for a correction by which a report would have been made before anybody had heard.
    """
    return post_statement(database, request, order, _update)


def report_adverse_event(database: Database, request: Request, order: ReportOrder) -> PostedStatement:
    """Say that an adverse event was reported on, which meets the clock that stands.

    Raises:
        NotFound: `not_found`.
        Others: as `record_adverse_event`; `time_before_cause` for a report before it was heard of.
    """
    return post_statement(database, request, order, _report)


def _record(session: Session, request: Request, order: AdverseEventOrder) -> PostedStatement:
    given = _administration(session, order.administration)
    facility = session.get_one(Facility, given.facility_id)
    if order.facility is not None:
        facility = lookups.facility(session, order.facility)
    request.actor.may_write_for(facility)
    if facility.kind is FacilityKind.SUPPLIER:
        expected = N_("a store or a site")
        raise Invalid(Code.WRONG_FACILITY_KIND, "facility", facility.code, expected)
    first = new_id()
    said = AdverseEvent(
        id=first,
        batch_id=given.batch_id,
        first_id=first,
        version=1,
        nature=Nature.FIRST,
        administration_id=given.id,
        facility_id=facility.id,
        reference=opaque(order.reference, "reference"),
        kind=order.kind,
        onset_at=order.onset_at,
        heard_at=order.heard_at,
        note=without_numbers(order.note, "note"),
        reported_at=None,
        reported_to=None,
    )
    _refuse_impossible_times(said, given.occurred_at, request.now)
    return _write(session, request, [], said)


def _update(session: Session, request: Request, order: UpdateOrder) -> PostedStatement:
    history = _history(session, request, order.adverse_event)
    last = history[-1]
    said = _following(
        last,
        nature=order.nature,
        kind=order.kind or last.kind,
        reference=opaque(order.reference, "reference") or last.reference,
        onset_at=order.onset_at or last.onset_at,
        heard_at=order.heard_at,
        note=without_numbers(order.note, "note") or last.note,
        reported_at=None,
        reported_to=None,
    )
    given = session.get_one(StockEvent, (last.administration_id, last.batch_id))
    _refuse_impossible_times(said, given.occurred_at, request.now)
    if order.nature is Nature.FOLLOW_UP and said.heard_at < last.heard_at:
        raise _too_early("heard_at", said.heard_at, last.heard_at)
    return _write(session, request, history, said)


def _report(session: Session, request: Request, order: ReportOrder) -> PostedStatement:
    history = _history(session, request, order.adverse_event)
    last = history[-1]
    at = stated("reported_at", order.reported_at, request.now)
    if at < last.heard_at:
        raise _too_early("reported_at", at, last.heard_at)
    told = without_numbers(order.reported_to, "reported_to")
    said = _following(last, nature=Nature.REPORT, reported_at=at, reported_to=told)
    return _write(session, request, history, said)


def _administration(session: Session, administration: UUID) -> StockEvent:
    found = session.execute(
        select(StockEvent, stands(StockEvent.id, StockEvent.batch_id)).where(
            StockEvent.id == administration, StockEvent.kind == EventKind.ADMINISTER
        )
    ).one_or_none()
    if found is None:
        raise Invalid(Code.NOT_FOUND, "administration", administration, N_("the id of an administration"))
    if not found[1]:
        expected = N_("an administration that was not corrected")
        raise Conflict(Code.ALREADY_REVERSED, "administration", administration, expected)
    event: StockEvent = found[0]
    return event


def _history(session: Session, request: Request, adverse_event: UUID) -> Sequence[AdverseEvent]:
    """All that was said of an adverse event, to whoever may say more."""
    query = select(AdverseEvent).where(AdverseEvent.first_id == adverse_event).order_by(AdverseEvent.version)
    found = session.scalars(query).all()
    if not found:
        raise unknown(adverse_event)
    request.actor.may_write_for(session.get_one(Facility, found[0].facility_id))
    return found


def _following(last: AdverseEvent, **changed: Any) -> AdverseEvent:
    """The statement after one: the same but for what is changed."""
    kept = {each.key: getattr(last, each.key) for each in core(AdverseEvent).columns}
    return AdverseEvent(**{**kept, "id": new_id(), "version": last.version + 1, **changed})


def _refuse_impossible_times(said: AdverseEvent, given_at: datetime, now: datetime) -> None:
    """A dose is given, something follows, somebody hears of it: in this order."""
    said.onset_at = stated("onset_at", said.onset_at, now)
    said.heard_at = stated("heard_at", said.heard_at, now)
    if said.onset_at < given_at:
        raise _too_early("onset_at", said.onset_at, given_at)
    if said.heard_at < said.onset_at:
        raise _too_early("heard_at", said.heard_at, said.onset_at)


def _too_early(field: str, at: datetime, earliest: datetime) -> Invalid:
    expected = N_("a time not before %(earliest)s")
    return Invalid(Code.TIME_BEFORE_CAUSE, field, at.isoformat(), expected, earliest=earliest.isoformat())


def _write(session: Session, request: Request, history: Sequence[AdverseEvent], said: AdverseEvent) -> PostedStatement:
    """Write a statement with the clock as it stands after it; an urgent one is told at once.

    Of two that follow the same statement, the second finds its version taken and is run again.
    """
    clock = reporting(Said(each.nature, each.kind, each.reported_at or each.heard_at) for each in [*history, said])
    if clock.reported_at is not None and clock.reported_at < clock.opened_at:
        expected = N_("a time not after the report of %(reported)s, which speaks of it")
        at, reported = said.heard_at.isoformat(), clock.reported_at.isoformat()
        raise Invalid(Code.TIME_BEFORE_CAUSE, "heard_at", at, expected, reported=reported)
    said.clock_opened_at, said.due_at, said.met_at = clock.opened_at, clock.due_at, clock.reported_at
    said.actor_id, said.recorded_at = request.actor.id, request.now
    row = {each.key: getattr(said, each.key) for each in core(AdverseEvent).columns}
    insert_rows(session, AdverseEvent, [row])
    reporting_clocks.tell_urgent(session, said, request.now)
    return PostedStatement(said.first_id, said.version, request.now)
