"""EPCIS documents: what is asked for, and what is answered to what was sent."""

from marshmallow import fields

from api.schemas import fields as own
from api.schemas.fields import Instant, Schema
from api.schemas.problems import ProblemSchema
from api.schemas.queries import FacilityQuery, PageQuery
from inventory.domain.epcis.capture import CaptureState
from inventory.services.epcis.capturing import Outcome


class EpcisQuery(PageQuery):
    """Of a batch (GTIN and number), of a shipment, or from an instant until before another; at one facility, or at all.

    The limit is of stock events, of which one may be several EPCIS events.
    """

    gtin = own.text(14, load_default=None)
    batch = own.batch_number(load_default=None)
    shipment = fields.UUID(load_default=None)
    facility = own.code(load_default=None)
    since = Instant(load_default=None, data_key="from")
    until = Instant(load_default=None, data_key="to")


class CapturedQuery(FacilityQuery):
    """Of one facility, or of all; in one state, such as announced, or in any."""

    state = own.word(CaptureState, load_default=None)


class CaptureResultSchema(Schema):
    """What was made of one event of a document: stock events, a shipment, or the problem for which it was refused."""

    event_id = fields.String(allow_none=True)
    outcome = own.word(Outcome)
    posted = fields.List(fields.UUID())
    shipment = fields.UUID(allow_none=True)
    problem = fields.Nested(ProblemSchema, allow_none=True)


class CaptureResultsSchema(Schema):
    """A result for each event, in their order."""

    results = fields.List(fields.Nested(CaptureResultSchema))


class CapturedEventSchema(Schema):
    """An EPCIS event that was taken in: an announced delivery, or what was posted of it."""

    event_id = fields.String()
    state = own.word(CaptureState)
    captured_at = Instant()
    facility = fields.String()
    advice = fields.String(allow_none=True, metadata={"description": "The despatch advice that it refers to"})
    shipment = fields.UUID(allow_none=True)
    posted = fields.List(fields.UUID(), metadata={"description": "The stock events that it became"})
    event = fields.Dict(keys=fields.String(), metadata={"description": "As it was sent"})
