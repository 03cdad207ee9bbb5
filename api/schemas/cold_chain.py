"""Answers about the cold chain: readings, excursions' versions, device alarms, gaps, and what was kept aside."""

from marshmallow import fields

from api.schemas import fields as own
from api.schemas.answers import ExcursionSchema
from api.schemas.fields import Celsius, Instant, Minutes, Schema
from inventory.domain.words import Disagreement, RejectReason, Resolution, Side, VersionReason


class ReadingSchema(Schema):
    """One reading."""

    measured_at = Instant()
    celsius = Celsius(attribute="temperature")
    received_at = Instant()


class PointSchema(Schema):
    """What was seen in an hour or a day of UTC; the last one ends now.

    The temperatures are over what was seen, a reading that stood into the time included.
    """

    since = Instant(data_key="from")
    until = Instant(data_key="to")
    readings = fields.Integer()
    lowest_celsius = Celsius(attribute="lowest")
    highest_celsius = Celsius(attribute="highest")
    above_minutes = Minutes(attribute="above", metadata={"description": "Above the band of the sensor's profile"})
    below_minutes = Minutes(attribute="below")
    unseen_minutes = Minutes(attribute="unseen")
    mean_kinetic_celsius = fields.Function(
        lambda seen: None if seen.mean_kinetic is None else round(seen.mean_kinetic, 2),
        metadata={"type": "number", "nullable": True},
    )


class ArchivedSchema(Schema):
    """Whole months of UTC."""

    since = Instant(data_key="from")
    until = Instant(data_key="to")


class SeriesSchema(Schema):
    """A sensor's readings (`items`), or the hours or days made of them (`points`), as `resolution` says.

    The span of points is widened to whole hours or days and ends now at the latest. An hour or a day of which nobody
    saw anything has no point; `unseen_minutes` is over the whole span, such times included.
    """

    resolution = own.word(Resolution)
    since = Instant(data_key="from", allow_none=True)
    until = Instant(data_key="to", allow_none=True)
    items = fields.List(fields.Nested(ReadingSchema))
    points = fields.List(fields.Nested(PointSchema))
    next = fields.String(allow_none=True)
    unseen_minutes = Minutes(attribute="unseen", allow_none=True, metadata={"description": "Null for readings"})
    archived = fields.List(
        fields.Nested(ArchivedSchema),
        metadata={"description": "Months of the span of which the readings are in files; points tell of them too"},
    )
    conflicts = fields.Integer(metadata={"description": "Values of the sensor that contradict one that stands"})


class ConflictSchema(Schema):
    """A value that was sent for an instant that has another one, which stands."""

    sensor = fields.String()
    measured_at = Instant()
    celsius = Celsius(attribute="temperature")
    received_at = Instant()
    standing_celsius = Celsius(
        attribute="standing", allow_none=True, metadata={"description": "Null where its month is archived"}
    )
    standing_received_at = Instant(allow_none=True)


class RejectedSchema(Schema):
    """A message that was kept aside."""

    id = fields.UUID()
    topic = fields.String()
    payload = fields.String(metadata={"description": "How it begins"})
    payload_bytes = fields.Integer()
    reason = own.word(RejectReason)
    detail = fields.String()
    received_at = Instant()
    times = fields.Integer()


class RejectedReasonSchema(Schema):
    """What was kept aside for one reason."""

    reason = own.word(RejectReason)
    messages = fields.Integer()
    times = fields.Integer(metadata={"description": "How often they came, repetitions included"})
    newest_at = Instant()


class RejectedSummarySchema(Schema):
    """What was kept aside, by its reasons."""

    items = fields.List(fields.Nested(RejectedReasonSchema))


class ExcursionVersionSchema(Schema):
    """A verdict on an excursion as it stood once, and why it came to be."""

    version = fields.Integer()
    reason = own.word(VersionReason)
    started_at = Instant()
    alarm_at = Instant()
    ended_at = Instant(allow_none=True)
    seen_minutes = Minutes(attribute="seen")
    unseen_minutes = Minutes(attribute="unseen")
    extreme_celsius = Celsius(attribute="extreme", allow_none=True)
    recorded_at = Instant()


class ExcursionVersionsSchema(Schema):
    """All verdicts on an excursion, the first one first."""

    items = fields.List(fields.Nested(ExcursionVersionSchema))


class EpisodeSchema(Schema):
    """A device said one code again and again; what lies three intervals of the sensor apart is no more one episode."""

    sensor = fields.String()
    code = fields.String(metadata={"description": "The device's own; ACK at its end: somebody has acknowledged it"})
    side = own.word(Side, allow_none=True)
    began_at = Instant()
    last_at = Instant()
    records = fields.Integer(metadata={"description": "How many times it was said"})


class DisagreementSchema(Schema):
    """What the device said and we did not find, or we found and the device did not say; the other of them is null."""

    kind = own.word(Disagreement)
    sensor = fields.String()
    side = own.word(Side)
    said = fields.Nested(EpisodeSchema, allow_none=True)
    found = fields.Nested(ExcursionSchema, allow_none=True)
    lowest_celsius = Celsius(
        attribute="lowest", allow_none=True, metadata={"description": "Of our readings while the device said it"}
    )
    highest_celsius = Celsius(attribute="highest", allow_none=True)


class MissingRangeSchema(Schema):
    """Numbers of messages, both included."""

    first = fields.Integer()
    last = fields.Integer()


class StreamSchema(Schema):
    """The numbered messages of one boot of a gateway."""

    boot = fields.String()
    committed_seq = fields.Integer(metadata={"description": "All up to this one are stored, but for those skipped"})
    highest_seq = fields.Integer()
    skipped = fields.Integer(metadata={"description": "Missing ones that the gateway keeps no more: lost"})
    missing = fields.Integer(metadata={"description": "Numbers below the highest that have not come yet"})
    ranges = fields.List(fields.Nested(MissingRangeSchema), metadata={"description": "The first 100 holes"})
    heard_at = Instant(metadata={"description": "When a message of it came last"})


class SetAsideSchema(Schema):
    """Why readings of a delivery are not stored as they were sent."""

    reason = fields.String(metadata={"description": "conflict, or a reason for which messages are rejected"})
    detail = fields.String()


class DeliveredSchema(Schema):
    """What became of a delivery; the same one again has the same answer."""

    gateway = fields.String()
    transfer_id = fields.String()
    readings = fields.Integer(metadata={"description": "In the delivery, each once"})
    stored = fields.Integer(metadata={"description": "Of these, stored as they were sent, now or before"})
    set_aside = fields.List(fields.Nested(SetAsideSchema))
