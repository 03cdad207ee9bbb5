"""Delivering notices at least once: claimed in one transaction, sent outside any, and marked in another.

Whoever claims a delivery has it for `LEASE`; two watches do not send the same one unless the first dies, or takes
longer than that. The receiver knows a repeat by the notice's id.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from inventory.domain.notices import GIVE_UP, Channel, next_attempt
from inventory.persistence.database import Database
from inventory.persistence.statements import insert_new
from inventory.persistence.tables import Facility, Notice, NoticeDelivery
from inventory.services.notices import NoticeView, notice_view

LEASE = timedelta(minutes=5)
"""After which a claimed delivery that was never marked is tried again; longer than any sending takes."""


@dataclass(frozen=True)
class Claim:
    """A delivery that is ours to try: the notice, the channel, and the number of this attempt."""

    notice: NoticeView
    channel: Channel
    attempt: int


def take_up(database: Database, channel: Channel, now: datetime) -> int:
    """Take up the notices that a channel has not seen yet, but for those too old to be told; how many they are."""
    return database.write(lambda session: _take_up(session, channel, now))


def claim(database: Database, channel: Channel, now: datetime) -> Claim | None:
    """The delivery that is due longest, now ours for `LEASE`; None where none is due."""
    return database.write(lambda session: _claim(session, channel, now))


def mark_sent(database: Database, claimed: Claim, now: datetime) -> None:
    """It was sent, for good, whoever else has claimed it since."""
    _mark(database, claimed, {"sent_at": now, "next_attempt_at": None, "gave_up_at": None, "last_error": None})


def mark_failed(database: Database, claimed: Claim, error: str, now: datetime) -> datetime | None:
    """It could not be sent; when it is tried again, or None where that was the last attempt.

    Where another watch has claimed it since, that attempt counts and this one changes nothing.
    """
    again = next_attempt(claimed.notice.created_at, claimed.attempt, now)
    gave_up_at = now if again is None else None
    mine = (NoticeDelivery.attempts == claimed.attempt) & NoticeDelivery.sent_at.is_(None)
    _mark(database, claimed, {"next_attempt_at": again, "gave_up_at": gave_up_at, "last_error": error}, mine)
    return again


def _take_up(session: Session, channel: Channel, now: datetime) -> int:
    known = exists().where(NoticeDelivery.notice_id == Notice.id, NoticeDelivery.channel == channel)
    query = select(Notice.id).where(Notice.created_at >= now - GIVE_UP, ~known).order_by(Notice.id)
    first = {"channel": channel, "attempts": 0, "next_attempt_at": now}
    rows = [{"notice_id": each, **first} for each in session.scalars(query)]
    return len(insert_new(session, NoticeDelivery, rows))


def _claim(session: Session, channel: Channel, now: datetime) -> Claim | None:
    """PostgreSQL skips what another watch is claiming at this moment; SQLite has one writer at a time."""
    due = (
        select(NoticeDelivery)
        .where(NoticeDelivery.channel == channel, NoticeDelivery.next_attempt_at <= now)
        .order_by(NoticeDelivery.next_attempt_at, NoticeDelivery.notice_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.scalars(due).one_or_none()
    if row is None:
        return None
    row.attempts += 1
    row.next_attempt_at = now + LEASE
    return Claim(_notice(session, row.notice_id), channel, row.attempts)


def _notice(session: Session, notice_id: UUID) -> NoticeView:
    query = select(Notice, Facility.code).outerjoin(Facility, Facility.id == Notice.facility_id)
    return notice_view(session.execute(query.where(Notice.id == notice_id)).one())


def _mark(database: Database, claimed: Claim, values: dict[str, Any], *conditions: ColumnElement[bool]) -> None:
    delivery = (NoticeDelivery.notice_id == claimed.notice.id) & (NoticeDelivery.channel == claimed.channel)

    def mark(session: Session) -> None:
        session.execute(update(NoticeDelivery).where(delivery, *conditions).values(**values))

    database.write(mark)
