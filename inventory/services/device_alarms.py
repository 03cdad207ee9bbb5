"""What devices say of their own alarms: kept as they say it, shown in episodes. Excursions do not come of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, case, func, or_, select, true, update
from sqlalchemy.orm import Session

from inventory.domain.device_alarms import LONGEST_CODE, side_of
from inventory.domain.readings import HOLD_INTERVALS
from inventory.domain.words import Side
from inventory.persistence.database import Database
from inventory.persistence.seconds import whole_seconds
from inventory.persistence.statements import insert_new, rows_in
from inventory.persistence.tables import DeviceAlarm, Sensor, SensorState
from inventory.services import lookups
from inventory.services.messages import AlarmState
from inventory.services.paging import Page, page


@dataclass(frozen=True)
class Asked:
    """Of one sensor, or of all; what had not ended before `since` and began before `until`."""

    sensor: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Episode:
    """A device said one code again and again, from `began_at` to `last_at`, `records` times."""

    sensor: str
    code: str
    side: Side | None
    began_at: datetime
    last_at: datetime
    records: int


class Identified(Protocol):
    """A sensor, as far as it is known here."""

    @property
    def id(self) -> UUID:
        """Its id."""


def note(session: Session, stated: Sequence[tuple[Identified, AlarmState]], now: datetime) -> None:
    """Keep what devices said of their alarms, and that they say anything of them at all."""
    if not stated:
        return
    rows = {
        (sensor.id, code[:LONGEST_CODE], state.at): side_of(code) for sensor, state in stated for code in state.codes
    }
    insert_new(
        session,
        DeviceAlarm,
        [
            {"sensor_id": sensor_id, "code": code, "at": at, "side": side, "received_at": now}
            for (sensor_id, code, at), side in sorted(rows.items(), key=lambda each: each[0])
        ],
    )
    _note_speakers(session, {sensor.id for sensor, _ in stated})


def _note_speakers(session: Session, sensors: set[UUID]) -> None:
    """Remember which sensors tell of their own alarms; nothing is written once that is known."""
    column = SensorState.sensor_id
    known = rows_in(session, select(column).where(SensorState.self_alarming), column, sensors)
    new = sorted(sensors - {row.sensor_id for row in known})
    rows = [{"sensor_id": each, "version": 0, "self_alarming": True} for each in new]
    made = {row[0] for row in insert_new(session, SensorState, rows)}
    for each in new:
        if each not in made:
            session.execute(update(SensorState).where(column == each).values(self_alarming=True))


def list_episodes(database: Database, asked: Asked, after: str | None, limit: int) -> Page[Episode]:
    """What devices said, by its beginning. Records no further apart than a reading stands are one episode.

    Raises:
        Invalid: `not_found` for a sensor that is not registered.
    """
    with database.read() as session:
        found = episodes(asked, sensor_asked(session, asked))
        of = found.c
        query = select(found, Sensor.serial).join(Sensor, Sensor.id == of.sensor_id)
        query = within(query, asked, of.began_at, of.last_at)
        return page(session, query, [of.began_at, of.sensor_id, of.code], after, limit).map(episode)


def sensor_asked(session: Session, asked: Asked) -> UUID | None:
    """The sensor that is asked for; None where that is any."""
    return None if asked.sensor is None else lookups.sensor(session, asked.sensor).id


def episodes(asked: Asked, sensor_id: UUID | None) -> Subquery:
    """The records in episodes, each with its sensor and code: one begins where the record before is too long ago.

    Among them are all that `asked` may mean, and others; see `within`.
    """
    before = func.lag(DeviceAlarm.at).over(
        partition_by=(DeviceAlarm.sensor_id, DeviceAlarm.code), order_by=DeviceAlarm.at
    )
    gap = whole_seconds(DeviceAlarm.at) - whole_seconds(before)
    begins = case((gap <= Sensor.interval_seconds * HOLD_INTERVALS, 0), else_=1)
    query = select(DeviceAlarm.sensor_id, DeviceAlarm.code, DeviceAlarm.side, DeviceAlarm.at, begins.label("begins"))
    records = (
        query.join(Sensor, Sensor.id == DeviceAlarm.sensor_id).where(_wanted(asked, sensor_id)).subquery("records")
    )
    of = records.c
    number = func.sum(of.begins).over(partition_by=(of.sensor_id, of.code), order_by=of.at).label("number")
    numbered = select(of.sensor_id, of.code, of.side, of.at, number).subquery("numbered")
    of = numbered.c
    return (
        select(
            of.sensor_id,
            of.code,
            of.side,
            func.min(of.at).label("began_at"),
            func.max(of.at).label("last_at"),
            func.count().label("records"),
        )
        .group_by(of.sensor_id, of.code, of.side, of.number)
        .subquery("episodes")
    )


def _wanted(asked: Asked, sensor_id: UUID | None) -> ColumnElement[bool]:
    """A condition: of the sensor that is asked for, or of one that has said something since then."""
    if sensor_id is not None:
        return DeviceAlarm.sensor_id == sensor_id
    if asked.since is None:
        return true()
    return DeviceAlarm.sensor_id.in_(select(DeviceAlarm.sensor_id).where(DeviceAlarm.at >= asked.since))


def within(
    query: Select[*tuple[Any, ...]], asked: Asked, began_at: ColumnElement[datetime], last_at: ColumnElement[datetime]
) -> Select[*tuple[Any, ...]]:
    """Only what shares time with the window that is asked for; what goes on has no `last_at`."""
    if asked.since is not None:
        query = query.where(or_(last_at.is_(None), last_at >= asked.since))
    return query if asked.until is None else query.where(began_at < asked.until)


def episode(row: Any) -> Episode:
    """A row of `episodes`, with its sensor's serial, as it is shown."""
    return Episode(row.serial, row.code, row.side, row.began_at, row.last_at, row.records)
