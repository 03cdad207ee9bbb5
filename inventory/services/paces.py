"""How fast facilities work: what they did in the last hours, or else what they say they can do in a day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from inventory.domain.forecast import Done, Worker, rate, window
from inventory.domain.hours import WorkingDay
from inventory.domain.queues import Work
from inventory.domain.words import EventKind, Purpose
from inventory.persistence.tables import Facility, Movement, Shipment, StockEvent
from inventory.services import ledger

_DONE_BY = {Work.GIVE: EventKind.ADMINISTER, Work.SEND: EventKind.DISPATCH, Work.ARRIVE: EventKind.RECEIVE}
"""The events by which each work is done. What a store sent arrives at those whom it supplies."""

Watch = dict[tuple[EventKind, datetime, datetime], set[UUID]]


def works_of(facility: Facility) -> tuple[Work, ...]:
    """What a facility works off: a site gives doses; a store sends them on, and sees to it that they arrive."""
    if facility.kind.is_site:
        return (Work.GIVE,)
    return (Work.SEND, Work.ARRIVE) if facility.kind.is_store else ()


def workers(session: Session, facilities: Sequence[Facility], now: datetime) -> dict[tuple[UUID, Work], Worker]:
    """Each facility with its hours and its rate for each of its works, all from one question of the last hours."""
    supplied = _supplied(session, [each.id for each in facilities if each.kind.is_store])
    doers = {
        (facility.id, work): supplied[facility.id] if work is Work.ARRIVE else {facility.id}
        for facility in facilities
        for work in works_of(facility)
    }
    days = {each.id: WorkingDay(each.zone, each.session_ends) for each in facilities}
    watch: Watch = defaultdict(set)
    for (facility_id, work), those in doers.items():
        watch[_DONE_BY[work], *window(days[facility_id], now)] |= those
    done = _done(session, watch)
    found = {}
    for facility in facilities:
        day = days[facility.id]
        for work in works_of(facility):
            lately = _together(done, doers[facility.id, work], _DONE_BY[work])
            found[facility.id, work] = Worker(day, rate(day, facility.daily_capacity, lately, now), now)
    return found


def _supplied(session: Session, stores: Sequence[UUID]) -> Mapping[UUID, set[UUID]]:
    """Whom each store supplies."""
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    query = select(Facility.supplied_by_id, Facility.id).where(Facility.supplied_by_id.in_(stores))
    for store, facility in session.execute(query):
        if store is not None:
            found[store].add(facility)
    return found


def _done(session: Session, watch: Watch) -> dict[tuple[UUID, EventKind], Done]:
    """What was done in the windows, by facility and kind; of what arrived, only what a store had sent."""
    windows = [
        and_(
            StockEvent.kind == kind,
            StockEvent.facility_id.in_(those),
            StockEvent.occurred_at >= since,
            StockEvent.occurred_at <= until,
        )
        for (kind, since, until), those in watch.items()
        if since < until and those
    ]
    if not windows:
        return {}
    query = (
        select(
            StockEvent.facility_id,
            StockEvent.kind,
            func.sum(Movement.doses).label("doses"),
            func.min(StockEvent.occurred_at).label("first_at"),
        )
        .join(Movement, and_(Movement.event_id == StockEvent.id, Movement.batch_id == StockEvent.batch_id))
        .outerjoin(Shipment, Shipment.id == StockEvent.shipment_id)
        .where(
            or_(*windows),
            or_(StockEvent.kind != EventKind.RECEIVE, Shipment.purpose == Purpose.SUPPLY),
            ledger.stands(StockEvent.id, StockEvent.batch_id),
        )
        .group_by(StockEvent.facility_id, StockEvent.kind)
    )
    return {(row.facility_id, row.kind): Done(int(row.doses), row.first_at) for row in session.execute(query)}


def _together(done: Mapping[tuple[UUID, EventKind], Done], those: Iterable[UUID], kind: EventKind) -> Done | None:
    """What several facilities have done, if anything."""
    found = [done[each, kind] for each in those if (each, kind) in done]
    if not found:
        return None
    return Done(sum(each.doses for each in found), min(each.first_at for each in found))
