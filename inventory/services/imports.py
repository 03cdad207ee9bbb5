"""Readings that come as a logger's file instead of by messages, through the same door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.excursions import ExcursionRule
from inventory.domain.instants import stated
from inventory.domain.temperature import celsius
from inventory.domain.words import Side
from inventory.persistence import months
from inventory.persistence.database import Database
from inventory.persistence.tables import Appliance, Sensor, SensorAssignment
from inventory.services import assignments, device_alarms, lookups
from inventory.services.evidence import ExcursionSummary, excursions_between
from inventory.services.ids import new_id
from inventory.services.messages import AlarmState, Measurement
from inventory.services.monitoring import record_readings
from inventory.services.rules import add_profile


@dataclass(frozen=True)
class Limit:
    """An alarm limit that a logger was set to: beyond `threshold` for `duration`, consecutively.

    Strictly beyond it, unless the limit itself counts (`inclusive`).
    """

    side: Side
    threshold: int
    duration: timedelta
    inclusive: bool = False


@dataclass(frozen=True)
class LoggerFile:
    """What a logger's file says: whose it is, how often it measured, its own limits, readings and alarms."""

    serial: str
    interval_seconds: int
    limits: tuple[Limit, ...]
    activated_at: datetime
    readings: Sequence[Measurement]
    alarms: Sequence[AlarmState] = ()


@dataclass(frozen=True)
class Imported:
    """How many readings a file had, how many of them were new, and the excursions in its time."""

    readings: int
    new: int
    excursions: tuple[ExcursionSummary, ...]


def import_logger_file(database: Database, file: LoggerFile, appliance: str | None, now: datetime) -> Imported:
    """Store a logger's readings, and judge them, and the alarms that it tells itself. The same again changes nothing.

    A logger that is not known yet is registered and judged by its own limits; where an appliance is named it is
    assigned to it from its activation on; one that was assigned to it from a later file, from this one's.

    Raises:
        Invalid: `not_found` for the appliance, `malformed` for a file without limits on both sides,
            `time_in_future` or `time_too_old` for a file that was read in a wrong zone or of a clock never set.
        Conflict: `sensor_in_use` when the logger watches another place then or next.
    """
    for one in file.readings:
        stated("readings", one.measured_at, now)
    for state in file.alarms:
        stated("alarms", state.at, now)

    def work(session: Session) -> Imported:
        sensor = session.scalar(select(Sensor).where(Sensor.serial == file.serial)) or _register(session, file)
        if appliance is not None:
            _place(session, sensor, appliance, file.activated_at, now)
        new = record_readings(session, sensor, file.readings, now)
        device_alarms.note(session, [(sensor, state) for state in file.alarms], now)
        first = min((each.measured_at for each in file.readings), default=now)
        last = max((each.measured_at for each in file.readings), default=now)
        found = excursions_between(session, sensor, first, last)
        return Imported(len(file.readings), new, tuple(sorted(found, key=lambda each: each.started_at)))

    months.ensure(database, {one.measured_at for one in file.readings})
    return database.write(work)


def _register(session: Session, file: LoggerFile) -> Sensor:
    sensor = Sensor(
        id=new_id(),
        serial=file.serial,
        interval_seconds=file.interval_seconds,
        profile_code=_own_profile(session, file),
        gateway_id=None,
    )
    session.add(sensor)
    session.flush()
    return sensor


def _place(session: Session, sensor: Sensor, appliance: str, since: datetime, now: datetime) -> None:
    """Assign the logger to an appliance, unless it watches that one already."""
    place: Appliance = lookups.by_code(session, Appliance.code, appliance, "appliance")
    there = (SensorAssignment.sensor_id == sensor.id) & (SensorAssignment.appliance_id == place.id)
    if session.scalar(select(SensorAssignment.since).where(there, SensorAssignment.since <= since)) is None:
        assignments.watch_appliance(session, sensor, place, since, now)


def _own_profile(session: Session, file: LoggerFile) -> str:
    """A storage profile of the logger's own limits, named by them, so that loggers set alike share it."""
    rules = [_rule(limit) for limit in file.limits]
    limits = {rule.side: rule for rule in rules}
    if set(limits) != {Side.ABOVE, Side.BELOW}:
        raise Invalid(Code.MALFORMED, "limits", len(rules), N_("one limit above and one below"))
    code = ":".join(["logger", *(_named(limits[side]) for side in (Side.BELOW, Side.ABOVE))])
    add_profile(session, code, limits[Side.BELOW].threshold, limits[Side.ABOVE].threshold, rules)
    return code


def _rule(limit: Limit) -> ExcursionRule:
    name = "HOT" if limit.side is Side.ABOVE else "COLD"
    return ExcursionRule(name, limit.side, limit.threshold, limit.inclusive, limit.duration)


def _named(rule: ExcursionRule) -> str:
    reached = "=" if rule.inclusive else ""
    return f"{reached}{celsius(rule.threshold)}:{int(rule.duration.total_seconds() // 60)}"
