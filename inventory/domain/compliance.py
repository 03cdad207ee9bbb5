"""What a county answers for: what became of doses, and whether in time, by facility and civil day.

A dose belongs to the facility where its event happened, and to the civil day of the event in that facility's own zone,
whenever it was recorded: late entries and corrections change the day that they speak of. "In time" is by the rule that
was in force when the clock began, whichever set that was: not after the `due_at` that was copied then.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.instants import OLDEST, end_of_day
from inventory.domain.words import EventKind, FacilityKind, Origin, WasteReason

MOST_DAYS = 92
"""A quarter of a year, at most, at a time."""


class By(StrEnum):
    """What the figures are summed by."""

    FACILITY_DAY = "facility-day"
    FACILITY = "facility"
    DAY = "day"


@dataclass(frozen=True)
class Window:
    """A civil day somewhere, or its part until an instant: `since` is in it, `until` is not."""

    day: date
    since: datetime
    until: datetime


def span(first: date, last: date, now: datetime) -> list[date]:
    """The civil days from the first to the last, both included.

    Raises:
        Invalid: `malformed` when the last is before the first or more than `MOST_DAYS` are asked for,
            `time_too_old` before the year 2000, `time_in_future` when no day of it has begun anywhere.
    """
    if first < OLDEST.date():
        raise Invalid(Code.TIME_TOO_OLD, "from", first, N_("a time of this century"))
    if first > now.date() + timedelta(days=1):
        raise Invalid(Code.TIME_IN_FUTURE, "from", first, N_("a day that has begun"))
    if last < first:
        raise Invalid(Code.MALFORMED, "to", last, N_("a day not before %(first)s"), first=first)
    latest = first + timedelta(days=MOST_DAYS - 1)
    if last > latest:
        expected = N_("a day not after %(latest)s, %(days)d days at a time")
        raise Invalid(Code.MALFORMED, "to", last, expected, latest=latest, days=MOST_DAYS)
    return [first + timedelta(days=each) for each in range((last - first).days + 1)]


def windows(days: Sequence[date], zone: str) -> list[Window]:
    """The civil days in a zone, each as long as it was there."""
    return [Window(day, end_of_day(day - timedelta(days=1), zone), end_of_day(day, zone)) for day in days]


@dataclass(frozen=True)
class Timeliness:
    """Doses whose clock was met: in time, or late and then by how much.

    Attributes:
        in_time, late: doses.
        worst: the longest that any was late, in seconds; a second that has begun is dropped from either instant.
        seconds: the lateness of every late dose together.
    """

    in_time: int = 0
    late: int = 0
    worst: int = 0
    seconds: int = 0

    def __add__(self, other: "Timeliness") -> "Timeliness":
        """Both together."""
        worst = max(self.worst, other.worst)
        return Timeliness(self.in_time + other.in_time, self.late + other.late, worst, self.seconds + other.seconds)

    @property
    def most_late(self) -> timedelta | None:
        """The longest that any dose was late; None where none was."""
        return timedelta(seconds=self.worst) if self.late else None

    @property
    def mean_late(self) -> timedelta | None:
        """How late a late dose was on average; None where none was."""
        return timedelta(seconds=self.seconds) / self.late if self.late else None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What became of doses at one facility, or several, on one civil day, or several.

    Attributes:
        received: came in, from a supplier or by a shipment, whatever state they were in; not what was refused.
        found: came to light without a known past: a count above the book, a receipt above what was sent.
        delivered: whose delivery clock was met by coming into a site. They are the receiving site's: each dose is
            delivered once, wherever its clock began. A store's share is the sum over the sites that it supplies.
        dispatched: sent on by a store.
        forwarded: of these, whose clock of forwarding was met by it.
        used: given to people, of those under a clock of use: all, unless no rule set one.
        administered: given to people.
        transferred: handed on by a site to another; their clock of use goes with them and is met there.
        returned: sent back up the line, to a store or a supplier.
        wasted: by reason; doses wasted on their way are the figure of the facility that recorded it.
        missing: a count found less than the book.
        left: returned, wasted or missing, of those under a clock of use (at a store, of forwarding): it ended so.
        unexplained: sent to the facility, did not come with the rest that arrived on that day, and still in transit:
            found, lost and mis-shipped doses are explained and no longer in it.
    """

    received: int = 0
    found: int = 0
    delivered: Timeliness = Timeliness()
    dispatched: int = 0
    forwarded: Timeliness = Timeliness()
    administered: int = 0
    used: Timeliness = Timeliness()
    transferred: int = 0
    returned: int = 0
    wasted_by_reason: Counter[WasteReason] = field(default_factory=Counter)
    missing: int = 0
    left: Timeliness = Timeliness()
    unexplained: int = 0

    @property
    def wasted(self) -> int:
        """Doses wasted for any reason."""
        return self.wasted_by_reason.total()

    def __add__(self, other: "Figures") -> "Figures":
        """Both together."""
        return Figures(**{name: mine + getattr(other, name) for name, mine in self.parts()})

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Each figure with its name."""
        for each in fields(Figures):
            yield each.name, getattr(self, each.name)


@dataclass(frozen=True)
class Moved:
    """Doses that events of one kind moved.

    Attributes:
        arrived: they went into an appliance, not onto a shipment or to an end.
        origin: of the root that they opened, if they did.
        clock: how the clock was met that runs on such doses there: at a receipt that of delivery, else at a site that
            of use and at a store that of forwarding.
    """

    kind: EventKind
    doses: int
    arrived: bool = False
    origin: Origin | None = None
    cause: WasteReason | None = None
    clock: Timeliness = Timeliness()


def figures_of(facility: FacilityKind, moved: Moved) -> Figures:
    """The figures in which doses count that were moved at a facility of a kind."""
    doses, clock = moved.doses, moved.clock
    match moved.kind:
        case EventKind.RECEIVE | EventKind.COUNT if moved.origin is Origin.FOUND:
            return Figures(found=doses)
        case EventKind.RECEIVE if moved.arrived:
            return Figures(received=doses, delivered=clock if facility.is_site else Timeliness())
        case EventKind.DISPATCH if facility.is_site:
            return Figures(transferred=doses)
        case EventKind.DISPATCH:
            return Figures(dispatched=doses, forwarded=clock)
        case EventKind.ADMINISTER:
            return Figures(administered=doses, used=clock)
    return _left(moved)


def _left(moved: Moved) -> Figures:
    """Doses that left otherwise than by use; those refused at the door never came in."""
    match moved.kind:
        case EventKind.RETURN:
            return Figures(returned=moved.doses, left=moved.clock)
        case EventKind.WASTE if moved.cause is not None:
            return Figures(wasted_by_reason=Counter({moved.cause: moved.doses}), left=moved.clock)
        case EventKind.COUNT:
            return Figures(missing=moved.doses, left=moved.clock)
    return Figures()


def ranks(values: Sequence[int]) -> list[int]:
    """The place of each of several values, the largest first; equal ones share a place, and the next is left out."""
    return [1 + sum(other > value for other in values) for value in values]
