"""Monitoring: readings and what was made of them, keyed by sensor; message streams, keyed by gateway."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.words import RejectReason, Side, VersionReason
from inventory.persistence.columns import Base, Code, Json, Key, Small, word


class Reading(Base):
    """One temperature in hundredths of a degree Celsius; sensor and instant are its identity.

    On PostgreSQL a table of months (see inventory.persistence.months). Without a foreign key, which would cost more
    than the row itself: sensors are never deleted, and a row is written for one that was just looked up.
    """

    __tablename__ = "reading"
    __table_args__ = ({"postgresql_partition_by": "RANGE (measured_at)"},)
    sensor_id: Mapped[UUID] = mapped_column(primary_key=True)
    measured_at: Mapped[datetime] = mapped_column(primary_key=True)
    temperature: Mapped[Small]
    received_at: Mapped[datetime]


class ReadingHour(Base):
    """What was seen by a sensor in an hour of UTC that has ended for it: a reading lies beyond its end.

    An hour in which nothing was seen has no row. `lowest` and `highest` are over what was seen, the reading that
    stood into the hour included. The times are microseconds outside the sensor's storage band and seen at all; what
    was not seen is unseen. `kinetic` is the sum behind the mean kinetic temperature (see inventory.domain.rollup).
    """

    __tablename__ = "reading_hour"
    sensor_id: Mapped[UUID] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    readings: Mapped[Small]
    lowest: Mapped[Small]
    highest: Mapped[Small]
    above: Mapped[int]
    below: Mapped[int]
    seen: Mapped[int]
    kinetic: Mapped[int]


class SensorState(Base):
    """How far a sensor was followed, so that the next reading costs nothing but itself.

    It can be made anew from the readings at any time. `version` grows with every change, so that whoever remembers
    one knows whether it still holds. `latest_at` and `latest` are the newest reading, `open_hour` is the roll-up so
    far of the hour that it lies in, `runs` are the runs beyond limits that it stands in; both as
    inventory.services.following writes them. `self_alarming` says that the device tells of its own alarms.
    """

    __tablename__ = "sensor_state"
    sensor_id: Mapped[UUID] = mapped_column(ForeignKey("sensor.id"), primary_key=True)
    version: Mapped[int]
    latest_at: Mapped[datetime | None]
    latest: Mapped[Small | None]
    open_hour: Mapped[str | None] = mapped_column(Text)
    runs: Mapped[str | None] = mapped_column(Text)
    self_alarming: Mapped[bool]


class ReadingConflict(Base):
    """Another value that was sent for an instant that has one already; kept aside, never chosen."""

    __tablename__ = "reading_conflict"
    sensor_id: Mapped[UUID] = mapped_column(ForeignKey("sensor.id"), primary_key=True)
    measured_at: Mapped[datetime] = mapped_column(primary_key=True)
    temperature: Mapped[Small] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]


class RejectedMessage(Base):
    """A message, or one with a reading, that could not be stored: kept whole with its reason, counted when repeated."""

    __tablename__ = "rejected_message"
    __table_args__ = (
        UniqueConstraint("digest"),
        Index("ix_rejected_message_received_at", "received_at", "id"),
    )
    id: Mapped[Key]
    digest: Mapped[str] = mapped_column(String(64))
    topic: Mapped[str] = mapped_column(Text)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[RejectReason] = mapped_column(word(RejectReason))
    detail: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]
    times: Mapped[int]


class MessageStream(Base):
    """How far the numbered messages of one boot of a gateway are committed without a hole.

    `skipped` counts the numbers below it that were missing when the gateway said that it keeps them no more: what
    was stored of them was lost here, as when a backup was restored, and cannot come again.
    """

    __tablename__ = "message_stream"
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateway.id"), primary_key=True)
    boot: Mapped[Code] = mapped_column(primary_key=True)
    committed_seq: Mapped[int]
    skipped: Mapped[int]
    heard_at: Mapped[datetime]


class MessageAhead(Base):
    """A committed message above a hole in its stream; gone when the hole is filled."""

    __tablename__ = "message_ahead"
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateway.id"), primary_key=True)
    boot: Mapped[Code] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)


class GatewayState(Base):
    """What is known of a gateway as a device.

    `online` is what it, or its last will, said last, at `said_at`; `birth` is the number of the connection that it
    was said of. `lag` is how far the newest reading of its last message lay before that message's arrival, in
    milliseconds, negative where its clock is ahead; `least_lag` is the least since `lag_since`, which is how wrong
    its clock is at most where some message came at once.
    """

    __tablename__ = "gateway_state"
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateway.id"), primary_key=True)
    online: Mapped[bool | None]
    said_at: Mapped[datetime | None]
    birth: Mapped[int | None]
    heard_at: Mapped[datetime | None]
    lag: Mapped[int | None]
    least_lag: Mapped[int | None]
    lag_since: Mapped[datetime | None]


class EdgeNode(Base):
    """What the births of a Sparkplug edge node said, without which its later messages say nothing.

    `missed` counts the messages that were missing before one that came, `unread` the temperatures that it told to be
    none.
    """

    __tablename__ = "edge_node"
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateway.id"), primary_key=True)
    births: Mapped[Json] = mapped_column(JSON)
    missed: Mapped[int]
    unread: Mapped[int]
    heard_at: Mapped[datetime]


class DeviceAlarm(Base):
    """That a device itself said at an instant that an alarm stands: its own code, and which side that is, if known.

    Coldtrail's own excursions do not come of these; where the two disagree, that can be listed.
    """

    __tablename__ = "device_alarm"
    sensor_id: Mapped[UUID] = mapped_column(ForeignKey("sensor.id"), primary_key=True)
    code: Mapped[Code] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    side: Mapped[Side | None] = mapped_column(word(Side))
    received_at: Mapped[datetime]


class Excursion(Base):
    """A span that met a rule, with the rule copied onto it; `cancelled_at` where late readings took it back.

    `version` is that of its newest verdict; see ExcursionVersion.
    """

    __tablename__ = "excursion"
    __table_args__ = (
        Index("ix_excursion_sensor", "sensor_id", "started_at"),
        Index("ix_excursion_started_at", "started_at", "id"),
    )
    id: Mapped[Key]
    sensor_id: Mapped[UUID] = mapped_column(ForeignKey("sensor.id"), primary_key=True)
    side: Mapped[Side] = mapped_column(word(Side))
    rule_name: Mapped[Code]
    threshold: Mapped[Small | None]
    inclusive: Mapped[bool | None]
    duration_seconds: Mapped[Small | None]
    window_seconds: Mapped[Small | None]
    started_at: Mapped[datetime]
    alarm_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seen_seconds: Mapped[int]
    unseen_seconds: Mapped[int]
    extreme: Mapped[Small | None]
    recorded_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    version: Mapped[Small]


class ExcursionVersion(Base):
    """A verdict on an excursion as it stood once, and why it came to be; the first is that it was found.

    While an excursion goes on, each reading adds to it; that is no new verdict and makes no version.
    """

    __tablename__ = "excursion_version"
    __table_args__ = (
        ForeignKeyConstraint(["excursion_id", "sensor_id"], ["excursion.id", "excursion.sensor_id"]),
        Index("ix_excursion_version_recorded_at", "recorded_at"),
    )
    sensor_id: Mapped[UUID] = mapped_column(primary_key=True)
    excursion_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[Small] = mapped_column(primary_key=True)
    reason: Mapped[VersionReason] = mapped_column(word(VersionReason))
    started_at: Mapped[datetime]
    alarm_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seen_seconds: Mapped[int]
    unseen_seconds: Mapped[int]
    extreme: Mapped[Small | None]
    recorded_at: Mapped[datetime]


class ArchivedMonth(Base):
    """That the readings of a month were moved to a file, which holds `readings` of them with a digest.

    `month` is its first instant, in UTC. It stands until `restored_at`, when they were brought back.
    """

    __tablename__ = "archived_month"
    month: Mapped[datetime] = mapped_column(primary_key=True)
    archived_at: Mapped[datetime] = mapped_column(primary_key=True)
    readings: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    file: Mapped[str] = mapped_column(Text)
    restored_at: Mapped[datetime | None]


class Unjudged(Base):
    """What changed of a sensor from `first` to `last`, and cannot be judged whole before `month` is restored.

    Its readings, or those around it, are in that archive. `last` is None where all after `first` changed.
    """

    __tablename__ = "unjudged"
    sensor_id: Mapped[UUID] = mapped_column(ForeignKey("sensor.id"), primary_key=True)
    month: Mapped[datetime] = mapped_column(primary_key=True)
    first: Mapped[datetime]
    last: Mapped[datetime | None]
