"""Which EPCIS events a stock event is (docs/standards.md has the table; decision 0044 the reasons)."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from inventory.domain.epcis import uris
from inventory.domain.epcis.events import Json, Step, Told, doses_of, finished, object_event, trip_papers, when
from inventory.domain.epcis.facts import Fact, Line, Party, Spot
from inventory.domain.words import End, EventKind, LocationKind, Origin, WasteReason

COMMISSIONED = Step("ADD", "commissioning", "active")
RECEIVED = Step("OBSERVE", "receiving", "in_progress")
RECEIVED_AND_HELD = Step("OBSERVE", "receiving", "non_conformant", set="non_conformant")
SURPLUS = Step("ADD", "receiving", "mismatch_quantity", set="non_conformant")
REFUSED = Step("OBSERVE", "inspecting", "non_conformant")
SHIPPED = Step("OBSERVE", "shipping", "in_transit")
SENT_BACK = Step("OBSERVE", "shipping", "returned")
STORED = Step("OBSERVE", "storing", "sellable_not_accessible")
STORED_HELD = Step("OBSERVE", "storing", "non_conformant")
HELD = Step("OBSERVE", "holding", "non_conformant", set="non_conformant")
FREE = Step("OBSERVE", "inspecting", "conformant", unset="non_conformant")
RECALLED = Step("OBSERVE", "holding", "recalled", set="recalled")
OPENED = Step("OBSERVE", "unpacking", "container_open")
GIVEN = Step("DELETE", "dispensing", "dispensed")
PARTLY_GIVEN = Step("OBSERVE", "dispensing", "partially_dispensed")
DESTROYED = Step("DELETE", "destroying", "destroyed")
LOST = Step("DELETE", "decommissioning", "unknown")
COUNTED = Step("OBSERVE", "cycle_counting", "completeness_verified")
COUNT_DIFFERS = Step("OBSERVE", "cycle_counting", "mismatch_quantity")
MISSING = Step("DELETE", "cycle_counting", "unknown")
FOUND = Step("ADD", "cycle_counting", "mismatch_quantity", set="non_conformant")
ASKED = Step("OBSERVE", "inspecting")
"""A supervisor's word moves nothing and finds nothing of the goods: the step alone, without a disposition."""

PACKED = Step("ADD", "packing", "in_progress")
UNPACKED = Step("DELETE", "unpacking", "in_progress")


def events_of(fact: Fact) -> list[Json]:
    """The EPCIS events of a stock event; of one that was corrected, each with its error declaration."""
    return [*(object_event(fact, told) for told in _TELL[fact.kind](fact)), *_aggregations(fact)]


def _receive(fact: Fact) -> Iterator[Told]:
    if not fact.lines:
        yield _told(fact, REFUSED, fact.details.get("doses"), source=fact.counterpart, destination=fact.facility)
    for origin, group in _by(fact.lines, lambda line: (line.origin, _kind(line.target), _shipment(line))):
        lines = list(group)
        if origin[0] is Origin.SUPPLIED:
            yield _commissioned(fact, lines)
        yield _arrived(fact, lines)


def _commissioned(fact: Fact, lines: list[Line]) -> Told:
    ilmd = {"cbvmda:lotNumber": fact.batch, "cbvmda:itemExpirationDate": fact.expiry.isoformat()}
    return _told(fact, COMMISSIONED, lines, more={"ilmd": ilmd})


def _arrived(fact: Fact, lines: list[Line]) -> Told:
    target, trip = lines[0].target, fact.trip
    if target is not None and target.shipment is not None and target.shipment != fact.shipment:
        back = fact.trips[target.shipment]
        return _told(fact, SENT_BACK, lines, papers=trip_papers(back), source=back.sender, destination=back.receiver,
                     stays=False)  # fmt: skip
    step = RECEIVED if _kind(target) is LocationKind.STORAGE else RECEIVED_AND_HELD
    if lines[0].origin is Origin.FOUND:
        step = SURPLUS
    papers = [*(trip_papers(trip) if trip else ()), ("recadv", uris.transaction(fact.id))]
    sender = trip.sender if trip else fact.counterpart
    more = _arrival(fact) | ({"coldtrail:appliance": target.appliance} if target and target.appliance else {})
    return _told(fact, step, lines, papers=papers, source=sender, destination=fact.facility, more=more,
                 measured=fact.measured)  # fmt: skip


def _arrival(fact: Fact) -> Json:
    """What the receiver stated at the door, by which another installation can take the same goods in."""
    transport = fact.details.get("transport") or {}
    degrees = transport.get("arrival_temperature")
    papers = fact.details.get("papers")
    told: Json = {} if degrees is None else {"coldtrail:arrivalCelsius": degrees / 100}
    return told | ({"coldtrail:paper": list(papers)} if papers else {})


def _dispatch(fact: Fact) -> Iterator[Told]:
    yield _sent(fact, SHIPPED, fact.lines)


def _return(fact: Fact) -> Iterator[Told]:
    yield _sent(fact, SENT_BACK, fact.lines)


def _sent(fact: Fact, step: Step, lines: Sequence[Line]) -> Told:
    trip = fact.trip
    papers = trip_papers(trip) if trip else []
    receiver = trip.receiver if trip else fact.counterpart
    return _told(fact, step, lines, papers=papers, source=fact.facility, destination=receiver, stays=False)


def _move(fact: Fact) -> Iterator[Told]:
    for target, lines in _by(fact.lines, lambda line: line.target):
        step = STORED if _kind(target) is LocationKind.STORAGE else STORED_HELD
        more = {"coldtrail:appliance": target.appliance} if target and target.appliance else None
        yield _told(fact, step, lines, more=more)


def _hold(fact: Fact) -> Iterator[Told]:
    yield from _in_places(fact, HELD)


def _release(fact: Fact) -> Iterator[Told]:
    yield from _in_places(fact, FREE)


def _recall(fact: Fact) -> Iterator[Told]:
    if not fact.lines:
        yield _told(fact, RECALLED, None)
    yield from _in_places(fact, RECALLED)


def _in_places(fact: Fact, step: Step) -> Iterator[Told]:
    """One event for each facility or shipment where the doses are."""
    for place, lines in _by(fact.lines, lambda line: _place(line.source)):
        facility, shipment = place
        papers = trip_papers(fact.trips[shipment]) if shipment else ()
        yield _told(fact, step, lines, place=facility, papers=papers)


def _open(fact: Fact) -> Iterator[Told]:
    yield _told(fact, OPENED, fact.lines)


def _administer(fact: Fact) -> Iterator[Told]:
    """Doses without a code are gone; a vial that was scanned is there with what is left in it, and opened."""
    scanned = [line for line in fact.lines if line.scanned] if fact.packs else []
    step = GIVEN if fact.doses_per_vial == 1 or not scanned else PARTLY_GIVEN
    yield _told(fact, step, fact.lines)


def _waste(fact: Fact) -> Iterator[Told]:
    step = LOST if fact.cause is WasteReason.LOST else DESTROYED
    for place, lines in _by(fact.lines, lambda line: _place(line.source)):
        facility, shipment = place
        papers = trip_papers(fact.trips[shipment]) if shipment else ()
        yield _told(fact, step, lines, place=facility, papers=papers)


def _count(fact: Fact) -> Iterator[Told]:
    counted, appliance = fact.details.get("counted"), fact.details.get("appliance")
    more = {"coldtrail:appliance": appliance} if appliance else None
    yield _told(fact, COUNT_DIFFERS if fact.lines else COUNTED, counted, more=more)
    missing = [line for line in fact.lines if line.end is End.MISSING]
    found = [line for line in fact.lines if line.end is None]
    if missing:
        yield _told(fact, MISSING, missing, more=more)
    if found:
        yield _told(fact, FOUND, found, more=more)


def _override(fact: Fact) -> Iterator[Told]:
    yield _told(fact, ASKED, None)


def _nothing(fact: Fact) -> Iterator[Told]:  # noqa: ARG001  (a correction is told as what it reversed)
    return iter(())


_TELL: dict[EventKind, Callable[[Fact], Iterator[Told]]] = {
    EventKind.RECEIVE: _receive, EventKind.DISPATCH: _dispatch, EventKind.MOVE: _move, EventKind.OPEN: _open,
    EventKind.ADMINISTER: _administer, EventKind.WASTE: _waste, EventKind.HOLD: _hold, EventKind.RELEASE: _release,
    EventKind.COUNT: _count, EventKind.RETURN: _return, EventKind.RECALL: _recall, EventKind.OVERRIDE: _override,
    EventKind.CORRECT: _nothing,
}  # fmt: skip


def _told(fact: Fact, step: Step, what: Sequence[Line] | int | None, **more: Any) -> Told:
    """What is told of some lines, or of a number of doses without any."""
    lines = what if isinstance(what, Sequence) else ()
    doses = doses_of(lines) if isinstance(what, Sequence) else what
    return Told(step, doses, more.pop("place", fact.facility), _packs(fact, lines), **more)


def _packs(fact: Fact, lines: Sequence[Line]) -> Mapping[str, int]:
    """The packs that went with some lines: by the places that they went to, or with the lines that were scanned."""
    placed = {code for line in lines for code in line.packs}
    if placed or any(line.packs for line in fact.lines):
        return {code: doses for code, doses in fact.packs.items() if code in placed}
    scanned = lines and (len(lines) == len(fact.lines) or any(line.scanned for line in lines))
    return fact.packs if scanned else {}


def _aggregations(fact: Fact) -> Iterator[Json]:
    """That packs hold packs, as it was known when they came; and that one was opened, which then holds none."""
    here = {"id": uris.location(fact.facility.gln, fact.facility.code)}
    for parent, children in fact.aggregations.items():
        told = {"parentID": uris.pack(parent), "childEPCs": [uris.pack(each) for each in children]}
        yield finished(fact, {"type": "AggregationEvent", **when(fact), **told, **PACKED.words, "readPoint": here})
    for parent in fact.opened:
        told = {"parentID": uris.pack(parent)}
        yield finished(fact, {"type": "AggregationEvent", **when(fact), **told, **UNPACKED.words, "readPoint": here})


def _by(lines: Sequence[Line], key: Callable[[Line], Any]) -> Iterator[tuple[Any, list[Line]]]:
    """Lines in groups, in the order in which these come first."""
    groups: defaultdict[Any, list[Line]] = defaultdict(list)
    for line in lines:
        groups[key(line)].append(line)
    yield from groups.items()


def _kind(spot: Spot | None) -> LocationKind | None:
    """What holds doses; a shipment's quarantine is on its way like its transit."""
    if spot is None:
        return None
    return LocationKind.TRANSIT if spot.shipment is not None else spot.kind


def _place(spot: Spot | None) -> tuple[Party | None, Any]:
    return (None, None) if spot is None else (spot.facility, spot.shipment)


def _shipment(line: Line) -> Any:
    return None if line.target is None else line.target.shipment
