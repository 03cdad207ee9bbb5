"""Sensors, when each was last heard, and which of them are silent now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, or_, select

from inventory.domain.instants import EPOCH
from inventory.domain.readings import HOLD_INTERVALS
from inventory.persistence.database import Database
from inventory.persistence.seconds import whole_seconds
from inventory.persistence.tables import Appliance, Gateway, Reading, Sensor, SensorAssignment, SensorState
from inventory.services.paging import Page, page


@dataclass(frozen=True)
class SensorView:
    """A sensor and the appliance that it watches now; when it was last heard, and since when it is silent."""

    serial: str
    interval_seconds: int
    storage_profile: str
    gateway: str | None
    appliance: str | None
    appliance_since: datetime | None
    latest_at: datetime | None
    silent_since: datetime | None
    giai: str | None


def list_sensors(
    database: Database, now: datetime, silent: bool | None, after: str | None, limit: int
) -> Page[SensorView]:
    """Sensors by serial: those that are silent, those that are not, or all."""
    found = heard(now).subquery("found")
    query = select(found)
    if silent is not None:
        query = query.where(found.c.silent_since.is_not(None) if silent else found.c.silent_since.is_(None))
    with database.read() as session:
        return page(session, query, [found.c.serial], after, limit).map(_view)


def heard(now: datetime) -> Select[*tuple[Any, ...]]:
    """Each sensor, when it was heard last, and since when it is silent (`silent_since`, None where it is not).

    Silent is who was heard for the last time longer ago than a reading stands, three of its intervals, and should be
    heard: it watches a place, or never had one. From a watch's beginning on a sensor has to be heard in it.
    """
    of = _heard().subquery("heard").c
    due = whole_seconds(of.since) + HOLD_INTERVALS * of.interval_seconds < (now - EPOCH) // timedelta(seconds=1)
    is_silent = and_(of.since.is_not(None), of.on_duty, due)
    return select(*of, case((is_silent, of.since)).label("silent_since"))


def _heard() -> Select[*tuple[Any, ...]]:
    """Each sensor, its newest reading, and since when it is to be heard or was."""
    watch = (
        select(SensorAssignment.sensor_id, SensorAssignment.since, Appliance.code)
        .outerjoin(Appliance, Appliance.id == SensorAssignment.appliance_id)
        .where(SensorAssignment.until.is_(None))
        .subquery("watch")
    )
    newest = select(func.max(Reading.measured_at)).where(Reading.sensor_id == Sensor.id).scalar_subquery()
    latest_at = func.coalesce(SensorState.latest_at, newest)
    times = (
        select(Sensor.id, latest_at.label("latest_at"))
        .outerjoin(SensorState, SensorState.sensor_id == Sensor.id)
        .subquery("times")
    )
    since = case(
        (or_(times.c.latest_at.is_(None), watch.c.since > times.c.latest_at), watch.c.since), else_=times.c.latest_at
    )
    placed = exists().where(SensorAssignment.sensor_id == Sensor.id)
    return (
        select(
            Sensor.id,
            Sensor.serial,
            Sensor.interval_seconds,
            Sensor.profile_code,
            Sensor.giai,
            Gateway.code.label("gateway"),
            watch.c.code.label("appliance"),
            case((watch.c.code.is_not(None), watch.c.since)).label("appliance_since"),
            times.c.latest_at,
            since.label("since"),
            or_(watch.c.sensor_id.is_not(None), ~placed).label("on_duty"),
        )
        .join(times, times.c.id == Sensor.id)
        .outerjoin(Gateway, Gateway.id == Sensor.gateway_id)
        .outerjoin(watch, watch.c.sensor_id == Sensor.id)
    )


def _view(row: Any) -> SensorView:
    return SensorView(
        row.serial,
        row.interval_seconds,
        row.profile_code,
        row.gateway,
        row.appliance,
        row.appliance_since,
        row.latest_at,
        row.silent_since,
        row.giai,
    )
