"""Reference data."""

from marshmallow import fields, validate

from api.schemas import fields as own
from api.schemas.fields import Celsius, Instant, Minutes, Schema, Seconds
from inventory.domain.deadlines import RuleName
from inventory.domain.words import ApplianceKind, ClockState, FacilityKind, Policy, Side
from inventory.services.rules import PROGRAMME


class FacilitySchema(Schema):
    """A supplier, a store or a site."""

    code = own.code(required=True)
    name = own.text(200, required=True)
    kind = own.word(FacilityKind, required=True)
    zone = own.text(64, required=True, metadata={"description": "IANA time zone", "example": "Asia/Shanghai"})
    supplied_by = own.code(load_default=None, allow_none=True)
    daily_capacity = own.count(load_default=None, allow_none=True)
    stations = own.count(load_default=None, allow_none=True)
    session_ends = own.matching(
        "^([01][0-9]|2[0-3]):[0-5][0-9]$",
        load_default=None,
        allow_none=True,
        metadata={"description": "When its session ends each day, on its own clock", "example": "17:30"},
    )
    gln = own.text(
        13, load_default=None, allow_none=True, metadata={"description": "GS1 location number; without one, its code"}
    )


class ApplianceSchema(Schema):
    """Cold-chain equipment."""

    code = own.code(required=True)
    facility = own.code(required=True)
    name = own.text(200, required=True)
    kind = own.word(ApplianceKind, required=True)


class ProductSchema(Schema):
    """A vaccine by its GTIN."""

    gtin = own.text(14, required=True)
    name = own.text(200, required=True)
    doses_per_vial = own.count(required=True)
    storage_profile = own.code(required=True, metadata={"example": "strict-2-8"})
    programme = own.code(load_default=PROGRAMME)
    imported = fields.Boolean(load_default=False, metadata={"description": "Imported goods need more papers"})
    open_vial_hours = own.count(
        load_default=None,
        allow_none=True,
        metadata={"description": "How long an opened vial lasts; 6 where several doses share one and none is stated"},
    )
    open_vial_session = fields.Boolean(
        load_default=None, allow_none=True, metadata={"description": "Not beyond the session in which it was opened"}
    )
    thaw_hours = own.count(load_default=None, allow_none=True, metadata={"description": "How long thawed doses last"})


class LimitSchema(Schema):
    """How long a temperature may lie beyond a threshold before it is an excursion."""

    name = fields.String()
    side = own.word(Side)
    threshold_celsius = Celsius(attribute="threshold")
    inclusive = fields.Boolean(metadata={"description": "Whether the threshold itself is beyond it"})
    duration_minutes = Minutes(attribute="duration")
    window_minutes = Minutes(
        attribute="window",
        allow_none=True,
        metadata={"description": "Within how long the duration adds up; null where it is consecutive"},
    )


class StorageProfileSchema(Schema):
    """The band in which something is to be kept, both ends included, and its limits."""

    code = fields.String()
    low_celsius = Celsius(attribute="low")
    high_celsius = Celsius(attribute="high")
    limits = fields.List(fields.Nested(LimitSchema))


class GatewaySchema(Schema):
    """A gateway; its shard is given by its code unless it is stated."""

    code = own.code(required=True)
    facility = own.code(required=True)
    shard = own.matching("^[0-9a-f]{2}$", load_default=None, allow_none=True, metadata={"example": "00"})


class GatewayViewSchema(GatewaySchema):
    """A gateway, whether it is there, and what the arrival of its messages says of its clock.

    A lag is the time from the newest reading of a message to its arrival. The least of a day says how far the clock is
    off at most: `clock` is `ahead` where it is negative, for nothing arrives before it is measured; `behind-or-late`
    where it is more than five minutes, for then either the clock is behind or every message comes late.
    """

    online = fields.Boolean(
        allow_none=True, metadata={"description": "As it or its last will said last; null where it never said"}
    )
    said_at = Instant(allow_none=True)
    heard_at = Instant(allow_none=True)
    lag_seconds = Seconds(attribute="lag", allow_none=True, metadata={"description": "Of its last message"})
    clock = own.word(ClockState, allow_none=True)
    clock_skew_seconds = Seconds(
        attribute="clock_skew",
        allow_none=True,
        metadata={"description": "How far ahead its clock is, by the least lag; negative: behind, or always late"},
    )
    clock_since = Instant(allow_none=True, metadata={"description": "Since when the least lag is taken"})
    streams_with_holes = fields.Integer(metadata={"description": "Boots of which messages are missing"})


class SensorSchema(Schema):
    """A sensor, judged by a storage profile, and the appliance that it watches."""

    serial = own.code(required=True)
    interval_seconds = own.count(required=True)
    storage_profile = own.code(required=True)
    gateway = own.code(load_default=None, allow_none=True)
    appliance = own.code(load_default=None, allow_none=True)
    appliance_since = Instant(load_default=None, allow_none=True)
    giai = own.text(30, load_default=None, allow_none=True, metadata={"description": "GS1 asset number"})


class SensorViewSchema(SensorSchema):
    """A sensor, when it was last heard, and since when it is silent.

    Silent is a sensor that should be heard - it watches a place, or never had one - and was not for three of its
    intervals.
    """

    latest_at = Instant(allow_none=True, metadata={"description": "The instant of its newest reading"})
    silent_since = Instant(
        allow_none=True,
        metadata={"description": "Its newest reading, or when its watch began; null while it is not silent"},
    )


class ProgrammeSchema(Schema):
    """A vaccination programme, and what it makes of a doubt about doses: it shows it, or asks a supervisor."""

    code = own.code(required=True)
    name = own.text(200, required=True)
    on_missed = own.word(Policy, load_default=Policy.FLAG, metadata={"description": "When a deadline was missed"})
    on_exposure = own.word(Policy, load_default=Policy.ASK, metadata={"description": "When doses were not kept cold"})


class RuleSchema(Schema):
    """A deadline rule of a set."""

    name = own.word(RuleName, required=True, metadata={"description": "deliver, forward or use"})
    window = own.text(
        64,
        required=True,
        metadata={
            "description": "PTnH: elapsed hours; same-day, next-day-end: civil days at the facility",
            "example": "PT24H",
        },
    )


class RuleSetSchema(Schema):
    """A set of deadline rules; once it is made it is never changed."""

    code = own.code(required=True)
    rules = fields.List(fields.Nested(RuleSchema), required=True, validate=validate.Length(1, len(RuleName)))


class RuleAssignmentSchema(Schema):
    """From when on a rule set holds.

    The nearest facility up the line of supply comes first, then a programme's own before one for all, then the latest.
    """

    rule_set = own.code(required=True)
    programme = own.code(load_default=None, allow_none=True, metadata={"description": "All where none is named"})
    facility = own.code(
        load_default=None, allow_none=True, metadata={"description": "With those below it; all where none is named"}
    )
    effective_from = Instant(
        required=True, metadata={"description": "May lie ahead; deadlines that are written stay as they are"}
    )
