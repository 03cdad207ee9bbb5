"""Which sensors watched a place while something stood in it, and how far each of them is rolled up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import FromClause, Integer, Select, and_, exists, or_, select
from sqlalchemy.orm import Session

from inventory.domain.exposure import Band
from inventory.domain.instants import counted
from inventory.domain.readings import HOLD_INTERVALS
from inventory.domain.rollup import HOUR_MICROSECONDS, MICROSECONDS
from inventory.persistence.asked import Asked
from inventory.persistence.tables import (
    ArchivedMonth,
    Custody,
    Excursion,
    Location,
    Sensor,
    SensorAssignment,
    SensorState,
    StorageProfile,
)


class Stay(NamedTuple):
    """A time that doses were in a location."""

    location_id: UUID
    since: datetime
    until: datetime


class Watch(NamedTuple):
    """The part of a stay (by its number) in which a sensor watched the place; instants are microseconds since 1970.

    `begun` is when the watch began: what the sensor measured before says nothing of the place. Of hours from `rolled`
    on there are no roll-ups. `band` is that of the sensor's profile, `hold` how long its readings stand. `excursions`:
    whether the sensor found any meanwhile; `archived`: whether the readings of any month at all are in files.
    """

    stay: int
    sensor_id: UUID
    serial: str
    since: int
    until: int
    begun: int
    hold: int
    band: Band
    rolled: int
    excursions: bool
    archived: bool

    def whole_hours(self) -> tuple[int, int]:
        """The hours that roll-ups can tell, from the first until before the last.

        In those next to the beginning of the watch a reading from before it may still have stood.
        """
        sure = max(self.since, self.begun + self.hold)
        first = -(-sure // HOUR_MICROSECONDS) * HOUR_MICROSECONDS
        last = min(self.until, self.rolled) // HOUR_MICROSECONDS * HOUR_MICROSECONDS
        return first, max(first, last)


def _query(asked: FromClause) -> Select[*tuple[Any, ...]]:
    of = SensorAssignment
    watched = or_(of.appliance_id == Location.appliance_id, of.shipment_id == Location.shipment_id)
    meanwhile = and_(of.since < asked.c.until, or_(of.until.is_(None), of.until > asked.c.since))
    excursion = exists().where(
        Excursion.sensor_id == of.sensor_id,
        Excursion.cancelled_at.is_(None),
        Excursion.started_at < asked.c.until,
        or_(Excursion.ended_at.is_(None), Excursion.ended_at > asked.c.since),
    )
    return (
        select(
            asked.c.stay,
            Sensor.id,
            Sensor.serial,
            of.since,
            of.until,
            Sensor.interval_seconds,
            StorageProfile.low,
            StorageProfile.high,
            SensorState.latest_at,
            SensorState.open_hour,
            excursion,
            exists().where(ArchivedMonth.restored_at.is_(None)),
        )
        .select_from(asked)
        .join(Location, Location.id == asked.c.location_id)
        .join(of, and_(watched, meanwhile))
        .join(Sensor, Sensor.id == of.sensor_id)
        .join(StorageProfile, StorageProfile.code == Sensor.profile_code)
        .outerjoin(SensorState, SensorState.sensor_id == Sensor.id)
        .order_by(asked.c.stay, Sensor.serial, of.since)
    )


_ASKED = Asked(
    {
        "stay": Integer(),
        "location_id": Location.id.type,
        "since": Custody.opened_at.type,
        "until": Custody.opened_at.type,
    },
    _query,
    named=False,
)


def watches(session: Session, stays: Sequence[Stay]) -> list[Watch]:
    """The watches of stays, by stay, sensor and beginning; a stay of no time has none."""
    rows = _ASKED.rows(session, [(number, *stay) for number, stay in enumerate(stays) if stay.since < stay.until])
    return [_watch(row, stays[row[0]]) for row in rows]


def _watch(row: Any, stay: Stay) -> Watch:
    number, sensor_id, serial, since, until, interval, low, high, latest_at, open_hour, excursions, archived = row
    latest = 0 if open_hour is None or latest_at is None else counted(latest_at)
    return Watch(
        stay=number,
        sensor_id=sensor_id,
        serial=serial,
        since=counted(max(stay.since, since)),
        until=counted(min(stay.until, until or stay.until)),
        begun=counted(since),
        hold=interval * HOLD_INTERVALS * MICROSECONDS,
        band=Band(low, high),
        rolled=latest - latest % HOUR_MICROSECONDS,
        excursions=excursions,
        archived=archived,
    )
