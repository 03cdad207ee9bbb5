"""Packs as they are announced and shown."""

from marshmallow import fields

from api.schemas import fields as own
from api.schemas.answers import PlaceSchema
from api.schemas.fields import Schema
from api.schemas.packs import PackLineSchema


class PackFileSchema(Schema):
    """What a maker's association file says."""

    gtin = own.text(14, required=True)
    batch = own.batch_number(required=True)
    expiry = fields.Date(required=True)
    packs = fields.List(fields.Nested(PackLineSchema), required=True)


class AnnouncedSchema(Schema):
    """How many packs a file named, how many were new, how many are in no other, and the doses in all."""

    packs = fields.Integer()
    new = fields.Integer()
    outermost = fields.Integer()
    doses = fields.Integer()


class PackSchema(Schema):
    """A pack: the one it is in and those in it, what is left of it, and where the book has it.

    Its custody may hold less. Without a place it was announced and not received, or `opened`: those in it have theirs.
    """

    code = fields.String()
    gtin = fields.String()
    batch = fields.String()
    expiry = fields.Date()
    level = fields.Integer(metadata={"description": "1 holds no other; each other is one above the highest in it"})
    parent = fields.String(allow_none=True)
    children = fields.List(fields.String(), metadata={"description": "The first of those directly in it"})
    inside = fields.Integer(metadata={"description": "How many are directly in it"})
    opened = fields.Boolean()
    doses = fields.Integer()
    remaining = fields.Integer()
    holder = fields.String(allow_none=True, metadata={"description": "Whose custody that is: it, or one around"})
    custody = fields.UUID(allow_none=True)
    custody_remaining = fields.Integer(allow_none=True)
    place = fields.Nested(PlaceSchema, allow_none=True)
