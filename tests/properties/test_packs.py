"""Packs at every level against a plain oracle: each vial is in one place, and custodies hold what is left in packs."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from inventory.domain.errors import ColdtrailError
from inventory.domain.packs import PackLine
from inventory.domain.words import Paper, WasteReason
from inventory.services.administrations import AdministrationOrder, administer
from inventory.services.corrections import CorrectionOrder, correct
from inventory.services.deliveries import ArrivalLine, ArrivalOrder, receive_shipment
from inventory.services.pack_files import PackFile, announce_packs
from inventory.services.pack_views import PackView, get_pack
from inventory.services.places import Place
from inventory.services.posting import Posted, Request
from inventory.services.quarantine import HoldOrder, ReleaseOrder, hold, release
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, dispatch
from inventory.services.verification import verify
from inventory.services.wastages import WastageOrder, waste
from tests.counties import CountyTemplate
from tests.county import COOL, EXPIRY, NOW, TWO

BATCH, CASES, INSIDE = "PACKED", 2, 2
ROOM, HELD, FRIDGE = "COUNTY-ROOM", "quarantine", "A-FRIDGE"


def _tree() -> dict[str, str | None]:
    """The code of each pack and of the one that it is in: cases of two cartons of two vials."""
    found: dict[str, str | None] = {}
    for case in (f"CASE{each}" for each in range(CASES)):
        found[case] = None
        for carton in (f"{case}-{each}" for each in range(INSIDE)):
            found[carton] = case
            found |= {f"{carton}-{each}": carton for each in range(INSIDE)}
    return found


TREE = _tree()
VIALS = [code for code in TREE if code not in TREE.values()]
CODES = st.sampled_from([*TREE])


def vials_in(code: str) -> list[str]:
    """The vials in a pack, or the vial itself."""
    return [vial for vial in VIALS if f"{vial}-".startswith(f"{code}-")]


@dataclass
class Vial:
    """Where a vial is, by the name of its place; None while it was only announced. `opened`: a dose of it was given."""

    place: str | None = None
    left: int = 2
    opened: bool = False


@dataclass(frozen=True)
class Done:
    """What was posted, and the vials that it changed as they were before it."""

    events: tuple[UUID, ...]
    before: dict[str, Vial] = field(default_factory=dict)


class Packs(RuleBasedStateMachine):
    """A county that gets two cases, and takes them apart."""

    template: ClassVar[CountyTemplate]

    def __init__(self) -> None:
        super().__init__()
        self.copy = self.template.fresh()
        county = self.copy.__enter__()
        self.database, self.actor = county.database, county.actor("admin")
        self.keys, self.vials = count(), {code: Vial() for code in VIALS}
        self.done: list[Done] = []
        lines = tuple(PackLine(code, parent=parent) for code, parent in TREE.items())
        announce_packs(self.database, None, PackFile(TWO, BATCH, EXPIRY, lines), NOW)
        self.receive("CASE0")

    def teardown(self) -> None:
        verdict = verify(self.database)
        assert verdict.holds, verdict.faults
        self.copy.__exit__(None, None, None)

    def request(self) -> Request:
        return Request(self.actor, NOW, str(next(self.keys)))

    def try_it(self, expected: bool, code: str, work: Callable[[], Posted]) -> str | None:
        """Post, and hold it against what the oracle expects; what is in the pack becomes something to undo."""
        before = {vial: Vial(**vars(self.vials[vial])) for vial in vials_in(code) if self.vials[vial].left}
        if not expected:
            with pytest.raises(ColdtrailError):
                work()
            return None
        posted = work()
        self.done.append(Done(tuple(each.id for each in posted.events), before))
        return str(posted.shipment)

    def full(self, code: str) -> list[Vial]:
        """The vials in a pack that something is left of."""
        return [self.vials[vial] for vial in vials_in(code) if self.vials[vial].left]

    def are(self, code: str, *places: str) -> bool:
        """Whether all that is left in a pack is in these places, in vials that nobody has opened."""
        full = self.full(code)
        return bool(full) and all(each.place in places and not each.opened for each in full)

    def put(self, code: str, place: str | None) -> None:
        for each in self.full(code):
            each.place = place

    @rule(code=CODES)
    def receive(self, code: str) -> None:
        mine = [self.vials[vial] for vial in vials_in(code)]
        order = ReceiptOrder(
            "COUNTY", "MAKER", TWO, BATCH, EXPIRY, 2 * len(mine), ROOM, NOW, tuple(Paper), COOL, packs=(PackLine(code),)
        )
        new = all(each.place is None for each in mine)
        if self.try_it(new, code, lambda: receive_goods(self.database, self.request(), order)):
            self.put(code, ROOM)

    @rule(code=CODES)
    def send(self, code: str) -> None:
        order = DispatchOrder("COUNTY", "SITE-A", NOW, (Line(TWO, BATCH, packs=(code,)),))
        there = self.are(code, ROOM)
        if shipment := self.try_it(there, code, lambda: dispatch(self.database, self.request(), order)):
            self.put(code, shipment)

    @rule(code=CODES)
    def arrive(self, code: str) -> None:
        aboard = sorted({each.place or "" for each in self.full(code)} - {ROOM, HELD, FRIDGE, ""})
        if aboard:
            lines = (ArrivalLine(TWO, BATCH, packs=(code,)),)
            order = ArrivalOrder(UUID(aboard[0]), FRIDGE, NOW, lines, transport=COOL)
            there = self.are(code, aboard[0])
            if self.try_it(there, code, lambda: receive_shipment(self.database, self.request(), order)):
                self.put(code, FRIDGE)

    @rule(code=CODES)
    def isolate(self, code: str) -> None:
        order = HoldOrder(
            facility="COUNTY", gtin=TWO, batch=BATCH, occurred_at=NOW, appliance=ROOM, packs=(code,), reason="Odd"
        )
        if self.try_it(self.are(code, ROOM), code, lambda: hold(self.database, self.request(), order)):
            self.put(code, HELD)

    @rule(code=CODES)
    def set_free(self, code: str) -> None:
        order = ReleaseOrder(
            facility="COUNTY", gtin=TWO, batch=BATCH, occurred_at=NOW, appliance=ROOM, packs=(code,), reason="Well"
        )
        if self.try_it(self.are(code, HELD), code, lambda: release(self.database, self.request(), order)):
            self.put(code, ROOM)

    @rule(code=CODES)
    def throw_away(self, code: str) -> None:
        order = WastageOrder(
            facility="COUNTY",
            gtin=TWO,
            batch=BATCH,
            occurred_at=NOW,
            appliance=ROOM,
            packs=(code,),
            cause=WasteReason.BROKEN,
        )
        if self.try_it(self.are(code, ROOM, HELD), code, lambda: waste(self.database, self.request(), order)):
            for each in self.full(code):
                each.left = 0

    @rule(code=st.sampled_from(VIALS))
    def give(self, code: str) -> None:
        vial = self.vials[code]
        order = AdministrationOrder("SITE-A", TWO, BATCH, 1, NOW, pack=code)
        there = vial.place == FRIDGE and vial.left > 0
        if self.try_it(there, code, lambda: administer(self.database, self.request(), order)):
            vial.left, vial.opened = vial.left - 1, True

    @rule(which=st.integers(0, 99))
    def undo(self, which: int) -> None:
        """The newest first, mostly; what later events stand on is refused, and then nothing has changed."""
        if not self.done:
            return
        index = max(0, len(self.done) - 1 - which % 3)
        done = self.done[index]
        for event in reversed(done.events):
            try:
                correct(self.database, self.request(), CorrectionOrder(event, NOW, "A slip"))
            except ColdtrailError:
                assert event is done.events[-1]  # half an undone pair would be a fault
                return
        del self.done[index]
        self.vials |= {code: Vial(**vars(vial)) for code, vial in done.before.items()}

    @invariant()
    def each_pack_is_where_it_was_put(self) -> None:
        held: Counter[UUID] = Counter()
        remaining: dict[UUID, int] = {}
        for code in TREE:
            found = get_pack(self.database, code)
            self._shows(found)
            if code in self.vials and found.custody is not None and found.custody_remaining is not None:
                held[found.custody] += found.remaining
                remaining[found.custody] = found.custody_remaining
        assert held == Counter(remaining)

    def _shows(self, found: PackView) -> None:
        """A pack with a place holds its vials there, and what is left in it is what is left in them."""
        mine = [self.vials[vial] for vial in vials_in(found.code)]
        assert found.remaining == sum(each.left for each in mine)
        if found.place is not None or found.level == 1:
            assert {each.place for each in mine} == {name_of(found.place)}


def name_of(place: Place | None) -> str | None:
    """The oracle's name of a place."""
    if place is None:
        return None
    if place.shipment is not None:
        return str(place.shipment)
    return HELD if place.kind == HELD else place.appliance


def test_packs_are_those_of_the_oracle(any_county: CountyTemplate) -> None:
    few = {"sqlite": 10, "postgresql": 3}[any_county.engine]

    class Here(Packs):
        template = any_county

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=few, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
