"""What becomes of a clock when doses leave it: the one law behind the board, the reports and the tests' oracle.

Doses that go on to a custody with a clock of the same name take it along and are counted there. All others leave the
clock, in one of the ways of `Exit`, and from then on have met it, were late, or are under it no more.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from inventory.domain.deadlines import RuleName
from inventory.domain.words import End


class Exit(StrEnum):
    """How doses leave a custody without taking a clock along: by an end, or into another place."""

    ADMINISTERED = End.ADMINISTERED.value
    WASTED = End.WASTED.value
    RETURNED = End.RETURNED.value
    MISSING = End.MISSING.value
    ARRIVED = "arrived"
    DEPARTED = "departed"


class Outcome(StrEnum):
    """What a clock makes of doses that left it."""

    MET = "met"
    LATE = "late"
    ENDED = "ended"


MEETS: Mapping[RuleName, frozenset[Exit]] = {
    RuleName.DELIVER: frozenset({Exit.ARRIVED}),
    RuleName.FORWARD: frozenset({Exit.DEPARTED, Exit.RETURNED, Exit.WASTED}),
    RuleName.USE: frozenset({Exit.ADMINISTERED, Exit.DEPARTED, Exit.RETURNED, Exit.WASTED}),
    RuleName.OPEN_VIAL: frozenset({Exit.ADMINISTERED, Exit.WASTED}),
    RuleName.THAW: frozenset({Exit.ADMINISTERED, Exit.WASTED}),
}
"""What meets each clock while it is not yet due.

Every store takes the clock of delivery along, so what arrives without it has arrived at a site. A county store is to
pass everything on, and a site to be at zero at the end (第二天清零): there whatever leaves meets the rule, but for what
is missing, of which nobody knows when it left, or whether. The limits of a vial ask for it to be used up or thrown
away.
"""


def exit_of(end: End | None, *, into_shipment: bool) -> Exit:
    """How a movement leaves its custody: by its end, else onto a trip or into an appliance."""
    if end is not None:
        return Exit(end.value)
    return Exit.DEPARTED if into_shipment else Exit.ARRIVED


def outcome(name: RuleName, way: Exit, at: datetime, due_at: datetime) -> Outcome:
    """What a clock makes of doses that left it at `at`; the instant at which it is due is still in time.

    What was still there after that has missed it, however it left: no waste undoes that.
    """
    if at > due_at:
        return Outcome.LATE
    return Outcome.MET if way in MEETS[name] else Outcome.ENDED
