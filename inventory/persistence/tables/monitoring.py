"""Monitoring: readings and what was made of them, keyed by sensor; message streams, keyed by gateway."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.words import RejectReason, Side
from inventory.persistence.columns import Base, Code, Key, Small, word


class Reading(Base):
    """One temperature in hundredths of a degree Celsius; sensor and instant are its identity."""

    __tablename__ = "reading"
    sensor_id: Mapped[UUID] = mapped_column(ForeignKey("sensor.id"), primary_key=True)
    measured_at: Mapped[datetime] = mapped_column(primary_key=True)
    temperature: Mapped[Small]
    received_at: Mapped[datetime]


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


class Excursion(Base):
    """A span that met a rule, with the rule copied onto it; `cancelled_at` where late readings took it back."""

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
    started_at: Mapped[datetime]
    alarm_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seen_seconds: Mapped[int]
    unseen_seconds: Mapped[int]
    extreme: Mapped[Small | None]
    recorded_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
