"""What a page may be asked."""

from marshmallow import fields, validate

from api.schemas import fields as own
from api.schemas.fields import Schema
from api.schemas.queries import AsOfQuery


class SheetQuery(Schema):
    """In which language; that of the browser where none is named."""

    lang = fields.String(load_default=None, validate=validate.OneOf(("en", "zh", "zh-CN")))


class TreeSheetQuery(SheetQuery, AsOfQuery):
    """Which custodies of a batch, as of when."""

    facility = own.code(load_default=None)
    depth = fields.Integer(load_default=None, validate=validate.Range(0, 1000))
