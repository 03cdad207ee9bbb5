"""What people are told for time alone: of deadlines that come into a stage, of sensors that fall silent.

Nothing happens in the database when a clock runs out, so somebody has to look: `coldtrail watch`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from inventory.domain.deadlines import SOON
from inventory.domain.notices import Channel, NoticeKind, key, stage
from inventory.persistence.database import Database
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import (
    Batch,
    Custody,
    Deadline,
    Facility,
    Location,
    Notice,
    NoticeDelivery,
    Product,
    Sensor,
    SensorAssignment,
)
from inventory.services import lookups, outbox, reporting_clocks, silence
from inventory.services.paging import Page, page

Clock = tuple[NoticeKind, str]
"""A stage, and the key of a clock in it."""


def tell_deadlines(database: Database, now: datetime) -> int:
    """Put a notice for each clock that has come into a stage with doses under it; how many are new.

    Custodies of one facility, or of one shipment, that share a clock are one clock: it was divided with its doses. The
    clocks by which adverse events are to be reported on are told of, too.
    """
    return database.write(lambda session: _tell_deadlines(session, now) + reporting_clocks.tell(session, now))


def tell_silences(database: Database, now: datetime) -> int:
    """Put a notice for each sensor on duty that was not heard for longer than a reading stands; how many are new."""
    return database.write(lambda session: _tell_silences(session, now))


def _tell_deadlines(session: Session, now: datetime) -> int:
    clocks: dict[Clock, list[Any]] = defaultdict(list)
    for row in session.execute(_running(now)):
        kind = stage(row.opened_at, row.due_at, now)
        if kind is not None:
            clocks[kind, _clock_key(kind, row)].append(row)
    told = _told(session, [name for _, name in clocks])
    return sum(
        _tell_clock(session, kind, name, clocks[kind, name], now) for kind, name in sorted(clocks) if name not in told
    )


def _told(session: Session, keys: Iterable[str]) -> set[str]:
    """Those of some keys that have a notice; `put` sees to what is written at this moment."""
    return {row.key for row in rows_in(session, select(Notice.key), Notice.key, keys)}


def _running(now: datetime) -> Select[Any]:
    """The clocks with doses under them that are due within the earliest stage, and what people call those doses."""
    return outbox.with_post(
        select(
            Deadline.batch_id,
            Deadline.name,
            Deadline.rule_set,
            Deadline.opened_at,
            Deadline.due_at,
            Custody.remaining,
            Batch.gtin,
            Batch.number,
            Product.name.label("product"),
        )
        .join(Custody, and_(Custody.id == Deadline.custody_id, Custody.batch_id == Deadline.batch_id))
        .join(Batch, Batch.id == Deadline.batch_id)
        .join(Product, Product.gtin == Batch.gtin)
        .join(Location, Location.id == Custody.location_id),
        Location,
    ).where(Custody.remaining > 0, Deadline.due_at < now + SOON)


def _clock_key(kind: NoticeKind, row: Any) -> str:
    return key(kind, row.name, row.batch_id, row.post_shipment or row.post_id, row.opened_at, row.due_at)


def _tell_clock(session: Session, kind: NoticeKind, name: str, rows: Sequence[Any], now: datetime) -> bool:
    first = rows[0]
    facts = {
        "deadline": first.name,
        "rule_set": first.rule_set,
        "gtin": first.gtin,
        "product": first.product,
        "batch": first.number,
        "doses": sum(row.remaining for row in rows),
        "opened_at": first.opened_at,
        "due_at": first.due_at,
    }
    return outbox.put(session, kind, name, replace(outbox.post_of(first), appliance=None), facts, now)


def _tell_silences(session: Session, now: datetime) -> int:
    silent = {outbox.silence_key(row.Sensor, row.silent_since): row for row in session.execute(_silent(now))}
    told = _told(session, silent)
    return sum(
        outbox.tell_silence(session, row.Sensor, outbox.post_of(row), row.silent_since, None, now)
        for name, row in silent.items()
        if name not in told
    )


def _silent(now: datetime) -> Select[Any]:
    """The sensors that are silent where they watch a place."""
    found = silence.heard(now).subquery("found")
    query = (
        select(Sensor, found.c.silent_since)
        .join(found, found.c.id == Sensor.id)
        .join(SensorAssignment, and_(SensorAssignment.sensor_id == Sensor.id, SensorAssignment.until.is_(None)))
    )
    return outbox.with_post(query, SensorAssignment).where(found.c.silent_since.is_not(None)).order_by(Sensor.id)


@dataclass(frozen=True)
class NoticeView:
    """A notice: what it tells (`body`, by kind), and the facility where somebody has to act, if that is known."""

    id: UUID
    kind: NoticeKind
    facility: str | None
    body: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True)
class DeliveryView:
    """How far a channel has come with a notice; `next_attempt_at` is None once it was sent or given up."""

    channel: Channel
    attempts: int
    next_attempt_at: datetime | None
    sent_at: datetime | None
    gave_up_at: datetime | None
    last_error: str | None


@dataclass(frozen=True)
class ToldNotice(NoticeView):
    """A notice with its deliveries, one for each channel that a watch has taken it up for."""

    deliveries: tuple[DeliveryView, ...]


def list_notices(
    database: Database, facility: str | None, kind: NoticeKind | None, after: str | None, limit: int
) -> Page[ToldNotice]:
    """What people were told, by time."""
    query = select(Notice, Facility.code).outerjoin(Facility, Facility.id == Notice.facility_id)
    with database.read() as session:
        if facility is not None:
            query = query.where(Notice.facility_id == lookups.facility(session, facility).id)
        if kind is not None:
            query = query.where(Notice.kind == kind)
        found = page(session, query, [Notice.created_at, Notice.id], after, limit)
        deliveries = _deliveries(session, [row[0].id for row in found.items])
        return found.map(lambda row: ToldNotice(**vars(notice_view(row)), deliveries=tuple(deliveries[row[0].id])))


def notice_view(row: Any) -> NoticeView:
    """The view of a row of a notice and the code of its facility."""
    notice: Notice = row[0]
    return NoticeView(notice.id, notice.kind, row[1], notice.body, notice.created_at)


def _deliveries(session: Session, notices: Sequence[UUID]) -> dict[UUID, list[DeliveryView]]:
    found: dict[UUID, list[DeliveryView]] = defaultdict(list)
    query = select(NoticeDelivery).order_by(NoticeDelivery.channel)
    for (row,) in rows_in(session, query, NoticeDelivery.notice_id, notices):
        found[row.notice_id].append(
            DeliveryView(row.channel, row.attempts, row.next_attempt_at, row.sent_at, row.gave_up_at, row.last_error)
        )
    return found
