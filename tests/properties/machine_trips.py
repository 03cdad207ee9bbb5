"""Goods in, dispatched, received, explained and returned."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from inventory.domain.transport import TransportRecord
from inventory.domain.words import EventKind, Explanation, Outcome, Paper
from inventory.services.deliveries import ArrivalLine, ArrivalOrder, receive_shipment
from inventory.services.posting import Posted
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, ReturnOrder, dispatch, return_doses
from inventory.services.shortfalls import ExplanationOrder, explain
from tests.county import HOUR, NOW
from tests.properties import oracle_trips as oracle
from tests.properties.machine import (
    ALL_PAPERS,
    DOSES,
    EVERYBODY,
    FIRST,
    FRIDGE,
    LATER,
    LOTS,
    NOBODYS,
    OUTCOMES,
    PAPERS,
    TIMES,
    WARMTH,
    WHICH,
    WRONG,
    Ledger,
    lot_of,
)
from tests.properties.oracle import ABOVE, SITES, STORES, Lot, Trip
from tests.properties.oracle_orders import Wish
from tests.properties.oracle_trips import Arrival, Goods, Load

WAYS = st.sampled_from(
    [("COUNTY", "SITE-A"), ("COUNTY", "SITE-B"), ("CITY", "COUNTY"), ("CITY", "SITE-A"), ("COUNTY", "SITE-A")] * 3
    + [("SITE-A", "SITE-B"), ("SITE-B", "SITE-A")] * 2
    + [("COUNTY", "CITY"), ("COUNTY", "COUNTY"), ("SITE-A", "COUNTY"), ("MAKER", "COUNTY"), ("COUNTY", "MAKER")]
)
CHOICES = [*[(LOTS[0],), (LOTS[1],), (LOTS[0], LOTS[1]), (LOTS[1], LOTS[0])] * 2, (LOTS[2],), LOTS[:1] * 2, LOTS[3:]]
LINES = st.builds(
    lambda lots, doses: tuple(zip(lots, doses, strict=False)), st.sampled_from(CHOICES), st.tuples(DOSES, DOSES)
)
FEW = st.sampled_from([0, 0, 0, 2, 1])
LOADS = st.none() | st.tuples(st.sampled_from([2, 4, 0, 1]), FEW, FEW, FEW).filter(any)
BOUGHT_BY = st.sampled_from(["CITY", "COUNTY", "COUNTY", "COUNTY", "SITE-A"])
COLD_PLACES = st.sampled_from(["", "", "COUNTY-FREEZER"])


class Trips(Ledger):
    """Orders about goods that come and go."""

    @initialize()
    def stock_up(self) -> None:
        """Every lot at both stores and both sites, and some on the way to each site."""
        for lot in LOTS:
            for store in STORES:
                self.buy("admin", Goods(store, FRIDGE[store], lot, 20, FIRST, Outcome.ACCEPT, ALL_PAPERS, 450))
        for site in SITES:
            for hour in (1, 2):
                self.send("admin", ("COUNTY", site), [(lot, 4) for lot in LOTS], FIRST + hour * HOUR)
            first = list(self.oracle.trips)[-2]
            self.unload("admin", Arrival(first, FRIDGE[site], FIRST + 2 * HOUR, Outcome.ACCEPT, 450))

    @rule(who=EVERYBODY, store=BOUGHT_BY, place=COLD_PLACES, lot=st.sampled_from(LOTS), doses=DOSES, at=TIMES,
          outcome=OUTCOMES, papers=PAPERS, warmth=WARMTH)  # fmt: skip
    def receive_goods(
        self,
        who: str,
        store: str,
        place: str,
        lot: Lot,
        doses: int,
        at: datetime,
        outcome: Outcome,
        papers: frozenset[Paper],
        warmth: int | None,
    ) -> None:
        appliance = place if place and store == "COUNTY" else FRIDGE[store]
        self.buy(who, Goods(store, appliance, lot, doses, at, outcome, papers, warmth))

    def buy(self, who: str, goods: Goods) -> None:
        lot, transport = goods.lot, TransportRecord(arrival_temperature=goods.temperature)
        order = ReceiptOrder(goods.store, "MAKER", lot.gtin, lot.number, lot.expiry, goods.doses, goods.appliance,
                             goods.at, tuple(sorted(goods.papers)), transport, goods.outcome, "as stated")  # fmt: skip
        plan = oracle.receipt(self.oracle, who, goods)
        if self.post(who, plan, lambda request: receive_goods(self.database, request, order)):
            self.oracle.lots.add(lot)

    @rule(who=EVERYBODY, way=WAYS, lines=LINES, at=TIMES)
    def dispatch(self, who: str, way: tuple[str, str], lines: Sequence[tuple[Lot, int]], at: datetime) -> None:
        self.send(who, way, lines, at)

    def send(self, who: str, way: tuple[str, str], lines: Sequence[tuple[Lot, int]], at: datetime) -> None:
        order = DispatchOrder(*way, at, as_lines(lines))
        plan = oracle.dispatch(self.oracle, who, way, lines, at)
        posted = self.post(who, plan, lambda request: dispatch(self.database, request, order))
        self.trip(posted, "transfer" if way[0] in SITES else "supply", way, at)

    def trip(self, posted: Posted | None, purpose: str, way: tuple[str, str], at: datetime) -> None:
        """Note the shipment that an order began."""
        if posted and posted.shipment:
            self.oracle.trips[posted.shipment] = Trip(purpose, *way, at)

    @precondition(lambda self: self.oracle.trips)
    @rule(who=EVERYBODY, which=WHICH, parts=LOADS, later=LATER, outcome=OUTCOMES, warmth=WARMTH)
    def receive_shipment(
        self,
        who: str,
        which: int,
        parts: tuple[int, ...] | None,
        later: timedelta,
        outcome: Outcome,
        warmth: int | None,
    ) -> None:
        shipment = self.shipment(which)
        trip = self.oracle.trips.get(shipment, Trip("supply", "COUNTY", "SITE-A", NOW))
        aboard = (
            sorted(
                {each.lot for each in self.oracle.held.values() if each.spot.of == shipment and each.left},
                key=lambda lot: (lot.gtin, lot.number),
            )
            or LOTS[:1]
        )
        loads = (Load(aboard[which % len(aboard)], *parts),) if parts else ()
        self.unload(who, Arrival(shipment, FRIDGE[trip.receiver], trip.left_at + later, outcome, warmth, loads))

    def shipment(self, which: int) -> UUID:
        """A shipment, mostly one with doses on board; at times one that never was."""
        if which % 29 == 0:
            return NOBODYS
        trips = list(self.oracle.trips)
        aboard = {held.spot.of for held in self.oracle.held.values() if held.left}
        loaded = [each for each in trips if each in aboard]
        found = loaded if loaded and which % 7 else trips
        return found[-1 - which % len(found)]

    def unload(self, who: str, arrival: Arrival) -> None:
        lines = tuple(
            ArrivalLine(load.lot.gtin, load.lot.number, load.good, None, load.damaged, load.refused, load.surplus)
            for load in arrival.loads
        )
        transport = TransportRecord(arrival_temperature=arrival.temperature)
        order = ArrivalOrder(
            arrival.shipment, arrival.appliance, arrival.at, lines, arrival.outcome, "as stated", transport
        )
        plan = oracle.arrival(self.oracle, who, arrival)
        posted = self.post(who, plan, lambda request: receive_shipment(self.database, request, order))
        if posted and posted.return_shipment:
            trip = self.oracle.trips[arrival.shipment]
            self.oracle.trips[posted.return_shipment] = Trip("return", trip.receiver, trip.sender, arrival.at)

    @precondition(lambda self: self.oracle.trips)
    @rule(who=EVERYBODY, which=WHICH, what=st.sampled_from(Explanation), doses=DOSES, later=LATER, wrong=WRONG,
          place=st.sampled_from(["SITE-A", "SITE-B", "COUNTY", "CITY"]))  # fmt: skip
    def explain(
        self, who: str, which: int, what: Explanation, doses: int, later: timedelta, wrong: str | None, place: str
    ) -> None:
        shipment = self.shipment(which)
        trip = self.oracle.trips.get(shipment, Trip("supply", "COUNTY", "SITE-A", NOW))
        aboard = [each for each in self.oracle.held.values() if each.spot.of == shipment]
        lot = lot_of(aboard[which % len(aboard)], wrong) if aboard else LOTS[0]
        kind = EventKind.WASTE if what is Explanation.LOST else EventKind.RECEIVE
        facility = place if wrong or what is Explanation.MIS_SHIPPED else (trip.sender, trip.receiver)[which % 2]
        wish = Wish(kind, lot, doses, trip.left_at + later, facility, ())
        appliance = FRIDGE[facility]
        order = ExplanationOrder(
            shipment, facility, lot.gtin, lot.number, doses, what, wish.at, "as told",
            None if what is Explanation.LOST else appliance,
        )  # fmt: skip
        plan = oracle.explanation(self.oracle, who, shipment, wish, what, appliance)
        self.post(who, plan, lambda request: explain(self.database, request, order))

    @rule(who=EVERYBODY, which=WHICH, doses=DOSES, later=LATER, wrong=WRONG,
          to=st.sampled_from([None, None, None, "CITY", "MAKER", "SITE-B"]))  # fmt: skip
    def return_doses(
        self, who: str, which: int, doses: int, later: timedelta, wrong: str | None, to: str | None
    ) -> None:
        held = self.some(which, lambda each: isinstance(each.spot.of, str))
        sender, at = self.facility_of(held, wrong), held.opened + later
        lines, is_held = [(lot_of(held, wrong), doses)], held.spot.held
        order = ReturnOrder(sender, at, as_lines(lines), "too many", to, is_held)
        plan = oracle.returned(self.oracle, who, (sender, to), lines, at, is_held=is_held)
        posted = self.post(who, plan, lambda request: return_doses(self.database, request, order))
        self.trip(posted, "return", (sender, to or ABOVE.get(sender, "")), at)


def as_lines(lines: Sequence[tuple[Lot, int]]) -> tuple[Line, ...]:
    """Lines as the service knows them."""
    return tuple(Line(lot.gtin, lot.number, doses) for lot, doses in lines)
