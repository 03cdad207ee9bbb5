"""The ledger in plain Python: custodies, the places that hold them, what has left them, and what was undone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from inventory.domain.deadlines import RuleName
from inventory.domain.words import End, EventKind, Paper
from inventory.services.posting import Posted, PostedEvent
from tests.county import ONE, TWO

THAWING = "00000000000017"
"""A product of two doses a vial that is kept frozen and lasts so many hours thawed."""

THAW_HOURS, OPEN_HOURS, DAY_HOURS = 12, 6, 24
VIAL = {ONE: 1, TWO: 2, THAWING: 2}
STORES, SITES = ("CITY", "COUNTY"), ("SITE-A", "SITE-B")
ABOVE = {"COUNTY": "CITY", "SITE-A": "COUNTY", "SITE-B": "COUNTY"}
OWNER = {
    "CITY-ROOM": "CITY",
    "COUNTY-ROOM": "COUNTY",
    "COUNTY-FREEZER": "COUNTY",
    "A-FRIDGE": "SITE-A",
    "A-BOX": "SITE-A",
    "B-FRIDGE": "SITE-B",
}
LIMITS = frozenset({RuleName.OPEN_VIAL, RuleName.THAW})
Clocks = dict[RuleName, datetime]


@dataclass(frozen=True)
class Lot:
    """A batch of a product."""

    gtin: str
    number: str
    expiry: date

    @property
    def per_vial(self) -> int:
        """Doses in a vial."""
        return VIAL[self.gtin]


@dataclass(frozen=True)
class Spot:
    """Where doses lie: in an appliance or a shipment, free or held."""

    of: str | UUID
    held: bool = False

    @property
    def kind(self) -> str:
        """Its kind of location."""
        if self.held:
            return "quarantine"
        return "storage" if self.of in OWNER else "transit"


NEW, BACK = Spot("the shipment that begins"), Spot("the shipment that goes back")
"""Places that get their names when the order is answered."""


@dataclass(eq=False)
class Held:
    """A custody: `outs` is what left it, `waits` the papers that a held receipt waits for."""

    id: UUID
    lot: Lot
    spot: Spot
    opened: datetime
    doses: int
    parent: "Held | None"
    clocks: Clocks
    by: EventKind
    waits: frozenset[Paper] = frozenset()
    found: bool = False
    void: bool = False
    outs: list["Out"] = field(default_factory=list)

    @property
    def left(self) -> int:
        """What is left in it."""
        return 0 if self.void else self.doses - sum(out.doses for out in self.outs)

    @property
    def is_opened(self) -> bool:
        """Whether its vials have been opened."""
        return RuleName.OPEN_VIAL in self.clocks

    def spent(self, at: datetime) -> bool:
        """Whether its vials have outlived a limit of theirs."""
        return any(due < at for name, due in self.clocks.items() if name in LIMITS)

    @property
    def turn(self) -> tuple[datetime, datetime, UUID]:
        """Whose turn it is among custodies of one batch: earliest clock, then oldest opening."""
        never = datetime.max.replace(tzinfo=self.opened.tzinfo)
        return min(self.clocks.values(), default=never), self.opened, self.id

    @property
    def root(self) -> "Held":
        """Where its doses came from at the very first."""
        return self if self.parent is None else self.parent.root


@dataclass(eq=False)
class Out:
    """Doses that left a custody: into another, or for good."""

    at: datetime
    doses: int
    to: Held | None
    end: End | None


@dataclass(frozen=True)
class Line:
    """A line that an event has to have: from a custody or none, to a place or an end."""

    source: Held | None
    doses: int
    to: Spot | End
    clocks: Clocks = field(default_factory=dict)
    waits: frozenset[Paper] = frozenset()


@dataclass(frozen=True)
class Expected:
    """An event that an order has to write."""

    kind: EventKind
    lot: Lot
    facility: str
    at: datetime
    lines: Sequence[Line] = ()
    arrives: bool = False
    """Whether it is a receipt of a shipment by its receiver."""
    counted: Spot | None = None
    """The place that it counts."""


Then = Callable[[], Expected]
"""An event that is known only when the one before it is written."""


@dataclass(eq=False)
class Happened:
    """An event that was written."""

    id: UUID
    expected: Expected
    who: str
    shipment: UUID | None
    outs: list[tuple[Held, Out]] = field(default_factory=list)
    opened: list[Held] = field(default_factory=list)
    undone: bool = False


@dataclass
class Trip:
    """A shipment: why, from and to whom, and when it left."""

    purpose: str
    sender: str
    receiver: str
    left_at: datetime


@dataclass
class Oracle:
    """The county's custodies, shipments, batches and events."""

    held: dict[UUID, Held] = field(default_factory=dict)
    trips: dict[UUID, Trip] = field(default_factory=dict)
    lots: set[Lot] = field(default_factory=set)
    events: dict[UUID, Happened] = field(default_factory=dict)

    def standing(self, kind: EventKind, lot: Lot) -> list[Happened]:
        """The events of a kind that nobody has undone."""
        return [
            each
            for each in self.events.values()
            if each.expected.kind is kind and each.expected.lot == lot and not each.undone
        ]

    def recalled(self, lot: Lot) -> bool:
        """Whether a batch is recalled."""
        return bool(self.standing(EventKind.RECALL, lot))

    def arrived_at(self, shipment: UUID) -> datetime | None:
        """When the first of a shipment came, by what stands."""
        times = [
            each.expected.at
            for each in self.events.values()
            if each.shipment == shipment and each.expected.arrives and not each.undone
        ]
        return min(times, default=None)

    def there(self, lot: Lot, spots: Iterable[Spot], at: datetime) -> list[Held]:
        """The custodies of a batch with doses left that had been opened in a place by then, in their turn."""
        wanted = set(spots)
        found = [each for each in self.held.values() if each.lot == lot and each.spot in wanted]
        return sorted((each for each in found if each.opened <= at and each.left), key=lambda each: each.turn)

    def spots(self, facility: str, *, held: bool = False) -> list[Spot]:
        """The places of a facility's appliances."""
        return [Spot(code, held) for code, owner in OWNER.items() if owner == facility]

    def facilities_of(self, spot: Spot) -> tuple[str, ...]:
        """Who may speak of the doses in a place: its owner, or both ends of a trip."""
        if isinstance(spot.of, UUID):
            trip = self.trips[spot.of]
            return trip.sender, trip.receiver
        return (OWNER[spot.of],)

    def take_over(self, who: str, posted: Posted, expected: Sequence["Expected | Then"]) -> None:
        """Hold what was written against what had to be, and note it."""
        assert len(posted.events) == len(expected), posted
        names = {NEW.of: posted.shipment, BACK.of: posted.return_shipment}
        waiting = list(expected)
        for event in posted.events:
            self._note(who, event, _next(waiting, event.gtin, event.batch), posted.shipment, names)

    def _note(
        self,
        who: str,
        event: PostedEvent,
        wanted: Expected,
        shipment: UUID | None,
        names: dict[str | UUID, UUID | None],
    ) -> None:
        assert (event.kind, event.facility, event.gtin, event.batch, event.occurred_at) == (
            wanted.kind,
            wanted.facility,
            wanted.lot.gtin,
            wanted.lot.number,
            wanted.at,
        ), (event, wanted)
        happened = self.events[event.id] = Happened(event.id, wanted, who, shipment)
        assert len(event.movements) == len(wanted.lines), (event, wanted)
        for movement, line in zip(event.movements, wanted.lines, strict=True):
            source = line.source
            assert movement.from_custody == (source.id if source else None), (movement, line)
            assert movement.doses == line.doses, (movement, line)
            if wanted.kind is EventKind.CORRECT:
                continue
            child: Held | None = None
            if isinstance(line.to, Spot):
                assert movement.to_custody is not None
                spot = Spot(names.get(line.to.of) or line.to.of, line.to.held)
                child = self._open(movement.to_custody, wanted, line, source, spot)
                happened.opened.append(child)
            else:
                assert movement.end is line.to, (movement, line)
            if source is not None:
                out = Out(wanted.at, line.doses, child, None if child else movement.end)
                source.outs.append(out)
                happened.outs.append((source, out))

    def _open(self, custody: UUID, wanted: Expected, line: Line, source: Held | None, spot: Spot) -> Held:
        found = source is None and wanted.kind in {EventKind.COUNT, EventKind.RECEIVE} and not line_is_supplied(wanted)
        child = Held(
            custody, wanted.lot, spot, wanted.at, line.doses, source, dict(line.clocks), wanted.kind, line.waits, found
        )
        self.held[custody] = child
        return child

    def undo(self, event: UUID, by: PostedEvent) -> None:
        """An event is corrected: its doses are where they were, and what it opened is void."""
        happened = self.events[event]
        opened = [each.id for each in happened.opened]
        assert [each.to_custody for each in by.movements if each.to_custody] == opened
        happened.undone = True
        for source, out in happened.outs:
            source.outs.remove(out)
        for child in happened.opened:
            child.void = True


def _next(waiting: list["Expected | Then"], gtin: str, number: str) -> Expected:
    """The next event of a batch: those of several batches come in any order."""
    first = next(
        each for each in waiting if not isinstance(each, Expected) or (each.lot.gtin, each.lot.number) == (gtin, number)
    )
    waiting.remove(first)
    return first if isinstance(first, Expected) else first()


def line_is_supplied(wanted: Expected) -> bool:
    """Whether an event that opens a root is a receipt from a supplier."""
    return wanted.kind is EventKind.RECEIVE and not wanted.arrives
