"""Which bills an event makes: one for each way in which its doses came into a unit, left it, or were given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from inventory.domain.bills import BillType
from inventory.domain.transport import TransportRecord
from inventory.domain.words import Chosen, EventKind, Explanation, Purpose, WasteReason
from inventory.services.bills.facts import Facts, Trip
from inventory.services.events import Event
from inventory.services.posting import PostedMovement

SENT: Mapping[Purpose, BillType] = {
    Purpose.SUPPLY: BillType.SUPPLY_OUT,
    Purpose.RETURN: BillType.RETURN_OUT,
    Purpose.TRANSFER: BillType.TRANSFER_OUT,
}
RECEIVED: Mapping[Purpose, BillType] = {
    Purpose.SUPPLY: BillType.SUPPLY_IN,
    Purpose.RETURN: BillType.RETURN_IN,
    Purpose.TRANSFER: BillType.TRANSFER_IN,
}

Movements = tuple[PostedMovement, ...]


@dataclass(frozen=True)
class Part:
    """Movements of an event that make one bill: its type, its two units, its trip and the transport's record.

    `on_the_way`: the doses were refused at the door, or wasted on a trip, so that they leave no unit.
    """

    type: BillType
    movements: Movements
    sender: str | None
    receiver: str | None
    trip: Trip | None = None
    transport: TransportRecord | None = None
    on_the_way: bool = False

    @property
    def doses(self) -> int:
        """How many doses it is of."""
        return sum(line.doses for line in self.movements)

    @property
    def scanned(self) -> bool:
        """Whether packs were scanned for it."""
        return any(line.chosen is Chosen.SCANNED for line in self.movements)


def parts_of(event: Event, facts: Facts) -> list[Part]:
    """The parts of an event that are bills: none where all doses stay in the unit, or none moved."""
    make = _PARTS.get(event.kind)
    return [part for part in make(event, facts) if part.movements] if make else []


def _received(event: Event, facts: Facts) -> list[Part]:
    if event.shipment is None:
        supplier = event.details.get("supplier")
        return [Part(BillType.PURCHASE_IN, event.movements, supplier, event.facility, None, event.transport)]
    trip = facts.trips[event.shipment]
    found, back, kept = _sorted(event, facts)
    parts = [
        Part(_received_as(event, trip), kept, trip.sender, event.facility, trip, trip.transport),
        Part(BillType.SURPLUS_IN, found, None, event.facility),
    ]
    if back:
        parts.append(_sent_back(back, facts))
    return parts


def _sorted(event: Event, facts: Facts) -> tuple[Movements, Movements, Movements]:
    """What came beyond what was sent, what went back at the door, and what was kept."""
    found = tuple(line for line in event.movements if line.from_custody is None)
    back = tuple(line for line in event.movements if line.to_custody in facts.on_trip)
    return found, back, tuple(line for line in event.movements if line not in found and line not in back)


def _received_as(event: Event, trip: Trip) -> BillType:
    """What was missing and then found where it was sent from has come back."""
    at_sender = event.details.get("explanation") == Explanation.FOUND and event.facility == trip.sender
    return BillType.RETURN_IN if at_sender else RECEIVED[trip.purpose]


def _sent_back(back: Movements, facts: Facts) -> Part:
    trip = facts.trips[facts.on_trip[_opened(back[0])]]
    return Part(BillType.RETURN_OUT, back, trip.sender, trip.receiver, trip, trip.transport, on_the_way=True)


def _opened(line: PostedMovement) -> UUID:
    assert line.to_custody is not None  # noqa: S101  (it is a key of `on_trip`)
    return line.to_custody


def _sent(event: Event, facts: Facts) -> list[Part]:
    if event.shipment is None:  # out of the ledger, to a supplier
        receiver = event.details.get("to")
        return [Part(BillType.RETURN_OUT, event.movements, event.facility, receiver, None, event.transport)]
    trip = facts.trips[event.shipment]
    return [Part(SENT[trip.purpose], event.movements, trip.sender, trip.receiver, trip, trip.transport)]


def _wasted(event: Event, facts: Facts) -> list[Part]:
    kind = BillType.SHORTAGE_OUT if event.cause is WasteReason.LOST else BillType.DESTROY_OUT
    on_the_way = any(line.from_custody in facts.on_trip for line in event.movements)
    return [Part(kind, event.movements, event.facility, None, on_the_way=on_the_way)]


def _counted(event: Event, facts: Facts) -> list[Part]:  # noqa: ARG001  (one shape for all)
    found = tuple(line for line in event.movements if line.from_custody is None)
    missing = tuple(line for line in event.movements if line.end is not None)
    return [
        Part(BillType.SURPLUS_IN, found, None, event.facility),
        Part(BillType.SHORTAGE_OUT, missing, event.facility, None),
    ]


def _given(event: Event, facts: Facts) -> list[Part]:  # noqa: ARG001
    return [Part(BillType.DOSE_GIVEN, event.movements, event.facility, None)]


_PARTS: Mapping[EventKind, Callable[[Event, Facts], list[Part]]] = {
    EventKind.RECEIVE: _received,
    EventKind.DISPATCH: _sent,
    EventKind.RETURN: _sent,
    EventKind.WASTE: _wasted,
    EventKind.COUNT: _counted,
    EventKind.ADMINISTER: _given,
}
BILLED = (*_PARTS, EventKind.CORRECT)
"""The kinds of events that may make bills, or cancel them."""
