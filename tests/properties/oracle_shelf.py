"""What orders about doses in one place have to be answered, by the rules of the design alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from inventory.domain.errors import Code
from inventory.domain.words import End, EventKind, Paper
from tests.county import NOW
from tests.properties import oracle_clocks as clocks
from tests.properties.oracle import ABOVE, OWNER, SITES, STORES, Expected, Happened, Held, Line, Lot, Oracle, Spot, Then
from tests.properties.oracle_orders import (
    SKEW,
    SUPERVISORS,
    Plan,
    Takes,
    Wish,
    before_a_count,
    choose,
    faults,
    held,
    may,
    moves,
    one_event,
    pick,
    scene,
    wasted,
)

EVERYWHERE = STORES + SITES


def move(oracle: Oracle, who: str, wish: Wish, to: str) -> Plan:
    """Doses into another appliance; what was held stays held."""
    if wrong := scene(oracle, who, wish, EVERYWHERE) | faults((OWNER[to] != wish.facility, Code.WRONG_APPLIANCE)):
        return Plan(wrong)
    takes, wrong = choose(oracle, wish)
    wrong |= faults((any(source.spot.of == to for source, _ in takes), Code.SAME_APPLIANCE))

    def way(source: Held, doses: int) -> Line:
        running = clocks.into(to, wish.lot, source.clocks, wish.at)
        return Line(source, doses, Spot(to, source.spot.held), running, source.waits)

    return one_event(wish, takes, wrong, way)


def waste(oracle: Oracle, who: str, wish: Wish) -> Plan:
    """Doses that are thrown away."""
    if wrong := scene(oracle, who, wish, EVERYWHERE):
        return Plan(wrong)
    return one_event(wish, *choose(oracle, wish), wasted)


def hold(oracle: Oracle, who: str, wish: Wish) -> Plan:
    """Doses that are isolated."""
    if wrong := scene(oracle, who, wish, EVERYWHERE):
        return Plan(wrong)
    return one_event(wish, *choose(oracle, wish), held)


def release(oracle: Oracle, who: str, wish: Wish, papers: frozenset[Paper]) -> Plan:
    """Doses that are given free: never found ones, and those that wait for papers only with them."""
    if wrong := scene(oracle, who, wish, EVERYWHERE):
        return Plan(wrong)
    takes, wrong = choose(oracle, wish)
    wrong |= faults(
        (any(source.root.found for source, _ in takes), Code.ORIGIN_UNKNOWN),
        (any(source.waits - papers for source, _ in takes), Code.PAPERS_INCOMPLETE),
    )

    def way(source: Held, doses: int) -> Line:
        running = source.clocks
        if source.spot.of in OWNER:
            running = clocks.on_arrival(running, wish.facility, wish.at)
        return Line(source, doses, Spot(source.spot.of), running)

    return one_event(wish, takes, wrong, way)


def opening(oracle: Oracle, who: str, wish: Wish) -> Plan:
    """Vials that are opened: one, unless more doses are stated."""
    if wrong := scene(oracle, who, wish, SITES):
        return Plan(wrong)
    if wish.lot.per_vial == 1:
        return Plan({Code.VIAL_NOT_MULTI_DOSE})
    doses = wish.lot.per_vial if wish.doses is None else wish.doses
    takes, wrong = choose(oracle, replace(wish, doses=doses))
    return one_event(wish, takes, wrong, _opened(wish.at))


def _opened(at: datetime) -> Callable[[Held, int], Line]:
    def way(source: Held, doses: int) -> Line:
        return Line(source, doses, source.spot, clocks.on_opening(source.clocks, at))

    return way


def administration(oracle: Oracle, who: str, wish: Wish) -> Plan:
    """Doses given: of opened vials, and where these do not suffice of as few others as have to be opened."""
    if wrong := scene(oracle, who, wish, SITES):
        return Plan(wrong)
    assert wish.doses is not None
    every, wrong = choose(oracle, replace(wish, doses=None))
    if wrong:
        return Plan(wrong)
    there = [source for source, _ in every]
    if sum(each.left for each in there) < wish.doses:
        return Plan({Code.NOT_ENOUGH_DOSES})
    per_vial = wish.lot.per_vial
    ready = [each for each in there if per_vial == 1 or each.is_opened]
    missing = wish.doses - sum(each.left for each in ready)
    if missing <= 0:
        return one_event(wish, pick(ready, wish.doses, 1)[0], set(), _given)
    vials, wrong = pick([each for each in there if each not in ready], -(-missing // per_vial) * per_vial, per_vial)
    assert not wrong
    given, _ = pick(sorted([*ready, *_fresh(wish, vials)], key=lambda each: each.turn), wish.doses, 1)
    if before_a_count(oracle, wish.lot, wish.at, {source.spot for source, _ in given}):
        return Plan({Code.TIME_BEFORE_COUNT})
    return Plan(events=_opening_first(oracle, wish, ready, vials))


def _fresh(wish: Wish, vials: Takes) -> list[Held]:
    """What the vials will be once they are opened; the newest ids come last."""
    first = UUID(int=(1 << 128) - 1 - len(vials))
    return [
        Held(UUID(int=first.int + number), wish.lot, each.spot, wish.at, doses, each,
             clocks.on_opening(each.clocks, wish.at), EventKind.OPEN)
        for number, (each, doses) in enumerate(vials)
    ]  # fmt: skip


def _given(source: Held, doses: int) -> Line:
    return Line(source, doses, End.ADMINISTERED)


def _opening_first(oracle: Oracle, wish: Wish, ready: Sequence[Held], vials: Takes) -> list[Expected | Then]:
    """The event that opens the vials, and then the doses, of what was opened before and what has just been."""
    lines = [Line(each, doses, each.spot, clocks.on_opening(each.clocks, wish.at)) for each, doses in vials]
    first = Expected(EventKind.OPEN, wish.lot, wish.facility, wish.at, lines)

    def then() -> Expected:
        fresh = list(oracle.events.values())[-1].opened
        there = sorted([*ready, *fresh], key=lambda each: each.turn)
        takes, _ = pick(there, wish.doses, 1)
        given = [_given(source, doses) for source, doses in takes]
        return Expected(EventKind.ADMINISTER, wish.lot, wish.facility, wish.at, given)

    return [first, then]


def count(oracle: Oracle, who: str, wish: Wish, counted: int, reason: str | None) -> Plan:
    """Doses that were counted in one place: what is not there is missing, what nobody sent is found and isolated."""
    if wrong := scene(oracle, who, wish, EVERYWHERE):
        return Plan(wrong)
    (spot,) = wish.spots
    if _counted_later(oracle, Expected(wish.kind, wish.lot, wish.facility, wish.at, counted=spot)):
        return Plan({Code.TIME_BEFORE_COUNT})
    book = sum(
        at_that_time(each, wish.at) for each in oracle.held.values() if (each.lot, each.spot) == (wish.lot, spot)
    )
    if book != counted and reason is None:
        return Plan({Code.MALFORMED})
    lines: list[Line] = []
    if counted > book:
        running = clocks.on_arrival({}, wish.facility, wish.at)
        lines = [Line(None, counted - book, Spot(spot.of, held=True), running)]
    elif counted < book:
        takes, wrong = pick(oracle.there(wish.lot, wish.spots, wish.at), book - counted, wish.lot.per_vial)
        if wrong:
            return Plan(wrong)
        lines = [Line(source, doses, End.MISSING) for source, doses in takes]
    return Plan(events=[Expected(wish.kind, wish.lot, wish.facility, wish.at, lines, counted=spot)])


def at_that_time(each: Held, at: datetime) -> int:
    """What a custody held at an instant."""
    if each.void or each.opened > at:
        return 0
    return each.doses - sum(out.doses for out in each.outs if out.at <= at)


def recall(oracle: Oracle, who: str, wish: Wish) -> Plan:
    """A batch that is isolated wherever it is; no sooner than its doses came there."""
    if wrong := scene(oracle, who, wish, STORES):
        return Plan(wrong)
    free = [each for each in oracle.held.values() if each.lot == wish.lot and each.left and not each.spot.held]
    takes = [(each, each.left) for each in sorted(free, key=lambda each: each.id)]
    latest = max([wish.at, *(each.opened for each in free)])
    return one_event(wish, takes, set(), held, latest)


def correction(oracle: Oracle, who: str, event: UUID, at: datetime) -> Plan:
    """An event that is undone: once, as a whole, and nothing may stand on it."""
    if event not in oracle.events:
        return Plan({Code.NOT_FOUND} | faults((who == "auditor", Code.FORBIDDEN)))
    happened = oracle.events[event]
    kind, what = happened.expected.kind, happened.expected
    handed_on = kind is EventKind.DISPATCH and what.facility in SITES
    whose = ABOVE[what.facility] if handed_on else what.facility
    wrong = faults(
        (who == "auditor" or (kind is EventKind.RECALL and who not in SUPERVISORS), Code.FORBIDDEN),
        (Code.NOT_YOUR_FACILITY in may(who, kind, whose) and who != happened.who, Code.NOT_YOUR_FACILITY),
        (at > NOW + SKEW, Code.TIME_IN_FUTURE),
    )
    if wrong:
        return Plan(wrong)
    wrong = faults(
        (kind is EventKind.CORRECT, Code.NOT_REVERSIBLE),
        (happened.undone, Code.ALREADY_REVERSED),
        (at < what.at, Code.TIME_BEFORE_CUSTODY),
        (not happened.undone and any(each.left != each.doses for each in happened.opened), Code.CUSTODY_TOUCHED),
        (kind is EventKind.COUNT and bool(what.lines) and _counted_later(oracle, what), Code.TIME_BEFORE_COUNT),
        (_is_settled(oracle, what), Code.TIME_BEFORE_COUNT),
    )
    return Plan(wrong) if wrong else Plan(events=[_mirror(happened, at)])


def settled_events(oracle: Oracle) -> list[Happened]:
    """The events that a later count of one of their places has settled."""
    standing = [
        each for each in oracle.events.values() if not each.undone and each.expected.kind is not EventKind.CORRECT
    ]
    return [each for each in standing if _is_settled(oracle, each.expected)]


def _is_settled(oracle: Oracle, what: Expected) -> bool:
    return before_a_count(oracle, what.lot, what.at, moves(what.lines))


def _counted_later(oracle: Oracle, what: Expected) -> bool:
    """Whether a later count of the same place stands."""
    counts = [each.expected for each in oracle.standing(EventKind.COUNT, what.lot)]
    return any(each.counted == what.counted and each.at > what.at for each in counts)


def _mirror(happened: Happened, at: datetime) -> Expected:
    """What undoes an event: each of its lines once more, negative."""
    what = happened.expected
    lines = [replace(line, doses=-line.doses) for line in what.lines]
    return Expected(EventKind.CORRECT, what.lot, what.facility, at, lines)


def spots_of(lot: Lot, facility: str, appliance: str | None, *, is_held: bool) -> tuple[Spot, ...]:
    """The places of a facility that an order means."""
    mine = [code for code, owner in OWNER.items() if owner == facility and appliance in {None, code}]
    return tuple(Spot(code, is_held) for code in mine)
