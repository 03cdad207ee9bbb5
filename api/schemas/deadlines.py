"""The countdown board, and what could be done about it."""

from marshmallow import fields, validate

from api.schemas import fields as own
from api.schemas.answers import PlaceSchema
from api.schemas.fields import Instant, Minutes, Schema
from api.schemas.queries import FacilityQuery
from inventory.domain.adverse_events import AdverseEventKind, ReportClock
from inventory.domain.deadlines import RuleName, Status
from inventory.domain.forecast import Basis
from inventory.domain.redistribution import HANDLING


class DeadlineQuery(FacilityQuery):
    """With one status, or all whose clock still runs."""

    status = own.word(Status, load_default=None)


class ForecastSchema(Schema):
    """What is to be expected of the doses left under a clock."""

    doses_per_hour = fields.Function(
        lambda forecast: None if forecast.doses_per_hour is None else round(float(forecast.doses_per_hour), 2),
        metadata={"type": "number", "nullable": True, "description": "Of working time, of all doses that wait there"},
    )
    basis = own.word(Basis, metadata={"description": "The pace of the last hours, the stated capacity, or nothing"})
    done_at = Instant(allow_none=True)
    doses_late = fields.Integer(allow_none=True, metadata={"description": "null where nobody can tell"})


class DueReportSchema(Schema):
    """An adverse event that a facility has to report on."""

    adverse_event = fields.UUID()
    kind = own.word(AdverseEventKind)
    facility = fields.String()


class DeadlineLineSchema(Schema):
    """One clock on the countdown board: of doses in a place, or of a report."""

    custody = fields.UUID(allow_none=True)
    name = fields.String(metadata={"enum": [*map(str, RuleName), *map(str, ReportClock)]})
    rule_set = fields.String()
    status = own.word(Status)
    place = fields.Nested(PlaceSchema, allow_none=True)
    report = fields.Nested(DueReportSchema, allow_none=True)
    gtin = fields.String()
    batch = fields.String()
    opened_at = Instant()
    due_at = Instant()
    minutes_left = Minutes(
        attribute="time_left", metadata={"description": "Until it is due; negative when it was missed"}
    )
    doses_left = fields.Integer()
    doses_met = fields.Integer()
    doses_late = fields.Integer()
    doses_ended = fields.Integer(metadata={"description": "Left the clock in time, but not as it asks"})
    forecast = fields.Nested(ForecastSchema, allow_none=True)


class RedistributionQuery(Schema):
    """Among the sites of one store; how long a transfer takes from the order to the first dose given."""

    facility = own.code(required=True)
    handling_minutes = fields.Integer(
        load_default=int(HANDLING.total_seconds()) // 60, validate=validate.Range(0, 24 * 60)
    )


class TransferLineSchema(Schema):
    """Doses of a custody, as a dispatch names them."""

    gtin = fields.String()
    batch = fields.String()
    doses = fields.Integer()
    custody = fields.UUID()


class TransferOrderSchema(Schema):
    """The body of a POST to /shipments, but for the time at which the doses leave."""

    from_facility = fields.String()
    to_facility = fields.String()
    lines = fields.List(fields.Nested(TransferLineSchema))


class ExpectedSchema(Schema):
    """When doses that are sent are due, and when they will be given."""

    custody = fields.UUID()
    gtin = fields.String()
    batch = fields.String()
    doses = fields.Integer()
    due_at = Instant()
    done_at = Instant()


class ProposalSchema(Schema):
    """One transfer from a site to another."""

    from_facility = fields.String()
    to_facility = fields.String()
    doses = fields.Integer()
    lines = fields.List(fields.Nested(ExpectedSchema))
    dispatch = fields.Nested(TransferOrderSchema)


class StillLateSchema(Schema):
    """Doses that will be late all the same."""

    facility = fields.String()
    custody = fields.UUID()
    gtin = fields.String()
    batch = fields.String()
    due_at = Instant()
    doses_late = fields.Integer()


class RedistributionSchema(Schema):
    """What to send where, so that as few doses as possible are late."""

    facility = fields.String()
    at = Instant()
    doses_late = fields.Integer(metadata={"description": "If nothing is done"})
    doses_late_after = fields.Integer(metadata={"description": "Once the proposals are carried out"})
    proven = fields.Boolean(metadata={"description": "Whether it is sure that nothing better can be done"})
    proposals = fields.List(fields.Nested(ProposalSchema))
    still_late = fields.List(fields.Nested(StillLateSchema))
