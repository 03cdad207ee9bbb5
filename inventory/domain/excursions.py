"""Excursions: a pure function of sorted readings and rules.

The same readings give the same spans in whatever order they arrived. Minutes that nobody saw are evidence of
neither: they do not add to a rule's duration, and they do not end a run that goes on behind them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from inventory.domain.cumulative import cumulative
from inventory.domain.limits import ExcursionRule as ExcursionRule
from inventory.domain.limits import Span as Span
from inventory.domain.readings import Reading, Stretch, stretches
from inventory.domain.runs import consecutive
from inventory.domain.words import Side


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
    spans = [span for rule in rules for span in _beyond(parts, rule, until)]
    spans += _silences(parts, hold)
    return sorted(spans, key=lambda span: (span.started_at, span.side, span.rule.name if span.rule else ""))


def _beyond(parts: Sequence[Stretch], rule: ExcursionRule, until: datetime | None) -> Iterator[Span]:
    by_kind = consecutive if rule.window is None else cumulative
    return by_kind(parts, rule, until)


def _silences(parts: Sequence[Stretch], hold: timedelta) -> Iterator[Span]:
    for part in parts:
        if part.temperature is None:
            spoke_last = part.since - hold
            unseen = part.duration + hold
            yield Span(Side.SILENCE, None, spoke_last, part.since, part.until, timedelta(), unseen, None)


def _unheard(
    readings: Sequence[Reading], hold: timedelta, until: datetime | None, since: datetime | None
) -> Iterator[Stretch]:
    """The time in which a watch had begun and nothing was heard yet, if that was longer than a reading stands."""
    heard = readings[0].measured_at if readings else until
    if since is not None and heard is not None and heard - since > hold:
        yield Stretch(since + hold, heard, None)
