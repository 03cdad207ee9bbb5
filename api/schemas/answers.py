"""Answers: stock, shipments, excursions and what they touched."""

from functools import cache

from marshmallow import fields

from api.schemas import fields as own
from api.schemas.fields import Celsius, Instant, Minutes, Schema
from api.schemas.ledger import TransportSchema
from inventory.domain.words import LocationKind, Purpose, Side


class PlaceSchema(Schema):
    """An appliance at a facility, or a shipment between two."""

    kind = own.word(LocationKind)
    facility = fields.String(allow_none=True)
    appliance = fields.String(allow_none=True)
    shipment = fields.UUID(allow_none=True)
    from_facility = fields.String(allow_none=True)
    to_facility = fields.String(allow_none=True)


class StockLineSchema(Schema):
    """Doses that one custody still holds."""

    custody = fields.UUID()
    place = fields.Nested(PlaceSchema)
    gtin = fields.String()
    batch = fields.String()
    expiry = fields.Date()
    opened_at = Instant()
    doses = fields.Integer()
    vial_until = Instant(
        allow_none=True, metadata={"description": "When the opened vial is due; null while it is sealed"}
    )


class ShipmentLineSchema(Schema):
    """Doses of a batch in a shipment: what was sent is the sum of the rest; `held` of those in transit."""

    gtin = fields.String()
    batch = fields.String()
    sent = fields.Integer()
    received = fields.Integer()
    sent_back = fields.Integer()
    elsewhere = fields.Integer()
    wasted = fields.Integer()
    in_transit = fields.Integer()
    held = fields.Integer()


class ShipmentSchema(Schema):
    """A shipment; its shortfall is what did not arrive with the rest."""

    id = fields.UUID()
    purpose = own.word(Purpose)
    from_facility = fields.String()
    to_facility = fields.String()
    dispatched_at = Instant()
    arrived_at = Instant(allow_none=True)
    transport = fields.Nested(TransportSchema)
    sensors = fields.List(fields.String())
    lines = fields.List(fields.Nested(ShipmentLineSchema))
    shortfall = fields.Integer()
    short_minutes = Minutes(
        attribute="short_for",
        allow_none=True,
        metadata={"description": "How long doses have been missing without an explanation"},
    )


class ExcursionSchema(Schema):
    """An excursion with the rule that it broke, and which verdict on it this is."""

    id = fields.UUID()
    sensor = fields.String()
    side = own.word(Side)
    rule = fields.String()
    threshold_celsius = Celsius(attribute="threshold", allow_none=True)
    inclusive = fields.Boolean(allow_none=True)
    duration_minutes = Minutes(attribute="duration", allow_none=True)
    window_minutes = Minutes(
        attribute="window",
        allow_none=True,
        metadata={"description": "Within how long the duration adds up; null where it is consecutive"},
    )
    started_at = Instant()
    alarm_at = Instant()
    ended_at = Instant(allow_none=True)
    seen_minutes = Minutes(attribute="seen")
    unseen_minutes = Minutes(attribute="unseen")
    extreme_celsius = Celsius(attribute="extreme", allow_none=True)
    cancelled_at = Instant(allow_none=True)
    version = fields.Integer(metadata={"description": "Of its newest verdict; 1 is that it was found"})


class WhereaboutsSchema(Schema):
    """Doses that are at one place now."""

    custody = fields.UUID()
    place = fields.Nested(PlaceSchema)
    doses = fields.Integer()


class GivenSchema(Schema):
    """Doses that were given."""

    administration = fields.UUID()
    facility = fields.String()
    gtin = fields.String()
    batch = fields.String()
    occurred_at = Instant()
    doses = fields.Integer()
    recipient = fields.String(allow_none=True, metadata={"description": "An opaque reference"})


class FateSchema(Schema):
    """What became of doses: where they are now, and how the others ended.

    Those in transit or in quarantine are also those that did not arrive with the rest of their shipment; the trail of a
    batch tells these apart.
    """

    doses = fields.Integer()
    on_hand = fields.Integer()
    in_quarantine = fields.Integer()
    in_transit = fields.Integer()
    administered = fields.Integer()
    wasted = fields.Integer()
    returned = fields.Integer()
    missing = fields.Integer()


class ExposedCustodySchema(Schema):
    """A custody in which doses were there first, and what became of them."""

    custody = fields.UUID()
    place = fields.Nested(PlaceSchema)
    gtin = fields.String()
    batch = fields.String()
    doses = fields.Integer()
    fate = fields.Nested(FateSchema)
    left = fields.List(fields.Nested(WhereaboutsSchema))


class ImpactSchema(Schema):
    """What an excursion touched; `/excursions/{id}/impact/administrations` lists the doses that were given."""

    excursion = fields.Nested(ExcursionSchema)
    doses = fields.Integer()
    on_hand = fields.Integer(attribute="fate.on_hand")
    in_quarantine = fields.Integer(attribute="fate.in_quarantine")
    in_transit = fields.Integer(attribute="fate.in_transit")
    administered = fields.Integer(attribute="fate.administered")
    wasted = fields.Integer(attribute="fate.wasted")
    returned = fields.Integer(attribute="fate.returned")
    missing = fields.Integer(attribute="fate.missing")
    custodies = fields.List(fields.Nested(ExposedCustodySchema))


@cache
def page_of(item: type[Schema]) -> type[Schema]:
    """A page of items, and the cursor of the next one."""
    name = item.__name__.removesuffix("Schema") + "PageSchema"
    members = {"items": fields.List(fields.Nested(item)), "next": fields.String(allow_none=True)}
    return type(name, (Schema,), members)
