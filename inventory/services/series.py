"""Readings of a sensor, and what was sent but could not be stored."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.words import RejectReason
from inventory.persistence.database import Database
from inventory.persistence.tables import Reading, ReadingConflict, RejectedMessage, Sensor
from inventory.services.paging import Page, page

SHOWN = 1024
"""How many bytes of a rejected message a list shows."""


@dataclass(frozen=True)
class ReadingLine:
    """One temperature (hundredths of a degree Celsius) and when it was measured and received."""

    measured_at: datetime
    temperature: int
    received_at: datetime


@dataclass(frozen=True)
class Readings:
    """A page of a sensor's readings, and how many values that contradict a stored one were kept aside."""

    page: Page[ReadingLine]
    conflicts: int


@dataclass(frozen=True)
class RejectedLine:
    """A message that was kept aside: how it begins, why, and how often it came. All of its bytes are stored."""

    id: UUID
    topic: str
    payload: str
    payload_bytes: int
    reason: RejectReason
    detail: str
    received_at: datetime
    times: int


def list_readings(
    database: Database, serial: str, since: datetime | None, until: datetime | None, after: str | None, limit: int
) -> Readings:
    """Readings from `since` until before `until`, by time.

    Raises:
        NotFound: `not_found` for a sensor that is not registered.
    """
    with database.read() as session:
        sensor_id = session.scalar(select(Sensor.id).where(Sensor.serial == serial))
        if sensor_id is None:
            raise NotFound(Code.NOT_FOUND, "sensor", serial, N_("the serial of a sensor"))
        query = select(Reading.temperature, Reading.received_at, Reading.measured_at).where(
            Reading.sensor_id == sensor_id
        )
        if since is not None:
            query = query.where(Reading.measured_at >= since)
        if until is not None:
            query = query.where(Reading.measured_at < until)
        found = page(session, query, [Reading.measured_at], after, limit).map(
            lambda row: ReadingLine(row.measured_at, row.temperature, row.received_at)
        )
        conflicts = session.scalar(
            select(func.count()).select_from(ReadingConflict).where(ReadingConflict.sensor_id == sensor_id)
        )
        return Readings(found, conflicts or 0)


def list_rejected(database: Database, after: str | None, limit: int) -> Page[RejectedLine]:
    """Rejected messages, oldest first."""
    key = [RejectedMessage.received_at, RejectedMessage.id]
    with database.read() as session:
        return page(session, select(RejectedMessage), key, after, limit).map(
            lambda row: RejectedLine(
                row[0].id,
                row[0].topic,
                row[0].payload[:SHOWN].decode(errors="backslashreplace"),
                len(row[0].payload),
                row[0].reason,
                row[0].detail,
                row[0].received_at,
                row[0].times,
            )
        )
