"""What an order to the ledger wrote."""

from marshmallow import fields

from api.schemas import fields as own
from api.schemas.fields import Instant, Schema
from api.schemas.problems import ProblemSchema
from inventory.domain.words import Chosen, End, EventKind


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
    reason = fields.String(allow_none=True)
    movements = fields.List(fields.Nested(MovementSchema))


class PostedSchema(Schema):
    """What a request wrote."""

    shipment = fields.UUID(allow_none=True)
    return_shipment = fields.UUID(allow_none=True, metadata={"description": "It takes back what was refused"})
    events = fields.List(fields.Nested(EventSchema))


class LineResultSchema(Schema):
    """What a line of a list wrote, or the problem for which it was refused."""

    status = fields.Integer()
    posted = fields.Nested(PostedSchema, allow_none=True)
    problem = fields.Nested(ProblemSchema, allow_none=True)


class PostedListSchema(Schema):
    """A result for each line, in their order."""

    results = fields.List(fields.Nested(LineResultSchema))
