"""Packs in orders, and a supervisor's word for one administration."""

from typing import Any

from marshmallow import fields, post_load, validate

from api.schemas import fields as own
from api.schemas.fields import Schema
from inventory.domain.packs import PackLine
from inventory.domain.usability import OverrideReason
from inventory.services.scans import LONGEST

MOST_PACKS = 1000
"""How many packs one receipt, or one line, may hold."""


def pack_code(**kwargs: Any) -> fields.String:
    """A pack as it is scanned: what it says is read where its batch is known."""
    description = (
        "As a scanner gives it: a GS1 element string with its separators (as \\u001d) or in brackets, with or "
        "without the symbology identifier, a GS1 Digital Link address, an SSCC after 00, the 20 digits of a 追溯码, "
        "or another code"
    )
    example = {"description": description, "example": "(01)06901234567892(10)202512A03(21)A1"}
    return fields.String(validate=validate.Length(1, LONGEST), metadata=example, **kwargs)


def scanned_packs() -> fields.Field[Any]:
    """The codes of packs that were scanned."""
    return fields.List(
        pack_code(),
        load_default=list,
        validate=validate.Length(0, MOST_PACKS),
        metadata={"description": "Packs that were scanned; the doses are what is left in them unless more are stated"},
    )


class PackLineSchema(Schema):
    """A pack that came with goods: announced before, or with its doses, or of a tree that the lines themselves give."""

    code = pack_code(required=True)
    doses = own.doses(
        load_default=None,
        allow_none=True,
        metadata={"description": "Of a pack that nobody has announced, and that is in no other"},
    )
    parent = pack_code(load_default=None, allow_none=True)

    @post_load
    def _pack(self, fields: dict[str, Any], **_: Any) -> PackLine:
        return PackLine(**fields)


def packs_in() -> fields.Field[Any]:
    """The packs that came with goods."""
    return fields.List(fields.Nested(PackLineSchema), load_default=list, validate=validate.Length(0, MOST_PACKS))


class OverrideReasonSchema(Schema):
    """Why a supervisor lets these doses be given, despite everything that asks about them."""

    reason = own.text(500, required=True)

    @post_load
    def _override(self, fields: dict[str, Any], **_: Any) -> OverrideReason:
        return OverrideReason(**fields)
