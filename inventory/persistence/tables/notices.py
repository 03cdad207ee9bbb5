"""The outbox: what people are to be told, and how far each channel has come with it.

A notice is written in the transaction of its cause, so it lies where that lies; its key names the batch, sensor or
shipment that it is about.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.notices import Channel, NoticeKind
from inventory.persistence.columns import Base, Key, Small, word

_OPEN = "next_attempt_at IS NOT NULL"


class Notice(Base):
    """Something that people are told once; `facility_id` is where somebody has to act, if that is known."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_created_at", "created_at", "id"),
        Index("ix_notice_facility", "facility_id", "created_at", "id"),
    )
    id: Mapped[Key]
    kind: Mapped[NoticeKind] = mapped_column(word(NoticeKind))
    key: Mapped[str] = mapped_column(String(250), unique=True)
    facility_id: Mapped[UUID | None] = mapped_column(ForeignKey("facility.id"))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]


class NoticeDelivery(Base):
    """A notice on a channel: to be tried at `next_attempt_at`, which is None once it was sent or given up."""

    __tablename__ = "notice_delivery"
    __table_args__ = (
        Index(
            "ix_notice_delivery_due",
            "channel",
            "next_attempt_at",
            sqlite_where=text(_OPEN),
            postgresql_where=text(_OPEN),
        ),
    )
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"), primary_key=True)
    channel: Mapped[Channel] = mapped_column(word(Channel), primary_key=True)
    attempts: Mapped[Small]
    next_attempt_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    gave_up_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
