"""Which place a sensor watches, and when; readings are judged anew when that becomes known late."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.errors import N_, Code, Conflict
from inventory.domain.instants import BEGINNING
from inventory.domain.words import VersionReason
from inventory.persistence.tables import Appliance, Sensor, SensorAssignment
from inventory.services import lookups, states
from inventory.services.judgement import judge

WATCH_CHANGED = VersionReason.WATCH_CHANGED


def watch_appliance(session: Session, sensor: Sensor, appliance: Appliance, since: datetime, now: datetime) -> None:
    """Assign a sensor to an appliance from `since` on; where it watches that one next, it does so from `since` on.

    Raises:
        Conflict: `sensor_in_use` when it watches another place then or next.
    """
    states.claim(session, [sensor.id])
    there = _there_or_next(session, sensor, since)
    if there is None or there.since <= since or there.appliance_id != appliance.id:
        _assign(session, sensor, SensorAssignment(sensor_id=sensor.id, since=since, appliance_id=appliance.id), now)
        return
    there.since = since
    session.flush()
    _judge(session, sensor, there, now)


def watch_shipment(session: Session, serials: Sequence[str], shipment_id: UUID, since: datetime, now: datetime) -> None:
    """Assign the sensors of a shipment's cold boxes from its dispatch on.

    Raises:
        Invalid: `not_found`.
        Conflict: `sensor_in_use`.
    """
    sensors = [lookups.sensor(session, serial, "sensors") for serial in serials]
    states.claim(session, [sensor.id for sensor in sensors])
    for sensor in sensors:
        assignment = SensorAssignment(sensor_id=sensor.id, since=since, shipment_id=shipment_id)
        _assign(session, sensor, assignment, now)


def end_watch(session: Session, shipment_id: UUID, until: datetime, now: datetime) -> None:
    """End the watch of a shipment's sensors at its arrival."""
    _claim_sensors(session, shipment_id)
    query = select(SensorAssignment).where(
        SensorAssignment.shipment_id == shipment_id, SensorAssignment.until.is_(None)
    )
    for assignment in session.scalars(query).all():
        assignment.until = until
        session.flush()
        _judge(session, session.get_one(Sensor, assignment.sensor_id), assignment, now)


def resume_watch(session: Session, shipment_id: UUID, ended_at: datetime, now: datetime) -> None:
    """Take back the end of the watch of a shipment that has not arrived after all, where a sensor is still free."""
    _claim_sensors(session, shipment_id)
    later = aliased(SensorAssignment)
    query = select(SensorAssignment).where(
        SensorAssignment.shipment_id == shipment_id,
        SensorAssignment.until == ended_at,
        ~exists().where(later.sensor_id == SensorAssignment.sensor_id, later.since >= ended_at),
    )
    for assignment in session.scalars(query).all():
        assignment.until = None
        session.flush()
        _judge(session, session.get_one(Sensor, assignment.sensor_id), assignment, now)


def forget_watch(session: Session, shipment_id: UUID, now: datetime) -> None:
    """Take back the watch of a shipment that never left."""
    _claim_sensors(session, shipment_id)
    for assignment in session.scalars(
        select(SensorAssignment).where(SensorAssignment.shipment_id == shipment_id)
    ).all():
        session.delete(assignment)
        session.flush()
        _judge(session, session.get_one(Sensor, assignment.sensor_id), assignment, now)


def _claim_sensors(session: Session, shipment_id: UUID) -> None:
    """Of all that ever watched a shipment, before it is asked which of them do."""
    watching = select(SensorAssignment.sensor_id).where(SensorAssignment.shipment_id == shipment_id).distinct()
    states.claim(session, session.scalars(watching).all())


def _assign(session: Session, sensor: Sensor, assignment: SensorAssignment, now: datetime) -> None:
    if _there_or_next(session, sensor, assignment.since) is not None:
        raise Conflict(Code.SENSOR_IN_USE, "sensors", sensor.serial, N_("a sensor that watches nothing else then"))
    session.add(assignment)
    session.flush()
    _judge(session, sensor, assignment, now)


def _there_or_next(session: Session, sensor: Sensor, at: datetime) -> SensorAssignment | None:
    """The watch that goes on at an instant, else the first that begins then or later."""
    later = or_(SensorAssignment.until.is_(None), SensorAssignment.until > at, SensorAssignment.since >= at)
    query = select(SensorAssignment).where(SensorAssignment.sensor_id == sensor.id, later)
    return session.scalars(query.order_by(SensorAssignment.since).limit(1)).one_or_none()


def _judge(session: Session, sensor: Sensor, changed: SensorAssignment, now: datetime) -> None:
    """Judge anew what a watch that changed has to do with: all of the time where no other is known."""
    others = SensorAssignment.sensor_id == sensor.id, SensorAssignment.since != changed.since
    alone = session.scalar(select(~exists().where(*others)))
    judge(session, sensor, BEGINNING if alone else changed.since, None, now, WATCH_CHANGED)
