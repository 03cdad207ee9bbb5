"""What may be asked: filters and pages."""

from marshmallow import fields, validate

from api.schemas import fields as own
from api.schemas.fields import Instant, Schema


class PageQuery(Schema):
    """Which page is wanted."""

    after = fields.String(load_default=None, metadata={"description": "`next` of the page before"})
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))


class FacilityQuery(PageQuery):
    """Of one facility, or of all."""

    facility = own.code(load_default=None)


class StockQuery(FacilityQuery):
    """Of one batch, or of all."""

    batch = own.batch_number(load_default=None)


class ShipmentQuery(FacilityQuery):
    """With doses still on their way, without, or both; with an unexplained shortfall."""

    in_transit = fields.Boolean(load_default=None)
    short = fields.Boolean(load_default=None)


class ExcursionQuery(PageQuery):
    """Of one sensor, or of all; those that late readings took back on request."""

    sensor = own.code(load_default=None)
    cancelled = fields.Boolean(load_default=False)


class ReadingQuery(PageQuery):
    """From an instant until before another."""

    since = Instant(load_default=None, data_key="from")
    until = Instant(load_default=None, data_key="to")
