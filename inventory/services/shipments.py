"""Vaccine on its way: dispatch from a store, and the receipt of what came, whole or in part."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inventory.domain import deadlines
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.instants import civil_day, stated
from inventory.domain.products import whole_vials
from inventory.domain.words import EventKind, LocationKind
from inventory.persistence.database import Database
from inventory.persistence.tables import Batch, Custody, Facility, Location, Product, Shipment
from inventory.services import assignments, ledger, lookups
from inventory.services.ids import new_id
from inventory.services.places import storages
from inventory.services.posting import Posted, Request, post
from inventory.services.rules import deadline_rules


@dataclass(frozen=True)
class Line:
    """Doses of a batch; `custody` where they are to be taken from one that is named."""

    gtin: str
    batch: str
    doses: int
    custody: UUID | None = None


@dataclass(frozen=True)
class DispatchOrder:
    """What leaves a store for a store or a site, with the serials of the sensors in its cold boxes."""

    from_facility: str
    to_facility: str
    occurred_at: datetime
    lines: tuple[Line, ...]
    sensors: tuple[str, ...] = ()


@dataclass(frozen=True)
class ArrivalOrder:
    """What of a shipment arrived and went into an appliance; no lines mean all that was still on its way."""

    shipment: UUID
    appliance: str
    occurred_at: datetime
    lines: tuple[Line, ...] = ()


def dispatch(database: Database, request: Request, order: DispatchOrder) -> Posted:
    """Send doses on their way: they leave the store's custodies for the shipment's, their delivery clock running.

    Raises:
        Forbidden: `not_your_facility`.
        Invalid: `not_found`, `unknown_product`, `unknown_batch`, `naive_time`, `time_in_future`,
            `wrong_facility_kind`, `not_whole_vials`, `batch_expired`, `wrong_custody`, `repeated_line`.
        Conflict: `not_enough_doses`, `time_before_custody`, `sensor_in_use`, `idempotency_key_reused`.
    """
    return post(database, request, order, _dispatch)


def receive_shipment(database: Database, request: Request, order: ArrivalOrder) -> Posted:
    """Receive what arrived. What was sent and is not received stays in transit, where it can be seen.

    Raises:
        Forbidden: `not_your_facility`, for a shipment to somebody else.
        NotFound: `not_found`, for a shipment that is not known.
        Invalid: `wrong_appliance`, `time_before_shipment`, `not_whole_vials` and as for `dispatch`.
        Conflict: `not_enough_doses` for more than is still on its way, `idempotency_key_reused`.
    """
    return post(database, request, order, _receive_shipment)


def _dispatch(session: Session, request: Request, order: DispatchOrder) -> Posted:
    at = stated("occurred_at", order.occurred_at, request.now)
    sender, receiver = _route(session, request, order)
    shipment, transit = _new_shipment(session, sender, receiver, at)
    drafts = []
    for batch, product, line in _known(session, order.lines):
        whole_vials("doses", line.doses, product.doses_per_vial)
        if civil_day(at, sender.zone) > batch.expiry:
            raise Invalid(Code.BATCH_EXPIRED, "batch", line.batch, N_("a batch that has not expired"))
        draft = ledger.Draft(EventKind.DISPATCH, batch, sender, at, shipment)
        wanted = ledger.Wanted(batch, line.doses, storages(session, sender), at, line.custody)
        takes, chosen = ledger.choose(session, wanted)
        clocks = ledger.clocks_on(session, batch, [take.custody_id for take in takes])
        for take in takes:
            child = draft.open_custody(transit, take.doses, clocks[take.custody_id], take.custody_id)
            draft.move(take.custody_id, take.doses, chosen, to=child)
        drafts.append(draft)
    assignments.watch_shipment(session, order.sensors, shipment, at, request.now)
    return Posted(ledger.record(session, request, drafts), shipment)


def _receive_shipment(session: Session, request: Request, order: ArrivalOrder) -> Posted:
    at = stated("occurred_at", order.occurred_at, request.now)
    shipment = lookups.shipment(session, order.shipment)
    receiver = session.get_one(Facility, shipment.to_facility_id)
    request.actor.may_write_for(receiver)
    if at < shipment.dispatched_at:
        expected = N_("a time not before the dispatch, %(dispatched)s")
        sent = shipment.dispatched_at.isoformat()
        raise Invalid(Code.TIME_BEFORE_SHIPMENT, "occurred_at", at.isoformat(), expected, dispatched=sent)
    storage = lookups.storage_of(session, lookups.appliance_of(session, order.appliance, receiver))
    transit = session.scalars(select(Location.id).where(Location.shipment_id == shipment.id)).one()
    rules = deadline_rules(session)
    drafts = []
    for batch, product, line in _known(session, order.lines or _on_its_way(session, transit)):
        whole_vials("doses", line.doses, product.doses_per_vial)
        draft = ledger.Draft(EventKind.RECEIVE, batch, receiver, at, shipment.id)
        takes, chosen = ledger.choose(session, ledger.Wanted(batch, line.doses, [transit], at, line.custody))
        running = ledger.clocks_on(session, batch, [take.custody_id for take in takes])
        for take in takes:
            clocks = deadlines.on_arrival(rules, receiver.kind, receiver.zone, at, running[take.custody_id])
            child = draft.open_custody(storage, take.doses, clocks, take.custody_id)
            draft.move(take.custody_id, take.doses, chosen, to=child)
        drafts.append(draft)
    _arrived(session, shipment, at, request.now)
    return Posted(ledger.record(session, request, drafts), shipment.id)


def _route(session: Session, request: Request, order: DispatchOrder) -> tuple[Facility, Facility]:
    """A store supplies stores and sites; nobody supplies himself, a supplier or from a site."""
    sender = lookups.facility(session, order.from_facility, "from_facility")
    request.actor.may_write_for(sender)
    receiver = lookups.facility(session, order.to_facility, "to_facility")
    if not sender.kind.is_store:
        raise Invalid(Code.WRONG_FACILITY_KIND, "from_facility", sender.code, N_("a city or county store"))
    if not (receiver.kind.is_store or receiver.kind.is_site) or receiver.id == sender.id:
        raise Invalid(Code.WRONG_FACILITY_KIND, "to_facility", receiver.code, N_("another store, or a site"))
    return sender, receiver


def _new_shipment(session: Session, sender: Facility, receiver: Facility, at: datetime) -> tuple[UUID, UUID]:
    shipment = Shipment(id=new_id(), from_facility_id=sender.id, to_facility_id=receiver.id, dispatched_at=at)
    session.add(shipment)
    session.flush()
    transit = Location(id=new_id(), kind=LocationKind.TRANSIT, shipment_id=shipment.id)
    session.add(transit)
    session.flush()
    return shipment.id, transit.id


def _known(session: Session, lines: Sequence[Line]) -> list[tuple[Batch, Product, Line]]:
    """The lines with their batches; a batch comes on one line, or on one for each custody that is named."""
    known = [(*lookups.batch(session, line.gtin, line.batch), line) for line in lines]
    seen: set[tuple[UUID, UUID | None]] = set()
    for batch, _, line in known:
        again = (batch.id, line.custody) in seen or (batch.id, None) in seen
        if again or (line.custody is None and any(other == batch.id for other, _ in seen)):
            raise Invalid(Code.REPEATED_LINE, "lines", line.batch, N_("each batch on one line, or each custody"))
        seen.add((batch.id, line.custody))
    return known


def _on_its_way(session: Session, transit: UUID) -> list[Line]:
    query = (
        select(Batch.gtin, Batch.number, Custody.remaining, Custody.id)
        .join(Custody, Custody.batch_id == Batch.id)
        .where(Custody.location_id == transit, Custody.remaining > 0)
        .order_by(Custody.id)
    )
    lines = [Line(row.gtin, row.number, row.remaining, row.id) for row in session.execute(query)]
    if not lines:
        raise Conflict(Code.NOT_ENOUGH_DOSES, "shipment", "empty", N_("a shipment with doses still on their way"))
    return lines


def _arrived(session: Session, shipment: Shipment, at: datetime, now: datetime) -> None:
    """The first receipt is the arrival: the cold boxes' sensors have watched until then."""
    first = update(Shipment).where(Shipment.id == shipment.id, Shipment.arrived_at.is_(None)).values(arrived_at=at)
    if session.execute(first).rowcount:  # type: ignore[attr-defined]
        assignments.end_watch(session, shipment.id, at, now)
