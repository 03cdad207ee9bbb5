"""Adverse events after a dose (AEFI, 疑似预防接种异常反应), and the clocks by which a site has to report them on.

What is said of one is a history of statements; nothing in it is edited. A follow-up adds what was heard since, a
correction stands in the place of the statement before it, a report says that the county CDC was told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from inventory.domain.deadlines import SOON, Status


class AdverseEventKind(StrEnum):
    """What it is, in the terms of the Chinese AEFI plan (全国疑似预防接种异常反应监测方案).

    General (一般反应), serious (严重), serious disability (严重残疾), death (死亡), cluster (群体性), and what stirs
    the public (对社会有重大影响).
    """

    GENERAL = "general"
    SERIOUS = "serious"
    DISABILITY = "disability"
    DEATH = "death"
    CLUSTER = "cluster"
    PUBLIC_CONCERN = "public-concern"

    @property
    def is_urgent(self) -> bool:
        """Whether it is to be reported within two hours."""
        return self not in {AdverseEventKind.GENERAL, AdverseEventKind.SERIOUS}


class Nature(StrEnum):
    """What a statement is to the one before it."""

    FIRST = "first"
    FOLLOW_UP = "follow-up"
    CORRECTION = "correction"
    REPORT = "report"


class Shared(StrEnum):
    """What another dose had in common with the one before an adverse event: its vial, its fridge or its trip."""

    VIAL = "vial"
    FRIDGE = "fridge"
    TRIP = "trip"


class ReportClock(StrEnum):
    """The name of the clock of a report on the countdown board, beside those of doses."""

    REPORT = "report"


REPORTING_RULES = "aefi"
"""The rule set of that clock."""


ORDINARY, URGENT = timedelta(hours=48), timedelta(hours=2)
"""How long a site has from when it heard of one: the short one for death, disability, clusters and public concern."""


@dataclass(frozen=True)
class Said:
    """One statement, as far as the clock depends on it; `at` is when the site heard of it, or reported it on."""

    nature: Nature
    kind: AdverseEventKind
    at: datetime


@dataclass(frozen=True)
class Reporting:
    """The clock that stands: when it began, when it is due, and the report that met it; a late one meets it too."""

    opened_at: datetime
    due_at: datetime
    reported_at: datetime | None = None

    def status(self, now: datetime) -> Status:
        """Where it stands."""
        if self.reported_at is not None:
            return Status.MET if self.reported_at <= self.due_at else Status.MISSED
        if now > self.due_at:
            return Status.MISSED
        return Status.DUE_SOON if now > self.due_at - SOON else Status.OPEN


@dataclass(frozen=True)
class _Heard:
    """What a site heard, once corrected, and when it was reported on before it heard more."""

    kind: AdverseEventKind
    at: datetime
    reports: list[datetime] = field(default_factory=list)


def reporting(history: Iterable[Said]) -> Reporting:
    """The clock after a history, which begins with its first statement.

    It begins when the site heard of the event. A follow-up with something new and urgent shortens a clock that still
    runs, and begins a new one where it was reported on before. One that takes the urgency back leaves the clock as it
    is: what was known then was to be told then. A correction counts as if it had been said in place of what it
    corrects; where it says something new and urgent, the reports of before do not meet it.
    """
    heard: list[_Heard] = []
    for said in history:
        if said.nature is Nature.REPORT:
            heard[-1].reports.append(said.at)
        elif said.nature is Nature.CORRECTION:
            wrong = heard.pop()
            heard.append(_Heard(said.kind, said.at, [] if _is_new(said.kind, wrong.kind) else wrong.reports))
        else:
            heard.append(_Heard(said.kind, said.at))
    first, *more = heard
    clock = _reported(Reporting(first.at, first.at + _window(first.kind)), first.reports)
    for before, each in zip(heard, more, strict=False):
        clock = _reported(_after(clock, before.kind, each), each.reports)
    return clock


def _is_new(kind: AdverseEventKind, before: AdverseEventKind) -> bool:
    """Whether something is to be told within two hours that was not said before."""
    return kind.is_urgent and kind is not before


def _window(kind: AdverseEventKind) -> timedelta:
    return URGENT if kind.is_urgent else ORDINARY


def _after(clock: Reporting, before: AdverseEventKind, heard: _Heard) -> Reporting:
    """The clock once a site has heard more."""
    if not _is_new(heard.kind, before):
        return clock
    due_at = heard.at + URGENT
    if clock.reported_at is not None:
        return Reporting(heard.at, due_at)
    return Reporting(clock.opened_at, min(clock.due_at, due_at))


def _reported(clock: Reporting, reports: Iterable[datetime]) -> Reporting:
    """The clock once it was reported on; the first report counts."""
    at = clock.reported_at or min(reports, default=None)
    return Reporting(clock.opened_at, clock.due_at, at)
