"""The shape of a problem."""

from marshmallow import fields

from api.schemas.fields import Schema


class FaultSchema(Schema):
    """A field that the schema refused."""

    field = fields.String()
    expected = fields.String()


class ProblemSchema(Schema):
    """What was wrong (RFC 9457): a stable code, and for a person the field, its value and what was expected."""

    type = fields.String(metadata={"example": "urn:coldtrail:problem:not_enough_doses"})
    status = fields.Integer()
    code = fields.String(metadata={"example": "not_enough_doses"})
    title = fields.String()
    detail = fields.String()
    field = fields.String()
    value = fields.Raw(allow_none=True)
    expected = fields.String()
    errors = fields.List(fields.Nested(FaultSchema), metadata={"description": "All that a schema refused"})
