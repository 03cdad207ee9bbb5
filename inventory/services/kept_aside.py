"""What was sent but not stored: messages that could not be, and values that contradict one that stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, func, select

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.words import RejectReason
from inventory.persistence.database import Database
from inventory.persistence.prepared import Prepared
from inventory.persistence.tables import Reading, ReadingConflict, RejectedMessage, Sensor
from inventory.services import lookups
from inventory.services.paging import Page, page

SHOWN = 1024
"""How many bytes of a rejected message a list shows."""


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


@dataclass(frozen=True)
class ReasonLine:
    """How many messages were kept aside for a reason, how often they came in all, and when the newest came first."""

    reason: RejectReason
    messages: int
    times: int
    newest_at: datetime


@dataclass(frozen=True)
class ConflictLine:
    """Another value (hundredths of a degree Celsius) sent for an instant, with the one that stands.

    That is None where the readings of its month are archived.
    """

    sensor: str
    measured_at: datetime
    temperature: int
    received_at: datetime
    standing: int | None
    standing_received_at: datetime | None


def list_rejected(
    database: Database, after: str | None, limit: int, reason: RejectReason | None = None
) -> Page[RejectedLine]:
    """Rejected messages, oldest first; only the beginning of each is read."""
    of = RejectedMessage
    begins = func.substr(of.payload, 1, SHOWN).label("begins")
    size = func.length(of.payload).label("size")
    query = select(of.id, of.topic, begins, size, of.reason, of.detail, of.received_at, of.times)
    if reason is not None:
        query = query.where(of.reason == reason)
    with database.read() as session:
        return page(session, query, [of.received_at, of.id], after, limit).map(
            lambda row: RejectedLine(
                row.id,
                row.topic,
                bytes(row.begins or b"").decode(errors="backslashreplace"),
                row.size,
                row.reason,
                row.detail,
                row.received_at,
                row.times,
            )
        )


_of = RejectedMessage
_SUMMARY = Prepared(
    select(_of.reason, func.count().label("messages"), func.sum(_of.times).label("times"), func.max(_of.received_at))
    .group_by(_of.reason)
    .order_by(_of.reason)
)
_PAYLOAD = Prepared(select(_of.payload).where(_of.id == bindparam("id")))


def count_rejected(database: Database) -> Sequence[ReasonLine]:
    """How much was kept aside for each reason that there is."""
    return [ReasonLine(reason, messages, int(times), at) for reason, messages, times, at in database.ask(_SUMMARY)]


def rejected_payload(database: Database, message: UUID) -> bytes:
    """All of a rejected message, as it came.

    Raises:
        NotFound: `not_found`.
    """
    rows = database.ask(_PAYLOAD, id=message)
    if not rows:
        raise NotFound(Code.NOT_FOUND, "message", message, N_("the id of a rejected message"))
    return bytes(rows[0].payload)


def list_conflicts(database: Database, sensor: str | None, after: str | None, limit: int) -> Page[ConflictLine]:
    """Values kept aside, by sensor and instant.

    Raises:
        Invalid: `not_found` for a sensor that is not registered.
    """
    of = ReadingConflict
    same = and_(Reading.sensor_id == of.sensor_id, Reading.measured_at == of.measured_at)
    query = (
        select(Sensor.serial, of.received_at, Reading.temperature.label("stands"), Reading.received_at.label("since"))
        .join_from(of, Sensor, Sensor.id == of.sensor_id)
        .outerjoin(Reading, same)
    )
    with database.read() as session:
        if sensor is not None:
            query = query.where(of.sensor_id == lookups.sensor(session, sensor).id)
        key = [of.sensor_id, of.measured_at, of.temperature]
        return page(session, query, key, after, limit).map(
            lambda row: ConflictLine(
                row.serial, row.measured_at, row.temperature, row.received_at, row.stands, row.since
            )
        )
