"""What an order has to be answered: the faults for which it may be refused, or else the events that it has to write."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain, combinations
from uuid import UUID
from zoneinfo import ZoneInfo

from inventory.domain.errors import Code
from inventory.domain.words import End, EventKind
from tests.county import NOW, ZONE
from tests.properties.oracle import STORES, Expected, Held, Line, Lot, Oracle, Spot, Then

SKEW = timedelta(minutes=5)
MINE = {
    "admin": ("CITY", "COUNTY", "SITE-A", "SITE-B", "MAKER"),
    "chief": ("CITY", "COUNTY", "SITE-A", "SITE-B"),
    "keeper": STORES,
    "county": ("COUNTY",),
    "nurse-a": ("SITE-A",),
    "nurse-b": ("SITE-B",),
    "auditor": (),
}
SUPERVISORS = ("admin", "chief")
FREE, HELD, ON_ROAD = "storage", "quarantine", "transit"
SOURCES = {
    EventKind.DISPATCH: {FREE},
    EventKind.OPEN: {FREE},
    EventKind.ADMINISTER: {FREE},
    EventKind.MOVE: {FREE, HELD},
    EventKind.COUNT: {FREE, HELD},
    EventKind.RETURN: {FREE, HELD},
    EventKind.HOLD: {FREE, ON_ROAD},
    EventKind.RELEASE: {HELD},
    EventKind.RECEIVE: {ON_ROAD, HELD},
    EventKind.WASTE: {FREE, HELD, ON_ROAD},
}
ABOARD = {EventKind.HOLD, EventKind.RELEASE, EventKind.RECEIVE, EventKind.WASTE}
"""What may touch doses that nobody has received, held on their way or not."""

SEALED_ONLY = {EventKind.DISPATCH, EventKind.OPEN, EventKind.RETURN}
FRESH_ONLY = {EventKind.DISPATCH, EventKind.OPEN, EventKind.ADMINISTER, EventKind.RELEASE}
"""What may touch neither a recalled batch nor doses past their expiry."""

Takes = list[tuple[Held, int]]
Faults = set[Code]


@dataclass
class Plan:
    """The faults of an order, or what it has to write."""

    faults: Faults = field(default_factory=set)
    events: list[Expected | Then] = field(default_factory=list)


@dataclass(frozen=True)
class Wish:
    """Doses that an event wants: which, how many (all without a number), when, from where or which custody."""

    kind: EventKind
    lot: Lot
    doses: int | None
    at: datetime
    facility: str
    spots: tuple[Spot, ...]
    named: Held | None = None


def faults(*found: tuple[bool, Code]) -> Faults:
    """The codes of the faults that there are."""
    return {code for fault, code in found if fault}


def day(at: datetime) -> date:
    """The day of an instant in the county."""
    return at.astimezone(ZoneInfo(ZONE)).date()


def may(who: str, kind: EventKind, facility: str) -> Faults:
    """The faults of somebody who posts an event for a facility."""
    supervised = kind in {EventKind.RECALL, EventKind.OVERRIDE}
    wrong_role = who == "auditor" or (supervised and who not in SUPERVISORS)
    return faults((wrong_role, Code.FORBIDDEN), (facility not in MINE[who], Code.NOT_YOUR_FACILITY))


def scene(oracle: Oracle, who: str, wish: Wish, kinds: Sequence[str]) -> Faults:
    """The faults that most orders can have before any dose is looked for."""
    return may(who, wish.kind, wish.facility) | faults(
        (wish.at > NOW + SKEW, Code.TIME_IN_FUTURE),
        (wish.facility not in kinds, Code.WRONG_FACILITY_KIND),
        (wish.lot not in oracle.lots, Code.UNKNOWN_BATCH),
    )


def choose(oracle: Oracle, wish: Wish) -> tuple[Takes, Faults]:
    """The custodies that doses are taken from, in their turn; or why they cannot be."""
    touched = _untouchable(oracle, wish) | _outsider(oracle, wish)
    there, wrong = ([wish.named], _named(oracle, wish)) if wish.named else _usable(oracle, wish)
    if touched or wrong:
        return [], touched | wrong
    return pick(there, wish.doses, wish.lot.per_vial)


def _untouchable(oracle: Oracle, wish: Wish) -> Faults:
    fresh = wish.kind in FRESH_ONLY
    return faults(
        (fresh and oracle.recalled(wish.lot), Code.BATCH_RECALLED),
        (fresh and day(wish.at) > wish.lot.expiry, Code.BATCH_EXPIRED),
    )


def _outsider(oracle: Oracle, wish: Wish) -> Faults:
    trips = [] if wish.named else [spot for spot in wish.spots if isinstance(spot.of, UUID)]
    return faults((any(wish.facility not in oracle.facilities_of(spot) for spot in trips), Code.WRONG_CUSTODY))


def _usable(oracle: Oracle, wish: Wish) -> tuple[list[Held], Faults]:
    found = [each for each in oracle.there(wish.lot, wish.spots, wish.at) if each.left]
    if wish.kind in SEALED_ONLY:
        found = [each for each in found if not each.is_opened]
    usable = [each for each in found if not (wish.kind in FRESH_ONLY and each.spent(wish.at))]
    return usable, faults((bool(found) and not usable, Code.BATCH_EXPIRED))


def _named(oracle: Oracle, wish: Wish) -> Faults:
    named = wish.named
    assert named is not None
    return faults(
        (named.lot != wish.lot or wish.facility not in oracle.facilities_of(named.spot), Code.WRONG_CUSTODY),
        (named.spot.kind not in SOURCES[wish.kind], Code.WRONG_LOCATION),
        (isinstance(named.spot.of, UUID) and wish.kind not in ABOARD, Code.WRONG_LOCATION),
        (wish.kind in SEALED_ONLY and named.is_opened, Code.WRONG_CUSTODY),
        (named.opened > wish.at, Code.TIME_BEFORE_CUSTODY),
        (wish.kind in FRESH_ONLY and named.spent(wish.at), Code.BATCH_EXPIRED),
    )


def pick(there: Iterable[Held], doses: int | None, per_vial: int) -> tuple[Takes, Faults]:
    """So many doses of custodies that are ordered by their turn; sealed vials only whole, and of these the most.

    Only a custody that is emptied may have held a part of a vial.
    """
    found = [each for each in there if each.left]
    wanted = sum(each.left for each in found) if doses is None else doses
    if not found or wanted > sum(each.left for each in found):
        return [], {Code.NOT_ENOUGH_DOSES}
    opened, sealed = [each for each in found if each.is_opened], [each for each in found if not each.is_opened]
    odd = [number for number, each in enumerate(sealed) if each.left % per_vial]
    subsets = chain.from_iterable(combinations(odd, size) for size in range(len(odd) + 1))
    most = sorted(
        (_whole(sealed, emptied, wanted, per_vial) for emptied in sorted(subsets, key=lambda each: each[::-1])),
        key=lambda way: (-sum(doses for _, doses in way[1]), way[0]),
    )
    ways = [takes + _first(opened, wanted - sum(doses for _, doses in takes)) for _, takes in most]
    for takes in (_first(found, wanted), *ways):
        broken = any(not each.is_opened and taken < each.left and taken % per_vial for each, taken in takes)
        if not broken and sum(taken for _, taken in takes) == wanted:
            return takes, set()
    return [], {Code.NOT_WHOLE_VIALS}


def _whole(sealed: Sequence[Held], emptied: Sequence[int], wanted: int, per_vial: int) -> tuple[tuple[int, int], Takes]:
    """The doses of what is emptied, beyond whole vials and all; and that with whole vials of the others, as wanted."""
    first = sum(sealed[number].left for number in emptied)
    out = sum(sealed[number].left % per_vial for number in emptied), first
    if first > wanted:
        return out, []
    left, takes = wanted - first, []
    for number, each in enumerate(sealed):
        taken = each.left
        if number not in emptied:
            taken = min(left, each.left) // per_vial * per_vial
            left -= taken
        takes += [(each, taken)] if taken else []
    return out, takes


def _first(there: Iterable[Held], wanted: int) -> Takes:
    """The first doses of custodies."""
    takes: Takes = []
    for each in there:
        taken = min(wanted, each.left)
        takes += [(each, taken)] if taken else []
        wanted -= taken
    return takes


def one_event(
    wish: Wish, takes: Takes, wrong: Faults, way: Callable[[Held, int], Line], at: datetime | None = None
) -> Plan:
    """A plan of one event that takes doses one way, unless something is wrong."""
    if wrong:
        return Plan(wrong)
    lines = [way(source, doses) for source, doses in takes]
    return Plan(events=[Expected(wish.kind, wish.lot, wish.facility, at or wish.at, lines)])


def settled(oracle: Oracle, plan: Plan) -> Plan:
    """The plan, unless it moves doses of a place before a count that differed; a recall takes what is there."""
    events = [each for each in plan.events if isinstance(each, Expected)]
    late = [each for each in events if each.kind not in {EventKind.RECALL, EventKind.CORRECT}]
    if not plan.faults and any(before_a_count(oracle, each.lot, each.at, moves(each.lines)) for each in late):
        return Plan({Code.TIME_BEFORE_COUNT})
    return plan


def moves(lines: Iterable[Line]) -> set[Spot]:
    """The places that doses leave or come to, but for those that stay where they are."""
    ways = [(line.source.spot if line.source else None, line.to) for line in lines]
    return {spot for source, to in ways if source != to for spot in (source, to) if isinstance(spot, Spot)}


def before_a_count(oracle: Oracle, lot: Lot, at: datetime, spots: Iterable[Spot]) -> bool:
    """Whether a later count of one of these places differed from the book."""
    counts = [each.expected for each in oracle.standing(EventKind.COUNT, lot)]
    settled_ones = {each.counted for each in counts if each.lines and each.at > at}
    return not settled_ones.isdisjoint(spots)


def wasted(source: Held, doses: int) -> Line:
    """Doses that are thrown away."""
    return Line(source, doses, End.WASTED)


def held(source: Held, doses: int) -> Line:
    """Doses that are put into quarantine beside where they are, their clocks running on."""
    return Line(source, doses, Spot(source.spot.of, held=True), source.clocks, source.waits)


def shipments_spots(shipment: UUID) -> tuple[Spot, Spot]:
    """What travels freely, then what is held on its way."""
    return Spot(shipment), Spot(shipment, held=True)
