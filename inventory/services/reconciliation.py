"""Changing the stored excursions of a stretch to those found in it, with every earlier verdict kept.

An excursion stays the same one while its rule is the same and it shares time with what it was; what was taken back
and is found again is the same one, too, and nobody is told twice.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from inventory.domain.instants import BEGINNING
from inventory.domain.limits import Span
from inventory.domain.verdicts import Circumstances, Verdict, reason
from inventory.domain.words import VersionReason
from inventory.persistence.statements import insert_rows
from inventory.persistence.tables import Excursion, ExcursionVersion, Sensor
from inventory.services.ids import new_id
from inventory.services.outbox import tell_excursion

SILENCE = "SILENCE"
"""What stands for the rule of a silence."""

MEMORY = timedelta(days=30)
"""How long after its alarm one that was taken back while it went on is looked for; then it is found as another."""


@dataclass(frozen=True)
class Judged:
    """A part of a sensor's time that was judged anew at an instant, and why, if its readings are not the reason.

    `is_cut` says that what lies before it is archived: it begins at a calm reading, and what stands from before is not
    found in it.
    """

    sensor: Sensor
    since: datetime
    until: datetime | None
    now: datetime
    reason: VersionReason | None = None
    is_cut: bool = False


@dataclass(frozen=True)
class _Pair:
    """A stored excursion and one that was found, by its number, that share time under one rule."""

    row: Excursion
    number: int
    shared: timedelta

    @property
    def closeness(self) -> tuple[bool, timedelta]:
        """What was taken back comes after all that stand; of those, the more time they share, the closer."""
        return self.row.cancelled_at is None, self.shared


def reconcile(session: Session, judged: Judged, found: Sequence[Span]) -> None:
    """Make the stored excursions of a stretch those found; each other verdict is a version in this transaction."""
    stored = _stored(session, judged)
    told = [_verdict(span) for span in found]
    pairs = list(_pairs(stored, found, told))
    known = _counterparts(pairs)
    parts = Counter(pair.row.id for pair in pairs)
    wholes = Counter(pair.number for pair in pairs if pair.row.cancelled_at is None)
    changes = _Changes(session, judged)
    for number, (span, verdict) in enumerate(zip(found, told, strict=True)):
        row = known.get(number)
        if row is None:
            changes.find(span, verdict)
        else:
            changes.keep(row, verdict, split=parts[row.id] > 1, merged=wholes[number] > 1)
    kept = {row.id for row in known.values()}
    for row in stored:
        if row.cancelled_at is not None or row.id in kept:
            continue
        if judged.is_cut and row.started_at < judged.since:
            changes.end(row)
        else:
            changes.cancel(row, absorbed=row.id in parts)
    changes.write()


def verdict_of(row: Excursion) -> Verdict:
    """What is stored of an excursion, as the domain compares it."""
    seen, unseen = timedelta(seconds=row.seen_seconds), timedelta(seconds=row.unseen_seconds)
    return Verdict(row.side, row.started_at, row.alarm_at, row.ended_at, seen, unseen, row.extreme)


def _verdict(span: Span) -> Verdict:
    seen, unseen = (timedelta(seconds=int(each.total_seconds())) for each in (span.seen, span.unseen))
    return Verdict(span.side, span.started_at, span.alarm_at, span.ended_at, seen, unseen, span.extreme)


def _columns(verdict: Verdict) -> dict[str, Any]:
    return {
        "started_at": verdict.started_at,
        "alarm_at": verdict.alarm_at,
        "ended_at": verdict.ended_at,
        "seen_seconds": int(verdict.seen.total_seconds()),
        "unseen_seconds": int(verdict.unseen.total_seconds()),
        "extreme": verdict.extreme,
    }


def _stored(session: Session, judged: Judged) -> list[Excursion]:
    """The excursions that share time with a stretch; also those taken back, for they may be there again."""
    reaches = judged.since - MEMORY if judged.since > BEGINNING else BEGINNING
    recent = or_(Excursion.cancelled_at.is_(None), Excursion.alarm_at > reaches)
    query = select(Excursion).where(
        Excursion.sensor_id == judged.sensor.id,
        or_(and_(Excursion.ended_at.is_(None), recent), Excursion.ended_at > judged.since),
    )
    if judged.until is not None:
        query = query.where(Excursion.started_at < judged.until)
    return list(session.scalars(query.order_by(Excursion.started_at, Excursion.id)))


def _pairs(stored: Sequence[Excursion], found: Sequence[Span], told: Sequence[Verdict]) -> Iterator[_Pair]:
    by_rule: defaultdict[str, list[tuple[Excursion, Verdict]]] = defaultdict(list)
    for row in stored:
        by_rule[row.rule_name].append((row, _as_it_stood(row)))
    for number, span in enumerate(found):
        for row, old in by_rule[_rule_name(span)]:
            shared = old.shared(told[number])
            if shared > timedelta():
                yield _Pair(row, number, shared)


def _as_it_stood(row: Excursion) -> Verdict:
    """A stored verdict; one that was taken back while it went on reached as far as its readings did then."""
    verdict = verdict_of(row)
    if row.cancelled_at is None or verdict.ended_at is not None:
        return verdict
    return replace(verdict, ended_at=max(verdict.alarm_at, verdict.started_at + verdict.seen + verdict.unseen))


def _counterparts(pairs: Sequence[_Pair]) -> dict[int, Excursion]:
    """Which stored excursion each found one is, by its number: those that are closest first.

    What is split keeps its identity in its longer part; who merely touches is another.
    """
    known: dict[int, Excursion] = {}
    taken: set[UUID] = set()
    for pair in sorted(pairs, key=lambda each: each.closeness, reverse=True):
        if pair.number not in known and pair.row.id not in taken:
            known[pair.number] = pair.row
            taken.add(pair.row.id)
    return known


def _rule_name(span: Span) -> str:
    return span.rule.name if span.rule else SILENCE


class _Changes:
    """What becomes of the excursions of a stretch, and the versions that tell of it."""

    def __init__(self, session: Session, judged: Judged) -> None:
        self.session = session
        self.judged = judged
        self.versions: list[dict[str, Any]] = []

    def find(self, span: Span, verdict: Verdict) -> None:
        """A new excursion, of which people are told."""
        row = self._new_row(span, verdict)
        self.session.add(row)
        tell_excursion(self.session, self.judged.sensor, row, self.judged.now)
        self._tell(row, verdict, reason(None, verdict))

    def end(self, row: Excursion) -> None:
        """One whose readings are archived: if it still goes on, it ended with the calm reading behind them."""
        if row.ended_at is None:
            self.keep(row, replace(verdict_of(row), ended_at=self.judged.since), split=False, merged=False)

    def keep(self, row: Excursion, verdict: Verdict, *, split: bool, merged: bool) -> None:
        """An excursion that is there, with what is said of it now."""
        old, was_cancelled = verdict_of(row), row.cancelled_at is not None
        why = reason(old, verdict, Circumstances(self.judged.reason, split, merged, False, was_cancelled))
        if old == verdict and why is None:
            return
        for name, value in _columns(verdict).items():
            setattr(row, name, value)
        row.changed_at, row.cancelled_at = self.judged.now, None
        if why is not None:
            row.version += 1
            self._tell(row, verdict, why)

    def cancel(self, row: Excursion, *, absorbed: bool) -> None:
        """An excursion that is no more, or only as a part of another; what was said of it stays."""
        old = verdict_of(row)
        row.cancelled_at = row.changed_at = self.judged.now
        row.version += 1
        self._tell(row, old, reason(old, None, Circumstances(absorbed=absorbed)))

    def write(self) -> None:
        """Write all of it; the excursions first, for their versions point at them."""
        self.session.flush()
        insert_rows(self.session, ExcursionVersion, self.versions)

    def _tell(self, row: Excursion, verdict: Verdict, why: VersionReason | None) -> None:
        self.versions.append(
            {
                "sensor_id": row.sensor_id,
                "excursion_id": row.id,
                "version": row.version,
                "reason": why,
                "recorded_at": self.judged.now,
                **_columns(verdict),
            }
        )

    def _new_row(self, span: Span, verdict: Verdict) -> Excursion:
        rule, now = span.rule, self.judged.now
        return Excursion(
            id=new_id(),
            sensor_id=self.judged.sensor.id,
            side=span.side,
            rule_name=_rule_name(span),
            threshold=rule.threshold if rule else None,
            inclusive=rule.inclusive if rule else None,
            duration_seconds=_seconds(rule.duration) if rule else None,
            window_seconds=_seconds(rule.window) if rule and rule.window is not None else None,
            recorded_at=now,
            changed_at=now,
            version=1,
            **_columns(verdict),
        )


def _seconds(time: timedelta) -> int:
    return int(time.total_seconds())
