"""Finding reference data by the names that people use, with one clear refusal when it is not there."""

from functools import cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, exists, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from inventory.domain.errors import N_, Code, Conflict, Invalid, NotFound
from inventory.domain.products import gtin as valid_gtin
from inventory.domain.words import EventKind, LocationKind
from inventory.persistence.tables import (
    Appliance,
    Base,
    Batch,
    Facility,
    Location,
    Product,
    Sensor,
    Shipment,
    StockEvent,
)

Row = TypeVar("Row", bound=Base)


def by_code(session: Session, column: InstrumentedAttribute[str], value: str, field: str) -> Row:  # type: ignore[type-var]
    """The row whose `column` is `value`; Invalid `not_found`, naming `field`, where there is none."""
    found: Row | None = session.scalar(_by(column), {"value": value})
    if found is None:
        raise Invalid(Code.NOT_FOUND, field, value, N_("one that is registered"))
    return found


@cache
def _by(column: InstrumentedAttribute[str]) -> Select[Any]:
    return select(column.class_).where(column == bindparam("value"))


def facility(session: Session, code: str, field: str = "facility") -> Facility:
    """The facility of a code."""
    return by_code(session, Facility.code, code, field)


def appliance_of(session: Session, code: str, owner: Facility) -> Appliance:
    """The appliance of a code, which has to be the owner's.

    Raises:
        Invalid: `not_found`, or `wrong_appliance` when it stands elsewhere.
    """
    found: Appliance = by_code(session, Appliance.code, code, "appliance")
    if found.facility_id != owner.id:
        raise Invalid(Code.WRONG_APPLIANCE, "appliance", code, N_("an appliance of %(facility)s"), facility=owner.code)
    return found


def location_of(session: Session, appliance: Appliance, kind: LocationKind = LocationKind.STORAGE) -> UUID:
    """The storage, or the quarantine, of an appliance."""
    query = select(Location.id).where(Location.appliance_id == appliance.id, Location.kind == kind)
    return session.scalars(query).one()


def beside(session: Session, location_id: UUID, kind: LocationKind) -> UUID:
    """The location of a kind in the same appliance or shipment."""
    here, other = aliased(Location), aliased(Location)
    same = (other.appliance_id == here.appliance_id) | (other.shipment_id == here.shipment_id)
    query = select(other.id).join(here, same).where(here.id == location_id, other.kind == kind)
    return session.scalars(query).one()


def product(session: Session, gtin: str) -> Product:
    """The product of a GTIN.

    Raises:
        Invalid: `malformed`, `wrong_check_digit` or `unknown_product`.
    """
    found = session.get(Product, valid_gtin(gtin))
    if found is None:
        raise Invalid(Code.UNKNOWN_PRODUCT, "gtin", gtin, N_("a product that is registered"))
    return found


class KnownBatch(NamedTuple):
    """A batch, its product, and whether it is recalled now."""

    batch: Batch
    product: Product
    recalled: bool


def batch(session: Session, gtin: str, number: str) -> KnownBatch:
    """The batch of a product.

    Raises:
        Invalid: `malformed`, `wrong_check_digit`, `unknown_product` or `unknown_batch`.
    """
    found = session.execute(_KNOWN_BATCH, {"gtin": valid_gtin(gtin), "number": number}).one_or_none()
    if found is None:
        product(session, gtin)
        raise Invalid(Code.UNKNOWN_BATCH, "batch", number, N_("a batch that was received"))
    return KnownBatch(*found)


def is_recalled(session: Session, batch: Batch) -> bool:
    """Whether a batch is recalled now."""
    return session.scalars(select(standing(EventKind.RECALL)).select_from(Batch).where(Batch.id == batch.id)).one()


@cache
def standing(kind: EventKind) -> ColumnElement[bool]:
    """Whether the batch of a query has an event of a rare kind that was not corrected."""
    event, reversal = aliased(StockEvent), aliased(StockEvent)
    undone = exists().where(reversal.reverses_id == event.id, reversal.batch_id == event.batch_id)
    rare = event.kind.in_([literal_column("'recall'"), literal_column("'override'")])  # the small index's own words
    return exists().where(event.batch_id == Batch.id, event.kind == kind, rare, ~undone)


_KNOWN_BATCH = (
    select(Batch, Product, standing(EventKind.RECALL))
    .join(Product, Product.gtin == Batch.gtin)
    .where(Batch.gtin == bindparam("gtin"), Batch.number == bindparam("number"))
)


def shipment(session: Session, shipment_id: UUID, *, hold: bool = False) -> Shipment:
    """The shipment of an id, kept from others who `hold` it; NotFound `not_found` where there is none."""
    found = session.get(Shipment, shipment_id, with_for_update={"key_share": True} if hold else None)
    if found is None:
        raise NotFound(Code.NOT_FOUND, "shipment", shipment_id, N_("the id of a shipment"))
    return found


def sensor(session: Session, serial: str, field: str = "sensor") -> Sensor:
    """The sensor of a serial."""
    return by_code(session, Sensor.serial, serial, field)


def refuse_known(session: Session, column: InstrumentedAttribute[str], value: str, field: str) -> None:
    """Refuse to make known what is known already; Conflict `already_exists`."""
    if session.scalar(select(column).where(column == value)) is not None:
        raise Conflict(Code.ALREADY_EXISTS, field, value, N_("one that is not registered yet"))


def batch_at_address(session: Session, gtin: str, number: str) -> Batch:
    """The batch that an address names; NotFound where there is none, for the address is wrong then."""
    try:
        return batch(session, gtin, number)[0]
    except Invalid as error:
        if error.code in {Code.UNKNOWN_PRODUCT, Code.UNKNOWN_BATCH}:
            raise NotFound(error.code, error.field, error.value, error.expected) from error
        raise
