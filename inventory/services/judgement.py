"""Keeping the excursions of a sensor equal to what one pass over all its readings would find.

The stretch that new readings can have to do with is read again (inventory.services.affected), judged by the pure
function of inventory.domain.excursions, and its stored excursions made so (inventory.services.reconciliation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain import excursions
from inventory.domain.instants import BEGINNING, FOREVER
from inventory.domain.readings import HOLD_INTERVALS
from inventory.domain.readings import Reading as Measured
from inventory.domain.words import VersionReason
from inventory.persistence.tables import Reading, Sensor, SensorAssignment
from inventory.services.affected import affected
from inventory.services.archived_stretches import sure_stretch
from inventory.services.reconciliation import Judged, reconcile
from inventory.services.rules import excursion_rules
from inventory.services.unjudged import put_off


@dataclass(frozen=True)
class Duty:
    """A time in which a sensor is judged; `until` is None while it goes on."""

    since: datetime
    until: datetime | None


ALWAYS = Duty(BEGINNING, None)
"""Of a sensor that no place is known of: nobody waits to hear of it, but what it says is judged."""


def hold_of(sensor: Sensor) -> timedelta:
    """For how long a reading of this sensor stands."""
    return timedelta(seconds=sensor.interval_seconds * HOLD_INTERVALS)


def judge(
    session: Session,
    sensor: Sensor,
    first: datetime,
    last: datetime | None,
    now: datetime,
    reason: VersionReason | None = None,
) -> None:
    """Make a claimed sensor's excursions right again after its readings or watches changed.

    `first` and `last` are the earliest and the latest instant that changed; all after `first` where `last` is None.
    `reason` is why verdicts change, where that is not to be read off them. What needs readings of an archived month is
    put off until that is restored.
    """
    rules = excursion_rules(session, sensor.profile_code)
    hold = hold_of(sensor)
    whole = affected(session, sensor.id, rules, hold, first, last)
    sure = sure_stretch(session, sensor.id, rules, hold, whole, last)
    if sure.lacks is not None:
        put_off(session, sensor.id, sure.lacks, first, last)
    if sure.stretch is None:
        return
    since, until = sure.stretch
    found: list[excursions.Span] = []
    for duty in _duties(session, sensor):
        found += _detected(session, sensor, rules, duty, since, until)
    reconcile(session, Judged(sensor, since, until, now, reason, is_cut=since != whole[0]), found)


def _detected(
    session: Session,
    sensor: Sensor,
    rules: Sequence[excursions.ExcursionRule],
    duty: Duty,
    since: datetime,
    until: datetime | None,
) -> list[excursions.Span]:
    """What one pass over the readings finds in the part of a duty that lies between `since` and `until`."""
    start = max(duty.since, since)
    ended = duty.until if duty.until is not None and (until is None or duty.until <= until) else None
    if start > (duty.until or FOREVER) or duty.since > (until or FOREVER):
        return []
    readings = read_between(session, sensor.id, start, ended or until)
    began = start if start == duty.since and duty != ALWAYS else None
    return excursions.detect(readings, rules, hold_of(sensor), ended, began)


def _duties(session: Session, sensor: Sensor) -> list[Duty]:
    """The assignments; all of the time where none is known: better too many alarms than none."""
    query = (
        select(SensorAssignment.since, SensorAssignment.until)
        .where(SensorAssignment.sensor_id == sensor.id)
        .order_by(SensorAssignment.since)
    )
    return [Duty(row.since, row.until) for row in session.execute(query)] or [ALWAYS]


def read_between(session: Session, sensor_id: UUID, since: datetime, until: datetime | None) -> list[Measured]:
    """The sensor's readings from `since` to `until`, both included, by time."""
    query = select(Reading.measured_at, Reading.temperature).where(
        Reading.sensor_id == sensor_id, Reading.measured_at >= since
    )
    if until is not None:
        query = query.where(Reading.measured_at <= until)
    return [Measured(row.measured_at, row.temperature) for row in session.execute(query.order_by(Reading.measured_at))]
