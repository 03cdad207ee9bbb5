"""Where what a device says of its alarms differs from what Coldtrail found by its readings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, exists, func, literal, null, or_, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.domain.words import Disagreement, Side
from inventory.persistence.database import Database
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import DeviceAlarm, Excursion, Reading, Sensor, SensorState
from inventory.services import device_alarms
from inventory.services.device_alarms import Asked, Episode
from inventory.services.evidence import ExcursionSummary, summary
from inventory.services.paging import Page, page

COMPARED = ("HEAT", "FRZE")
"""The limits of WHO PQS E006, by which the devices themselves judge."""

LOGGERS = "logger:"
"""How the storage profiles begin that are a logger's own limits."""


@dataclass(frozen=True)
class Difference:
    """What one of the two says and the other does not: `said` by the device, or `found` by Coldtrail.

    `lowest` and `highest` (hundredths of a degree Celsius) are those of the readings while the device said it.
    """

    kind: Disagreement
    sensor: str
    side: Side
    said: Episode | None
    found: ExcursionSummary | None
    lowest: int | None
    highest: int | None


def list_differences(database: Database, asked: Asked, after: str | None, limit: int) -> Page[Difference]:
    """Where a device and Coldtrail do not say the same of one side, by its beginning.

    Raises:
        Invalid: `not_found` for a sensor that is not registered.
    """
    with database.read() as session:
        differing = _differing(asked, device_alarms.sensor_asked(session, asked))
        of = differing.c
        query = select(differing, Sensor.serial).join(Sensor, Sensor.id == of.sensor_id)
        query = device_alarms.within(query, asked, of.began_at, of.last_at)
        found = page(session, query, [of.began_at, of.sensor_id, of.kind, of.code], after, limit)
        excursions = _excursions(session, [row.excursion_id for row in found.items if row.excursion_id])
        return found.map(lambda row: _difference(session, row, excursions))


def _differing(asked: Asked, sensor_id: UUID | None) -> Subquery:
    """What only a device says, and what only Coldtrail found, under the same names."""
    episodes = device_alarms.episodes(asked, sensor_id).c
    found = exists().where(
        _mine(sensor_id),
        Excursion.sensor_id == episodes.sensor_id,
        Excursion.side == episodes.side,
        Excursion.cancelled_at.is_(None),
        Excursion.started_at <= episodes.last_at,
        or_(Excursion.ended_at.is_(None), Excursion.ended_at >= episodes.began_at),
    )
    only_device = select(
        literal(Disagreement.ONLY_DEVICE.value).label("kind"),
        episodes.sensor_id,
        episodes.code,
        episodes.side,
        episodes.began_at,
        episodes.last_at,
        episodes.records,
        null().cast(Excursion.id.type).label("excursion_id"),
    ).where(episodes.side.is_not(None), ~found)
    return union_all(only_device, _only_found(sensor_id)).subquery("differing")


def _only_found(sensor_id: UUID | None) -> Select[*tuple[Any, ...]]:
    """Standing excursions, of limits that devices judge by too, of which the device itself said nothing."""
    said = exists().where(
        DeviceAlarm.sensor_id == Excursion.sensor_id,
        DeviceAlarm.side == Excursion.side,
        DeviceAlarm.at >= Excursion.started_at,
        or_(Excursion.ended_at.is_(None), DeviceAlarm.at <= Excursion.ended_at),
    )
    return (
        select(
            literal(Disagreement.ONLY_FOUND.value).label("kind"),
            Excursion.sensor_id,
            Excursion.rule_name.label("code"),
            Excursion.side,
            Excursion.started_at.label("began_at"),
            Excursion.ended_at.label("last_at"),
            literal(0).label("records"),
            Excursion.id.label("excursion_id"),
        )
        .join(SensorState, SensorState.sensor_id == Excursion.sensor_id)
        .join(Sensor, Sensor.id == Excursion.sensor_id)
        .where(
            _mine(sensor_id),
            SensorState.self_alarming,
            Excursion.cancelled_at.is_(None),
            Excursion.side != Side.SILENCE,
            or_(Excursion.rule_name.in_(COMPARED), Sensor.profile_code.startswith(LOGGERS)),
            ~said,
        )
    )


def _mine(sensor_id: UUID | None) -> ColumnElement[bool]:
    """A condition: an excursion of the sensor that is asked for, or of any."""
    return true() if sensor_id is None else Excursion.sensor_id == sensor_id


def _excursions(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, Excursion]:
    column: InstrumentedAttribute[UUID] = Excursion.id
    return {row[0].id: row[0] for row in rows_in(session, select(Excursion), column, ids)}


def _difference(session: Session, row: Any, excursions: Mapping[UUID, Excursion]) -> Difference:
    found = excursions.get(row.excursion_id)
    lowest, highest = _extremes(session, row) if found is None else (None, None)
    return Difference(
        kind=Disagreement(row.kind),
        sensor=row.serial,
        side=row.side,
        said=device_alarms.episode(row) if found is None else None,
        found=None if found is None else summary(found, row.serial),
        lowest=lowest,
        highest=highest,
    )


def _extremes(session: Session, row: Any) -> tuple[int | None, int | None]:
    """Of the readings in an episode; asked for one by one, for all at once PostgreSQL would look at every month."""
    query = select(func.min(Reading.temperature), func.max(Reading.temperature)).where(
        Reading.sensor_id == row.sensor_id, Reading.measured_at.between(row.began_at, row.last_at)
    )
    lowest, highest = session.execute(query).one()
    return lowest, highest
