"""Excursions: a pure function of sorted readings and rules.

The same readings give the same spans in whatever order they arrived. Minutes that nobody saw are evidence of
neither: they do not add to a rule's duration, and they do not end a run that goes on behind them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory.domain.readings import Reading, Stretch, stretches
from inventory.domain.words import Side


@dataclass(frozen=True)
class ExcursionRule:
    """A limit of a storage profile: beyond `threshold` (a hundredth of a degree) for `duration`, consecutively.

    WHO PQS E006: HEAT is above +8.0 for 10 h, FRZE is at or below -0.5 for 60 min, so the limit itself counts
    (`inclusive`) in one and not in the other.
    """

    name: str
    side: Side
    threshold: int
    inclusive: bool
    duration: timedelta

    def broken_by(self, temperature: int) -> bool:
        """Whether a temperature lies beyond the limit."""
        if self.inclusive and temperature == self.threshold:
            return True
        return temperature > self.threshold if self.side is Side.ABOVE else temperature < self.threshold


@dataclass(frozen=True)
class Span:
    """An excursion found: what broke, since when, when its duration was full, and until when.

    `ended_at` is None while the last reading is still beyond the limit. `seen` is the time beyond the limit that
    readings stand for, `unseen` the time within the span that nobody saw. A silence has no rule and no extreme.
    """

    side: Side
    rule: ExcursionRule | None
    started_at: datetime
    alarm_at: datetime
    ended_at: datetime | None
    seen: timedelta
    unseen: timedelta
    extreme: int | None


@dataclass
class _Run:
    """A run beyond a limit while it is being read."""

    started_at: datetime
    extreme: int
    seen: timedelta = timedelta()
    unseen: timedelta = timedelta()
    alarm_at: datetime | None = None

    def add(self, part: Stretch, rule: ExcursionRule) -> None:
        if part.temperature is None:
            self.unseen += part.duration
            return
        if self.alarm_at is None and self.seen + part.duration >= rule.duration:
            self.alarm_at = part.since + (rule.duration - self.seen)
        self.seen += part.duration
        worse = max if rule.side is Side.ABOVE else min
        self.extreme = worse(self.extreme, part.temperature)

    def span(self, rule: ExcursionRule, ended_at: datetime | None) -> Iterator[Span]:
        """The excursion, if the run has lasted long enough to be one."""
        if self.alarm_at is not None:
            yield Span(
                rule.side,
                rule,
                self.started_at,
                self.alarm_at,
                ended_at,
                self.seen,
                self.unseen,
                self.extreme,
            )


def _runs(parts: Sequence[Stretch], rule: ExcursionRule, until: datetime | None) -> Iterator[Span]:
    run: _Run | None = None
    for part in parts:
        beyond = part.temperature is not None and rule.broken_by(part.temperature)
        if run is None and beyond and part.temperature is not None:
            run = _Run(part.since, part.temperature)
        if run is not None and (beyond or part.temperature is None):
            run.add(part, rule)
        elif run is not None:
            yield from run.span(rule, part.since)
            run = None
    if run is not None:
        yield from run.span(rule, until)


def _silences(parts: Sequence[Stretch], hold: timedelta) -> Iterator[Span]:
    for part in parts:
        if part.temperature is None:
            spoke_last = part.since - hold
            unseen = part.duration + hold
            yield Span(Side.SILENCE, None, spoke_last, part.since, part.until, timedelta(), unseen, None)


def detect(
    readings: Sequence[Reading],
    rules: Sequence[ExcursionRule],
    hold: timedelta,
    until: datetime | None = None,
    since: datetime | None = None,
) -> list[Span]:
    """All excursions in readings sorted by time, by start and then by rule.

    `since` and `until` say where the watch began and ended, where that is part of the question: then silence before
    the first reading and after the last one counts. A reading stands until the next, at most for `hold`; the last one
    stands for an instant only, unless `until` says that nothing can follow it.
    """
    parts = list(_unheard(readings, hold, until, since)) + list(stretches(readings, hold, until))
    if readings and until is None:
        last = readings[-1]
        parts.append(Stretch(last.measured_at, last.measured_at, last.temperature))
    spans = [span for rule in rules for span in _runs(parts, rule, until)]
    spans += _silences(parts, hold)
    return sorted(spans, key=lambda span: (span.started_at, span.side, span.rule.name if span.rule else ""))


def _unheard(
    readings: Sequence[Reading], hold: timedelta, until: datetime | None, since: datetime | None
) -> Iterator[Stretch]:
    """The time in which a watch had begun and nothing was heard yet, if that was longer than a reading stands."""
    heard = readings[0].measured_at if readings else until
    if since is not None and heard is not None and heard - since > hold:
        yield Stretch(since + hold, heard, None)
