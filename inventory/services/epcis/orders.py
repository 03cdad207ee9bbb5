"""Which order to the ledger an EPCIS event from outside stands for (decision 0045)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from inventory.domain.epcis.capture import Movement
from inventory.domain.epcis.goods import Around, Goods
from inventory.domain.epcis.uris import Batch as Named
from inventory.domain.epcis.uris import Place
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.packs import MOST_DOSES
from inventory.domain.temperature import centi
from inventory.domain.transport import TransportRecord
from inventory.domain.words import ApplianceKind, FacilityKind, Outcome, Paper
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import (
    Appliance,
    Batch,
    CapturedEvent,
    Custody,
    Facility,
    Location,
    Pack,
    Product,
    Shipment,
)
from inventory.services import lookups
from inventory.services.deliveries import ArrivalLine, ArrivalOrder
from inventory.services.receipts import ReceiptOrder
from inventory.services.shipments import DispatchOrder, Line, ReturnOrder

Order = ReceiptOrder | ArrivalOrder | DispatchOrder | ReturnOrder
REASON = "As an EPCIS event says"
"""The reason of what is not in order, where the event has no words for it."""


def facility_of(session: Session, place: Place | None) -> Facility | None:
    """The facility that a URI names, if it is known here."""
    if place is None:
        return None
    known = Facility.gln == place.gln if place.gln else Facility.code == place.code
    return session.scalars(select(Facility).where(known)).one_or_none()


@dataclass(frozen=True)
class Parties:
    """Whose order an event is, and who is at the other end, as far as they are known; a maker orders nothing here."""

    owner: Facility
    other: Facility | None = None
    from_outside: bool = False


def parties_of(session: Session, told: Movement) -> Parties:
    """Who sends and who receives.

    Raises:
        Invalid: `not_found` where no facility of ours takes part.
    """
    source, destination, here = (facility_of(session, each) for each in (told.source, told.destination, told.here))
    if told.step == "receiving":
        receiver = destination or here
        if receiver is None or receiver.kind is FacilityKind.SUPPLIER:
            raise _unknown("destinationList", told.destination or told.here, N_("a store or a site that is known here"))
        return Parties(receiver, source)
    sender = source or here
    if sender is not None and sender.kind is not FacilityKind.SUPPLIER:
        return Parties(sender, destination)
    if destination is None:
        raise _unknown("destinationList", told.destination, N_("a facility that is known here, to or from"))
    return Parties(destination, sender, from_outside=True)


def order_of(session: Session, told: Movement, beside: Around) -> tuple[Facility, Order | None]:
    """The order, and whose it is; None for goods that somebody outside has sent to a facility here.

    Raises:
        Invalid: `not_found` or `malformed`, naming what the event would have to say.
    """
    parties = parties_of(session, told)
    if parties.from_outside:
        return parties.owner, None
    if told.step == "receiving":
        return parties.owner, _received(session, told, parties.owner, parties.other, beside)
    if parties.other is None:
        raise _unknown("destinationList", told.destination, N_("a facility that is known here"))
    return parties.owner, _sent(session, told, parties.owner, parties.other)


def _sent(session: Session, told: Movement, sender: Facility, receiver: Facility) -> Order:
    lines = tuple(
        Line(each.batch.gtin, each.batch.number, _doses(session, each), packs=_known_packs(session, each))
        for each in told.goods
    )
    if told.disposition == "returned":
        return ReturnOrder(sender.code, told.at, lines, REASON, receiver.code)
    return DispatchOrder(sender.code, receiver.code, told.at, lines)


def _received(session: Session, told: Movement, receiver: Facility, source: Facility | None, beside: Around) -> Order:
    shipment = _shipment(session, told, receiver)
    if shipment is not None:
        return ArrivalOrder(
            shipment,
            _appliance(session, told, receiver),
            told.at,
            tuple(_arrival_line(session, told, each) for each in told.goods),
            reason=REASON if told.disposition != "in_progress" else None,
            transport=_transport(told),
        )
    if source is None or source.kind is not FacilityKind.SUPPLIER:
        expected = N_("a supplier that is known here, or the despatch advice of a shipment that is on its way")
        raise _unknown("sourceList", told.source, expected)
    if len(told.goods) != 1:
        raise Invalid(Code.MALFORMED, "quantityList", len(told.goods), N_("one batch from a supplier in an event"))
    return _receipt(session, told, receiver, source, beside)


def _receipt(session: Session, told: Movement, receiver: Facility, source: Facility, beside: Around) -> ReceiptOrder:
    """What came without its papers is held until they come, and what is not sound as well."""
    (goods,) = told.goods
    papers = _papers(told)
    held = not told.is_sound or not papers
    return ReceiptOrder(
        receiver.code,
        source.code,
        goods.batch.gtin,
        goods.batch.number,
        _expiry(session, goods.batch, beside),
        _doses(session, goods),
        _appliance(session, told, receiver),
        told.at,
        papers=papers or (Paper.TEMPERATURE_RECORD,),
        transport=_transport(told),
        outcome=Outcome.HOLD if held else Outcome.ACCEPT,
        reason=REASON if held else None,
        packs=beside.with_contents(goods.packs),
    )


def _papers(told: Movement) -> tuple[Paper, ...]:
    stated = told.stated.get("paper")
    known = stated if isinstance(stated, list) else []
    return tuple(paper for paper in Paper if paper.value in known)


def _arrival_line(session: Session, told: Movement, goods: Goods) -> ArrivalLine:
    """What is in order; what is not is damaged, and what nobody sent is too many."""
    doses, gtin, number = _doses(session, goods), goods.batch.gtin, goods.batch.number
    if told.surplus:
        return ArrivalLine(gtin, number, surplus=doses)
    if not told.is_sound:
        return ArrivalLine(gtin, number, damaged=doses)
    return ArrivalLine(gtin, number, doses, packs=_known_packs(session, goods))


def _doses(session: Session, goods: Goods) -> int:
    product: Product = lookups.product(session, goods.batch.gtin)
    doses = goods.total(product.doses_per_vial)
    if doses > MOST_DOSES:
        expected = N_("at most %(most)d doses of a batch")
        raise Invalid(Code.MALFORMED, "quantityList", doses, expected, most=MOST_DOSES)
    return doses


def _known_packs(session: Session, goods: Goods) -> tuple[str, ...]:
    """The packs that this ledger knows; of others only the doses count."""
    codes = [pack.code for pack in goods.packs]
    mine = select(Pack.code).join(Batch, Batch.id == Pack.batch_id).where(Batch.number == goods.batch.number)
    known = {row.code for row in rows_in(session, mine.where(Batch.gtin == goods.batch.gtin), Pack.code, codes)}
    return tuple(code for code in codes if code in known)


def _expiry(session: Session, batch: Named, beside: Around) -> date:
    known = session.scalar(select(Batch.expiry).where(Batch.gtin == batch.gtin, Batch.number == batch.number))
    found = beside.expiries.get(batch) or known
    if found is None:
        expected = N_("a commissioning of the batch with its itemExpirationDate in the same document")
        raise Invalid(Code.UNKNOWN_BATCH, "ilmd", batch.number, expected)
    return found


def _appliance(session: Session, told: Movement, owner: Facility) -> str:
    """The one that the event names, else the only one of the facility that stays where it is."""
    stated = told.stated.get("appliance")
    query = select(Appliance.code).where(Appliance.facility_id == owner.id, Appliance.kind != ApplianceKind.COLD_BOX)
    codes: Sequence[str] = session.scalars(query.order_by(Appliance.code)).all()
    if stated in codes:
        return str(stated)
    if len(codes) != 1:
        expected = N_("the appliance that the goods went into: one of %(appliances)s")
        raise Invalid(Code.MALFORMED, "coldtrail:appliance", stated, expected, appliances=", ".join(codes) or "-")
    return codes[0]


def _transport(told: Movement) -> TransportRecord | None:
    degrees = told.stated.get("arrivalCelsius")
    if isinstance(degrees, bool) or not isinstance(degrees, int | float):
        return None
    try:
        return TransportRecord(arrival_temperature=centi(Decimal(str(degrees))))
    except ValueError as error:
        expected = N_("a temperature in degrees Celsius, such as 4.5")
        raise Invalid(Code.MALFORMED, "coldtrail:arrivalCelsius", degrees, expected) from error


def _shipment(session: Session, told: Movement, receiver: Facility) -> UUID | None:
    """The shipment to the receiver that a despatch advice means: one of ours by its id, or one that was captured."""
    if told.advice is None:
        return None
    own = told.advice.removeprefix("urn:uuid:")
    captured = select(CapturedEvent.shipment_id).where(CapturedEvent.advice == told.advice)
    known = or_(Shipment.id.in_(captured), Shipment.id == _uuid(own))
    aboard = (
        select(Location.shipment_id)
        .join(Custody, Custody.location_id == Location.id)
        .join(Batch, Batch.id == Custody.batch_id)
        .where(Batch.gtin == told.goods[0].batch.gtin, Batch.number == told.goods[0].batch.number)
    )
    mine = select(Shipment.id).where(known, Shipment.to_facility_id == receiver.id, Shipment.id.in_(aboard))
    found = session.scalars(mine.order_by(Shipment.id)).all()
    if len(found) > 1:
        raise Invalid(Code.MALFORMED, "bizTransactionList", told.advice, N_("a despatch advice of one shipment"))
    return found[0] if found else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _unknown(field: str, place: Place | None, expected: str) -> Invalid:
    return Invalid(Code.NOT_FOUND, field, None if place is None else place.gln or place.code, expected)
