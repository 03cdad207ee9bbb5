"""Goods in from a supplier: the root of every chain of custody."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain import arrivals, deadlines
from inventory.domain.deadlines import Deadline, DeadlineRule, RuleName
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.handling import happens_at, may_post
from inventory.domain.instants import civil_day, stated
from inventory.domain.packs import PackLine
from inventory.domain.products import whole_vials
from inventory.domain.transport import TransportRecord
from inventory.domain.words import EventKind, FacilityKind, LocationKind, Origin, Outcome, Paper
from inventory.persistence.database import Database
from inventory.persistence.statements import insert_new
from inventory.persistence.tables import Appliance, Batch, Custody, Facility, Product, StorageProfile
from inventory.services import ledger, lookups, pack_arrivals, pack_files, tidings, vials
from inventory.services.ids import new_id
from inventory.services.pack_log import Arrival
from inventory.services.posting import Posted, Request, post
from inventory.services.rules import deadline_rules
from inventory.services.transports import stored


@dataclass(frozen=True)
class ReceiptOrder:
    """What came in: doses of a batch from a supplier, put into an appliance of the store, held there or refused.

    `delivery_clock_began_at` states when the delivery clock began upstream, for a store whose city is outside this
    installation. `packs` are the coded units that the doses, or some of them, are in: those that a file has announced
    by their codes alone, of a tree only the outermost that came.
    """

    facility: str
    supplier: str
    gtin: str
    batch: str
    expiry: date
    doses: int
    appliance: str
    occurred_at: datetime
    papers: tuple[Paper, ...] = ()
    transport: TransportRecord | None = None
    outcome: Outcome = Outcome.ACCEPT
    reason: str | None = None
    delivery_clock_began_at: datetime | None = None
    packs: tuple[PackLine, ...] = ()


def receive_goods(database: Database, request: Request, order: ReceiptOrder) -> Posted:
    """Receive a batch from a supplier; a batch that is new becomes known with its expiry.

    What is refused is on record as an event without doses.

    Raises:
        Forbidden: `forbidden`, `not_your_facility`.
        Invalid: `not_found`, `unknown_product`, `wrong_check_digit`, `naive_time`, `time_in_future`,
            `wrong_facility_kind`, `wrong_appliance`, `not_whole_vials`, `batch_expired`.
        Conflict: `batch_expiry_differs`, `no_temperature_record`, `temperature_out_of_range`, `papers_incomplete`,
            `batch_recalled`, `already_exists` for a pack that was received, `pack_differs`, `idempotency_key_reused`.
    """
    return post(database, request, order, _receive_goods)


def _receive_goods(session: Session, request: Request, order: ReceiptOrder) -> Posted:
    may_post(EventKind.RECEIVE, request.actor.role)
    at = stated("occurred_at", order.occurred_at, request.now)
    facility = _receiving_store(session, request, order)
    _supplier(session, order.supplier)
    appliance = lookups.appliance_of(session, order.appliance, facility)
    product = lookups.product(session, order.gtin)
    whole_vials("doses", order.doses, product.doses_per_vial)
    missing = arrivals.missing_papers(product.imported, order.papers)
    arrivals.check(order.outcome, _goods(session, product, order, missing), order.reason)
    if order.packs:
        pack_files.in_turn(session)
    batch = _batch(session, product, order)
    draft = ledger.Draft(EventKind.RECEIVE, batch, facility, at, reason=order.reason, details=_details(order, missing))
    if order.outcome is not Outcome.REFUSE:
        _refuse_batch(session, batch, facility, at, order)
        rules = deadline_rules(session, product.programme_code, facility, at)
        upstream = _upstream(rules, facility, at, order)
        clocks = deadlines.on_arrival(rules, facility.kind, facility.zone, at, upstream)
        clocks = vials.put_into(appliance.kind, product, at, clocks)
        root = draft.open_root(_location(session, appliance, order.outcome), order.doses, Origin.SUPPLIED, clocks)
        per_vial = product.doses_per_vial
        for pack in pack_arrivals.arriving(session, batch, order.packs, order.doses, per_vial, request.now):
            around = tuple(each.code for each in pack.way[1:])
            draft.packs.new.append(Arrival(pack.pack.code, pack.pack.doses, root, around))
    events = ledger.record(session, request, [draft])
    if order.outcome is Outcome.REFUSE:
        tidings.tell_refused_receipt(session, facility, order.supplier, events[0], order.doses, request.now)
    return Posted(events)


def _receiving_store(session: Session, request: Request, order: ReceiptOrder) -> Facility:
    """Only a CDC store buys from suppliers; only a CDC supplies a site (疫苗管理法 art. 35)."""
    facility = lookups.facility(session, order.facility)
    request.actor.may_write_for(facility)
    happens_at(EventKind.RECEIVE, facility.kind, order.facility)
    if not facility.kind.is_store:
        raise Invalid(Code.WRONG_FACILITY_KIND, "facility", order.facility, N_("a city or county store"))
    return facility


def _supplier(session: Session, code: str) -> None:
    if lookups.facility(session, code, "supplier").kind is not FacilityKind.SUPPLIER:
        raise Invalid(Code.WRONG_FACILITY_KIND, "supplier", code, N_("a supplier"))


def _goods(session: Session, product: Product, order: ReceiptOrder, missing: tuple[Paper, ...]) -> arrivals.Goods:
    """What is known of the goods: a supplier's transport needs its own record, and a measurement at the door."""
    profile = session.get_one(StorageProfile, product.profile_code)
    temperature = order.transport.arrival_temperature if order.transport else None
    return arrivals.Goods(temperature, profile.low, profile.high, papers=order.papers, missing=missing)


def _details(order: ReceiptOrder, missing: tuple[Paper, ...]) -> dict[str, Any]:
    return {
        "supplier": order.supplier,
        "outcome": order.outcome,
        "doses": order.doses,
        "expiry": order.expiry.isoformat(),
        "papers": list(order.papers),
        "missing_papers": list(missing),
        "transport": stored(order.transport),
    }


def _batch(session: Session, product: Product, order: ReceiptOrder) -> Batch:
    """The batch, made known if it is new; two receipts at the same moment make one, and a recall waits for them."""
    row = {"id": new_id(), "gtin": product.gtin, "number": order.batch, "expiry": order.expiry}
    insert_new(session, Batch, [row])
    mine = select(Batch).where(Batch.gtin == product.gtin, Batch.number == order.batch)
    batch = session.scalars(mine.with_for_update(read=True)).one()
    if batch.expiry != order.expiry:
        _mend_expiry(session, batch, order)
    return batch


def _mend_expiry(session: Session, batch: Batch, order: ReceiptOrder) -> None:
    """An expiry that was mistyped can be put right once every receipt with it was corrected."""
    roots = select(Custody.id).where(
        Custody.batch_id == batch.id, Custody.parent_id.is_(None), ledger.stands(Custody.event_id, Custody.batch_id)
    )
    if session.scalars(roots.limit(1)).first() is not None:
        expected = N_("%(expiry)s, as this batch was received before")
        raise Conflict(Code.BATCH_EXPIRY_DIFFERS, "expiry", order.expiry, expected, expiry=batch.expiry)
    batch.expiry = order.expiry
    session.flush()


def _refuse_batch(session: Session, batch: Batch, facility: Facility, at: datetime, order: ReceiptOrder) -> None:
    if civil_day(at, facility.zone) > batch.expiry:
        raise Invalid(Code.BATCH_EXPIRED, "expiry", batch.expiry, N_("a batch that has not expired"))
    if order.outcome is Outcome.ACCEPT and lookups.is_recalled(session, batch):
        raise Conflict(Code.BATCH_RECALLED, "batch", batch.number, N_("the outcome hold or refuse"))


def _upstream(rules: list[DeadlineRule], facility: Facility, at: datetime, order: ReceiptOrder) -> list[Deadline]:
    """The delivery clock that began before the doses came here, if one is stated."""
    if order.delivery_clock_began_at is None:
        return []
    began = stated("delivery_clock_began_at", order.delivery_clock_began_at, at)
    return [
        Deadline(rule.rule_set, rule.name, began, deadlines.due(rule.window, began, facility.zone))
        for rule in rules
        if rule.name is RuleName.DELIVER
    ]


def _location(session: Session, appliance: Appliance, outcome: Outcome) -> Any:
    kind = LocationKind.QUARANTINE if outcome is Outcome.HOLD else LocationKind.STORAGE
    return lookups.location_of(session, appliance, kind)
