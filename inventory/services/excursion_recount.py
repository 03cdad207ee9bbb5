"""The standing excursions of a sensor, beside those that one pass over its readings finds."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from inventory.domain.excursions import Span
from inventory.domain.instants import FOREVER
from inventory.domain.recount import Stage, judged
from inventory.persistence.tables import Excursion, SensorAssignment
from inventory.services.affected import affected
from inventory.services.judgement import ALWAYS, Duty
from inventory.services.reconciliation import SILENCE
from inventory.services.recounting import Difference, Subject, Window
from inventory.services.unjudged import waiting


def excursion_differences(subject: Subject, standing: Sequence[Excursion]) -> Iterator[Difference]:
    """Where the standing excursions are not those that one pass over the readings finds.

    Left out is what lies between an archived month and the nearest readings at which nothing went on, and what was put
    off until such a month is restored.
    """
    found, unsure = _found(subject)
    unsure += _put_off(subject)
    found = [span for span in found if not any(_meets(span, window) for window in unsure)]
    stored = [row for row in standing if not any(_meets(row, window) for window in unsure)]
    for span in found:
        row = _counterpart(stored, span)
        if row is None:
            yield from subject.difference(_of(_rule_name(span), span.started_at), "the row", None, _told(span))
            continue
        stored.remove(row)
        for column, value in _columns(span).items():
            yield from subject.difference(_of(row.rule_name, row.started_at), column, getattr(row, column), value)
    for row in stored:
        yield from subject.difference(_of(row.rule_name, row.started_at), "the row", row.id, None)


def _of(rule: str, started_at: datetime) -> str:
    return f"excursion {rule} from {started_at.isoformat()}"


def _told(span: Span) -> str:
    return f"one until {span.ended_at.isoformat() if span.ended_at else 'now'}"


def _found(subject: Subject) -> tuple[list[Span], list[Window]]:
    """The excursions of all duties, and the time of which nothing is sure because readings are archived."""
    found: list[Span] = []
    unsure: list[Window] = []
    for duty in _duties(subject):
        ends = duty.until or FOREVER
        reached = duty.since
        for since, until in subject.windows:
            if since > ends or until <= duty.since:
                continue
            sure = _within(subject, duty, max(since, duty.since), min(until, ends))
            if sure is None:
                continue
            spans, begins, stops = sure
            found += spans
            unsure += [(reached, begins)] if begins > reached else []
            reached = stops
        unsure += [(reached, ends)] if reached < ends else []
    return found, unsure


def _put_off(subject: Subject) -> Iterator[Window]:
    """The stretches that what was put off can have to do with."""
    for each in waiting(subject.session, subject.sensor.id):
        since, until = affected(subject.session, subject.sensor.id, subject.rules, subject.hold, each.first, each.last)
        yield since, until or FOREVER


def _within(
    subject: Subject, duty: Duty, since: datetime, until: datetime
) -> tuple[list[Span], datetime, datetime] | None:
    """The excursions in the part of a duty whose readings are all there, and from when to when that is sure."""
    ends = duty.until or FOREVER
    stage = Stage(
        since=None if duty == ALWAYS else duty.since,
        until=duty.until,
        opened=since == duty.since,
        closed=until == ends,
    )
    parts = subject.parts(since, until, last=stage.closed)
    result = judged(parts, subject.rules, subject.hold, stage)
    if result is None:
        return None
    return list(result.spans), result.since or since, result.until or until


def _duties(subject: Subject) -> list[Duty]:
    """The assignments; all of the time where none is known."""
    query = (
        select(SensorAssignment.since, SensorAssignment.until)
        .where(SensorAssignment.sensor_id == subject.sensor.id)
        .order_by(SensorAssignment.since)
    )
    return [Duty(row.since, row.until) for row in subject.session.execute(query)] or [ALWAYS]


def _meets(row: Excursion | Span, window: Window) -> bool:
    return row.started_at < window[1] and (row.ended_at or FOREVER) > window[0]


def _counterpart(stored: Sequence[Excursion], span: Span) -> Excursion | None:
    """Which stored excursion a span is: the same in rule and beginning, else in one of them and sharing time."""
    ends = span.ended_at or FOREVER
    for row in stored:
        if (row.rule_name, row.started_at) == (_rule_name(span), span.started_at):
            return row
    for row in stored:
        alike = row.rule_name == _rule_name(span) or row.started_at == span.started_at
        if alike and _meets(row, (span.started_at, ends)):
            return row
    return None


def _rule_name(span: Span) -> str:
    return span.rule.name if span.rule else SILENCE


def _columns(span: Span) -> Mapping[str, Any]:
    """The columns that a span fills."""
    rule = span.rule
    window = rule.window if rule else None
    return {
        "rule_name": _rule_name(span),
        "side": span.side,
        "threshold": rule.threshold if rule else None,
        "inclusive": rule.inclusive if rule else None,
        "duration_seconds": int(rule.duration.total_seconds()) if rule else None,
        "window_seconds": None if window is None else int(window.total_seconds()),
        "started_at": span.started_at,
        "alarm_at": span.alarm_at,
        "ended_at": span.ended_at,
        "seen_seconds": int(span.seen.total_seconds()),
        "unseen_seconds": int(span.unseen.total_seconds()),
        "extreme": span.extreme,
    }
