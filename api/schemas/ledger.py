"""Orders to the ledger, and what they wrote."""

from marshmallow import EXCLUDE, fields, validate
from marshmallow import Schema as BaseSchema

from api.schemas import fields as own
from api.schemas.fields import Celsius, Instant, Schema
from inventory.domain.words import Chosen, End, EventKind


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
    arrival_temperature = Celsius(
        load_default=None, allow_none=True, data_key="arrival_celsius", metadata={"example": 4.5}
    )
    delivery_clock_began_at = Instant(load_default=None, allow_none=True)


class LineSchema(Schema):
    """Doses of a batch, from a custody where one is named."""

    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    doses = own.doses(required=True)
    custody = fields.UUID(load_default=None, allow_none=True)


class DispatchSchema(Schema):
    """What leaves a store."""

    from_facility = own.code(required=True)
    to_facility = own.code(required=True)
    occurred_at = Instant(required=True)
    lines = fields.List(fields.Nested(LineSchema), required=True, validate=validate.Length(1, 200))
    sensors = fields.List(own.code(), load_default=list, validate=validate.Length(0, 100))


class ArrivalSchema(Schema):
    """What of a shipment arrived; without lines, all of it."""

    appliance = own.code(required=True)
    occurred_at = Instant(required=True)
    lines = fields.List(fields.Nested(LineSchema), load_default=list, validate=validate.Length(0, 200))


class AdministrationSchema(Schema):
    """Doses given at a site."""

    facility = own.code(required=True)
    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    doses = own.doses(load_default=1)
    occurred_at = Instant(required=True)
    appliance = own.code(load_default=None, allow_none=True)
    custody = fields.UUID(load_default=None, allow_none=True)


class MovementSchema(Schema):
    """One line of an event."""

    from_custody = fields.UUID(allow_none=True)
    to_custody = fields.UUID(allow_none=True)
    end = own.word(End, allow_none=True)
    doses = fields.Integer()
    chosen = own.word(Chosen, allow_none=True)


class EventSchema(Schema):
    """A stock event as it was recorded."""

    id = fields.UUID()
    kind = own.word(EventKind)
    facility = fields.String()
    gtin = fields.String()
    batch = fields.String()
    occurred_at = Instant()
    recorded_at = Instant()
    movements = fields.List(fields.Nested(MovementSchema))


class PostedSchema(Schema):
    """What a request wrote."""

    shipment = fields.UUID(allow_none=True)
    events = fields.List(fields.Nested(EventSchema))
