"""What may be asked: filters and pages."""

from marshmallow import fields, validate

from api.schemas import fields as own
from api.schemas.fields import Instant, Schema
from inventory.domain.resolution import MOST_POINTS
from inventory.domain.words import RejectReason, Resolution


class PageQuery(Schema):
    """Which page is wanted."""

    after = fields.String(load_default=None, metadata={"description": "`next` of the page before"})
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 1000))


class FacilityQuery(PageQuery):
    """Of one facility, or of all."""

    facility = own.code(load_default=None)


class AsOfQuery(Schema):
    """As it was at an instant, and as it was known at an instant; now where none is named."""

    at = Instant(load_default=None)
    known_at = Instant(
        load_default=None, metadata={"description": "Without what was recorded later: late entries and corrections"}
    )


class StockQuery(FacilityQuery, AsOfQuery):
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
    """From an instant until before another, as finely as can be shown, or as is asked."""

    since = Instant(load_default=None, data_key="from")
    until = Instant(load_default=None, data_key="to")
    resolution = own.word(
        Resolution,
        load_default=None,
        metadata={
            "description": "auto, which is what holds without it unless a page is asked for: readings where there are "
            "no more than 2,000 of them, else hours where the span has no more of them, else days of UTC. "
            "With after or limit and without this: raw"
        },
    )
    limit = fields.Integer(load_default=None, validate=validate.Range(1, MOST_POINTS))


class SensorQuery(PageQuery):
    """Those that are silent now, those that are not, or all."""

    silent = fields.Boolean(load_default=None)


class ConflictQuery(PageQuery):
    """Of one sensor, or of all."""

    sensor = own.code(load_default=None)


class DeviceAlarmQuery(ConflictQuery):
    """Of one sensor, or of all; what had not ended before an instant and began before another."""

    since = Instant(load_default=None, data_key="from")
    until = Instant(load_default=None, data_key="to")


class RejectedQuery(PageQuery):
    """For one reason, or for all."""

    reason = own.word(RejectReason, load_default=None)


class DeliveryQuery(Schema):
    """For whom a delivery is made."""

    gateway = own.code(
        required=True,
        metadata={"description": "The code under which the sender is enrolled; the sensors have to be its own"},
    )
