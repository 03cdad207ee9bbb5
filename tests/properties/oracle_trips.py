"""What orders about goods that come, travel and go back have to be answered, by the rules of the design alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from inventory.domain.errors import Code
from inventory.domain.words import End, EventKind, Explanation, Outcome, Paper
from tests.county import NOW
from tests.properties import oracle_clocks as clocks
from tests.properties.oracle import (
    ABOVE,
    BACK,
    NEW,
    OWNER,
    SITES,
    STORES,
    Expected,
    Held,
    Line,
    Lot,
    Oracle,
    Spot,
)
from tests.properties.oracle_orders import (
    SKEW,
    Faults,
    Plan,
    Takes,
    Wish,
    choose,
    day,
    faults,
    may,
    pick,
    scene,
    shipments_spots,
)

NEEDED = frozenset({Paper.LOT_RELEASE, Paper.DELIVERY_NOTE})
LOW, HIGH = 200, 800


@dataclass(frozen=True)
class Goods:
    """What came from a supplier, and with what."""

    store: str
    appliance: str
    lot: Lot
    doses: int
    at: datetime
    outcome: Outcome
    papers: frozenset[Paper]
    temperature: int | None


@dataclass(frozen=True)
class Load:
    """What of a batch came out of a shipment."""

    lot: Lot
    good: int = 0
    damaged: int = 0
    refused: int = 0
    surplus: int = 0


@dataclass(frozen=True)
class Arrival:
    """A receipt of a shipment; no loads mean all that is on its way."""

    shipment: UUID
    appliance: str
    at: datetime
    outcome: Outcome
    temperature: int | None
    loads: tuple[Load, ...] = ()


def receipt(oracle: Oracle, who: str, goods: Goods) -> Plan:
    """Goods from a supplier."""
    lot, refused = goods.lot, goods.outcome is Outcome.REFUSE
    wrong = may(who, EventKind.RECEIVE, goods.store) | faults(
        (goods.at > NOW + SKEW, Code.TIME_IN_FUTURE),
        (goods.store not in STORES, Code.WRONG_FACILITY_KIND),
        (goods.doses % lot.per_vial > 0, Code.NOT_WHOLE_VIALS),
    )
    if not refused:
        wrong |= _cold(goods.temperature, recorded=Paper.TEMPERATURE_RECORD in goods.papers) | faults(
            (goods.outcome is Outcome.ACCEPT and bool(NEEDED - goods.papers), Code.PAPERS_INCOMPLETE),
            (goods.outcome is Outcome.ACCEPT and oracle.recalled(lot), Code.BATCH_RECALLED),
            (day(goods.at) > lot.expiry, Code.BATCH_EXPIRED),
        )
    if wrong:
        return Plan(wrong)
    spot = Spot(goods.appliance, goods.outcome is Outcome.HOLD)
    running = clocks.into(goods.appliance, lot, clocks.on_arrival({}, goods.store, goods.at), goods.at)
    waits = NEEDED - goods.papers if spot.held else frozenset()
    lines = [] if refused else [Line(None, goods.doses, spot, running, waits)]
    return Plan(events=[Expected(EventKind.RECEIVE, lot, goods.store, goods.at, lines)])


def _cold(temperature: int | None, *, recorded: bool) -> Faults:
    if temperature is None or not recorded:
        return {Code.NO_TEMPERATURE_RECORD}
    return faults((not LOW <= temperature <= HIGH, Code.TEMPERATURE_OUT_OF_RANGE))


def dispatch(oracle: Oracle, who: str, way: tuple[str, str], lines: Sequence[tuple[Lot, int]], at: datetime) -> Plan:
    """Doses that leave for another facility: from stores, or from site to site by order of the store above both."""
    sender, receiver = way
    wrong = _route(who, sender, receiver) | faults((at > NOW + SKEW, Code.TIME_IN_FUTURE))
    return _leave(oracle, EventKind.DISPATCH, sender, lines, at, wrong, is_held=False)


def _route(who: str, sender: str, receiver: str) -> Faults:
    if sender in SITES:
        other_site = receiver in SITES and receiver != sender and ABOVE[receiver] == ABOVE[sender]
        by_order = may(who, EventKind.DISPATCH, ABOVE[sender])
        return by_order | faults((not other_site, Code.WRONG_SUPPLIER))
    onward = receiver in STORES + SITES and receiver != sender
    wrong_kind = sender not in STORES or not onward
    return may(who, EventKind.DISPATCH, sender) | faults((wrong_kind, Code.WRONG_FACILITY_KIND))


def _leave(
    oracle: Oracle,
    kind: EventKind,
    sender: str,
    lines: Sequence[tuple[Lot, int]],
    at: datetime,
    wrong: Faults,
    *,
    is_held: bool,
    ends: bool = False,
) -> Plan:
    numbers = [lot for lot, _ in lines]
    wrong |= faults(
        (any(lot not in oracle.lots for lot in numbers), Code.UNKNOWN_BATCH),
        (len(set(numbers)) < len(numbers), Code.REPEATED_LINE),
    )
    plan = Plan(wrong)
    for lot, doses in [] if wrong else lines:
        spots = tuple(oracle.spots(sender, held=is_held))
        takes, fault = choose(oracle, Wish(kind, lot, doses, at, sender, spots))
        plan.faults |= fault
        gone = [_gone(source, taken, back=kind is EventKind.RETURN, ends=ends) for source, taken in takes]
        plan.events.append(Expected(kind, lot, sender, at, gone))
    return plan


def _gone(source: Held, doses: int, *, back: bool, ends: bool) -> Line:
    if ends:
        return Line(source, doses, End.RETURNED)
    running = clocks.on_departure(source.clocks, returned=back)
    return Line(source, doses, Spot(NEW.of, source.spot.held), running, source.waits)


def returned(
    oracle: Oracle,
    who: str,
    way: tuple[str, str | None],
    lines: Sequence[tuple[Lot, int]],
    at: datetime,
    *,
    is_held: bool,
) -> Plan:
    """Doses that go back up the line, to a store above or from a store to its supplier."""
    sender, to = way
    receiver = ABOVE.get(sender) if to is None else to
    above = [ABOVE.get(sender), ABOVE.get(ABOVE.get(sender, ""))]
    to_supplier = sender in STORES and receiver == "MAKER"
    wrong = may(who, EventKind.RETURN, sender) | faults(
        (at > NOW + SKEW, Code.TIME_IN_FUTURE),
        (receiver is None, Code.MALFORMED),
        (receiver is not None and receiver not in above and not to_supplier, Code.WRONG_SUPPLIER),
    )
    return _leave(oracle, EventKind.RETURN, sender, lines, at, wrong, is_held=is_held, ends=to_supplier)


def arrival(oracle: Oracle, who: str, order: Arrival) -> Plan:
    """A shipment at the door: what is good, damaged, refused, and what nobody sent."""
    if order.shipment not in oracle.trips:
        late = (order.at > NOW + SKEW, Code.TIME_IN_FUTURE)
        return Plan({Code.NOT_FOUND} | faults(late, (who == "auditor", Code.FORBIDDEN)))
    trip = oracle.trips[order.shipment]
    wrong = may(who, EventKind.RECEIVE, trip.receiver) | faults(
        (order.at > NOW + SKEW, Code.TIME_IN_FUTURE),
        (order.at < trip.left_at, Code.TIME_BEFORE_SHIPMENT),
        (OWNER[order.appliance] != trip.receiver, Code.WRONG_APPLIANCE),
    )
    if not order.loads:
        return _whole(oracle, order, wrong)
    lots = [load.lot for load in order.loads]
    wrong |= faults(
        (any(lot not in oracle.lots for lot in lots), Code.UNKNOWN_BATCH),
        (len(set(lots)) < len(lots), Code.REPEATED_LINE),
    )
    plan = Plan(wrong)
    for load in [] if wrong else order.loads:
        free, isolated = (oracle.there(load.lot, [spot], order.at) for spot in shipments_spots(order.shipment))
        takes, fault = _off_board([*free, *isolated], load.good + load.damaged + load.refused, load.lot)
        plan.faults |= fault
        _unload(oracle, order, load, takes, plan)
    return plan


def _off_board(there: Sequence[Held], doses: int, lot: Lot) -> tuple[Takes, Faults]:
    return pick(there, doses, lot.per_vial) if doses else ([], set())


def _whole(oracle: Oracle, order: Arrival, wrong: Faults) -> Plan:
    """Everything on board, each custody by itself."""
    spots = shipments_spots(order.shipment)
    aboard = sorted(
        (each for each in oracle.held.values() if each.spot in spots and each.left), key=lambda each: each.id
    )
    wrong |= faults(
        (not aboard, Code.NOT_ENOUGH_DOSES),
        (any(each.opened > order.at for each in aboard), Code.TIME_BEFORE_CUSTODY),
    )
    if wrong and order.outcome is not Outcome.REFUSE:
        wrong |= _cold(order.temperature, recorded=True)
    plan = Plan(wrong)
    for each in [] if wrong else aboard:
        _unload(oracle, order, Load(each.lot, each.left), [(each, each.left)], plan)
    return plan


def _unload(oracle: Oracle, order: Arrival, load: Load, takes: Takes, plan: Plan) -> None:
    trip, lot = oracle.trips[order.shipment], load.lot
    refuses = order.outcome is Outcome.REFUSE
    good, refused = (0, load.good + load.refused) if refuses else (load.good, load.refused)
    told = (load.damaged, refused, load.surplus)
    plan.faults |= faults((any(doses % lot.per_vial for doses in told), Code.NOT_WHOLE_VIALS))
    if good and trip.purpose != "return":
        plan.faults |= _cold(order.temperature, recorded=True)
    if plan.faults:
        return
    isolates = order.outcome is Outcome.HOLD or trip.purpose == "return" or oracle.recalled(lot)
    lines: list[Line] = []
    rest = list(takes)
    for doses, way in ((good, isolates), (load.damaged, True), (refused, None)):
        for source, taken in _cut(rest, doses):
            lines.append(_put(order, trip.purpose, trip.receiver, source, taken, isolated=way))
    if load.surplus:
        running = clocks.on_arrival({}, trip.receiver, order.at)
        lines.append(Line(None, load.surplus, Spot(order.appliance, held=True), running))
    plan.events.append(Expected(EventKind.RECEIVE, lot, trip.receiver, order.at, lines, arrives=True))


def _cut(takes: Takes, doses: int) -> Takes:
    """The first so many doses of the takes, which are used up."""
    mine: Takes = []
    while doses:
        source, there = takes.pop(0)
        taken = min(doses, there)
        mine.append((source, taken))
        doses -= taken
        if there > taken:
            takes.insert(0, (source, there - taken))
    return mine


def _put(order: Arrival, purpose: str, receiver: str, source: Held, doses: int, *, isolated: bool | None) -> Line:
    """Into the appliance, isolated where there is a doubt; or, where it is refused, on a trip back."""
    if isolated is None:
        running = clocks.on_departure(source.clocks)
        return Line(source, doses, Spot(BACK.of, source.spot.held), running, source.waits)
    running = clocks.on_arrival(source.clocks, receiver, order.at, anew=purpose != "return")
    running = clocks.into(order.appliance, source.lot, running, order.at)
    spot = Spot(order.appliance, isolated or source.spot.held)
    return Line(source, doses, spot, running, source.waits)


def explanation(oracle: Oracle, who: str, shipment: UUID, wish: Wish, what: Explanation, appliance: str | None) -> Plan:
    """What became of doses that did not come with the rest."""
    if shipment not in oracle.trips:
        return Plan({Code.NOT_FOUND} | faults((who == "auditor", Code.FORBIDDEN)))
    trip, lost = oracle.trips[shipment], what is Explanation.LOST
    insider = wish.facility in {trip.sender, trip.receiver}
    arrived = oracle.arrived_at(shipment)
    wrong = scene(oracle, who, wish, STORES + SITES) | faults(
        (insider == (what is Explanation.MIS_SHIPPED), Code.WRONG_FACILITY_KIND),
        (arrived is None, Code.NO_SHORTFALL),
        (arrived is not None and wish.at < arrived, Code.TIME_BEFORE_SHIPMENT),
    )
    if wrong:
        return Plan(wrong)
    free, isolated = (oracle.there(wish.lot, [spot], wish.at) for spot in shipments_spots(shipment))
    takes, wrong = pick([*free, *isolated], wish.doses, wish.lot.per_vial)
    if wrong:
        return Plan(wrong)
    lines = []
    for source, doses in takes:
        to = End.WASTED if lost else Spot(str(appliance), held=True)
        running = clocks.on_arrival(source.clocks, wish.facility, wish.at)
        running = {} if lost else clocks.into(str(appliance), wish.lot, running, wish.at)
        lines.append(Line(source, doses, to, running, source.waits))
    return Plan(events=[Expected(wish.kind, wish.lot, wish.facility, wish.at, lines)])
