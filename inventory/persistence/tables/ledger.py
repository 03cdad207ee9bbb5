"""The ledger: events, movements, custodies, deadlines and packs, all keyed by batch as well as by their own id.

Nothing here is updated or deleted but `custody.remaining`, which stands on the custody's row because that row has to
be locked anyway, and what moves of a pack: its place and its remaining doses. `verify` recomputes them.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.deadlines import RuleName
from inventory.domain.words import Chosen, End, EventKind, Origin, WasteReason
from inventory.persistence.columns import Base, Code, FacilityRef, Key, Small, word


def _in_batch(column: str, table: str) -> ForeignKeyConstraint:
    """A foreign key that stays inside the batch, so that a batch's rows can lie on one machine."""
    return ForeignKeyConstraint([column, "batch_id"], [f"{table}.id", f"{table}.batch_id"])


_COUNT = "kind = 'count'"
_RARE = "kind IN ('recall', 'override')"
"""The events that every later one of their batch has to know of."""


class StockEvent(Base):
    """Something that happened to one batch at one facility; `details` holds what only its kind has.

    A correction names the event that it reverses; an event is reversed once.
    """

    __tablename__ = "stock_event"
    __table_args__ = (
        Index(
            "uq_stock_event_reverses",
            "reverses_id",
            "batch_id",
            unique=True,
            sqlite_where=text("reverses_id IS NOT NULL"),
            postgresql_where=text("reverses_id IS NOT NULL"),
        ),
        Index(
            "ix_stock_event_shipment",
            "shipment_id",
            sqlite_where=text("shipment_id IS NOT NULL"),
            postgresql_where=text("shipment_id IS NOT NULL"),
        ),
        Index("ix_stock_event_facility_time", "facility_id", "occurred_at"),
        Index("ix_stock_event_batch_time", "batch_id", "occurred_at"),
        Index(
            "ix_stock_event_count",
            "batch_id",
            "facility_id",
            "occurred_at",
            sqlite_where=text(_COUNT),
            postgresql_where=text(_COUNT),
        ),
        Index(
            "ix_stock_event_standing",
            "batch_id",
            "kind",
            sqlite_where=text(_RARE),
            postgresql_where=text(_RARE),
        ),
    )
    id: Mapped[Key]
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    kind: Mapped[EventKind] = mapped_column(word(EventKind))
    facility_id: Mapped[FacilityRef]
    shipment_id: Mapped[UUID | None] = mapped_column(ForeignKey("shipment.id"))
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("token.id"))
    cause: Mapped[WasteReason | None] = mapped_column(word(WasteReason))
    reason: Mapped[str | None] = mapped_column(Text)
    reverses_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Custody(Base):
    """Doses of one batch that one location has held since one event; a root says where it comes from.

    `remaining` only falls, but for a correction, which gives back what never left.
    """

    __tablename__ = "custody"
    __table_args__ = (
        CheckConstraint("doses > 0", "doses"),
        CheckConstraint("remaining >= 0 AND remaining <= doses", "remaining"),
        _in_batch("parent_id", "custody"),
        _in_batch("event_id", "stock_event"),
        Index(
            "ix_custody_left",
            "location_id",
            "batch_id",
            sqlite_where=text("remaining > 0"),
            postgresql_where=text("remaining > 0"),
        ),
        Index("ix_custody_parent", "parent_id", "batch_id"),
    )
    id: Mapped[Key]
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id"), primary_key=True, index=True)
    event_id: Mapped[UUID]
    parent_id: Mapped[UUID | None]
    location_id: Mapped[UUID] = mapped_column(ForeignKey("location.id"))
    origin: Mapped[Origin | None] = mapped_column(word(Origin))
    opened_at: Mapped[datetime]
    doses: Mapped[int]
    remaining: Mapped[int]


HOLDS = Custody.remaining > literal_column("0")
"""Something is left. The zero is no parameter, for with one a plan that is kept could not use `ix_custody_left`."""


class Movement(Base):
    """One line of an event: doses out of a custody (none for a new root), into another or to an end.

    A correction's line is its original with the doses negative, at the original's time: every sum over movements is
    then what it would be had the original not happened.
    """

    __tablename__ = "movement"
    __table_args__ = (
        CheckConstraint("doses <> 0 AND (doses < 0) = (reverses_id IS NOT NULL)", "doses"),
        CheckConstraint("(to_custody_id IS NULL) <> (end_kind IS NULL)", "one_way_out"),
        CheckConstraint("from_custody_id IS NOT NULL OR to_custody_id IS NOT NULL", "somewhere"),
        _in_batch("event_id", "stock_event"),
        _in_batch("from_custody_id", "custody"),
        _in_batch("to_custody_id", "custody"),
        Index("ix_movement_from_custody", "from_custody_id", "batch_id"),
        Index("ix_movement_event", "event_id", "batch_id"),
        Index(
            "uq_movement_reverses",
            "reverses_id",
            "batch_id",
            unique=True,
            sqlite_where=text("reverses_id IS NOT NULL"),
            postgresql_where=text("reverses_id IS NOT NULL"),
        ),
    )
    id: Mapped[Key]
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    event_id: Mapped[UUID]
    from_custody_id: Mapped[UUID | None]
    to_custody_id: Mapped[UUID | None]
    end_kind: Mapped[End | None] = mapped_column(word(End))
    doses: Mapped[int]
    occurred_at: Mapped[datetime]
    chosen: Mapped[Chosen | None] = mapped_column(word(Chosen))
    reverses_id: Mapped[UUID | None]


class Deadline(Base):
    """A clock on a custody, with its due time copied when it opened."""

    __tablename__ = "deadline"
    __table_args__ = (_in_batch("custody_id", "custody"), Index("ix_deadline_due", "due_at", "custody_id"))
    custody_id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    name: Mapped[RuleName] = mapped_column(word(RuleName), primary_key=True)
    rule_set: Mapped[Code]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]


class Pack(Base):
    """A coded unit of a batch, in a tree that its maker gives: how many doses came in it, and how many are left.

    `custody_id` is where it is. A pack in another that nobody has opened has none of its own, nor has one that was
    opened, for it was handed down to those in it, nor one that was announced and not received. `remaining` is what came
    less what was taken by its own code. Nothing but `custody_id`, `opened` and `remaining` ever changes.
    """

    __tablename__ = "pack"
    __table_args__ = (
        CheckConstraint("remaining >= 0 AND remaining <= doses", "remaining"),
        CheckConstraint("level > 0", "level"),
        CheckConstraint("NOT opened OR custody_id IS NULL", "opened"),
        _in_batch("custody_id", "custody"),
        ForeignKeyConstraint(["parent_code", "batch_id"], ["pack.code", "pack.batch_id"]),
        Index("ix_pack_custody", "custody_id", "batch_id"),
        Index(
            "ix_pack_parent",
            "parent_code",
            "batch_id",
            sqlite_where=text("parent_code IS NOT NULL"),
            postgresql_where=text("parent_code IS NOT NULL"),
        ),
    )
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id"), primary_key=True)
    parent_code: Mapped[str | None] = mapped_column(String(64))
    level: Mapped[Small]
    custody_id: Mapped[UUID | None]
    opened: Mapped[bool]
    doses: Mapped[int]
    remaining: Mapped[int]


class PackRegistration(Base):
    """What was said of the packs of a batch that were made known at once, for the packs to be held against it.

    `packs` is their text (see `domain.packs.written`), and `digest` the SHA-256 of that, which is in the log.
    """

    __tablename__ = "pack_registration"
    id: Mapped[Key]
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batch.id"), primary_key=True, index=True)
    recorded_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(String(64))
    packs: Mapped[str] = mapped_column(Text)
