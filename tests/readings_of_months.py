"""Readings of years ago, through the same door as all others; and a look at every column of what came of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from inventory.persistence.database import Database
from inventory.persistence.parquet import Row
from inventory.persistence.tables import Reading
from inventory.services.monitoring import record
from tests.county import NOW, message

STEP = timedelta(minutes=30)


def feed(database: Database, sensor: str, since: datetime, temperatures: Sequence[int], step: timedelta = STEP) -> None:
    """Take in readings at even steps."""
    readings = [(sensor, since + number * step, each) for number, each in enumerate(temperatures)]
    record(database, [message(readings)], NOW)


def rows(database: Database) -> list[Row]:
    """All readings, by sensor and time."""
    with database.read() as session:
        found = session.query(Reading).order_by(Reading.sensor_id, Reading.measured_at)
        return [(each.sensor_id, each.measured_at, each.temperature, each.received_at) for each in found]
