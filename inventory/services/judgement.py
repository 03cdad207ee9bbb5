"""Keeping the excursions of a sensor equal to what one pass over all its readings would find.

A run beyond a limit is bounded by readings within all limits, so new readings can change only what lies between the
last such reading before them and the first after them. That stretch is read again and its excursions reconciled.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from inventory.domain import excursions
from inventory.domain.instants import BEGINNING, FOREVER
from inventory.domain.readings import HOLD_INTERVALS
from inventory.domain.readings import Reading as Measured
from inventory.domain.words import Side
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Excursion, Reading, Sensor, SensorAssignment
from inventory.services.ids import new_id
from inventory.services.outbox import tell_excursion
from inventory.services.rules import excursion_rules


@dataclass(frozen=True)
class Duty:
    """A time in which a sensor is judged; `until` is None while it goes on.

    `assigned` tells a watch over a place from the time before a sensor had one.
    """

    since: datetime
    until: datetime | None
    assigned: bool


def hold_of(sensor: Sensor) -> timedelta:
    """For how long a reading of this sensor stands."""
    return timedelta(seconds=sensor.interval_seconds * HOLD_INTERVALS)


def lock(session: Session, sensors: Iterable[UUID]) -> None:
    """Let nobody else write readings, watches or excursions of these sensors until the transaction ends.

    Whoever writes one of them at the same moment would judge without seeing what the other stored. SQLite has one
    writer at a time anyway.
    """
    query = select(Sensor.id).order_by(Sensor.id).with_for_update(key_share=True)
    rows_in(session, query, Sensor.id, sorted(sensors))


def judge(session: Session, sensor: Sensor, first: datetime, last: datetime | None, now: datetime) -> None:
    """Make a locked sensor's excursions right again after its readings or watches changed.

    `first` and `last` are the earliest and the latest instant that changed; all after `first` where `last` is None.
    """
    rules = excursion_rules(session, sensor.profile_code)
    since, until = _affected(session, sensor, rules, first, last)
    found: list[excursions.Span] = []
    for duty in _duties(session, sensor):
        found += _detected(session, sensor, rules, duty, since, until)
    _reconcile(session, sensor, found, since, until, now)


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
    began = start if duty.assigned and start == duty.since else None
    found = excursions.detect(readings, rules, hold_of(sensor), ended, began)
    return found if duty.assigned else [span for span in found if not _waits_for_its_place(span, duty)]


def _waits_for_its_place(span: excursions.Span, duty: Duty) -> bool:
    """Silence up to the first assignment: nobody expected to hear of no place."""
    return span.side is Side.SILENCE and span.ended_at == duty.until


def _duties(session: Session, sensor: Sensor) -> list[Duty]:
    """The assignments, and the time before the first.

    A sensor is off duty only when it is known to be: better too many alarms than none.
    """
    query = (
        select(SensorAssignment.since, SensorAssignment.until)
        .where(SensorAssignment.sensor_id == sensor.id)
        .order_by(SensorAssignment.since)
    )
    watches = [Duty(row.since, row.until, True) for row in session.execute(query)]
    return [Duty(BEGINNING, watches[0].since if watches else None, False), *watches]


def _affected(
    session: Session,
    sensor: Sensor,
    rules: Sequence[excursions.ExcursionRule],
    first: datetime,
    last: datetime | None,
) -> tuple[datetime, datetime | None]:
    """From the last reading within all limits before `first` to the first such after `last`."""
    calm = and_(Reading.sensor_id == sensor.id, *_within_limits(rules))
    before = session.scalar(select(func.max(Reading.measured_at)).where(calm, Reading.measured_at < first))
    after = None
    if last is not None:
        after = session.scalar(select(func.min(Reading.measured_at)).where(calm, Reading.measured_at > last))
    return before or BEGINNING, after


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
    known = _counterparts(stored, found)
    for span in found:
        if span in known:
            _change(known[span], span, now)
        else:
            new = _new_row(sensor, span, now)
            session.add(new)
            tell_excursion(session, sensor, new, now)
    for row in stored:
        if row not in known.values():
            row.cancelled_at = row.changed_at = now
    session.flush()


def _stored(session: Session, sensor: Sensor, since: datetime, until: datetime | None) -> list[Excursion]:
    living = and_(Excursion.sensor_id == sensor.id, Excursion.cancelled_at.is_(None))
    query = select(Excursion).where(living, or_(Excursion.ended_at.is_(None), Excursion.ended_at > since))
    if until is not None:
        query = query.where(Excursion.started_at < until)
    return list(session.scalars(query.order_by(Excursion.started_at)))


def _counterparts(stored: Sequence[Excursion], found: Sequence[excursions.Span]) -> dict[excursions.Span, Excursion]:
    """Which stored excursion each span is: of the same rule, those that share most time first.

    What is split keeps its identity in its longer part; who merely touches is another.
    """
    pairs = [(_shared(row, span), row, span) for span in found for row in stored if row.rule_name == _rule_name(span)]
    known: dict[excursions.Span, Excursion] = {}
    for shared, row, span in sorted(pairs, key=lambda pair: pair[0], reverse=True):
        if shared > timedelta() and span not in known and row not in known.values():
            known[span] = row
    return known


def _shared(row: Excursion, span: excursions.Span) -> timedelta:
    end = min(row.ended_at or FOREVER, span.ended_at or FOREVER)
    return end - max(row.started_at, span.started_at)


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
