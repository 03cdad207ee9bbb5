"""Trails: the tree of a batch, and the ways of given doses and of packs, with what was seen on them."""

from typing import Any

from marshmallow import fields, validate

from api.schemas import fields as own
from api.schemas.answers import ExcursionSchema, PlaceSchema
from api.schemas.fields import Celsius, Instant, Minutes, Schema
from api.schemas.queries import AsOfQuery
from inventory.domain.deadlines import RuleName, Status
from inventory.domain.reasons import ReasonCode
from inventory.domain.words import Chosen, End, EventKind, Origin

_UNCERTAIN = "Whether above, below or seen at all is not known: the readings are in files, see coldtrail archives"


class TreeQuery(AsOfQuery):
    """Which custodies of a batch's tree are wanted; its sums are always of the whole."""

    facility = own.code(
        load_default=None,
        metadata={"description": "Those that it held or that were on their way to it, with all that leads to them"},
    )
    depth = fields.Integer(load_default=None, validate=validate.Range(0, 1000), strict=False)
    after = fields.String(load_default=None, metadata={"description": "`next` of the page before"})
    limit = fields.Integer(load_default=1000, validate=validate.Range(1, 5000))


def _degrees(name: str, **kwargs: Any) -> fields.Function:
    """Degrees that are not hundredths, such as a mean kinetic temperature, to a hundredth."""

    def value(of: Any) -> float | None:
        found = getattr(of, name)
        return None if found is None else round(found, 2)

    return fields.Function(value, metadata={"type": "number", "nullable": True, **kwargs})


class ExposureSchema(Schema):
    """What the product's band says of the time."""

    above_minutes = Minutes(attribute="above")
    below_minutes = Minutes(attribute="below")
    unseen_minutes = Minutes(attribute="unseen")
    uncertain_minutes = Minutes(attribute="uncertain", metadata={"description": _UNCERTAIN})
    lowest_celsius = Celsius(attribute="lowest", allow_none=True)
    highest_celsius = Celsius(attribute="highest", allow_none=True)
    mean_kinetic_celsius = _degrees("mean_kinetic")


class SensorEvidenceSchema(Schema):
    """What one sensor saw."""

    sensor = fields.String()
    since = Instant()
    until = Instant()
    exposure = fields.Nested(ExposureSchema)


class EvidenceSchema(Schema):
    """What was seen of a place, and the time that none of its sensors saw."""

    unseen_minutes = Minutes(attribute="unseen")
    archived_minutes = Minutes(
        attribute="archived",
        metadata={"description": "Of the unseen ones; the readings are in files, see coldtrail archives"},
    )
    sensors = fields.List(fields.Nested(SensorEvidenceSchema))
    excursions = fields.List(fields.Nested(ExcursionSchema))


class StepSchema(Schema):
    """An event on a trail."""

    event = fields.UUID()
    kind = own.word(EventKind)
    occurred_at = Instant()
    recorded_at = Instant()
    actor = fields.String()


class ClockSchema(Schema):
    """A deadline that ran on doses of a custody, and how many of them met it or were late.

    Doses that took it along to their next custody are counted there; where all did, it has no status here.
    """

    name = own.word(RuleName)
    rule_set = fields.String()
    opened_at = Instant()
    due_at = Instant()
    status = own.word(Status, allow_none=True)
    doses_left = fields.Integer()
    doses_met = fields.Integer()
    doses_late = fields.Integer()
    doses_ended = fields.Integer(metadata={"description": "Left it in time, but otherwise than it asks"})


class CustodySchema(Schema):
    """A custody on a trail."""

    custody = fields.UUID()
    parent = fields.UUID(allow_none=True)
    depth = fields.Integer()
    place = fields.Nested(PlaceSchema)
    doses = fields.Integer()
    remaining = fields.Integer()
    origin = own.word(Origin, allow_none=True)
    corrected = fields.Boolean()
    chosen = own.word(Chosen, allow_none=True)
    opened_by = fields.Nested(StepSchema)
    deadlines = fields.List(fields.Nested(ClockSchema))


class TreeCustodySchema(CustodySchema):
    """A custody in a batch's tree: what left the ledger from it, and what was seen while it held any dose."""

    emptied_at = Instant(allow_none=True)
    ended = fields.Function(
        lambda line: {end.value: doses for end, doses in line.ended},
        metadata={
            "type": "object",
            "properties": {end.value: {"type": "integer"} for end in End},
            "description": "Doses that left the ledger from here, by how",
        },
    )
    evidence = fields.Nested(EvidenceSchema)


class StageSchema(Schema):
    """A custody on the way of a dose, and what was seen of it meanwhile."""

    custody = fields.Nested(CustodySchema)
    until = Instant()
    evidence = fields.Nested(EvidenceSchema)


class BudgetSchema(Schema):
    """Time outside the band that the product may spend in total, and how much of it was spent."""

    name = fields.String(attribute="budget.name")
    low_celsius = Celsius(attribute="budget.low")
    high_celsius = Celsius(attribute="budget.high")
    allowed_minutes = Minutes(attribute="budget.allowed")
    used_minutes = Minutes(attribute="used")
    left_minutes = Minutes(attribute="left", metadata={"description": "Negative where more was used than is allowed"})
    uncertain_minutes = Minutes(
        attribute="uncertain", metadata={"description": "Nobody saw, or the readings are in files: these may count too"}
    )
    exceeded = fields.Boolean()


class WorstMinutesSchema(Schema):
    """A time at its worst, and the custody that would be why."""

    minutes = Minutes(attribute="value")
    custody = fields.UUID()


class WorstCelsiusSchema(Schema):
    """A temperature at its worst, and the custody that would be why."""

    celsius = Celsius(attribute="value", allow_none=True)
    custody = fields.UUID()


class WorstMeanSchema(Schema):
    """A mean kinetic temperature at its worst, and the custody that would be why."""

    celsius = _degrees("value")
    custody = fields.UUID()


class DoubtSchema(Schema):
    """What doses that were picked went through at worst: each figure over all ways that they may have come.

    `custodies` are those that they may have been in beside the attributed ones; none means that there was no other.
    """

    custodies = fields.List(fields.UUID())
    above = fields.Nested(WorstMinutesSchema)
    below = fields.Nested(WorstMinutesSchema)
    unseen = fields.Nested(WorstMinutesSchema)
    uncertain = fields.Nested(WorstMinutesSchema)
    lowest = fields.Nested(WorstCelsiusSchema)
    highest = fields.Nested(WorstCelsiusSchema)
    mean_kinetic = fields.Nested(WorstMeanSchema)


class ChainSchema(Schema):
    """Doses with one way: attributed, and where anything on it was picked, what they went through at worst."""

    doses = fields.Integer()
    chosen = own.word(Chosen, allow_none=True)
    stages = fields.List(fields.Nested(StageSchema))
    exposure = fields.Nested(ExposureSchema)
    budgets = fields.List(
        fields.Nested(BudgetSchema), metadata={"description": "None where the product's storage profile has none"}
    )
    doubt = fields.Nested(DoubtSchema, allow_none=True)


class OverrideLineSchema(Schema):
    """A supervisor's answer for doses, on which an administration relied."""

    step = fields.Nested(StepSchema)
    facility = fields.String()
    covers = fields.List(own.word(ReasonCode))
    reason = fields.String()
    corrected = fields.Boolean()


class DoseTrailSchema(Schema):
    """The way of administered doses, from the supplier's receipt on."""

    gtin = fields.String()
    batch = fields.String()
    facility = fields.String()
    administration = fields.Nested(StepSchema)
    corrected = fields.Boolean()
    overrides = fields.List(fields.Nested(OverrideLineSchema))
    chains = fields.List(fields.Nested(ChainSchema))


class PackUseSchema(Schema):
    """Doses of a pack that an event took by its code."""

    step = fields.Nested(StepSchema)
    end = own.word(End)
    doses = fields.Integer()


class PackTrailSchema(Schema):
    """The way of a pack, in its own custody or in that of the pack around it that nobody has opened."""

    code = fields.String()
    gtin = fields.String()
    batch = fields.String()
    level = fields.Integer()
    parent = fields.String(allow_none=True)
    held_by = fields.String(allow_none=True, metadata={"description": "The pack whose custody it is"})
    opened = fields.Boolean()
    doses = fields.Integer()
    remaining = fields.Integer()
    chain = fields.Nested(ChainSchema, allow_none=True)
    uses = fields.List(fields.Nested(PackUseSchema))


class BatchTrailSchema(Schema):
    """The tree of a batch; received and found are the sum of what follows them, whatever part of it is shown."""

    gtin = fields.String()
    batch = fields.String()
    received = fields.Integer()
    found = fields.Integer()
    on_hand = fields.Integer()
    in_quarantine = fields.Integer()
    in_transit = fields.Integer()
    unexplained = fields.Integer(metadata={"description": "Did not arrive with the rest of their shipment"})
    administered = fields.Integer()
    wasted = fields.Integer()
    returned = fields.Integer()
    missing = fields.Integer()
    custodies = fields.List(fields.Nested(TreeCustodySchema))
    next = fields.String(allow_none=True)
