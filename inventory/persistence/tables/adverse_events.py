"""Adverse events, keyed by the batch of the dose that they followed; what is said of one is never edited."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.adverse_events import AdverseEventKind, Nature
from inventory.persistence.columns import Base, FacilityRef, Key, Small, word


class AdverseEvent(Base):
    """One statement about an adverse event: all that was held to be so from `recorded_at` on.

    `first_id` is the adverse event, which is known by the id of its first statement; `version` counts from 1, so that
    each names the one before it, and that two cannot follow the same one. `facility_id` is the facility that heard of
    it and has to report it on. A report (`nature`) has `reported_at` and `reported_to`. The clock as it stood then is
    copied, so that a later rule cannot rewrite it: `met_at` is when the report that meets it was made.
    """

    __tablename__ = "adverse_event"
    __table_args__ = (
        ForeignKeyConstraint(["administration_id", "batch_id"], ["stock_event.id", "stock_event.batch_id"]),
        ForeignKeyConstraint(["first_id", "batch_id"], ["adverse_event.id", "adverse_event.batch_id"]),
        UniqueConstraint("first_id", "version", "batch_id"),
        CheckConstraint("(version = 1) = (first_id = id)", "first"),
        CheckConstraint("(nature = 'report') = (reported_at IS NOT NULL)", "report"),
        Index("ix_adverse_event_administration", "administration_id", "batch_id"),
        Index("ix_adverse_event_due", "due_at", "first_id"),
    )
    id: Mapped[Key]
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    first_id: Mapped[UUID]
    version: Mapped[Small]
    nature: Mapped[Nature] = mapped_column(word(Nature))
    administration_id: Mapped[UUID]
    facility_id: Mapped[FacilityRef]
    reference: Mapped[str] = mapped_column(String(64))
    kind: Mapped[AdverseEventKind] = mapped_column(word(AdverseEventKind))
    onset_at: Mapped[datetime]
    heard_at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(Text)
    reported_at: Mapped[datetime | None]
    reported_to: Mapped[str | None] = mapped_column(String(100))
    clock_opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    met_at: Mapped[datetime | None]
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("token.id"))
    recorded_at: Mapped[datetime]
