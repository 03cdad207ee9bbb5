"""What others tell us of goods: EPCIS events that were captured."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.epcis.capture import CaptureState
from inventory.persistence.columns import Base, FacilityRef, Key, word


class CapturedEvent(Base):
    """An event that was taken in, by its id in EPCIS, so that it is taken in once, whoever sends it again.

    `digest` is the event hash of what it says, `advice` the despatch advice that it refers to, `shipment_id` the
    shipment that it began here, `facility_id` the facility of ours that it is about.
    """

    __tablename__ = "captured_event"
    __table_args__ = (
        Index("uq_captured_event_event_id", "event_id", unique=True),
        Index("ix_captured_event_advice", "advice"),
        Index("ix_captured_event_facility_time", "facility_id", "captured_at"),
    )
    id: Mapped[Key]
    event_id: Mapped[str] = mapped_column(String(400))
    digest: Mapped[str] = mapped_column(String(100))
    state: Mapped[CaptureState] = mapped_column(word(CaptureState))
    captured_at: Mapped[datetime]
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("token.id"))
    facility_id: Mapped[FacilityRef]
    advice: Mapped[str | None] = mapped_column(String(400))
    shipment_id: Mapped[UUID | None] = mapped_column(ForeignKey("shipment.id"))
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    posted: Mapped[list[str]] = mapped_column(JSON)
