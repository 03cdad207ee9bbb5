"""The check before use: what is asked, what is answered, and a supervisor's override."""

from datetime import UTC, date, datetime
from typing import Any

from flask_babel import gettext
from marshmallow import fields, validate

from api.schemas import fields as own
from api.schemas.fields import Instant, Schema
from inventory.domain.reasons import STANDING, TEXTS, Reason, ReasonCode, Usable


class UsabilityQuery(Schema):
    """Who would give the doses, when, and the product of the person's earlier dose."""

    facility = own.code(required=True)
    at = Instant(load_default=None, metadata={"description": "Now, where it is not stated"})
    previous_gtin = own.text(14, load_default=None)


def _text(reason: Reason) -> str:
    text: str = gettext(TEXTS[reason.code])
    return text % _facts(reason)


def _facts(reason: Reason) -> dict[str, Any]:
    return {name: _plain(value) for name, value in reason.facts.items()}


def _plain(value: Any) -> str | int | None:
    """A fact as JSON has it; instants in UTC, as everywhere."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, int) else str(value)


class ReasonSchema(Schema):
    """A reason for the verdict; one that was overridden counts no more."""

    code = own.word(ReasonCode)
    verdict = own.word(Usable)
    text = fields.Function(_text, metadata={"type": "string"})
    facts = fields.Function(_facts, metadata={"type": "object"})
    override = fields.UUID(allow_none=True, metadata={"description": "The event by which a supervisor answers for it"})


class UsabilitySchema(Schema):
    """Whether doses may be given, and every reason; `custody` is where they would be taken from."""

    usable = own.word(Usable)
    facility = fields.String()
    gtin = fields.String()
    batch = fields.String()
    at = Instant()
    pack = fields.String(allow_none=True)
    custody = fields.UUID(allow_none=True)
    reasons = fields.List(fields.Nested(ReasonSchema))


class OverrideSchema(Schema):
    """A supervisor's word for the doses of a batch, at a facility and at those below it."""

    facility = own.code(required=True)
    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    covers = fields.List(
        fields.String(validate=validate.OneOf(sorted(STANDING))),
        required=True,
        validate=validate.Length(1, len(STANDING)),
    )
    occurred_at = Instant(required=True)
    reason = own.text(500, required=True)
