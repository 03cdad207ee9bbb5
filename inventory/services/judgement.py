"""Keeping the excursions of a sensor equal to what one pass over all its readings would find.

A run beyond a limit is bounded by readings within all limits, so new readings can change only what lies between the
last such reading before them and the first after them. That stretch is read again and its excursions reconciled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from inventory.domain import excursions
from inventory.domain.readings import HOLD_INTERVALS
from inventory.domain.readings import Reading as Measured
from inventory.domain.words import Side
from inventory.persistence.tables import Excursion, Reading, Sensor, SensorAssignment
from inventory.services.ids import new_id
from inventory.services.rules import excursion_rules

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Duty:
    """A time in which a sensor is judged; `until` is None while it goes on."""

    since: datetime
    until: datetime | None

    def touches(self, first: datetime, last: datetime | None) -> bool:
        """Whether any of the time from `first` to `last` lies in it."""
        return (last is None or self.since <= last) and (self.until is None or first <= self.until)


def hold_of(sensor: Sensor) -> timedelta:
    """For how long a reading of this sensor stands."""
    return timedelta(seconds=sensor.interval_seconds * HOLD_INTERVALS)


def judge(session: Session, sensor: Sensor, first: datetime, last: datetime | None, now: datetime) -> None:
    """Make the sensor's excursions right again after its readings from `first` to `last` (or all later) changed."""
    rules = excursion_rules(session, sensor.profile_code)
    for duty in _duties(session, sensor):
        if duty.touches(first, last):
            since, until = _affected(session, sensor, rules, duty, first, last)
            readings = read_between(session, sensor.id, since, until)
            ended = duty.until if until == duty.until else None
            found = excursions.detect(readings, rules, hold_of(sensor), ended)
            _reconcile(session, sensor, found, since, until, now)


def _duties(session: Session, sensor: Sensor) -> list[Duty]:
    """The assignments; a sensor that was never assigned is always on duty: better too many alarms than none."""
    query = select(SensorAssignment.since, SensorAssignment.until).where(SensorAssignment.sensor_id == sensor.id)
    found = [Duty(row.since, row.until) for row in session.execute(query)]
    return found or [Duty(datetime.min.replace(tzinfo=UTC), None)]


def _affected(
    session: Session,
    sensor: Sensor,
    rules: Sequence[excursions.ExcursionRule],
    duty: Duty,
    first: datetime,
    last: datetime | None,
) -> tuple[datetime, datetime | None]:
    """From the last reading within all limits before `first` to the first such after `last`, inside the duty."""
    calm = and_(Reading.sensor_id == sensor.id, *_within_limits(rules))
    before = session.scalar(
        select(func.max(Reading.measured_at)).where(
            calm, Reading.measured_at < first, Reading.measured_at >= duty.since
        )
    )
    after = None
    if last is not None:
        ahead = select(func.min(Reading.measured_at)).where(calm, Reading.measured_at > last)
        after = session.scalar(ahead if duty.until is None else ahead.where(Reading.measured_at <= duty.until))
    return before or duty.since, after or duty.until


def _within_limits(rules: Sequence[excursions.ExcursionRule]) -> Iterator[Any]:
    """The negation of `ExcursionRule.broken_by` for each rule, in SQL."""
    for rule in rules:
        if rule.side is Side.ABOVE:
            yield (Reading.temperature < rule.threshold if rule.inclusive else Reading.temperature <= rule.threshold)
        else:
            yield (Reading.temperature > rule.threshold if rule.inclusive else Reading.temperature >= rule.threshold)


def read_between(session: Session, sensor_id: UUID, since: datetime, until: datetime | None) -> list[Measured]:
    """The sensor's readings from `since` to `until`, both included, by time."""
    query = select(Reading.measured_at, Reading.temperature).where(
        Reading.sensor_id == sensor_id, Reading.measured_at >= since
    )
    if until is not None:
        query = query.where(Reading.measured_at <= until)
    return [Measured(row.measured_at, row.temperature) for row in session.execute(query.order_by(Reading.measured_at))]


def _reconcile(
    session: Session,
    sensor: Sensor,
    found: Sequence[excursions.Span],
    since: datetime,
    until: datetime | None,
    now: datetime,
) -> None:
    """Change the stored excursions of a stretch to those found: the same rule and an overlap make it the same one."""
    stored = _stored(session, sensor, since, until)
    for span in found:
        same = next((each for each in stored if _is_same(each, span)), None)
        if same is None:
            session.add(_new_row(sensor, span, now))
        else:
            stored.remove(same)
            _change(same, span, now)
    for gone in stored:
        gone.cancelled_at = gone.changed_at = now
    session.flush()


def _stored(session: Session, sensor: Sensor, since: datetime, until: datetime | None) -> list[Excursion]:
    living = and_(Excursion.sensor_id == sensor.id, Excursion.cancelled_at.is_(None))
    query = select(Excursion).where(living, or_(Excursion.ended_at.is_(None), Excursion.ended_at > since))
    if until is not None:
        query = query.where(Excursion.started_at < until)
    return list(session.scalars(query.order_by(Excursion.started_at)))


def _is_same(row: Excursion, span: excursions.Span) -> bool:
    return (
        row.rule_name == _rule_name(span)
        and row.started_at <= (span.ended_at or FOREVER)
        and span.started_at <= (row.ended_at or FOREVER)
    )


def _rule_name(span: excursions.Span) -> str:
    return span.rule.name if span.rule else "SILENCE"


def _verdict(span: excursions.Span) -> dict[str, Any]:
    return {
        "started_at": span.started_at,
        "alarm_at": span.alarm_at,
        "ended_at": span.ended_at,
        "seen_seconds": int(span.seen.total_seconds()),
        "unseen_seconds": int(span.unseen.total_seconds()),
        "extreme": span.extreme,
    }


def _new_row(sensor: Sensor, span: excursions.Span, now: datetime) -> Excursion:
    rule = span.rule
    return Excursion(
        id=new_id(),
        sensor_id=sensor.id,
        side=span.side,
        rule_name=_rule_name(span),
        threshold=rule.threshold if rule else None,
        inclusive=rule.inclusive if rule else None,
        duration_seconds=int(rule.duration.total_seconds()) if rule else None,
        recorded_at=now,
        changed_at=now,
        **_verdict(span),
    )


def _change(row: Excursion, span: excursions.Span, now: datetime) -> None:
    changed = {name: value for name, value in _verdict(span).items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        row.changed_at = now
