"""Random histories of a county: late entries, corrections and refusals among them, and what they recorded."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from inventory.domain.errors import ColdtrailError
from inventory.domain.words import End, EventKind, LocationKind, Outcome, WasteReason
from inventory.persistence.database import Database
from inventory.services.administrations import AdministrationOrder, administer
from inventory.services.corrections import CorrectionOrder, correct
from inventory.services.counts import CountOrder, count
from inventory.services.deliveries import ArrivalLine, ArrivalOrder, receive_shipment
from inventory.services.moves import MoveOrder, move
from inventory.services.posting import Posted, PostedEvent, Request
from inventory.services.quarantine import HoldOrder, ReleaseOrder, hold, release
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, dispatch
from inventory.services.stock import StockLine, list_stock
from inventory.services.wastages import WastageOrder, waste
from tests.county import COOL, EXPIRY, HOUR, MINUTE, NOW, ONE, PAPERS, TWO, County

ROOMS = {"CITY": "CITY-ROOM", "COUNTY": "COUNTY-ROOM", "SITE-A": "A-FRIDGE", "SITE-B": "B-FRIDGE"}
WAYS = {"CITY": ["COUNTY"], "COUNTY": ["SITE-A", "SITE-B"]}
SITES = WAYS["COUNTY"]
BEGAN = NOW - 20 * HOUR


@dataclass(frozen=True)
class Moved:
    """A line as it was recorded; that of a correction has the time of what it takes back."""

    source: UUID | None
    target: UUID | None
    end: End | None
    doses: int
    at: datetime
    recorded_at: datetime


class Nothing(Exception):
    """There is nothing that could be asked for."""


@dataclass
class History:
    """What was posted, in the order in which it was recorded."""

    county: County
    random: Random
    now: datetime = BEGAN
    events: list[PostedEvent] = field(default_factory=list)
    undone: dict[UUID, UUID] = field(default_factory=dict)
    steps: int = 0

    @property
    def database(self) -> Database:
        """Where it is recorded."""
        return self.county.database

    def play(self, steps: int) -> "History":
        """Go on for so many orders; those that are refused leave nothing."""
        self._actor = self.county.actor("admin")
        for gtin in (ONE, TWO):
            self._receive(gtin, "B1", 20)
        doings = (
            [self.receive] + [self.send] * 4 + [self.take] * 5 + [self.give] * 4
            + [self.throw, self.hold, self.hold, self.release, self.put, self.put, self.count] + [self.correct] * 2
        )  # fmt: skip
        for step in range(steps):
            self.now += self.random.choice([0, 7, 15, 40]) * MINUTE
            with suppress(ColdtrailError, Nothing):
                ([self.send, self.take] * 4 + [self.random.choice(doings)])[min(step, 8)]()
        return self

    def request(self) -> Request:
        """By the admin, at the time that it is."""
        self.steps += 1
        return Request(self._actor, self.now, f"step-{self.steps}")

    def late(self, since: datetime = BEGAN) -> datetime:
        """When something happened: mostly now, sometimes long before it is recorded, seldom before it could."""
        at = self.now - self.random.choice([0, 0, 10, 30, 90, 300]) * MINUTE
        return max(at, since if self.random.random() < 0.9 else BEGAN)

    def keep(self, posted: Posted) -> Posted:
        """Remember what was written."""
        self.events += posted.events
        return posted

    def some(self, wanted: Callable[[StockLine], bool]) -> StockLine:
        """Doses that are somewhere now."""
        found = [line for line in list_stock(self.database, None, None, None, 1000).items if wanted(line)]
        if not found:
            raise Nothing
        return self.random.choice(found)

    def _receive(self, gtin: str, batch: str, doses: int) -> None:
        order = ReceiptOrder("CITY", "MAKER", gtin, batch, EXPIRY, doses, "CITY-ROOM", self.late(), PAPERS, COOL)
        self.keep(receive_goods(self.database, self.request(), order))

    def receive(self) -> None:
        """Goods from the supplier."""
        self._receive(self.random.choice([ONE, TWO]), self.random.choice(["B1", "B2"]), self.random.choice([2, 6]))

    def send(self) -> None:
        """Doses leave for a facility down the line."""
        line = self.some(lambda each: each.place.facility in WAYS and each.place.kind is LocationKind.STORAGE)
        sender = line.place.facility or ""
        doses = self.random.choice([2, 4, line.doses])
        lines = (Line(line.gtin, line.batch, doses),)
        order = DispatchOrder(sender, self.random.choice(WAYS[sender]), self.late(line.opened_at), lines)
        self.keep(dispatch(self.database, self.request(), order))

    def take(self) -> None:
        """A shipment arrives, or a part of it."""
        line = self.some(lambda each: each.place.kind is LocationKind.TRANSIT)
        assert line.place.shipment is not None
        lines = () if self.random.random() < 0.6 else (ArrivalLine(line.gtin, line.batch, 2),)
        outcome = self.random.choice([Outcome.ACCEPT] * 4 + [Outcome.HOLD])
        reason = None if outcome is Outcome.ACCEPT else "papers"
        room = ROOMS[line.place.to_facility or ""]
        at = self.late(line.opened_at)
        order = ArrivalOrder(line.place.shipment, room, at, lines, outcome, reason, COOL)
        self.keep(receive_shipment(self.database, self.request(), order))

    def give(self) -> None:
        """Doses are given at a site."""
        line = self.some(lambda each: each.place.facility in SITES and each.place.kind is LocationKind.STORAGE)
        doses, at = self.random.choice([1, 1, 2]), self.late(line.opened_at)
        order = AdministrationOrder(line.place.facility or "", line.gtin, line.batch, doses, at)
        self.keep(administer(self.database, self.request(), order))

    def about(self, kind: LocationKind, facilities: Collection[str] = tuple(ROOMS)) -> dict[str, Any]:
        """An order about doses in an appliance."""
        line = self.some(lambda each: each.place.facility in facilities and each.place.kind is kind)
        return {
            "facility": line.place.facility,
            "gtin": line.gtin,
            "batch": line.batch,
            "doses": self.random.choice([1, 2, 4]),
            "occurred_at": self.late(line.opened_at),
            "appliance": line.place.appliance,
        }

    def throw(self) -> None:
        """Doses are wasted."""
        order = WastageOrder(**self.about(LocationKind.STORAGE), cause=WasteReason.BROKEN)
        self.keep(waste(self.database, self.request(), order))

    def hold(self) -> None:
        """Doses are isolated."""
        order = HoldOrder(**self.about(LocationKind.STORAGE), reason="doubt")
        self.keep(hold(self.database, self.request(), order))

    def release(self) -> None:
        """And given free."""
        order = ReleaseOrder(**self.about(LocationKind.QUARANTINE), reason="none", papers=PAPERS)
        self.keep(release(self.database, self.request(), order))

    def put(self) -> None:
        """Doses go into the box of site A, or back."""
        order = self.about(LocationKind.STORAGE, ["SITE-A"])
        other = {"A-BOX": "A-FRIDGE", "A-FRIDGE": "A-BOX"}[order["appliance"]]
        self.keep(move(self.database, self.request(), MoveOrder(**order, to_appliance=other)))

    def count(self) -> None:
        """A count finds fewer than the book has, or more."""
        about = self.about(LocationKind.STORAGE)
        there = sum(
            line.doses
            for line in list_stock(self.database, about["facility"], about["batch"], None, 1000).items
            if line.gtin == about["gtin"] and line.place.appliance == about["appliance"]
        )
        counted = max(0, there + self.random.choice([-2, 0, 2]))
        order = CountOrder(about["facility"], about["appliance"], about["gtin"], about["batch"], counted, self.now)
        self.keep(count(self.database, self.request(), replace(order, reason="count")))

    def correct(self) -> None:
        """One of the last events is taken back."""
        event = self.random.choice(self.events[-6:])
        posted = correct(self.database, self.request(), CorrectionOrder(event.id, self.now, "slip"))
        self.undone[posted.events[0].id] = event.id
        self.keep(posted)

    def lines(self) -> Sequence[Moved]:
        """All that moved."""
        at = {event.id: event.occurred_at for event in self.events}
        return [
            Moved(
                line.from_custody, line.to_custody, line.end, line.doses, at[self.undone.get(event.id, event.id)],
                event.recorded_at,
            )
            for event in self.events
            for line in event.movements
        ]  # fmt: skip

    @property
    def standing(self) -> list[PostedEvent]:
        """The events that were not taken back, without those that took others back."""
        gone = {*self.undone, *self.undone.values()}
        return [event for event in self.events if event.id not in gone and event.kind is not EventKind.CORRECT]
