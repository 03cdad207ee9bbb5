"""Notices: what may be asked of them, and how they are answered."""

from marshmallow import fields

from api.schemas import fields as own
from api.schemas.fields import Instant, Schema
from api.schemas.queries import FacilityQuery
from inventory.domain.notices import Channel, NoticeKind


class NoticeQuery(FacilityQuery):
    """Of one kind, or of all."""

    kind = own.word(NoticeKind, load_default=None)


class NoticeDeliverySchema(Schema):
    """How far a channel has come with a notice; one that was sent or given up is tried no more."""

    channel = own.word(Channel)
    attempts = fields.Integer()
    next_attempt_at = Instant(allow_none=True)
    sent_at = Instant(allow_none=True)
    gave_up_at = Instant(allow_none=True)
    last_error = fields.String(allow_none=True)


class NoticeSchema(Schema):
    """What people were told, and how far each channel has come."""

    id = fields.UUID()
    kind = own.word(NoticeKind)
    facility = fields.String(allow_none=True, metadata={"description": "where somebody has to act"})
    created_at = Instant()
    body = fields.Dict(metadata={"description": "the facts, by kind; as a webhook gets them"})
    deliveries = fields.List(fields.Nested(NoticeDeliverySchema))
