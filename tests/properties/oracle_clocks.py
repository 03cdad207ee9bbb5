"""The clocks in plain Python: which run on doses, and what the countdown board has to say of them."""

from collections import Counter
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from inventory.domain.deadlines import RuleName, Status
from inventory.domain.words import End
from tests.county import HOUR, ZONE
from tests.properties.oracle import DAY_HOURS, LIMITS, OPEN_HOURS, STORES, THAW_HOURS, THAWING, Clocks, Held, Lot, Out

DAY, SOON = DAY_HOURS * HOUR, timedelta(hours=6)
ON_THE_WAY = LIMITS | {RuleName.DELIVER, RuleName.USE}
MET: dict[RuleName, set[str]] = {
    RuleName.DELIVER: {"site"},
    RuleName.USE: {End.ADMINISTERED, End.WASTED, End.RETURNED, "trip"},
    RuleName.OPEN_VIAL: {End.ADMINISTERED, End.WASTED},
    RuleName.THAW: {End.ADMINISTERED, End.WASTED},
}
"""What meets a clock in time: delivery at a site, use or leaving there, a vial used up or thrown away."""

Figures = tuple[datetime, int, int, int, int, Status]
"""When a clock is due, the doses left under it, met, late and ended by what meets nothing, and its status."""


def on_arrival(running: Clocks, facility: str, at: datetime, *, anew: bool = True) -> Clocks:
    """The clocks of doses that came to a facility; `anew` where one of its own begins if none runs."""
    own = RuleName.DELIVER if facility in STORES else RuleName.USE
    clocks = {name: due for name, due in running.items() if name in LIMITS or name is own}
    return {own: at + DAY} | clocks if anew else clocks


def into(appliance: str, lot: Lot, clocks: Clocks, at: datetime) -> Clocks:
    """The clocks of doses that are put into an appliance: what was frozen thaws outside the freezer, once."""
    thaws = lot.gtin == THAWING and appliance != "COUNTY-FREEZER"
    return {RuleName.THAW: at + THAW_HOURS * HOUR} | clocks if thaws else clocks


def on_departure(running: Clocks, *, returned: bool = False) -> Clocks:
    """The clocks that go along."""
    return {name: due for name, due in running.items() if name in (LIMITS if returned else ON_THE_WAY)}


def on_opening(running: Clocks, at: datetime) -> Clocks:
    """The clocks of a vial that is opened: six hours, or the end of the session, which is that of the day."""
    zone = ZoneInfo(ZONE)
    midnight = datetime.combine(at.astimezone(zone).date() + timedelta(days=1), time(), zone)
    return running | {RuleName.OPEN_VIAL: min(at + OPEN_HOURS * HOUR, midnight)}


def board(held: Held, now: datetime) -> dict[tuple[UUID, RuleName], Figures]:
    """What the board says of each of a custody's clocks, by what has happened alone."""
    found = {}
    for name, due in held.clocks.items():
        gone: Counter[str] = Counter()
        for out in held.outs:
            if out.to is None or name not in out.to.clocks:
                gone["late" if out.at > due else "met" if _way(out) in MET[name] else "ended"] += out.doses
        late, left = gone["late"], held.left
        found[held.id, name] = (due, left, gone["met"], late, gone["ended"], _status(due, left, late, now))
    return found


def _way(out: Out) -> str:
    """How doses left a custody."""
    if out.to is None:
        return str(out.end)
    return "trip" if isinstance(out.to.spot.of, UUID) else "site"


def _status(due: datetime, left: int, late: int, now: datetime) -> Status:
    if late or (left and now > due):
        return Status.MISSED
    if not left:
        return Status.MET
    return Status.DUE_SOON if now > due - SOON else Status.OPEN
