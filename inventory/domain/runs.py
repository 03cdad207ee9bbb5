"""Runs: time beyond a consecutive limit, from the first reading beyond it to the first calm one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from inventory.domain.limits import ExcursionRule, Span
from inventory.domain.readings import Stretch


@dataclass(frozen=True, slots=True)
class Run:
    """A run beyond a consecutive limit as far as it was read; `alarm_at` is when its duration was full, if it was.

    `seen` is the time beyond the limit that readings stood for, `unseen` what nobody saw of it, `extreme` its worst
    temperature, the newest reading included.
    """

    started_at: datetime
    extreme: int
    seen: timedelta = timedelta()
    unseen: timedelta = timedelta()
    alarm_at: datetime | None = None

    def through(self, part: Stretch, rule: ExcursionRule) -> "Run":
        """The run after a stretch that is beyond the limit or unseen."""
        if part.temperature is None:
            return replace(self, unseen=self.unseen + part.duration)
        alarm_at = self.alarm_at
        if alarm_at is None and self.seen + part.duration >= rule.duration:
            alarm_at = part.since + (rule.duration - self.seen)
        extreme = rule.worse(self.extreme, part.temperature)
        return Run(self.started_at, extreme, self.seen + part.duration, self.unseen, alarm_at)

    def spans(self, rule: ExcursionRule, ended_at: datetime | None) -> Iterator[Span]:
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


def consecutive(parts: Sequence[Stretch], rule: ExcursionRule, until: datetime | None) -> Iterator[Span]:
    """The excursions by a consecutive rule in stretches that follow one another; `until` ends the last one."""
    run: Run | None = None
    for part in parts:
        beyond = part.temperature is not None and rule.broken_by(part.temperature)
        if run is None and beyond and part.temperature is not None:
            run = Run(part.since, part.temperature)
        if run is not None and (beyond or part.temperature is None):
            run = run.through(part, rule)
        elif run is not None:
            yield from run.spans(rule, part.since)
            run = None
    if run is not None:
        yield from run.spans(rule, until)
