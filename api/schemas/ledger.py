"""Orders to the ledger."""

from typing import Any

from marshmallow import EXCLUDE, fields, post_load, validate
from marshmallow import Schema as BaseSchema

from api.schemas import fields as own
from api.schemas.fields import Celsius, Instant, Schema
from api.schemas.packs import OverrideReasonSchema, pack_code, packs_in, scanned_packs
from inventory.domain.transport import TransportRecord
from inventory.domain.words import Cooling, Explanation, Outcome, Paper, WasteReason

MOST_ADMINISTRATIONS = 1000
"""How many administrations one list may hold."""


class KeySchema(BaseSchema):
    """The key by which a repeated request is known."""

    class Meta:
        """Other headers are not ours."""

        unknown = EXCLUDE

    key = own.matching(
        "^[!-~]{1,255}$",
        required=True,
        data_key="Idempotency-Key",
        metadata={"description": "A new value for each new request; the same for a repeat"},
    )


class TransportSchema(Schema):
    """The record of a transport: the sender states its departure, the receiver its arrival."""

    vehicle = own.text(100, load_default=None, allow_none=True)
    cooling = own.word(Cooling, load_default=None, allow_none=True)
    departed_at = Instant(load_default=None, allow_none=True)
    departure_temperature = Celsius(load_default=None, allow_none=True, data_key="departure_celsius")
    departure_ambient = Celsius(load_default=None, allow_none=True, data_key="departure_ambient_celsius")
    arrived_at = Instant(load_default=None, allow_none=True)
    arrival_temperature = Celsius(
        load_default=None,
        allow_none=True,
        data_key="arrival_celsius",
        metadata={"description": "Of the vaccine, measured at the door", "example": 4.5},
    )
    arrival_ambient = Celsius(load_default=None, allow_none=True, data_key="arrival_ambient_celsius")
    distance_km = own.count(load_default=None, allow_none=True)
    handed_over_by = own.text(100, load_default=None, allow_none=True)
    taken_by = own.text(100, load_default=None, allow_none=True)

    @post_load
    def _record(self, fields: dict[str, Any], **_: Any) -> TransportRecord:
        return TransportRecord(**fields)


def _transport() -> fields.Nested:
    return fields.Nested(TransportSchema, load_default=None, allow_none=True)


def _reason(*, required: bool = False) -> fields.String:
    return own.text(500, required=True) if required else own.text(500, load_default=None, allow_none=True)


class ReceiptSchema(Schema):
    """Goods in from a supplier."""

    facility = own.code(required=True)
    supplier = own.code(required=True)
    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    expiry = fields.Date(required=True)
    doses = own.doses(required=True)
    appliance = own.code(required=True)
    occurred_at = Instant(required=True)
    papers = fields.List(own.word(Paper), load_default=list, metadata={"description": "What came with the goods"})
    transport = _transport()
    outcome = own.word(Outcome, load_default=Outcome.ACCEPT)
    reason = _reason()
    delivery_clock_began_at = Instant(load_default=None, allow_none=True)
    packs = packs_in()


class LineSchema(Schema):
    """Doses of a batch, from a custody where one is named, or in packs."""

    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    doses = own.doses(load_default=None, allow_none=True)
    custody = fields.UUID(load_default=None, allow_none=True)
    packs = scanned_packs()


class ArrivalLineSchema(Schema):
    """Doses of a batch that came: dealt with as the order's outcome says, damaged, refused, or more than was sent."""

    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    doses = own.some_doses(load_default=0)
    damaged = own.some_doses(load_default=0)
    refused = own.some_doses(load_default=0)
    surplus = own.some_doses(load_default=0)
    custody = fields.UUID(load_default=None, allow_none=True)
    packs = scanned_packs()


class DispatchSchema(Schema):
    """What leaves a facility."""

    from_facility = own.code(required=True)
    to_facility = own.code(required=True)
    occurred_at = Instant(required=True)
    lines = fields.List(fields.Nested(LineSchema), required=True, validate=validate.Length(1, 200))
    sensors = fields.List(own.code(), load_default=list, validate=validate.Length(0, 100))
    transport = _transport()


class ReturnSchema(Schema):
    """What goes back up the line, to the store above unless another is named."""

    facility = own.code(required=True)
    to_facility = own.code(load_default=None, allow_none=True)
    occurred_at = Instant(required=True)
    lines = fields.List(fields.Nested(LineSchema), required=True, validate=validate.Length(1, 200))
    reason = _reason(required=True)
    held = fields.Boolean(load_default=False, metadata={"description": "From quarantine"})
    sensors = fields.List(own.code(), load_default=list, validate=validate.Length(0, 100))
    transport = _transport()


class ArrivalSchema(Schema):
    """What of a shipment arrived; without lines, all of it."""

    appliance = own.code(required=True)
    occurred_at = Instant(required=True)
    lines = fields.List(fields.Nested(ArrivalLineSchema), load_default=list, validate=validate.Length(0, 200))
    outcome = own.word(Outcome, load_default=Outcome.ACCEPT)
    reason = _reason()
    transport = _transport()


class ExplanationSchema(Schema):
    """What became of doses that did not arrive with the rest."""

    facility = own.code(required=True)
    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    doses = own.doses(required=True)
    explanation = own.word(Explanation, required=True)
    occurred_at = Instant(required=True)
    reason = _reason(required=True)
    appliance = own.code(load_default=None, allow_none=True)


class AdministrationSchema(Schema):
    """Doses given at a site."""

    facility = own.code(required=True)
    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    doses = own.doses(load_default=1)
    occurred_at = Instant(required=True)
    appliance = own.code(load_default=None, allow_none=True)
    custody = fields.UUID(load_default=None, allow_none=True)
    recipient = own.text(
        64,
        load_default=None,
        allow_none=True,
        metadata={"description": "An opaque reference to the person; names and identity numbers are refused"},
    )
    previous_gtin = own.text(
        14, load_default=None, allow_none=True, metadata={"description": "The product of the person's earlier dose"}
    )
    override = fields.Nested(OverrideReasonSchema, load_default=None, allow_none=True)
    pack = pack_code(load_default=None, allow_none=True)


class AdministrationListSchema(Schema):
    """Administrations in the order in which they are carried out."""

    administrations = own.OneByOne(
        fields.Nested(AdministrationSchema), required=True, validate=validate.Length(1, MOST_ADMINISTRATIONS)
    )


class StockOrderSchema(Schema):
    """Doses of a batch at a facility; all there are in storage, in an appliance, a custody or a shipment, as named."""

    facility = own.code(required=True)
    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    occurred_at = Instant(required=True)
    doses = own.doses(load_default=None, allow_none=True)
    appliance = own.code(load_default=None, allow_none=True)
    custody = fields.UUID(load_default=None, allow_none=True)
    shipment = fields.UUID(load_default=None, allow_none=True)
    packs = scanned_packs()


class MoveSchema(StockOrderSchema):
    """Doses from one appliance into another."""

    class Meta:
        """Doses on their way are in no appliance."""

        exclude = ("shipment",)

    to_appliance = own.code(required=True)
    held = fields.Boolean(load_default=False, metadata={"description": "From quarantine to quarantine"})


class OpeningSchema(StockOrderSchema):
    """Vials of several doses that are opened; one unless more doses are stated."""

    class Meta:
        """Vials are opened where doses are given."""

        exclude = ("shipment",)


class WastageSchema(StockOrderSchema):
    """Doses that are wasted, and why."""

    pack = pack_code(load_default=None, allow_none=True)
    cause = own.word(WasteReason, required=True)
    reason = _reason()
    held = fields.Boolean(load_default=False, metadata={"description": "From quarantine"})


class HoldSchema(StockOrderSchema):
    """Doses that are isolated."""

    reason = _reason(required=True)


class ReleaseSchema(StockOrderSchema):
    """Doses that are given free, and the papers that had been missing."""

    reason = _reason(required=True)
    papers = fields.List(own.word(Paper), load_default=list)


class CountSchema(Schema):
    """How many doses of a batch were counted in an appliance."""

    facility = own.code(required=True)
    appliance = own.code(required=True)
    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    counted = own.some_doses(required=True)
    occurred_at = Instant(required=True)
    held = fields.Boolean(load_default=False, metadata={"description": "In its quarantine"})
    reason = _reason()


class RecallSchema(Schema):
    """A batch that is recalled."""

    facility = own.code(required=True, metadata={"description": "The store that orders it"})
    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    occurred_at = Instant(required=True)
    reason = _reason(required=True)


class CorrectionSchema(Schema):
    """Why an event is reversed."""

    occurred_at = Instant(required=True)
    reason = _reason(required=True)
