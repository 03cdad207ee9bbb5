"""Answers: stock, shipments, trails, excursions, readings."""

from marshmallow import fields

from api.schemas import fields as own
from api.schemas.fields import Celsius, Instant, Minutes, Schema
from api.schemas.ledger import TransportSchema
from inventory.domain.deadlines import RuleName
from inventory.domain.words import Chosen, EventKind, LocationKind, Origin, Purpose, RejectReason, Side


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
    """An excursion with the rule that it broke."""

    id = fields.UUID()
    sensor = fields.String()
    side = own.word(Side)
    rule = fields.String()
    threshold_celsius = Celsius(attribute="threshold", allow_none=True)
    inclusive = fields.Boolean(allow_none=True)
    duration_minutes = Minutes(attribute="duration", allow_none=True)
    started_at = Instant()
    alarm_at = Instant()
    ended_at = Instant(allow_none=True)
    seen_minutes = Minutes(attribute="seen")
    unseen_minutes = Minutes(attribute="unseen")
    extreme_celsius = Celsius(attribute="extreme", allow_none=True)
    cancelled_at = Instant(allow_none=True)


class ExposureSchema(Schema):
    """What the product's band says of the time."""

    above_minutes = Minutes(attribute="above")
    below_minutes = Minutes(attribute="below")
    unseen_minutes = Minutes(attribute="unseen")
    lowest_celsius = Celsius(attribute="lowest", allow_none=True)
    highest_celsius = Celsius(attribute="highest", allow_none=True)
    mean_kinetic_celsius = fields.Function(
        lambda seen: None if seen.mean_kinetic is None else round(seen.mean_kinetic, 2),
        metadata={"type": "number", "nullable": True},
    )


class SensorEvidenceSchema(Schema):
    """What one sensor saw."""

    sensor = fields.String()
    since = Instant()
    until = Instant()
    exposure = fields.Nested(ExposureSchema)


class EvidenceSchema(Schema):
    """What was seen of a place, and the time that none of its sensors saw."""

    unseen_minutes = Minutes(attribute="unseen")
    sensors = fields.List(fields.Nested(SensorEvidenceSchema))
    excursions = fields.List(fields.Nested(ExcursionSchema))


class StepSchema(Schema):
    """An event on a trail."""

    event = fields.UUID()
    kind = own.word(EventKind)
    occurred_at = Instant()
    recorded_at = Instant()
    actor = fields.String()


class ClockSchema(Schema):
    """A deadline that ran on a custody."""

    name = own.word(RuleName)
    rule_set = fields.String()
    opened_at = Instant()
    due_at = Instant()


class CustodySchema(Schema):
    """A custody on a trail."""

    custody = fields.UUID()
    parent = fields.UUID(allow_none=True)
    depth = fields.Integer()
    place = fields.Nested(PlaceSchema)
    doses = fields.Integer()
    remaining = fields.Integer()
    origin = own.word(Origin, allow_none=True)
    corrected = fields.Boolean()
    chosen = own.word(Chosen, allow_none=True)
    opened_by = fields.Nested(StepSchema)
    deadlines = fields.List(fields.Nested(ClockSchema))


class StageSchema(Schema):
    """A custody on the way of a dose, and what was seen of it meanwhile."""

    custody = fields.Nested(CustodySchema)
    until = Instant()
    evidence = fields.Nested(EvidenceSchema)


class ChainSchema(Schema):
    """Doses with one way."""

    doses = fields.Integer()
    chosen = own.word(Chosen, allow_none=True)
    stages = fields.List(fields.Nested(StageSchema))


class DoseTrailSchema(Schema):
    """The way of administered doses, from the supplier's receipt on."""

    gtin = fields.String()
    batch = fields.String()
    facility = fields.String()
    administration = fields.Nested(StepSchema)
    corrected = fields.Boolean()
    chains = fields.List(fields.Nested(ChainSchema))


class BatchTrailSchema(Schema):
    """The tree of a batch."""

    gtin = fields.String()
    batch = fields.String()
    received = fields.Integer()
    found = fields.Integer()
    on_hand = fields.Integer()
    in_quarantine = fields.Integer()
    in_transit = fields.Integer()
    administered = fields.Integer()
    wasted = fields.Integer()
    returned = fields.Integer()
    missing = fields.Integer()
    custodies = fields.List(fields.Nested(CustodySchema))


class WhereaboutsSchema(Schema):
    """Doses that are at one place now."""

    custody = fields.UUID()
    place = fields.Nested(PlaceSchema)
    doses = fields.Integer()


class GivenSchema(Schema):
    """Doses that were given."""

    administration = fields.UUID()
    facility = fields.String(allow_none=True)
    occurred_at = Instant()
    doses = fields.Integer()


class ExposedCustodySchema(Schema):
    """A custody that was there in an excursion."""

    custody = fields.UUID()
    place = fields.Nested(PlaceSchema)
    gtin = fields.String()
    batch = fields.String()
    doses = fields.Integer()
    left = fields.List(fields.Nested(WhereaboutsSchema))
    given = fields.List(fields.Nested(GivenSchema))


class ImpactSchema(Schema):
    """What an excursion touched."""

    excursion = fields.Nested(ExcursionSchema)
    doses = fields.Integer()
    on_hand = fields.Integer()
    in_quarantine = fields.Integer()
    in_transit = fields.Integer()
    administered = fields.Integer()
    wasted = fields.Integer()
    returned = fields.Integer()
    missing = fields.Integer()
    custodies = fields.List(fields.Nested(ExposedCustodySchema))


class ReadingSchema(Schema):
    """One reading."""

    measured_at = Instant()
    celsius = Celsius(attribute="temperature")
    received_at = Instant()


class ReadingsSchema(Schema):
    """A page of readings, and how many contradicting values were kept aside."""

    items = fields.List(fields.Nested(ReadingSchema), attribute="page.items")
    next = fields.String(attribute="page.next", allow_none=True)
    conflicts = fields.Integer()


class RejectedSchema(Schema):
    """A message that was kept aside."""

    id = fields.UUID()
    topic = fields.String()
    payload = fields.String(metadata={"description": "How it begins"})
    payload_bytes = fields.Integer()
    reason = own.word(RejectReason)
    detail = fields.String()
    received_at = Instant()
    times = fields.Integer()


def page_of(item: type[Schema]) -> type[Schema]:
    """A page of items, and the cursor of the next one."""
    name = item.__name__.removesuffix("Schema") + "PageSchema"
    members = {"items": fields.List(fields.Nested(item)), "next": fields.String(allow_none=True)}
    return type(name, (Schema,), members)
