"""What happened: which events are wanted, and how they and recalls are answered."""

from marshmallow import fields

from api.schemas import fields as own
from api.schemas.answers import PlaceSchema
from api.schemas.fields import Instant, Schema
from api.schemas.ledger import TransportSchema
from api.schemas.posted import MovementSchema
from api.schemas.queries import PageQuery
from inventory.domain.words import EventKind, WasteReason


class HistoryQuery(PageQuery):
    """Of a facility, a batch or both, from an instant until before another."""

    facility = own.code(load_default=None)
    gtin = own.text(14, load_default=None)
    batch = own.batch_number(load_default=None)
    since = Instant(load_default=None, data_key="from")
    until = Instant(load_default=None, data_key="to")


class EventQuery(HistoryQuery):
    """Of a facility, a batch or a shipment; of one kind, or of all."""

    shipment = fields.UUID(load_default=None)
    kind = own.word(EventKind, load_default=None)


class AdministrationQuery(HistoryQuery):
    """Those that were corrected on request."""

    corrected = fields.Boolean(load_default=False, metadata={"description": "With those that were corrected"})


class EventSummarySchema(Schema):
    """An event without what it moved."""

    id = fields.UUID()
    kind = own.word(EventKind)
    facility = fields.String()
    gtin = fields.String()
    batch = fields.String()
    shipment = fields.UUID(allow_none=True)
    occurred_at = Instant()
    recorded_at = Instant()
    actor = fields.String()
    cause = own.word(WasteReason, allow_none=True)
    reason = fields.String(allow_none=True)
    reverses = fields.UUID(allow_none=True, metadata={"description": "The event that a correction reversed"})
    corrected_by = fields.UUID(allow_none=True, metadata={"description": "The correction that reversed it"})


class RecordedEventSchema(EventSummarySchema):
    """An event as it was recorded."""

    details = fields.Dict(
        keys=fields.String(),
        metadata={"description": "What only its kind has: papers, outcome, what was counted, an opaque recipient"},
    )
    transport = fields.Nested(TransportSchema, allow_none=True)
    movements = fields.List(fields.Nested(MovementSchema))


class AdministrationLineSchema(Schema):
    """Doses that were given; `GET /administrations/{id}/trail` follows them back to the supplier."""

    id = fields.UUID()
    facility = fields.String()
    gtin = fields.String()
    batch = fields.String()
    occurred_at = Instant()
    recorded_at = Instant()
    actor = fields.String()
    doses = fields.Integer()
    recipient = fields.String(allow_none=True, metadata={"description": "An opaque reference"})
    corrected_by = fields.UUID(allow_none=True)


class RecallSummarySchema(EventSummarySchema):
    """A recall: the batch, the store that ordered it, who, when and why."""

    stands = fields.Boolean(metadata={"description": "False once it was corrected"})


class DosesAtPlaceSchema(Schema):
    """Doses that a place holds now."""

    place = fields.Nested(PlaceSchema)
    doses = fields.Integer()


class DosesAtFacilitySchema(Schema):
    """Doses that a facility has given."""

    facility = fields.String()
    doses = fields.Integer()


class RecallProgressSchema(Schema):
    """Where the doses of a recalled batch are; `/recalls/{id}/administrations` lists those that were given."""

    recall = fields.Nested(RecallSummarySchema)
    doses = fields.Integer(metadata={"description": "All that there ever were of the batch"})
    located = fields.Integer(metadata={"description": "Held or free, where the book says"})
    doses_held = fields.Integer()
    doses_held_in_transit = fields.Integer(metadata={"description": "Of what is held, what was on its way"})
    doses_free = fields.Integer(metadata={"description": "Neither held nor gone: nothing, unless something is wrong"})
    doses_given = fields.Integer()
    wasted = fields.Integer()
    returned = fields.Integer()
    missing = fields.Integer()
    found = fields.Integer(metadata={"description": "Of all doses, those that no receipt explains"})
    unexplained = fields.Integer(
        metadata={"description": "Of what is held or free, doses on shipments that arrived without them"}
    )
    not_accounted_for = fields.Integer(metadata={"description": "Missing or unexplained: nobody knows where they are"})
    completeness = fields.Float(
        metadata={"description": "The part, 0 to 1, that is held, returned, wasted or given; never rounded up"}
    )
    held = fields.List(fields.Nested(DosesAtPlaceSchema))
    free = fields.List(fields.Nested(DosesAtPlaceSchema))
    given_by_facility = fields.List(fields.Nested(DosesAtFacilitySchema))
