"""What sensors saw of trips, for many trips at once: the database sums up, the readings stay there."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from inventory.domain.epcis.facts import Measured
from inventory.domain.rollup import HOUR
from inventory.persistence import months
from inventory.persistence.seconds import whole_seconds
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import (
    ArchivedMonth,
    Excursion,
    Reading,
    ReadingHour,
    Sensor,
    SensorAssignment,
    Shipment,
    StockEvent,
)

_UNTIL = func.coalesce(SensorAssignment.until, Shipment.arrived_at)
_WATCH = (SensorAssignment.shipment_id, Sensor.id.label("sensor_id"), Sensor.serial, Sensor.giai)

Watch = tuple[UUID, UUID]
"""A shipment and a sensor that was with it."""


def trips_measured(session: Session, receipts: Sequence[StockEvent]) -> Mapping[UUID, tuple[Measured, ...]]:
    """What each sensor of each shipment saw from its departure until it arrived.

    By the readings themselves; where any lie in an archive, by the hours that are wholly of the trip and what readings
    there are, which know no mean together.
    """
    wanted = {event.shipment_id for event in receipts if event.shipment_id is not None}
    alarmed = _alarmed(session, wanted)
    gone = months.spans(months.month_of(month) for month in session.scalars(_ARCHIVED))
    found: dict[Watch, Measured] = {}
    for query, last in ((_by_hours(), HOUR), (_by_readings(), timedelta())):
        for row in rows_in(session, query, SensorAssignment.shipment_id, wanted):
            watch = row.shipment_id, row.sensor_id
            told = _measured(row, last, alarmed=watch in alarmed)
            in_archive = any(row.since < end and row.until > begin for begin, end in gone)
            found[watch] = _joined(found[watch], told) if in_archive and watch in found else told
    trips: defaultdict[UUID, list[Measured]] = defaultdict(list)
    for (trip, _), measured in sorted(found.items(), key=lambda each: each[1].serial):
        trips[trip].append(measured)
    return {trip: tuple(each) for trip, each in trips.items()}


_ARCHIVED = select(ArchivedMonth.month).where(ArchivedMonth.restored_at.is_(None))


def _joined(hours: Measured, readings: Measured) -> Measured:
    """What hours and readings say together, of which some tell of the same time."""
    return replace(
        hours,
        since=min(hours.since, readings.since),
        until=max(hours.until, readings.until),
        lowest=min(hours.lowest, readings.lowest),
        highest=max(hours.highest, readings.highest),
        mean=None,
    )


def _measured(row: Any, last: timedelta, *, alarmed: bool) -> Measured:
    mean = None if row.mean is None else round(row.mean)
    return Measured(row.serial, row.giai, row.first, row.latest + last, row.lowest, row.highest, mean, alarmed)


def _by_readings() -> Any:
    """Grouped by what tells a watch; a sensor that came with a shipment twice is one."""
    inside = and_(
        Reading.sensor_id == Sensor.id,
        Reading.measured_at >= SensorAssignment.since,
        or_(_UNTIL.is_(None), Reading.measured_at <= _UNTIL),
    )
    mean = func.avg(Reading.temperature)
    return _watches(Reading.measured_at, Reading.temperature, Reading.temperature, mean).join(Reading, inside)


def _by_hours() -> Any:
    inside = and_(
        ReadingHour.sensor_id == Sensor.id,
        ReadingHour.hour >= SensorAssignment.since,
        whole_seconds(ReadingHour.hour) + HOUR // timedelta(seconds=1) <= whole_seconds(_UNTIL),
    )
    nothing = func.max(None)
    return _watches(ReadingHour.hour, ReadingHour.lowest, ReadingHour.highest, nothing).join(ReadingHour, inside)


def _watches(at: Any, lowest: Any, highest: Any, mean: Any) -> Any:
    return (
        select(
            *_WATCH,
            func.min(at).label("first"),
            func.max(at).label("latest"),
            func.min(lowest).label("lowest"),
            func.max(highest).label("highest"),
            mean.label("mean"),
            func.min(SensorAssignment.since).label("since"),
            func.max(func.coalesce(_UNTIL, SensorAssignment.since)).label("until"),
        )
        .join_from(SensorAssignment, Sensor, Sensor.id == SensorAssignment.sensor_id)
        .join(Shipment, Shipment.id == SensorAssignment.shipment_id)
        .group_by(*_WATCH)
    )


def _alarmed(session: Session, trips: Collection[UUID]) -> set[Watch]:
    """The watches in which an excursion was found that still stands."""
    during = and_(
        Excursion.sensor_id == SensorAssignment.sensor_id,
        Excursion.cancelled_at.is_(None),
        or_(_UNTIL.is_(None), Excursion.started_at < _UNTIL),
        or_(Excursion.ended_at.is_(None), Excursion.ended_at > SensorAssignment.since),
    )
    query = (
        select(SensorAssignment.shipment_id, SensorAssignment.sensor_id)
        .join(Shipment, Shipment.id == SensorAssignment.shipment_id)
        .join(Excursion, during)
    )
    return {(row.shipment_id, row.sensor_id) for row in rows_in(session, query, SensorAssignment.shipment_id, trips)}
