"""What the sensors of a bill's transport saw, in the shape of the platform's temperature upload."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain import bills
from inventory.domain.bills import TemperatureRecord, TransportTemperature
from inventory.domain.instants import EPOCH
from inventory.domain.rollup import HOUR
from inventory.persistence import months
from inventory.persistence.database import Database
from inventory.persistence.tables import Sensor, SensorAssignment
from inventory.services.bills.facts import facts_of
from inventory.services.bills.listing import one_event
from inventory.services.bills.parts import parts_of
from inventory.services.events import Event
from inventory.services.judgement import read_between


@dataclass(frozen=True)
class BillTemperatures:
    """What was seen of an event's transports: an upload for each of its bills and each sensor on that trip.

    `archived` is the time of these trips whose readings are in files: what was seen then is known when they are
    restored.
    """

    uploads: tuple[TransportTemperature, ...]
    archived: timedelta

    @property
    def official(self) -> bool:
        """Never: nobody has certified this shape."""
        return False


@dataclass(frozen=True)
class _Watch:
    """A sensor of a trip, and when it watched; `code` is the number of the bill."""

    code: str
    sensor: Sensor
    since: datetime
    until: datetime


def transport_temperatures(database: Database, event: UUID, now: datetime) -> BillTemperatures:
    """What was seen of an event's transports, by the hour; of one that is under way, until `now`.

    Nothing for an event without a shipment of ours, or one that no sensor watched.

    Raises:
        NotFound: `not_found`.
    """
    with database.read() as session:
        found = one_event(session, event)
        watches = _watches(session, found, now)
        away = months.spans(months.archived(session)) if watches else []
        archived = sum((_shared(watch, span) for watch in watches for span in away), timedelta())
        return BillTemperatures(tuple(_upload(session, found.facility, watch) for watch in watches), archived)


def _watches(session: Session, event: Event, now: datetime) -> list[_Watch]:
    codes = {
        part.trip.id: bills.bill_code(part.type, event.id)
        for part in parts_of(event, facts_of(session, [event]))
        if part.trip
    }
    query = (
        select(Sensor, SensorAssignment)
        .join(SensorAssignment, SensorAssignment.sensor_id == Sensor.id)
        .where(SensorAssignment.shipment_id.in_(codes))
        .order_by(Sensor.serial, SensorAssignment.since)
    )
    return [
        _Watch(codes[watch.shipment_id], sensor, watch.since, watch.until or now)
        for sensor, watch in session.execute(query)
        if watch.shipment_id is not None
    ]


def _shared(watch: _Watch, span: tuple[datetime, datetime]) -> timedelta:
    begin, end = span
    return max(min(end, watch.until) - max(begin, watch.since), timedelta())


def _upload(session: Session, facility: str, watch: _Watch) -> TransportTemperature:
    return TransportTemperature(
        ref_ent_id=facility,
        bill_code=watch.code,
        equipment_code=watch.sensor.serial,
        records=tuple(_records(session, facility, watch)),
    )


def _records(session: Session, facility: str, watch: _Watch) -> Sequence[TemperatureRecord]:
    hours: dict[datetime, list[int]] = {}
    for reading in read_between(session, watch.sensor.id, watch.since, watch.until):
        hour = reading.measured_at - (reading.measured_at - EPOCH) % HOUR
        hours.setdefault(hour, []).append(reading.temperature)
    return [
        TemperatureRecord(
            equipment_code=watch.sensor.serial,
            time=bills.bill_time(hour),
            min_value=min(seen),
            max_value=max(seen),
            bill_code=watch.code,
            upload_ent_name=facility,
        )
        for hour, seen in hours.items()
    ]
