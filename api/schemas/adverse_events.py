"""Adverse events: what is said of them, and the doses that shared something with the one before."""

from typing import Any

from marshmallow import fields, validate

from api.schemas import fields as own
from api.schemas.answers import FateSchema, PlaceSchema
from api.schemas.fields import Instant, Schema
from api.schemas.queries import FacilityQuery, PageQuery
from inventory.domain.adverse_events import AdverseEventKind, Nature, Shared
from inventory.domain.words import End

_REFERENCE = "The case in the register of adverse events: an opaque reference that names nobody"
_NOTE = "Without names, and without identity and telephone numbers, which are refused"


def _reference(**kwargs: Any) -> fields.String:
    return own.text(64, metadata={"description": _REFERENCE}, **kwargs)


def _note() -> fields.String:
    return own.text(500, load_default=None, allow_none=True, metadata={"description": _NOTE})


class AdverseEventOrderSchema(Schema):
    """An adverse event that a facility has heard of, after an administration."""

    reference = _reference(required=True)
    administration = fields.UUID(required=True)
    kind = own.word(AdverseEventKind, required=True)
    onset_at = Instant(required=True)
    heard_at = Instant(required=True, metadata={"description": "When the facility heard of it: its clock begins"})
    facility = own.code(
        load_default=None,
        allow_none=True,
        metadata={"description": "The one that heard; else where it was given"},
    )
    note = _note()


class UpdateOrderSchema(Schema):
    """What a facility has heard since, or should have said; what is left out is as it was said before."""

    nature = fields.Enum(
        Nature,
        by_value=True,
        required=True,
        validate=validate.OneOf([Nature.FOLLOW_UP, Nature.CORRECTION]),
        metadata={"enum": [Nature.FOLLOW_UP.value, Nature.CORRECTION.value]},
    )
    heard_at = Instant(required=True, metadata={"description": "When it heard this; of a correction, what it corrects"})
    kind = own.word(AdverseEventKind, load_default=None, allow_none=True)
    onset_at = Instant(load_default=None, allow_none=True)
    reference = _reference(load_default=None, allow_none=True)
    note = _note()


class ReportOrderSchema(Schema):
    """That an adverse event was reported on, as it is known now."""

    reported_at = Instant(required=True)
    reported_to = own.text(100, required=True, metadata={"description": "The county CDC, for instance"})


class PostedStatementSchema(Schema):
    """The statement that a request wrote."""

    adverse_event = fields.UUID(attribute="about")
    version = fields.Integer(metadata={"description": "1 is the first; each names the one before it"})
    recorded_at = Instant()


class StatementSchema(Schema):
    """What was said of an adverse event, and how the clock of its report stood after it."""

    version = fields.Integer()
    nature = own.word(Nature)
    reference = fields.String()
    kind = own.word(AdverseEventKind)
    onset_at = Instant()
    heard_at = Instant()
    note = fields.String(allow_none=True)
    reported_at = Instant(allow_none=True)
    reported_to = fields.String(allow_none=True)
    clock_opened_at = Instant(attribute="reporting.opened_at")
    due_at = Instant(attribute="reporting.due_at")
    met_at = Instant(
        attribute="reporting.reported_at",
        allow_none=True,
        metadata={"description": "When the report was made that meets the clock, in time or late"},
    )
    actor = fields.String()
    recorded_at = Instant()


class AdverseEventSchema(Schema):
    """An adverse event: the dose before it, and what was said of it last."""

    id = fields.UUID()
    facility = fields.String()
    administration = fields.UUID()
    given_at = Instant()
    gtin = fields.String()
    batch = fields.String()
    corrected = fields.Boolean(metadata={"description": "The administration was taken back"})
    newest = fields.Nested(StatementSchema)


class AdverseEventHistorySchema(AdverseEventSchema):
    """The same with every statement, the first one first."""

    history = fields.List(fields.Nested(StatementSchema))


class AdverseEventQuery(FacilityQuery):
    """Of one facility, after one administration, or all."""

    administration = fields.UUID(load_default=None)


class StretchSchema(Schema):
    """A time that the dose was in a place."""

    since = Instant(data_key="from")
    until = Instant(data_key="to")


class SharingSchema(Schema):
    """What shared one thing with the dose, and what became of it; the dose itself is left out."""

    number = fields.Integer()
    shared = own.word(Shared)
    place = fields.Nested(PlaceSchema)
    stretches = fields.List(fields.Nested(StretchSchema))
    attributed = fields.Boolean(
        metadata={"description": "A custody from there on was picked and not scanned: it may have been another dose"}
    )
    vials = fields.Integer(allow_none=True, metadata={"description": "How many were opened together"})
    same_batch = fields.Nested(FateSchema)
    other_batches = fields.Nested(FateSchema)


class SharedCustodySchema(Schema):
    """What doses shared with the one before an adverse event; `/shared-custody/{number}` lists them."""

    adverse_event = fields.UUID()
    administration = fields.UUID()
    gtin = fields.String()
    batch = fields.String()
    sharings = fields.List(fields.Nested(SharingSchema))


class SharedDosesQuery(PageQuery):
    """Of the same batch, of others, or all."""

    same_batch = fields.Boolean(load_default=None)


class SharedDosesSchema(Schema):
    """Doses that shared something: where they are, or how and from where they ended."""

    gtin = fields.String()
    batch = fields.String()
    custody = fields.UUID()
    place = fields.Nested(PlaceSchema)
    doses = fields.Integer()
    end = own.word(End, allow_none=True, metadata={"description": "null where they still are"})
    at = Instant(metadata={"description": "When they ended, or came where they are"})
    event = fields.UUID(allow_none=True, metadata={"description": "By which they ended"})
    recipient = fields.String(allow_none=True, metadata={"description": "An opaque reference"})
