"""The 24-hour rule: deadlines computed from facts and `now`.

A rule's window says which time it means: `PT24H` is elapsed time, `same-day` and `next-day-end` are civil days in
the facility's own zone.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from inventory.domain.instants import civil_day, end_of_day
from inventory.domain.words import FacilityKind

SOON = timedelta(hours=6)
"""From here on an open deadline is due soon: a truck can still be sent."""


class RuleName(StrEnum):
    """What a deadline asks of the doses in a custody."""

    DELIVER = "deliver"
    FORWARD = "forward"
    USE = "use"
    OPEN_VIAL = "open-vial"
    THAW = "thaw"


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


ON_THE_WAY = frozenset({RuleName.DELIVER, RuleName.USE, RuleName.THAW})
"""The clocks that go with doses that are sent on: delivery, use from site to site, and thaw, whatever happens."""

LIMITS = frozenset({RuleName.OPEN_VIAL, RuleName.THAW})
"""The clocks past which doses may not be given: what a vial keeps after it was opened, or thawed."""


def _opens(name: RuleName, kind: FacilityKind) -> bool:
    """Whether a receipt at a kind of facility opens a rule's clock."""
    if name is RuleName.DELIVER:
        return kind.is_store
    if name is RuleName.FORWARD:
        return kind is FacilityKind.COUNTY_STORE
    return name is RuleName.USE and kind.is_site


def on_arrival(
    rules: Iterable[DeadlineRule], kind: FacilityKind, zone: str, at: datetime, running: Iterable[Deadline]
) -> list[Deadline]:
    """The deadlines of doses that arrive at a facility at `at`, with those that were `running` on them.

    A store opens the delivery clock unless one runs already: it goes with the doses through every store and transit
    and does not restart. A site meets it and opens the clock of use, which goes on at the next site if doses are
    handed on. A county store opens the clock of forwarding. What limits a vial goes on everywhere.
    """
    carried = [clock for clock in running if clock.name in LIMITS or _opens(clock.name, kind)]
    known = {clock.name for clock in carried}
    new = [rule for rule in rules if rule.name not in known and _opens(rule.name, kind)]
    return carried + [Deadline(rule.rule_set, rule.name, at, due(rule.window, at, zone)) for rule in new]


def on_departure(running: Iterable[Deadline], *, returned: bool = False) -> list[Deadline]:
    """The clocks that go on while doses travel; what is returned up the line is to be delivered no more."""
    wanted = LIMITS if returned else ON_THE_WAY
    return [clock for clock in running if clock.name in wanted]


@dataclass(frozen=True)
class VialLimits:
    """What a product keeps once a vial is opened, or once it is thawed; None where there is no such limit.

    An opened vial lasts `open_hours`, and where `to_session_end` not beyond the session in which it was opened
    (WHO/IVB/14.07: 6 hours or the end of the session, whichever comes first; or 28 days).
    """

    open_hours: int | None = None
    to_session_end: bool = False
    thaw_hours: int | None = None


PRODUCT = "product"
"""The rule set of the clocks that a product brings itself."""


def on_opening(limits: VialLimits, at: datetime, zone: str, session_ends: str | None) -> Deadline | None:
    """The clock of a vial that is opened at `at`; `session_ends` is HH:MM on the site's clock, else the day's end."""
    ends = [at + timedelta(hours=limits.open_hours)] if limits.open_hours is not None else []
    if limits.to_session_end:
        ends.append(_session_end(at, zone, session_ends))
    return Deadline(PRODUCT, RuleName.OPEN_VIAL, at, min(ends)) if ends else None


def _session_end(at: datetime, zone: str, session_ends: str | None) -> datetime:
    """When the session in which `at` lies is over; a vial opened after it lasts to the end of that day."""
    day = civil_day(at, zone)
    midnight = end_of_day(day, zone)
    if session_ends is None:
        return midnight
    end = datetime.combine(day, time.fromisoformat(session_ends), ZoneInfo(zone)).astimezone(UTC)
    return end if end > at else midnight


def on_thawing(limits: VialLimits, at: datetime, running: Iterable[Deadline]) -> list[Deadline]:
    """The clocks of doses that are put where they thaw, with those that were `running`: a thaw begins only once."""
    clocks = list(running)
    if limits.thaw_hours is None or any(clock.name is RuleName.THAW for clock in clocks):
        return clocks
    return [*clocks, Deadline(PRODUCT, RuleName.THAW, at, at + timedelta(hours=limits.thaw_hours))]


def status(due_at: datetime, doses_left: int, doses_late: int, now: datetime) -> Status:
    """Where a deadline stands: `doses_left` are still under it, `doses_late` met it too late."""
    if doses_late or (doses_left and now > due_at):
        return Status.MISSED
    if not doses_left:
        return Status.MET
    return Status.DUE_SOON if now > due_at - SOON else Status.OPEN
