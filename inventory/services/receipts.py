"""Goods in from a supplier: the root of every chain of custody."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain import deadlines
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.instants import civil_day, stated
from inventory.domain.products import whole_vials
from inventory.domain.words import EventKind, FacilityKind
from inventory.persistence.database import Database
from inventory.persistence.statements import insert_new
from inventory.persistence.tables import Batch, Facility, Product
from inventory.services import ledger, lookups
from inventory.services.ids import new_id
from inventory.services.posting import Posted, Request, post
from inventory.services.rules import deadline_rules


@dataclass(frozen=True)
class ReceiptOrder:
    """What came in: doses of a batch from a supplier, put into an appliance of the store.

    `arrival_temperature` is in hundredths of a degree. `delivery_clock_began_at` states when the delivery clock began
    upstream, for a store whose city is outside this installation.
    """

    facility: str
    supplier: str
    gtin: str
    batch: str
    expiry: date
    doses: int
    appliance: str
    occurred_at: datetime
    arrival_temperature: int | None = None
    delivery_clock_began_at: datetime | None = None


def receive_goods(database: Database, request: Request, order: ReceiptOrder) -> Posted:
    """Receive a batch from a supplier; a batch that is new becomes known with its expiry.

    Raises:
        Forbidden: `not_your_facility`.
        Invalid: `not_found`, `unknown_product`, `wrong_check_digit`, `naive_time`, `time_in_future`,
            `wrong_facility_kind`, `wrong_appliance`, `not_whole_vials`, `batch_expired`.
        Conflict: `batch_expiry_differs`, `idempotency_key_reused`.
    """
    return post(database, request, order, _receive_goods)


def _receive_goods(session: Session, request: Request, order: ReceiptOrder) -> Posted:
    at = stated("occurred_at", order.occurred_at, request.now)
    facility = _receiving_store(session, request, order)
    supplier = lookups.facility(session, order.supplier, "supplier")
    if supplier.kind is not FacilityKind.SUPPLIER:
        raise Invalid(Code.WRONG_FACILITY_KIND, "supplier", order.supplier, N_("a supplier"))
    appliance = lookups.appliance_of(session, order.appliance, facility)
    product = lookups.product(session, order.gtin)
    whole_vials("doses", order.doses, product.doses_per_vial)
    batch = _batch(session, product, order)
    if civil_day(at, facility.zone) > batch.expiry:
        raise Invalid(Code.BATCH_EXPIRED, "expiry", batch.expiry, N_("a batch that has not expired"))
    details = {"supplier": supplier.code, "arrival_temperature": order.arrival_temperature}
    draft = ledger.Draft(EventKind.RECEIVE, batch, facility, at, details=details)
    clock_at = _clock_began(order, at)
    clocks = deadlines.on_arrival(deadline_rules(session), facility.kind, facility.zone, clock_at, [])
    custody = draft.open_custody(lookups.storage_of(session, appliance), order.doses, clocks)
    draft.move(None, order.doses, None, to=custody)
    return Posted(ledger.record(session, request, [draft]))


def _receiving_store(session: Session, request: Request, order: ReceiptOrder) -> Facility:
    """Only a CDC store buys from suppliers; only a CDC supplies a site (疫苗管理法 art. 35)."""
    facility = lookups.facility(session, order.facility)
    request.actor.may_write_for(facility)
    if not facility.kind.is_store:
        raise Invalid(Code.WRONG_FACILITY_KIND, "facility", order.facility, N_("a city or county store"))
    return facility


def _clock_began(order: ReceiptOrder, at: datetime) -> datetime:
    if order.delivery_clock_began_at is None:
        return at
    return stated("delivery_clock_began_at", order.delivery_clock_began_at, at)


def _batch(session: Session, product: Product, order: ReceiptOrder) -> Batch:
    """The batch, made known if it is new; two receipts at the same moment make one."""
    row = {"id": new_id(), "gtin": product.gtin, "number": order.batch, "expiry": order.expiry}
    insert_new(session, Batch, [row])
    batch = session.scalars(select(Batch).where(Batch.gtin == product.gtin, Batch.number == order.batch)).one()
    if batch.expiry != order.expiry:
        expected = N_("%(expiry)s, as this batch was received before")
        raise Conflict(Code.BATCH_EXPIRY_DIFFERS, "expiry", order.expiry, expected, expiry=batch.expiry)
    return batch
