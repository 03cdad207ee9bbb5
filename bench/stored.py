"""Readings that are stored before a measure begins, with what the ingest would have kept of them."""

from datetime import datetime, timedelta

import psycopg
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.fleet import MINUTE, START, Fleet
from inventory.domain.exposure import Band
from inventory.domain.instants import counted
from inventory.domain.readings import Reading
from inventory.domain.rollup import Rolling, hour_of, roll_up
from inventory.persistence import months
from inventory.persistence.database import Database
from inventory.persistence.tables import Sensor
from inventory.services import rollups, states
from inventory.services.states import Track

TEMPERATURE = 500
"""Of all of them, in hundredths of a degree."""

_BAND, _HOLD = Band(200, 800), 3 * MINUTE
_LAST = START - MINUTE


def fill(url: str, fleet: Fleet, readings: int) -> None:
    """Store so many readings, of each sensor one a minute up to the fleet's start, with roll-ups and states."""
    minutes = readings // (fleet.gateways * fleet.sensors)
    if not minutes:
        return
    begins = START - minutes * MINUTE
    database = Database(url)
    months.ensure(database, [begins + timedelta(days=each) for each in range((START - begins).days + 1)])
    _write_readings(url, begins)
    readings_of_one = [Reading(begins + each * MINUTE, TEMPERATURE) for each in range(minutes)]
    database.write(lambda session: _follow(session, readings_of_one))
    database.close()


def _write_readings(url: str, begins: datetime) -> None:
    """By the database itself; with its key made afterwards, which is quicker."""
    with psycopg.connect(url) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("ALTER TABLE reading DROP CONSTRAINT pk_reading")
        connection.execute(
            "INSERT INTO reading SELECT sensor.id, at, %s, at FROM"
            " generate_series(%s::timestamptz, %s::timestamptz, '1 minute') AS at, sensor",
            (TEMPERATURE, begins, _LAST),
        )
        connection.execute("ALTER TABLE reading ADD CONSTRAINT pk_reading PRIMARY KEY (sensor_id, measured_at)")


def _follow(session: Session, readings: list[Reading]) -> None:
    """What is kept of a sensor that measured these, for every sensor."""
    hours = roll_up(readings, _HOLD, _BAND)
    at = readings[-1].measured_at
    rolling = Rolling(counted(at), TEMPERATURE, counted(hour_of(at)), hours.pop(hour_of(at)))
    sensors = list(session.scalars(select(Sensor.id)))
    states.claim(session, sensors)
    for sensor in sensors:
        rollups.add(session, [(sensor, counted(at), hour) for at, hour in hours.items()])
        states.settle(session, sensor, Track(2, rolling, {}))
