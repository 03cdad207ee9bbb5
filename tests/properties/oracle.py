"""The ledger in plain Python: what an order must be answered, and where the doses are then."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from inventory.domain.deadlines import Status
from inventory.domain.errors import Code
from inventory.services.board import DeadlineLine
from inventory.services.posting import Posted, PostedEvent
from tests.county import NOW, ONE, TWO, ZONE

DAY, SOON, SKEW = timedelta(hours=24), timedelta(hours=6), timedelta(minutes=5)
STORES, SITES = ("CITY", "COUNTY"), ("SITE-A", "SITE-B")
VIAL = {ONE: 1, TWO: 2}
MINE = {"keeper": STORES, "county": ("COUNTY",), "nurse-a": ("SITE-A",), "nurse-b": ("SITE-B",)}


@dataclass(frozen=True)
class Lot:
    """A batch of a product."""

    gtin: str
    number: str
    expiry: date


@dataclass
class Held:
    """A custody: `place` is a facility or a shipment; `outs` are when, how many and into which custody."""

    id: UUID
    lot: Lot
    place: str | UUID
    opened: datetime
    doses: int
    parent: "Held | None"
    clock: tuple[str, datetime]
    outs: list[tuple[datetime, int, "Held | None"]] = field(default_factory=list)

    @property
    def remaining(self) -> int:
        """What is left in it."""
        return self.doses - sum(doses for _, doses, _ in self.outs)

    @property
    def turn(self) -> tuple[datetime, datetime]:
        """When it is its turn, among custodies of one batch."""
        return self.clock[1], self.opened


@dataclass
class Oracle:
    """The county's custodies, shipments and given doses."""

    held: dict[UUID, Held] = field(default_factory=dict)
    shipments: dict[UUID, tuple[str, datetime]] = field(default_factory=dict)
    lots: set[Lot] = field(default_factory=set)

    def receipt(self, who: str, store: str, lot: Lot, doses: int, at: datetime) -> Code | None:
        """What a receipt from a supplier is to be refused with."""
        return first(
            (at > NOW + SKEW, Code.TIME_IN_FUTURE),
            (not may(who, store), Code.NOT_YOUR_FACILITY),
            (store not in STORES, Code.WRONG_FACILITY_KIND),
            (doses % VIAL[lot.gtin] > 0, Code.NOT_WHOLE_VIALS),
            (expired(lot, at), Code.BATCH_EXPIRED),
        )

    def dispatch(self, who: str, way: tuple[str, str], lines: Sequence[tuple[Lot, int]], at: datetime) -> Code | None:
        """What a dispatch is to be refused with."""
        sender, receiver = way
        return first(
            (at > NOW + SKEW, Code.TIME_IN_FUTURE),
            (not may(who, sender), Code.NOT_YOUR_FACILITY),
            (sender not in STORES or receiver == sender, Code.WRONG_FACILITY_KIND),
            (any(lot not in self.lots for lot, _ in lines), Code.UNKNOWN_BATCH),
        ) or next(filter(None, (self._line(lot, doses, sender, at) for lot, doses in lines)), None)

    def _line(self, lot: Lot, doses: int, place: str, at: datetime) -> Code | None:
        return first(
            (doses % VIAL[lot.gtin] > 0, Code.NOT_WHOLE_VIALS),
            (expired(lot, at), Code.BATCH_EXPIRED),
            (doses > self.there(lot, place, at), Code.NOT_ENOUGH_DOSES),
        )

    def arrival(self, who: str, shipment: UUID, lines: Sequence[tuple[Lot, int]], at: datetime) -> Code | None:
        """What a receipt of a shipment is to be refused with; no lines are all that is left of it."""
        if at > NOW + SKEW:
            return Code.TIME_IN_FUTURE
        if shipment not in self.shipments:
            return Code.NOT_FOUND
        receiver, left_at = self.shipments[shipment]
        left = sum(each.remaining for each in self.held.values() if each.place == shipment)
        return first(
            (not may(who, receiver), Code.NOT_YOUR_FACILITY),
            (at < left_at, Code.TIME_BEFORE_SHIPMENT),
            (not lines and left == 0, Code.NOT_ENOUGH_DOSES),
            (any(lot not in self.lots for lot, _ in lines), Code.UNKNOWN_BATCH),
        ) or next(filter(None, (self._unload(lot, doses, shipment, at) for lot, doses in lines)), None)

    def _unload(self, lot: Lot, doses: int, shipment: UUID, at: datetime) -> Code | None:
        return first(
            (doses % VIAL[lot.gtin] > 0, Code.NOT_WHOLE_VIALS),
            (doses > self.there(lot, shipment, at), Code.NOT_ENOUGH_DOSES),
        )

    def administration(self, who: str, site: str, lot: Lot, doses: int, at: datetime) -> Code | None:
        """What an administration is to be refused with."""
        return first(
            (at > NOW + SKEW, Code.TIME_IN_FUTURE),
            (not may(who, site), Code.NOT_YOUR_FACILITY),
            (site not in SITES, Code.WRONG_FACILITY_KIND),
            (lot not in self.lots, Code.UNKNOWN_BATCH),
            (expired(lot, at), Code.BATCH_EXPIRED),
            (doses > self.there(lot, site, at), Code.NOT_ENOUGH_DOSES),
        )

    def at(self, lot: Lot, place: str | UUID, at: datetime) -> list[Held]:
        """The custodies of a batch with doses left that a place had at an instant."""
        mine = [each for each in self.held.values() if (each.lot, each.place) == (lot, place)]
        return [each for each in mine if each.opened <= at and each.remaining]

    def there(self, lot: Lot, place: str | UUID, at: datetime) -> int:
        """How many doses a place can give."""
        return sum(each.remaining for each in self.at(lot, place, at))

    def take_over(self, posted: Posted, place: str | UUID) -> None:
        """Note what was written; new custodies are in `place`. Every pick has to have kept to the turn."""
        for event in posted.events:
            lot = next(each for each in self.lots if (each.gtin, each.number) == (event.gtin, event.batch))
            before = {each.id: each.remaining for each in self.held.values()}
            for movement in event.movements:
                source = self.held[movement.from_custody] if movement.from_custody else None
                child: Held | None = None
                if movement.to_custody is not None:
                    clock = clock_of(place, event, source)
                    child = Held(movement.to_custody, lot, place, event.occurred_at, movement.doses, source, clock)
                    self.held[child.id] = child
                if source is not None:
                    source.outs.append((event.occurred_at, movement.doses, child))
            self._kept_to_the_turn(event, before)

    def _kept_to_the_turn(self, event: PostedEvent, before: dict[UUID, int]) -> None:
        picked = [each for each in event.movements if each.chosen == "picked" and each.from_custody is not None]
        sources = [self.held[each.from_custody] for each in picked if each.from_custody]
        assert [each.turn for each in sources] == sorted(each.turn for each in sources)
        assert all(each.remaining == 0 for each in sources[:-1])
        for last in sources[-1:]:
            there = [each for each in self.held.values() if (each.lot, each.place) == (last.lot, last.place)]
            passed_over = [each for each in there if each not in sources and before.get(each.id, 0)]
            assert all(each.turn >= last.turn for each in passed_over if each.opened <= event.occurred_at)

    def board(self, now: datetime) -> dict[UUID, tuple[object, ...]]:
        """The countdown board by the events alone: name, due, left, met, late, status of each custody's clock."""
        return {each.id: clock_line(each, now) for each in self.held.values()}


def may(who: str, facility: str) -> bool:
    """Whether somebody writes for a facility."""
    return who == "admin" or facility in MINE[who]


def expired(lot: Lot, at: datetime) -> bool:
    """Whether a batch had expired on that day."""
    return at.astimezone(ZoneInfo(ZONE)).date() > lot.expiry


def first(*faults: tuple[bool, Code]) -> Code | None:
    """The code of the first fault that there is."""
    return next((code for fault, code in faults if fault), None)


def clock_of(place: str | UUID, event: PostedEvent, source: Held | None) -> tuple[str, datetime]:
    """A site begins the clock of use; elsewhere the delivery clock goes on, or begins with the receipt."""
    if place in SITES:
        return "use", event.occurred_at + DAY
    return source.clock if source else ("deliver", event.occurred_at + DAY)


def clock_line(held: Held, now: datetime) -> tuple[object, ...]:
    """Doses meet a clock where they leave and do not take it along."""
    name, due = held.clock
    ended = [(at, doses) for at, doses, to in held.outs if to is None or to.clock[0] != name]
    met = sum(doses for at, doses in ended if at <= due)
    late = sum(doses for at, doses in ended if at > due)
    left = held.remaining
    if late or (left and now > due):
        status = Status.MISSED
    elif not left:
        status = Status.MET
    else:
        status = Status.DUE_SOON if now > due - SOON else Status.OPEN
    return name, due, left, met, late, status


def told(lines: Iterable[DeadlineLine]) -> dict[UUID, tuple[object, ...]]:
    """The service's board in the same shape."""
    return {
        line.custody: (line.name, line.due_at, line.doses_left, line.doses_met, line.doses_late, line.status)
        for line in lines
    }
