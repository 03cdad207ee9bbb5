"""Packs in orders, and a supervisor's word for one administration."""

from typing import Any

from marshmallow import fields, post_load, validate

from api.schemas import fields as own
from api.schemas.fields import Schema
from inventory.domain.usability import OverrideReason
from inventory.services.pack_log import PackLine

MOST_PACKS = 1000
"""How many packs one receipt, or one line, may hold."""


def pack_code(**kwargs: Any) -> fields.String:
    """The code of a pack: 20 digits (追溯码), or what GS1 allows in a serial number."""
    return own.matching('^[!"%-/0-9:-?A-Z_a-z]{4,64}$', **kwargs)


def scanned_packs() -> fields.Field[Any]:
    """The codes of packs that were scanned."""
    return fields.List(
        pack_code(),
        load_default=list,
        validate=validate.Length(0, MOST_PACKS),
        metadata={"description": "Packs that were scanned; the doses are what is left in them unless more are stated"},
    )


class PackLineSchema(Schema):
    """A pack that came with goods, and the doses in it."""

    code = pack_code(required=True)
    doses = own.doses(required=True)

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
