"""The log: what is asked of it, and its proofs."""

from base64 import b64encode
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from api.schemas import fields as own
from api.schemas.fields import Schema
from inventory.domain.leaves import FactKind

_HASH = {"description": "SHA-256, base64"}


class Hash(fields.String):
    """A hash in base64."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ARG002  (marshmallow's)
        return None if value is None else b64encode(value).decode()


class InclusionQuery(Schema):
    """Of an event, of a version of an excursion, or of a statement about an adverse event."""

    event = fields.UUID(load_default=None)
    excursion = fields.UUID(load_default=None)
    version = fields.Integer(load_default=None, validate=validate.Range(1, 1_000_000))
    adverse_event = fields.UUID(load_default=None, metadata={"description": "The id of the statement"})

    @validates_schema
    def one_fact(self, data: dict[str, Any], **kwargs: Any) -> None:  # noqa: ARG002
        """Exactly one, and a version with an excursion only."""
        named = [name for name in ("event", "excursion", "adverse_event") if data.get(name) is not None]
        if len(named) != 1 or (data.get("version") is not None) != (named == ["excursion"]):
            raise ValidationError("Expected one of event, excursion with version, and adverse_event.", "event")


class InclusionSchema(Schema):
    """A leaf, and the hashes that lead from it to the root of the checkpoint (RFC 9162, 2.1.3)."""

    kind = own.word(FactKind)
    fact = fields.UUID()
    version = fields.Integer()
    index = fields.Integer()
    leaf = fields.String(metadata={"description": "The bytes of the leaf, UTF-8"})
    leaf_hash = Hash(metadata=_HASH)
    hashes = fields.List(Hash(metadata=_HASH))
    checkpoint = fields.String(metadata={"description": "The signed note"})


class ConsistencyQuery(Schema):
    """Two sizes of the log."""

    old = fields.Integer(required=True, data_key="from", validate=validate.Range(1))
    new = fields.Integer(required=True, data_key="to", validate=validate.Range(1))


class ConsistencySchema(Schema):
    """The hashes that show that the log of `to` leaves begins with that of `from` (RFC 9162, 2.1.4)."""

    old = fields.Integer(data_key="from")
    new = fields.Integer(data_key="to")
    hashes = fields.List(Hash(metadata=_HASH))
