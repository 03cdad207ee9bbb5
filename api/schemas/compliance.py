"""The compliance table and the bulletin: what may be asked, and what is answered."""

from enum import StrEnum

from marshmallow import fields

from api.schemas import fields as own
from api.schemas.fields import Instant, Minutes, Schema
from inventory.domain.compliance import By


class Format(StrEnum):
    """How an answer is written."""

    JSON = "json"
    CSV = "csv"


def _format() -> fields.Field[Format]:
    described = "Without it, by the header Accept: JSON, unless CSV is preferred"
    return own.word(Format, load_default=None, metadata={"description": described})


class ComplianceQuery(Schema):
    """Civil days, both included; of one facility, of those that a store supplies, or of all."""

    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    by = own.word(By, load_default=By.FACILITY_DAY)
    facility = own.code(load_default=None)
    supplied_by = own.code(load_default=None)
    format = _format()


class BulletinQuery(Schema):
    """The sites of a store, as they stood at an instant; now, unless one is stated."""

    facility = own.code(required=True)
    at = Instant(load_default=None)
    format = _format()


def _minutes(attribute: str) -> Minutes:
    return Minutes(attribute=attribute, allow_none=True)


class FiguresSchema(Schema):
    """Doses, and how late the late ones were; null where none was late."""

    received = fields.Integer()
    found = fields.Integer()
    delivered_in_time = fields.Integer(attribute="delivered.in_time")
    delivered_late = fields.Integer(attribute="delivered.late")
    delivered_late_minutes_max = _minutes("delivered.most_late")
    delivered_late_minutes_mean = _minutes("delivered.mean_late")
    dispatched = fields.Integer()
    forwarded_in_time = fields.Integer(attribute="forwarded.in_time")
    forwarded_late = fields.Integer(attribute="forwarded.late")
    forwarded_late_minutes_max = _minutes("forwarded.most_late")
    forwarded_late_minutes_mean = _minutes("forwarded.mean_late")
    administered = fields.Integer()
    used_in_time = fields.Integer(attribute="used.in_time")
    used_late = fields.Integer(attribute="used.late")
    used_late_minutes_max = _minutes("used.most_late")
    used_late_minutes_mean = _minutes("used.mean_late")
    transferred = fields.Integer()
    returned = fields.Integer()
    wasted = fields.Integer()
    wasted_by_reason = fields.Dict(keys=fields.String(), values=fields.Integer())
    missing = fields.Integer()
    left_late = fields.Integer(
        attribute="left.late",
        metadata={"description": "Returned, wasted or missing, after the clock on the doses had ended"},
    )
    left_late_minutes_max = _minutes("left.most_late")
    left_late_minutes_mean = _minutes("left.mean_late")
    unexplained = fields.Integer(metadata={"description": "Still in transit after the shipment arrived on that day"})


class ComplianceLineSchema(FiguresSchema):
    """A facility's day; null where all of its days, or all facilities, are summed."""

    facility = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    day = fields.Date(allow_none=True)


class ComplianceSchema(Schema):
    """The compliance table, and its sum."""

    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    by = own.word(By)
    items = fields.List(fields.Nested(ComplianceLineSchema))
    totals = fields.Nested(FiguresSchema)


class BulletinTotalsSchema(Schema):
    """Doses of the day until the bulletin; parts are null where there is nothing to be a part of."""

    opening = fields.Integer()
    received = fields.Integer()
    available = fields.Integer(metadata={"description": "Opening stock and what was received since"})
    used = fields.Integer()
    completion = fields.Float(allow_none=True, metadata={"description": "Used, of what was available: 0 to 1"})
    daily_capacity = fields.Integer(allow_none=True)
    capacity_used = fields.Float(allow_none=True, metadata={"description": "Used, of a day's capacity"})
    at_risk = fields.Integer(metadata={"description": "Still there, the clock of use ending within 12 hours"})
    overdue = fields.Integer(metadata={"description": "Still there, the clock of use having ended"})
    used_late = fields.Integer()
    delivered_late = fields.Integer()
    wasted = fields.Integer()
    sent = fields.Integer(metadata={"description": "Handed on to another site, or back up the line"})
    found = fields.Integer(metadata={"description": "Above the book or above what was sent; they wait in quarantine"})
    missing = fields.Integer(metadata={"description": "Counted less than the book"})
    held = fields.Integer(metadata={"description": "Still there, free or in quarantine"})


class BulletinLineSchema(BulletinTotalsSchema):
    """A site's line; equal numbers of doses used share a rank."""

    rank = fields.Integer()
    facility = fields.String()
    name = fields.String()
    day = fields.Date(metadata={"description": "The civil day of the site's own zone"})


class BulletinSchema(Schema):
    """The bulletin of a store's sites."""

    facility = fields.String()
    name = fields.String()
    at = Instant()
    items = fields.List(fields.Nested(BulletinLineSchema))
    totals = fields.Nested(BulletinTotalsSchema)
