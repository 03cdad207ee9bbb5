"""Laws 1, 2, 3, 6 and 7: any sequence of orders, good, bad and back-dated, against a ledger in plain Python."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import count
from typing import ClassVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from inventory.domain.deadlines import Status
from inventory.domain.errors import Code, ColdtrailError
from inventory.domain.words import EventKind
from inventory.services.administrations import AdministrationOrder, administer
from inventory.services.board import list_deadlines
from inventory.services.deliveries import ArrivalOrder, receive_shipment
from inventory.services.posting import Posted, Request
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, dispatch
from inventory.services.stock import list_stock
from inventory.services.trails import administration_trail
from inventory.services.verification import verify
from tests.county import HOUR, NOW, ONE, TWO
from tests.properties.conftest import CountyTemplate
from tests.properties.oracle import SITES, STORES, Held, Lot, Oracle, told

FRIDGE = {"CITY": "CITY-ROOM", "COUNTY": "COUNTY-ROOM", "SITE-A": "A-FRIDGE", "SITE-B": "B-FRIDGE"}
LOTS = (
    Lot(ONE, "FRESH", date(2026, 6, 30)),
    Lot(ONE, "OLD", date(2026, 1, 4)),  # yesterday there: only back-dated orders may touch it
    Lot(TWO, "FRESH", date(2026, 6, 30)),
)
EVERYBODY = st.sampled_from([*["admin"] * 9, "keeper", "nurse-a", "nurse-b"])
WAYS = st.sampled_from(
    [("COUNTY", "SITE-A"), ("COUNTY", "SITE-B"), ("CITY", "COUNTY"), ("CITY", "SITE-A"), ("COUNTY", "SITE-A")] * 3
    + [("COUNTY", "CITY"), ("COUNTY", "COUNTY"), ("SITE-A", "COUNTY")]
)
DOSES = st.sampled_from([2, 4, 6, 1, 2, 4, 3, 12])
TIMES = st.sampled_from([*(NOW - hours * HOUR for hours in (0, 0, 0, 1, 1, 2, 3, 5, 11, 13, 26)), NOW + HOUR])
LATER = st.sampled_from([hours * HOUR for hours in (1, 0, 2, 5, 9, 24, 25, -1)])
"""How long after its doses came an order is dated; at times before."""
FIRST = NOW - 30 * HOUR
"""When the stores got their first goods: every lot can be dispatched from the first step on."""
CHOICES = [*[(LOTS[0],), (LOTS[2],), (LOTS[0], LOTS[2]), (LOTS[2], LOTS[0])] * 2, (LOTS[1],), LOTS[:2]]
LINES = st.builds(
    lambda lots, doses: tuple(zip(lots, doses, strict=False)), st.sampled_from(CHOICES), st.tuples(DOSES, DOSES)
)
NOBODYS = UUID(int=7)


class Ledger(RuleBasedStateMachine):
    """Sends orders, and holds each answer and all that is stored against the oracle."""

    template: ClassVar[CountyTemplate]

    def __init__(self) -> None:
        super().__init__()
        self.copy = self.template.fresh()
        county = self.copy.__enter__()
        self.database = county.database
        self.actors = {who: county.actor(who) for who in ("admin", "keeper", "nurse-a", "nurse-b")}
        self.oracle = Oracle()
        self.keys = count()
        self.given: list[UUID] = []
        self.last: tuple[Callable[[], Posted], Posted] | None = None

    def teardown(self) -> None:
        self.copy.__exit__(None, None, None)

    @initialize()
    def stock_up(self) -> None:
        """Every lot at both stores and both sites, and some on the way to each site."""
        for lot in LOTS:
            for store in STORES:
                self.receive("admin", store, lot, 20, FIRST)
        for site in SITES:
            for hour in (1, 2):
                self.send("admin", ("COUNTY", site), [(lot, 4) for lot in LOTS], FIRST + hour * HOUR)
            self.unload("admin", list(self.oracle.shipments)[-2], (), FIRST + 2 * HOUR)

    def post(self, who: str, expected: Code | None, send: Callable[[Request], Posted]) -> Posted | None:
        """Send an order under a new key; it has to be answered as expected."""
        request = Request(self.actors[who], NOW, str(next(self.keys)))
        answer = outcome(send, request)
        code = answer.code if isinstance(answer, ColdtrailError) else None
        assert code == expected, answer
        if isinstance(answer, ColdtrailError):
            return None
        self.last = (lambda: send(request)), answer
        return answer

    @rule(who=EVERYBODY, store=st.sampled_from(["CITY", "COUNTY", "COUNTY", "SITE-A"]), lot=st.sampled_from(LOTS),
          doses=DOSES, at=TIMES)  # fmt: skip
    def receive_goods(self, who: str, store: str, lot: Lot, doses: int, at: datetime) -> None:
        self.receive(who, store, lot, doses, at)

    def receive(self, who: str, store: str, lot: Lot, doses: int, at: datetime) -> None:
        order = ReceiptOrder(store, "MAKER", lot.gtin, lot.number, lot.expiry, doses, FRIDGE[store], at)
        expected = self.oracle.receipt(who, store, lot, doses, at)
        posted = self.post(who, expected, lambda request: receive_goods(self.database, request, order))
        if posted:
            self.oracle.lots.add(lot)
            self.oracle.take_over(posted, store)

    @rule(who=EVERYBODY, way=WAYS, lines=LINES, at=TIMES)
    def dispatch(self, who: str, way: tuple[str, str], lines: Sequence[tuple[Lot, int]], at: datetime) -> None:
        self.send(who, way, lines, at)

    def send(self, who: str, way: tuple[str, str], lines: Sequence[tuple[Lot, int]], at: datetime) -> None:
        order = DispatchOrder(*way, at, as_lines(lines))
        expected = self.oracle.dispatch(who, way, lines, at)
        posted = self.post(who, expected, lambda request: dispatch(self.database, request, order))
        if posted:
            assert posted.shipment is not None
            self.oracle.shipments[posted.shipment] = (way[1], at)
            self.oracle.take_over(posted, posted.shipment)

    @precondition(lambda self: self.oracle.shipments)
    @rule(who=EVERYBODY, which=st.integers(0, 99), lines=st.just(()) | st.just(()) | LINES, later=LATER)
    def receive_shipment(self, who: str, which: int, lines: Sequence[tuple[Lot, int]], later: timedelta) -> None:
        known = [*self.oracle.shipments, *([NOBODYS] if which % 7 == 0 else [])]
        shipment = known[-1 - which % len(known)]
        _, left_at = self.oracle.shipments.get(shipment, ("SITE-A", NOW))
        self.unload(who, shipment, lines, left_at + later)

    def unload(self, who: str, shipment: UUID, lines: Sequence[tuple[Lot, int]], at: datetime) -> None:
        receiver, _ = self.oracle.shipments.get(shipment, ("SITE-A", NOW))
        order = ArrivalOrder(shipment, FRIDGE[receiver], at, as_lines(lines))
        expected = self.oracle.arrival(who, shipment, lines, at)
        posted = self.post(who, expected, lambda request: receive_shipment(self.database, request, order))
        if posted:
            self.oracle.take_over(posted, receiver)

    @rule(who=EVERYBODY, site=st.sampled_from([*SITES, "COUNTY"]), lot=st.sampled_from(LOTS), doses=DOSES, at=TIMES)
    def administer_anywhere(self, who: str, site: str, lot: Lot, doses: int, at: datetime) -> None:
        self.administer(who, site, lot, doses, at)

    @precondition(lambda self: self.at_sites)
    @rule(who=EVERYBODY, which=st.integers(0, 99), doses=st.integers(1, 3), later=LATER)
    def administer_where_doses_came(self, who: str, which: int, doses: int, later: timedelta) -> None:
        held = self.at_sites[which % len(self.at_sites)]
        self.administer(who, str(held.place), held.lot, doses, held.opened + later)

    @property
    def at_sites(self) -> list[Held]:
        return [each for each in self.oracle.held.values() if each.place in SITES and each.remaining]

    def administer(self, who: str, site: str, lot: Lot, doses: int, at: datetime) -> None:
        order = AdministrationOrder(site, lot.gtin, lot.number, doses, at)
        expected = self.oracle.administration(who, site, lot, doses, at)
        posted = self.post(who, expected, lambda request: administer(self.database, request, order))
        if posted:
            self.oracle.take_over(posted, site)
            self.given.append(posted.events[0].id)

    @precondition(lambda self: self.last)
    @rule()
    def repeat(self) -> None:
        """Law 3: the same order under the same key is answered as before, and nothing more is written."""
        assert self.last is not None
        again, posted = self.last
        assert again() == posted

    @invariant()
    def every_dose_is_somewhere_once(self) -> None:
        """Laws 1 and 2, by the service's own proof and by the oracle."""
        verdict = verify(self.database)
        assert verdict.holds, verdict
        for held in self.oracle.held.values():
            assert held.remaining >= 0
            assert all(held.opened <= at for at, _, _ in held.outs)
        roots = [held for held in self.oracle.held.values() if held.parent is None]
        received = sum(held.doses for held in roots)
        assert sum(balance.received for balance in verdict.balances) == received
        given = sum(doses for held in self.oracle.held.values() for _, doses, to in held.outs if to is None)
        assert sum(balance.administered for balance in verdict.balances) == given

    @invariant()
    def the_stock_is_that_of_the_oracle(self) -> None:
        stock = list_stock(self.database, None, None, None, 1000).items
        held = self.oracle.held.values()
        assert {line.custody: line.doses for line in stock} == {
            each.id: each.remaining for each in held if each.remaining
        }

    @invariant()
    def the_board_is_a_recomputation_from_the_events(self) -> None:
        """Law 7, at once and when the first clocks have ended."""
        for now in (NOW, NOW + 20 * HOUR):
            expected = self.oracle.board(now)
            left = {custody: line for custody, line in expected.items() if line[2]}
            assert told(list_deadlines(self.database, None, None, now, None, 1000).items) == left
        for status in (Status.MISSED, Status.MET):
            listed = told(list_deadlines(self.database, None, status, now, None, 1000).items)
            wanted = {custody for custody, line in expected.items() if line[5] is status and any(line[2:5])}
            assert listed == {custody: expected[custody] for custody in wanted}

    @invariant()
    def the_last_dose_given_has_one_chain_to_a_supplier(self) -> None:
        """Law 6."""
        if self.given:
            trail = administration_trail(self.database, self.given[-1])
            for chain in trail.chains:
                way = [stage.custody.custody for stage in chain.stages]
                held = self.oracle.held[way[-1]]
                while held.parent is not None:
                    assert way.pop() == held.id
                    held = held.parent
                assert way == [held.id]
                assert chain.stages[0].custody.opened_by.kind is EventKind.RECEIVE
                assert chain.stages[0].custody.parent is None


def outcome(send: Callable[[Request], Posted], request: Request) -> Posted | ColdtrailError:
    try:
        return send(request)
    except ColdtrailError as error:
        return error


def as_lines(lines: Sequence[tuple[Lot, int]]) -> tuple[Line, ...]:
    return tuple(Line(lot.gtin, lot.number, doses) for lot, doses in lines)


def test_the_ledger_is_that_of_the_oracle(any_county: CountyTemplate) -> None:
    few = {"sqlite": 30, "postgresql": 6}[any_county.engine]

    class Here(Ledger):
        template = any_county

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=few, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
