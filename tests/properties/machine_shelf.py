"""Doses in one place: moved, opened, given, wasted, held, released, counted, recalled; and every event corrected."""

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from inventory.domain.words import EventKind, Paper, WasteReason
from inventory.services.administrations import AdministrationList, AdministrationOrder, administer, administer_list
from inventory.services.corrections import CorrectionOrder, correct
from inventory.services.counts import CountOrder, count
from inventory.services.moves import MoveOrder, move
from inventory.services.openings import OpeningOrder, open_vials
from inventory.services.posting import Fault
from inventory.services.quarantine import HoldOrder, ReleaseOrder, hold, release
from inventory.services.recalls import RecallOrder, recall
from inventory.services.wastages import WastageOrder, waste
from tests.county import NOW
from tests.properties import oracle_shelf as oracle
from tests.properties.machine import (
    DOSES,
    EVERYBODY,
    LATER,
    LOTS,
    NOBODYS,
    SOME,
    TIMES,
    WHICH,
    WRONG,
    Ledger,
    appliance_of,
    lot_of,
)
from tests.properties.oracle import OWNER, SITES, Held, Lot, Spot
from tests.properties.oracle_orders import Wish, settled

NAMED = st.sampled_from([False, False, True])
FEW = st.sampled_from([1, 1, 1, 2, 3])


def at_a_site(held: Held) -> bool:
    """Whether a custody is in a site's appliance."""
    return OWNER.get(str(held.spot.of)) in SITES and not held.spot.held


class Shelf(Ledger):
    """Orders about doses in one place."""

    def wish(
        self,
        kind: EventKind,
        held: Held,
        doses: int | None,
        at: datetime,
        wrong: str | None = None,
        *,
        named: bool = False,
    ) -> Wish:
        """What an order about a custody asks for: it, or what lies where it lies."""
        facility, lot = self.facility_of(held, wrong), lot_of(held, wrong)
        which = self.some(len(self.oracle.held) // 2) if wrong == "custody" else held
        if isinstance(held.spot.of, UUID):
            spots: tuple[Spot, ...] = (held.spot,)
        else:
            is_held = kind is EventKind.RELEASE or (held.spot.held and kind is not EventKind.HOLD)
            spots = oracle.spots_of(lot, facility, None, is_held=is_held)
        return Wish(kind, lot, doses, at, facility, spots, which if named else None)

    def keywords(self, wish: Wish, held: Held) -> dict[str, object]:
        """The fields that orders about stock share."""
        trip = held.spot.of if isinstance(held.spot.of, UUID) and not wish.named else None
        return {
            "facility": wish.facility, "gtin": wish.lot.gtin, "batch": wish.lot.number, "occurred_at": wish.at,
            "doses": wish.doses, "custody": wish.named.id if wish.named else None, "shipment": trip,
        }  # fmt: skip

    @rule(who=EVERYBODY, which=WHICH, doses=SOME, later=LATER, wrong=WRONG, named=NAMED, to=st.sampled_from([*OWNER]))
    def move(
        self, who: str, which: int, doses: int | None, later: timedelta, wrong: str | None, named: bool, to: str
    ) -> None:
        held = self.some(
            which, lambda each: appliance_of(each) in {"A-FRIDGE", "A-BOX", "COUNTY-ROOM", "COUNTY-FREEZER"}
        )
        if isinstance(held.spot.of, UUID):
            named = True  # doses on their way have no appliance to be asked for by
        wish = self.wish(EventKind.MOVE, held, doses, held.opened + later, wrong, named=named)
        mine = [code for code, owner in OWNER.items() if owner == wish.facility and code != held.spot.of]
        target = mine[0] if mine and which % 9 else to
        is_held = held.spot.held and isinstance(held.spot.of, str)
        order = MoveOrder(**self.keywords(wish, held), to_appliance=target, held=is_held)  # type: ignore[arg-type]
        plan = oracle.move(self.oracle, who, wish, target)
        self.post(who, plan, lambda request: move(self.database, request, order))

    @rule(who=EVERYBODY, which=WHICH, doses=DOSES, later=LATER, wrong=WRONG, named=NAMED,
          cause=st.sampled_from(WasteReason))  # fmt: skip
    def waste(
        self,
        who: str,
        which: int,
        doses: int,
        later: timedelta,
        wrong: str | None,
        named: bool,
        cause: WasteReason,
    ) -> None:
        held = self.some(which)
        wish = self.wish(EventKind.WASTE, held, doses, held.opened + later, wrong, named=named)
        order = WastageOrder(**self.keywords(wish, held), held=held.spot.held, cause=cause, reason="seen")  # type: ignore[arg-type]
        plan = oracle.waste(self.oracle, who, wish)
        self.post(who, plan, lambda request: waste(self.database, request, order))

    @rule(who=EVERYBODY, which=WHICH, doses=SOME, later=LATER, wrong=WRONG, named=NAMED)
    def hold(self, who: str, which: int, doses: int | None, later: timedelta, wrong: str | None, named: bool) -> None:
        held = self.some(which, lambda each: not each.spot.held)
        wish = self.wish(EventKind.HOLD, held, doses, held.opened + later, wrong, named=named)
        if isinstance(held.spot.of, UUID):
            wish = Wish(wish.kind, wish.lot, doses, wish.at, wish.facility, (Spot(held.spot.of),), wish.named)
        order = HoldOrder(**self.keywords(wish, held), reason="a doubt")  # type: ignore[arg-type]
        plan = oracle.hold(self.oracle, who, wish)
        self.post(who, plan, lambda request: hold(self.database, request, order))

    @rule(who=EVERYBODY, which=WHICH, doses=SOME, later=LATER, wrong=WRONG, named=NAMED,
          papers=st.sampled_from([(), (Paper.LOT_RELEASE,), (Paper.LOT_RELEASE, Paper.DELIVERY_NOTE)]))  # fmt: skip
    def release(
        self,
        who: str,
        which: int,
        doses: int | None,
        later: timedelta,
        wrong: str | None,
        named: bool,
        papers: tuple[Paper, ...],
    ) -> None:
        held = self.some(which, lambda each: each.spot.held)
        wish = self.wish(EventKind.RELEASE, held, doses, held.opened + later, wrong, named=named)
        if isinstance(held.spot.of, UUID):
            spots = (Spot(held.spot.of, held=True),)
            wish = Wish(wish.kind, wish.lot, doses, wish.at, wish.facility, spots, wish.named)
        order = ReleaseOrder(**self.keywords(wish, held), reason="looked at", papers=papers)  # type: ignore[arg-type]
        plan = oracle.release(self.oracle, who, wish, frozenset(papers))
        self.post(who, plan, lambda request: release(self.database, request, order))

    @rule(who=EVERYBODY, which=WHICH, doses=SOME, later=LATER, wrong=WRONG, named=NAMED)
    def open_vials(
        self, who: str, which: int, doses: int | None, later: timedelta, wrong: str | None, named: bool
    ) -> None:
        held = self.some(which, lambda each: at_a_site(each) and each.lot.per_vial > 1)
        wish = self.wish(EventKind.OPEN, held, doses, held.opened + later, wrong, named=named or named_only(held))
        wish = free_only(wish)
        order = OpeningOrder(**self.keywords(wish, held))  # type: ignore[arg-type]
        plan = oracle.opening(self.oracle, who, wish)
        self.post(who, plan, lambda request: open_vials(self.database, request, order))

    @rule(who=EVERYBODY, which=WHICH, doses=FEW, later=LATER, wrong=WRONG, named=NAMED)
    def administer(self, who: str, which: int, doses: int, later: timedelta, wrong: str | None, named: bool) -> None:
        wish = self.injection(which, doses, later, wrong, named=named)
        plan = oracle.administration(self.oracle, who, wish)
        self.post(who, plan, lambda request: administer(self.database, request, as_administration(wish)))

    def injection(self, which: int, doses: int, later: timedelta, wrong: str | None, *, named: bool) -> Wish:
        """Doses to be given where a custody is."""
        held = self.some(which, at_a_site)
        wish = self.wish(EventKind.ADMINISTER, held, doses, held.opened + later, wrong, named=named or named_only(held))
        return free_only(wish)

    @rule(who=EVERYBODY, lines=st.lists(st.tuples(WHICH, FEW, LATER, WRONG), min_size=2, max_size=4))
    def administer_list(self, who: str, lines: list[tuple[int, int, timedelta, str | None]]) -> None:
        """Each line finds what those before it have left, and is answered by itself."""
        if who == "auditor":
            return  # refused as a whole, as any order of theirs
        wishes = [self.injection(*line, named=False) for line in lines]
        order, request = AdministrationList(tuple(map(as_administration, wishes))), self.request(who)
        answer = administer_list(self.database, request, order)
        self.written = self.wrote()
        for wish, result in zip(wishes, answer.results, strict=True):
            plan = settled(self.oracle, oracle.administration(self.oracle, who, wish))
            if isinstance(result, Fault):
                assert result.code in plan.faults, (result, plan)
            else:
                assert not plan.faults, (result, plan)
                self.oracle.take_over(who, result, plan.events)
                self.done.update(event.kind for event in result.events)
        self.last = (lambda: administer_list(self.database, request, order)), answer

    @rule(who=EVERYBODY, which=WHICH, more=st.sampled_from([0, 0, -1, -2, 2, 1, 3]), later=LATER, wrong=WRONG,
          reason=st.sampled_from(["counted twice", "counted twice", None]))  # fmt: skip
    def count(self, who: str, which: int, more: int, later: timedelta, wrong: str | None, reason: str | None) -> None:
        held = self.some(which, lambda each: isinstance(each.spot.of, str))
        if isinstance(held.spot.of, UUID):
            return  # nobody counts what is on its way
        at, lot, facility = held.opened + later, lot_of(held, wrong), OWNER[held.spot.of]
        same = [each for each in self.oracle.held.values() if (each.lot, each.spot) == (lot, held.spot)]
        counted = max(0, sum(oracle.at_that_time(each, at) for each in same) + more)
        order = CountOrder(facility, held.spot.of, lot.gtin, lot.number, counted, at, held.spot.held, reason)
        plan = oracle.count(
            self.oracle, who, Wish(EventKind.COUNT, lot, None, at, facility, (held.spot,)), counted, reason
        )
        self.post(who, plan, lambda request: count(self.database, request, order))

    @rule(who=EVERYBODY, lot=st.sampled_from(LOTS), at=TIMES, seldom=st.sampled_from([1, 1, 1, 1, 0]),
          store=st.sampled_from(["COUNTY", "COUNTY", "CITY", "SITE-A"]))  # fmt: skip
    def recall(self, who: str, lot: Lot, at: datetime, seldom: int, store: str) -> None:
        if seldom:
            return
        wish = Wish(EventKind.RECALL, lot, None, at, store, ())
        order = RecallOrder(store, lot.gtin, lot.number, at, "the maker says so")
        plan = oracle.recall(self.oracle, who, wish)
        self.post(who, plan, lambda request: recall(self.database, request, order))

    @precondition(lambda self: self.oracle.events)
    @rule(who=EVERYBODY, which=WHICH, at=st.sampled_from([NOW, NOW, NOW, NOW, None]))
    def correct(self, who: str, which: int, at: datetime | None) -> None:
        """An event that is undone, mostly one of the last."""
        happened = None if which % 41 == 0 else self.event(which)
        when = at or (happened.expected.at - timedelta(minutes=1) if happened else NOW)
        self.undo(who, happened.id if happened else NOBODYS, when)

    @precondition(lambda self: bool(oracle.settled_events(self.oracle)))
    @rule(who=st.sampled_from(["chief", "county"]), which=WHICH)
    def correct_below_a_count(self, who: str, which: int) -> None:
        """By chance an event is seldom one that a count has settled."""
        settled = oracle.settled_events(self.oracle)
        self.undo(who, settled[which % len(settled)].id, NOW)

    def undo(self, who: str, event: UUID, when: datetime) -> None:
        order = CorrectionOrder(event, when, "a slip")
        plan = oracle.correction(self.oracle, who, event, when)
        posted = self.post(who, plan, lambda request: correct(self.database, request, order))
        if posted:
            self.oracle.undo(event, posted.events[0])


def named_only(held: Held) -> bool:
    """Whether doses have to be named, for orders that ask in storage alone would not find them."""
    return held.spot.held or isinstance(held.spot.of, UUID)


def free_only(wish: Wish) -> Wish:
    """The same in storage: where nobody asks for what is held."""
    spots = tuple(Spot(spot.of) for spot in wish.spots)
    return Wish(wish.kind, wish.lot, wish.doses, wish.at, wish.facility, spots, wish.named)


def as_administration(wish: Wish) -> AdministrationOrder:
    """The order of an injection."""
    assert wish.doses is not None
    custody = wish.named.id if wish.named else None
    return AdministrationOrder(wish.facility, wish.lot.gtin, wish.lot.number, wish.doses, wish.at, custody=custody)
