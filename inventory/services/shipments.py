"""Vaccine leaves a facility for another: dispatch down the line or between sites, return up the line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.domain import deadlines
from inventory.domain.custody import Take
from inventory.domain.errors import N_, Code, ColdtrailError, Invalid
from inventory.domain.handling import happens_at, may_post
from inventory.domain.instants import stated
from inventory.domain.transport import TransportRecord
from inventory.domain.words import Chosen, End, EventKind, FacilityKind, LocationKind, Purpose
from inventory.persistence.database import Database
from inventory.persistence.tables import Facility, Location, Shipment
from inventory.services import assignments, ledger, lookups, packs
from inventory.services.holdings import Wanted, Within
from inventory.services.ids import new_id
from inventory.services.lookups import KnownBatch
from inventory.services.posting import Posted, Request, post
from inventory.services.rules import line_of_supply
from inventory.services.transports import stored


@dataclass(frozen=True)
class Line:
    """Doses of a batch; `custody` where they are to be taken from one that is named.

    `packs` are those that were scanned, with all that is left in them; `doses` need not be stated then, and where more
    are stated, the rest is taken beside the packs.
    """

    gtin: str
    batch: str
    doses: int | None = None
    custody: UUID | None = None
    packs: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class DispatchOrder:
    """What leaves a facility for another, with the serials of the sensors in its cold boxes."""

    from_facility: str
    to_facility: str
    occurred_at: datetime
    lines: tuple[Line, ...]
    sensors: tuple[str, ...] = ()
    transport: TransportRecord | None = None


@dataclass(frozen=True)
class ReturnOrder:
    """What goes back up the line, to the store above unless another is named; `held` takes it from quarantine."""

    facility: str
    occurred_at: datetime
    lines: tuple[Line, ...]
    reason: str
    to_facility: str | None = None
    held: bool = False
    sensors: tuple[str, ...] = ()
    transport: TransportRecord | None = None


@dataclass(frozen=True)
class Trip:
    """A shipment with its two locations: what travels freely, and what is held on its way."""

    shipment: Shipment
    transit: UUID
    quarantine: UUID


def dispatch(database: Database, request: Request, order: DispatchOrder) -> Posted:
    """Send doses on their way: they leave the facility's custodies for the shipment's, their delivery clock running.

    A store supplies stores and sites. A site hands doses on to another site of the same store only by that store's
    order, for only a CDC supplies (疫苗管理法 art. 35).

    Raises:
        Forbidden: `forbidden`, `not_your_facility`.
        Invalid: `not_found`, `unknown_product`, `unknown_batch`, `naive_time`, `time_in_future`,
            `wrong_facility_kind`, `wrong_supplier`, `not_whole_vials`, `wrong_custody`, `repeated_line`.
        Conflict: `not_enough_doses`, `batch_expired`, `batch_recalled`, `time_before_custody`, `wrong_location`,
            `pack_elsewhere`, `sensor_in_use`, `idempotency_key_reused`.
    """
    return post(database, request, order, _dispatch)


def return_doses(database: Database, request: Request, order: ReturnOrder) -> Posted:
    """Send doses back up the line: to a store as a shipment, to a supplier out of the ledger.

    Raises:
        as `dispatch`.
    """
    return post(database, request, order, _return)


def _dispatch(session: Session, request: Request, order: DispatchOrder) -> Posted:
    may_post(EventKind.DISPATCH, request.actor.role)
    at = stated("occurred_at", order.occurred_at, request.now)
    sender, receiver, purpose = _route(session, request, order)
    trip = new_trip(session, sender, receiver, purpose, at, order.transport)
    drafts = []
    for known, line in known_lines(session, order.lines):
        with in_line(order.lines, line):
            takes, chosen = _choose(session, EventKind.DISPATCH, known, line, Within(sender), at)
        details = _details(receiver, order.transport) | {"purpose": purpose}
        draft = ledger.Draft(EventKind.DISPATCH, known.batch, sender, at, trip.shipment.id, details=details)
        send_on(draft, takes, chosen, trip)
        drafts.append(draft)
    assignments.watch_shipment(session, order.sensors, trip.shipment.id, at, request.now)
    return Posted(ledger.record(session, request, drafts), trip.shipment.id)


def _return(session: Session, request: Request, order: ReturnOrder) -> Posted:
    may_post(EventKind.RETURN, request.actor.role)
    at = stated("occurred_at", order.occurred_at, request.now)
    sender = lookups.facility(session, order.facility)
    request.actor.may_write_for(sender)
    happens_at(EventKind.RETURN, sender.kind, order.facility)
    receiver = _above(session, sender, order.to_facility)
    to_supplier = receiver.kind is FacilityKind.SUPPLIER
    trip = None if to_supplier else new_trip(session, sender, receiver, Purpose.RETURN, at, order.transport)
    shipment = trip.shipment.id if trip else None
    drafts = []
    for known, line in known_lines(session, order.lines):
        with in_line(order.lines, line):
            takes, chosen = _choose(session, EventKind.RETURN, known, line, Within(sender, order.held), at)
        details = _details(receiver, order.transport)
        draft = ledger.Draft(EventKind.RETURN, known.batch, sender, at, shipment, order.reason, details=details)
        if trip is None:
            for take in takes:
                draft.end(take, chosen, End.RETURNED)
        else:
            send_on(draft, takes, chosen, trip, returned=True)
        drafts.append(draft)
    if trip is not None:
        assignments.watch_shipment(session, order.sensors, trip.shipment.id, at, request.now)
    return Posted(ledger.record(session, request, drafts), shipment)


def _details(receiver: Facility, transport: TransportRecord | None) -> dict[str, Any]:
    """What the event says of its way, so that its leaf holds it; the rest is its kind, its facility and its time."""
    return {"to": receiver.code, "transport": stored(transport)}


def _choose(
    session: Session, kind: EventKind, known: KnownBatch, line: Line, within: Within, at: datetime
) -> tuple[list[Take], Chosen]:
    if not line.packs and line.doses is None:
        raise Invalid(Code.MALFORMED, "doses", None, N_("a number of doses, or packs"))
    return packs.takes(session, Wanted(kind, known, line.doses, within, at, line.custody), line.packs)


def send_on(draft: ledger.Draft, takes: Sequence[Take], chosen: Chosen, trip: Trip, *, returned: bool = False) -> None:
    """Put doses on a trip with the clocks that go on; what was held stays held."""
    for take in takes:
        held = take.holding.location_kind is LocationKind.QUARANTINE
        clocks = deadlines.on_departure(take.holding.clocks, returned=returned)
        draft.pass_on(take, chosen, trip.quarantine if held else trip.transit, clocks)


def _route(session: Session, request: Request, order: DispatchOrder) -> tuple[Facility, Facility, Purpose]:
    sender = lookups.facility(session, order.from_facility, "from_facility")
    receiver = lookups.facility(session, order.to_facility, "to_facility")
    if sender.kind.is_site:
        _may_hand_on(session, request, sender, receiver)
        return sender, receiver, Purpose.TRANSFER
    request.actor.may_write_for(sender)
    happens_at(EventKind.DISPATCH, sender.kind, sender.code, "from_facility")
    if receiver.kind is FacilityKind.SUPPLIER or receiver.id == sender.id:
        raise Invalid(Code.WRONG_FACILITY_KIND, "to_facility", receiver.code, N_("another store, or a site"))
    return sender, receiver, Purpose.SUPPLY


def _may_hand_on(session: Session, request: Request, sender: Facility, receiver: Facility) -> None:
    """From site to site, by order of the store that supplies both."""
    if sender.supplied_by_id is None:
        raise Invalid(Code.WRONG_SUPPLIER, "from_facility", sender.code, N_("a site that has a store above it"))
    store = session.get_one(Facility, sender.supplied_by_id)
    request.actor.may_write_for(store)
    if not receiver.kind.is_site or receiver.id == sender.id or receiver.supplied_by_id != store.id:
        expected = N_("another site that %(store)s supplies")
        raise Invalid(Code.WRONG_SUPPLIER, "to_facility", receiver.code, expected, store=store.code)


def _above(session: Session, sender: Facility, code: str | None) -> Facility:
    """Where doses are returned to: a store above the sender, or from a store its supplier."""
    line = line_of_supply(session, sender)[1:]
    if code is None:
        if not line:
            raise Invalid(Code.MALFORMED, "to_facility", None, N_("where the doses go, for no store is above this one"))
        return session.get_one(Facility, line[0])
    receiver = lookups.facility(session, code, "to_facility")
    to_supplier = sender.kind.is_store and receiver.kind is FacilityKind.SUPPLIER
    if receiver.id not in line and not to_supplier:
        expected = N_("a store above %(sender)s, or from a store a supplier")
        raise Invalid(Code.WRONG_SUPPLIER, "to_facility", code, expected, sender=sender.code)
    return receiver


def new_trip(
    session: Session,
    sender: Facility,
    receiver: Facility,
    purpose: Purpose,
    at: datetime,
    transport: TransportRecord | None = None,
) -> Trip:
    """A shipment that begins at `at`, with its two locations."""
    shipment = Shipment(
        id=new_id(),
        from_facility_id=sender.id,
        to_facility_id=receiver.id,
        purpose=purpose,
        dispatched_at=at,
        departure=stored(transport),
    )
    session.add(shipment)
    session.flush()
    kinds = (LocationKind.TRANSIT, LocationKind.QUARANTINE)
    transit, quarantine = (Location(id=new_id(), kind=kind, shipment_id=shipment.id) for kind in kinds)
    session.add_all([transit, quarantine])
    session.flush()
    return Trip(shipment, transit.id, quarantine.id)


@contextmanager
def in_line(lines: Sequence[Line], line: Line) -> Iterator[None]:
    """Have a refusal name the line that it is about, by its place among those of the order."""
    try:
        yield
    except ColdtrailError as refused:
        own = {each.name for each in fields(line)} | {"pack"}
        if line in lines and refused.field in own:
            refused.within(f"lines.{lines.index(line)}")
        raise


def known_lines(session: Session, lines: Sequence[Line]) -> list[tuple[KnownBatch, Line]]:
    """The lines with their batches; a batch comes on one line, or on one for each custody that is named.

    They come by batch, so that two who wait for the same doses wait in one order, whatever the order of their lines.
    """
    known: list[tuple[KnownBatch, Line]] = []
    for line in lines:
        with in_line(lines, line):
            known.append((lookups.batch(session, line.gtin, line.batch), line))
    seen: set[tuple[UUID, UUID | None]] = set()
    for (batch, _, _), line in known:
        again = (batch.id, line.custody) in seen or (batch.id, None) in seen
        if again or (line.custody is None and any(other == batch.id for other, _ in seen)):
            raise Invalid(Code.REPEATED_LINE, "lines", line.batch, N_("each batch on one line, or each custody"))
        seen.add((batch.id, line.custody))
    return sorted(known, key=lambda each: each[0].batch.id)
