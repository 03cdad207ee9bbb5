"""Proving that what was made of the readings is what a recomputation from the readings gives.

Sensor by sensor, each in one consistent view, with never more than a part of its readings in memory. What would need
the readings of archived months is left out, and said to be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.domain.errors import N_, Code, NotFound
from inventory.persistence import month_rows, months
from inventory.persistence.database import Database
from inventory.persistence.months import Month
from inventory.persistence.tables import Excursion, Reading, ReadingHour, Sensor, SensorState
from inventory.services.excursion_recount import excursion_differences
from inventory.services.hour_recount import hour_differences
from inventory.services.recounting import Difference, Subject


@dataclass(frozen=True)
class Orphans:
    """Rows of a table that name a sensor which is not registered."""

    sensor_id: UUID
    table: str
    rows: int


@dataclass(frozen=True)
class LeftOut:
    """A month that is archived, and how many readings came for it since."""

    month: Month
    late: int


@dataclass(frozen=True)
class NotFollowed:
    """A sensor that has no state and so no roll-ups yet; that is no fault."""

    sensor: str


@dataclass(frozen=True)
class Checked:
    """A sensor was looked through."""

    sensor: str


Finding = Difference | Orphans | LeftOut | NotFollowed | Checked


def verify_readings(database: Database, serial: str | None = None) -> Iterator[Finding]:
    """Recompute roll-ups, states and excursions of one sensor or all; each thing found, as it is found.

    Raises:
        NotFound: `not_found` for a sensor that is not registered.
    """
    with database.read() as session:
        archived = months.archived(session)
        yield from _left_out(session, archived)
        sensors = _sensors(session, serial)
        if serial is None:
            yield from _orphans(session, {each for each, _ in sensors})
    for sensor_id, name in sensors:
        with database.read() as session:
            yield from _of_sensor(session, sensor_id)
        yield Checked(name)


def is_fault(finding: Finding) -> bool:
    """Whether something is wrong, and not only worth knowing."""
    return isinstance(finding, Difference | Orphans)


def report(finding: Finding) -> str | None:
    """A finding as a line of text; None where there is nothing to say."""
    match finding:
        case Difference():
            return (
                f"FAULT sensor {finding.sensor}, {finding.of}: {finding.column} is {finding.stored}, "
                f"the readings give {finding.recomputed}"
            )
        case Orphans():
            return f"FAULT {finding.table}: {finding.rows} rows of sensor {finding.sensor_id}, which is not registered"
        case LeftOut():
            late = f"; {finding.late} readings that came for it since are not judged" if finding.late else ""
            return f"{finding.month[0]:04}-{finding.month[1]:02} is archived and left out{late}"
        case NotFollowed():
            return f"sensor {finding.sensor}: not followed yet, so it has no roll-ups"
        case Checked():
            return None


def _sensors(session: Session, serial: str | None) -> list[tuple[UUID, str]]:
    query = select(Sensor.id, Sensor.serial).order_by(Sensor.serial)
    if serial is not None:
        query = query.where(Sensor.serial == serial)
    found = [(row.id, row.serial) for row in session.execute(query)]
    if serial is not None and not found:
        raise NotFound(Code.NOT_FOUND, "sensor", serial, N_("the serial of a sensor"))
    return found


def _left_out(session: Session, archived: frozenset[Month]) -> Iterator[LeftOut]:
    for month in sorted(archived):
        yield LeftOut(month, month_rows.sums(session, month)[0])


def _orphans(session: Session, registered: set[UUID]) -> Iterator[Orphans]:
    """What no foreign key guards, for it would cost more than the row."""
    for column in (Reading.sensor_id, ReadingHour.sensor_id):
        for each in _distinct(session, column):
            if each not in registered:
                counted = select(func.count()).select_from(column.class_).where(column == each)
                yield Orphans(each, str(column.class_.__tablename__), session.scalar(counted) or 0)


def _distinct(session: Session, column: InstrumentedAttribute[UUID]) -> Iterator[UUID]:
    """The values of the first column of a key, from one to the next: there are few, of many rows each."""
    query = select(column).order_by(column).limit(1)
    found = session.scalar(query)
    while found is not None:
        yield found
        found = session.scalar(query.where(column > found))


def _of_sensor(session: Session, sensor_id: UUID) -> Iterator[Finding]:
    sensor = session.get_one(Sensor, sensor_id)
    subject = Subject(session, sensor, months.spans(months.archived(session)))
    state = session.get(SensorState, sensor_id)
    if state is None:
        yield NotFollowed(sensor.serial)
    else:
        yield from hour_differences(subject, state)
    standing = select(Excursion).where(Excursion.sensor_id == sensor_id, Excursion.cancelled_at.is_(None))
    yield from excursion_differences(subject, session.scalars(standing.order_by(Excursion.started_at)).all())
