"""Which place a sensor watches, and when; readings are judged anew when that becomes known late."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Conflict
from inventory.persistence.tables import Appliance, Sensor, SensorAssignment
from inventory.services import lookups
from inventory.services.judgement import judge


def watch_appliance(session: Session, sensor: Sensor, appliance: Appliance, since: datetime, now: datetime) -> None:
    """Assign a sensor to an appliance from `since` on.

    Raises:
        Conflict: `sensor_in_use` when it watches another place then or later.
    """
    _refuse_busy(session, sensor, since)
    session.add(SensorAssignment(sensor_id=sensor.id, since=since, appliance_id=appliance.id))
    session.flush()
    judge(session, sensor, since, None, now)


def watch_shipment(session: Session, serials: Sequence[str], shipment_id: UUID, since: datetime, now: datetime) -> None:
    """Assign the sensors of a shipment's cold boxes from its dispatch on.

    Raises:
        Invalid: `not_found`.
        Conflict: `sensor_in_use`.
    """
    for serial in serials:
        sensor = lookups.sensor(session, serial, "sensors")
        _refuse_busy(session, sensor, since)
        session.add(SensorAssignment(sensor_id=sensor.id, since=since, shipment_id=shipment_id))
        session.flush()
        judge(session, sensor, since, None, now)


def end_watch(session: Session, shipment_id: UUID, until: datetime, now: datetime) -> None:
    """End the watch of a shipment's sensors at its arrival."""
    query = select(SensorAssignment).where(
        SensorAssignment.shipment_id == shipment_id, SensorAssignment.until.is_(None)
    )
    for assignment in session.scalars(query).all():
        assignment.until = until
        session.flush()
        judge(session, session.get_one(Sensor, assignment.sensor_id), assignment.since, None, now)


def _refuse_busy(session: Session, sensor: Sensor, since: datetime) -> None:
    later = or_(SensorAssignment.until.is_(None), SensorAssignment.until > since, SensorAssignment.since >= since)
    if session.scalar(select(SensorAssignment.sensor_id).where(SensorAssignment.sensor_id == sensor.id, later)):
        raise Conflict(Code.SENSOR_IN_USE, "sensors", sensor.serial, N_("a sensor that watches nothing else then"))
