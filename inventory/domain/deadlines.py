"""The 24-hour rule: deadlines computed from facts and `now`.

A rule's window says which time it means: `PT24H` is elapsed time, `same-day` and `next-day-end` are civil days in
the facility's own zone.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from inventory.domain.instants import civil_day, end_of_day
from inventory.domain.words import FacilityKind

SOON = timedelta(hours=6)
"""From here on an open deadline is due soon: a truck can still be sent."""


class RuleName(StrEnum):
    """What a deadline asks of the doses in a custody."""

    DELIVER = "deliver"
    USE = "use"


class Status(StrEnum):
    """Where a deadline stands."""

    OPEN = "open"
    DUE_SOON = "due-soon"
    MISSED = "missed"
    MET = "met"


@dataclass(frozen=True)
class DeadlineRule:
    """One rule of a set, as data: its set, its name and its window."""

    rule_set: str
    name: RuleName
    window: str


@dataclass(frozen=True)
class Deadline:
    """A running clock on a custody; `due_at` is copied, so a later change of the rule cannot rewrite it."""

    rule_set: str
    name: RuleName
    opened_at: datetime
    due_at: datetime


def due(window: str, opened_at: datetime, zone: str) -> datetime:
    """When a window that opened at `opened_at` in `zone` closes; ValueError for a window that is none."""
    if window == "same-day":
        return end_of_day(civil_day(opened_at, zone), zone)
    if window == "next-day-end":
        return end_of_day(civil_day(opened_at, zone) + timedelta(days=1), zone)
    if match := re.fullmatch(r"PT(\d{1,4})H", window):
        return opened_at + timedelta(hours=int(match[1]))
    raise ValueError(f"{window} is not a window; expected PTnH, same-day or next-day-end")


def on_arrival(
    rules: list[DeadlineRule], kind: FacilityKind, zone: str, at: datetime, running: list[Deadline]
) -> list[Deadline]:
    """The deadlines of doses that arrive at a facility at `at`, with those that were `running` on them.

    A store opens the delivery clock unless one runs already: it goes with the doses through every store and transit
    and does not restart. A site meets the delivery clock and opens the clock of use.
    """
    name = RuleName.USE if kind.is_site else RuleName.DELIVER
    carried = [deadline for deadline in running if deadline.name == name]
    if carried:
        return carried
    return [Deadline(rule.rule_set, rule.name, at, due(rule.window, at, zone)) for rule in rules if rule.name == name]


def status(due_at: datetime, doses_left: int, doses_late: int, now: datetime) -> Status:
    """Where a deadline stands: `doses_left` are still under it, `doses_late` met it too late."""
    if doses_late or (doses_left and now > due_at):
        return Status.MISSED
    if not doses_left:
        return Status.MET
    return Status.DUE_SOON if now > due_at - SOON else Status.OPEN
