"""Excursions, and every verdict that there was on each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.words import VersionReason
from inventory.persistence.database import Database
from inventory.persistence.tables import Excursion, ExcursionVersion, Sensor
from inventory.services import lookups
from inventory.services.evidence import ExcursionSummary, summary
from inventory.services.paging import Page, page


@dataclass(frozen=True)
class Version:
    """What was said of an excursion from `recorded_at` on, until the next version, and why it was said.

    That of an excursion that was taken back repeats what was said of it before. While one goes on it grows without a
    version: the newest is the excursion itself.
    """

    version: int
    reason: VersionReason
    recorded_at: datetime
    started_at: datetime
    alarm_at: datetime
    ended_at: datetime | None
    seen: timedelta
    unseen: timedelta
    extreme: int | None


def list_excursions(
    database: Database, sensor: str | None, standing: bool, after: str | None, limit: int
) -> Page[ExcursionSummary]:
    """Excursions by their start; `standing` leaves out those that late readings took back."""
    query = select(Excursion, Sensor.serial).join(Sensor, Sensor.id == Excursion.sensor_id)
    if sensor is not None:
        query = query.where(Sensor.serial == sensor)
    if standing:
        query = query.where(Excursion.cancelled_at.is_(None))
    with database.read() as session:
        if sensor is not None:
            lookups.sensor(session, sensor)
        return page(session, query, [Excursion.started_at, Excursion.id], after, limit).map(
            lambda row: summary(row[0], row[1])
        )


def get_excursion(database: Database, excursion: UUID) -> ExcursionSummary:
    """One excursion; NotFound `not_found`."""
    with database.read() as session:
        return summary(*find(session, excursion))


def list_versions(database: Database, excursion: UUID) -> tuple[Version, ...]:
    """Every verdict on an excursion, from the first on; NotFound `not_found`."""
    with database.read() as session:
        row, _ = find(session, excursion)
        query = (
            select(ExcursionVersion)
            .where(ExcursionVersion.sensor_id == row.sensor_id, ExcursionVersion.excursion_id == row.id)
            .order_by(ExcursionVersion.version)
        )
        return tuple(_version(each) for each in session.scalars(query))


def _version(row: ExcursionVersion) -> Version:
    return Version(
        version=row.version,
        reason=row.reason,
        recorded_at=row.recorded_at,
        started_at=row.started_at,
        alarm_at=row.alarm_at,
        ended_at=row.ended_at,
        seen=timedelta(seconds=row.seen_seconds),
        unseen=timedelta(seconds=row.unseen_seconds),
        extreme=row.extreme,
    )


def find(session: Session, excursion: UUID) -> tuple[Excursion, str]:
    """An excursion and the serial of its sensor; NotFound `not_found`."""
    found = session.execute(
        select(Excursion, Sensor.serial).join(Sensor, Sensor.id == Excursion.sensor_id).where(Excursion.id == excursion)
    ).one_or_none()
    if found is None:
        raise NotFound(Code.NOT_FOUND, "excursion", excursion, N_("the id of an excursion"))
    return found[0], found[1]
