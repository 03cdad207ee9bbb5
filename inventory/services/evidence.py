"""What was seen of a place over a time: its sensors' readings as exposure, and the excursions found there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from inventory.domain.exposure import Band, Exposure, expose
from inventory.domain.readings import Stretch, covered, stretches, within
from inventory.domain.words import Side
from inventory.persistence.tables import Excursion, Location, Sensor, SensorAssignment
from inventory.services.judgement import hold_of, read_between


@dataclass(frozen=True)
class ExcursionSummary:
    """An excursion with the rule that it broke; temperatures in hundredths of a degree Celsius."""

    id: UUID
    sensor: str
    side: Side
    rule: str
    threshold: int | None
    inclusive: bool | None
    duration: timedelta | None
    started_at: datetime
    alarm_at: datetime
    ended_at: datetime | None
    seen: timedelta
    unseen: timedelta
    extreme: int | None
    cancelled_at: datetime | None


@dataclass(frozen=True)
class SensorEvidence:
    """What one sensor saw of a place in a part of the time."""

    sensor: str
    since: datetime
    until: datetime
    exposure: Exposure


@dataclass(frozen=True)
class Evidence:
    """What was seen of a place: by each of its sensors, and the excursions there.

    `unseen` is the time that none of them saw: all of it where there is no sensor.
    """

    unseen: timedelta
    sensors: tuple[SensorEvidence, ...]
    excursions: tuple[ExcursionSummary, ...]


def evidence(session: Session, location_id: UUID, since: datetime, until: datetime, band: Band) -> Evidence:
    """What was seen of a location from `since` to `until`, against the band of the product that was there."""
    sensors: list[SensorEvidence] = []
    found: list[ExcursionSummary] = []
    seen: list[Stretch] = []
    for sensor, watch in _watches(session, location_id, since, until):
        start, end = max(since, watch.since), min(until, watch.until or until)
        parts = _seen(session, sensor, watch, start, end)
        seen += [part for part in parts if part.temperature is not None]
        sensors.append(SensorEvidence(sensor.serial, start, end, expose(parts, band)))
        found += excursions_between(session, sensor, start, end)
    unseen = until - since - covered(seen)
    return Evidence(unseen, tuple(sensors), tuple(sorted(found, key=lambda each: (each.started_at, each.id))))


def _watches(
    session: Session, location_id: UUID, since: datetime, until: datetime
) -> Sequence[tuple[Sensor, SensorAssignment]]:
    query = (
        select(Sensor, SensorAssignment)
        .join(SensorAssignment, SensorAssignment.sensor_id == Sensor.id)
        .join(
            Location,
            or_(
                Location.appliance_id == SensorAssignment.appliance_id,
                Location.shipment_id == SensorAssignment.shipment_id,
            ),
        )
        .where(
            Location.id == location_id,
            SensorAssignment.since < until,
            or_(SensorAssignment.until.is_(None), SensorAssignment.until > since),
        )
        .order_by(Sensor.serial, SensorAssignment.since)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def _seen(session: Session, sensor: Sensor, watch: SensorAssignment, since: datetime, until: datetime) -> list[Stretch]:
    """What a sensor saw in a part of its watch; what it measured before it stood there says nothing of the place."""
    hold = hold_of(sensor)
    readings = read_between(session, sensor.id, max(since - hold, watch.since), until)
    return list(within(stretches(readings, hold, until), since, until))


def excursions_between(session: Session, sensor: Sensor, since: datetime, until: datetime) -> list[ExcursionSummary]:
    """The sensor's standing excursions that share time with a window."""
    query = select(Excursion).where(
        Excursion.sensor_id == sensor.id,
        Excursion.cancelled_at.is_(None),
        Excursion.started_at < until,
        or_(Excursion.ended_at.is_(None), Excursion.ended_at > since),
    )
    return [summary(row, sensor.serial) for row in session.scalars(query)]


def summary(row: Excursion, serial: str) -> ExcursionSummary:
    """A stored excursion as it is shown."""
    return ExcursionSummary(
        id=row.id,
        sensor=serial,
        side=row.side,
        rule=row.rule_name,
        threshold=row.threshold,
        inclusive=row.inclusive,
        duration=None if row.duration_seconds is None else timedelta(seconds=row.duration_seconds),
        started_at=row.started_at,
        alarm_at=row.alarm_at,
        ended_at=row.ended_at,
        seen=timedelta(seconds=row.seen_seconds),
        unseen=timedelta(seconds=row.unseen_seconds),
        extreme=row.extreme,
        cancelled_at=row.cancelled_at,
    )
