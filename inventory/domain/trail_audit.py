"""What the leaves of a trail say, held against itself: every dose from where it was, and no leaf missing between two.

It takes one leaf after the other and keeps of each only what later ones are held against, so that a million of them
can be audited in little memory. Ids are kept as numbers for that.
"""

import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from inventory.domain.leaves import FactKind
from inventory.domain.words import EventKind, Origin

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NEVER = (1 << 63) - 1
_SKEW = timedelta(minutes=5)
"""How far the clocks of an installation's processes may differ."""

_NOWHERE = -1
_IDS = re.compile(rb'"id":"([0-9a-f-]{36})"')


@dataclass
class Stream:
    """The leaves of a batch, or of a sensor: from which number to which, and where the batch's doses are by them."""

    name: str
    first: int
    last: int
    events: int = 0
    doses: Counter[str] = field(default_factory=Counter)


class TrailAudit:
    """The audit of some leaves in the order of the log; `faults` are what it has found so far.

    They claim to be all of their batches up to the newest of each, so that none may be missing, or the chain of custody
    of one administration, `chain_of`.
    """

    def __init__(self, signed_at: datetime, chain_of: str | None = None) -> None:
        self.streams: dict[str, Stream] = {}
        self.faults: list[str] = []
        self._until, self._chain_of, self._all = signed_at + _SKEW, chain_of, chain_of is None
        self._ends: list[int] = []
        self._found: set[int] = set()
        self._events: set[int] = set()
        self._reversed: set[str] = set()
        self._mirrors: dict[str, dict[str, Any]] = {}
        self._slots: dict[int, int] = {}
        self._doses, self._in, self._out = array("q"), array("q"), array("q")
        self._opened_at, self._taken_at, self._parent = array("q"), array("q"), array("q")

    @property
    def looks_back(self) -> bool:
        """Whether the leaves are to be gone through again, for the originals of corrections."""
        return bool(self._mirrors)

    def add(self, index: int, leaf: dict[str, Any]) -> None:
        """Take the leaf of an index."""
        stream = self._count(index, leaf)
        if leaf["kind"] == FactKind.STOCK_EVENT:
            self._add_event(f"leaf {index}", leaf, stream)

    def look_back(self, content: bytes, leaf: Any) -> None:
        """Hold corrections against the event that they reverse, if this is one; `leaf` reads the content."""
        if any(each.decode() in self._reversed for each in _IDS.findall(content)):
            for line in leaf()["movements"]:
                mirror = self._mirrors.pop(line["id"], None)
                if mirror is not None and mirror != _mirrored(line):
                    self.faults.append(f"movement {line['id']}: its correction is not its mirror")

    def close(self) -> None:
        """Find what only all leaves together show."""
        missing = ", ".join(sorted(map(str, self._mirrors))[:5])
        if missing and self._all:
            self.faults.append(f"movements {missing} were corrected and are in no leaf")
        if self._all:
            for custody, slot in self._slots.items():
                self.faults += (f"custody ...{custody:016x}: {fault}" for fault in self._custody_faults(slot))
        else:
            self.faults += self._chain_faults()

    @property
    def is_corrected(self) -> bool:
        """Whether the administration whose chain this is was corrected, by a leaf that is here."""
        return self._chain_of in self._reversed

    def _count(self, index: int, leaf: dict[str, Any]) -> Stream:
        name, number = leaf["stream"], leaf["number"]
        stream = self.streams.get(name)
        if stream is None:
            stream = self.streams[name] = Stream(_title(leaf), number, number - 1)
            if self._all and number != 1:
                self.faults.append(f"leaf {index}: {stream.name} begins with its leaf {number}, not with 1")
        elif self._all and number != stream.last + 1:
            self.faults.append(f"leaf {index}: {stream.name} goes from its leaf {stream.last} to {number}")
        stream.last = number
        stream.events += 1
        return stream

    def _add_event(self, name: str, leaf: dict[str, Any], stream: Stream) -> None:
        event = leaf["event"]
        if (event_id := _number(event["id"])) in self._events:
            self.faults.append(f"{name}: event {event['id']} is in the log twice")
        self._events.add(event_id)
        if _at(event["recorded_at"]) > self._until:
            self.faults.append(f"{name}: event {event['id']} was recorded after the checkpoint was signed")
        if event["kind"] == EventKind.CORRECT:
            self._reverse(name, event)
        opened = {each["id"]: each for each in leaf["custodies"]}
        for line in leaf["movements"]:
            self._move(f"{name}: movement {line['id']}", event, line, opened, stream)
        if opened:
            self.faults.append(f"{name}: custodies {', '.join(sorted(opened))} were opened by no movement")
        if event["id"] == self._chain_of and event["kind"] == EventKind.ADMINISTER:
            self._ends = [self._slot(line["from_custody_id"]) for line in leaf["movements"]]

    def _reverse(self, name: str, event: dict[str, Any]) -> None:
        target = event.get("reverses_id")
        if target is None or target in self._reversed:
            self.faults.append(f"{name}: correction {event['id']} reverses nothing, or what was corrected before")
        else:
            self._reversed.add(target)

    def _move(
        self, name: str, event: dict[str, Any], line: dict[str, Any], opened: dict[str, Any], stream: Stream
    ) -> None:
        source, to, end = line.get("from_custody_id"), line.get("to_custody_id"), line.get("end_kind")
        doses: int = line["doses"]
        mirror = line.get("reverses_id")
        if not _is_sound(line) or (mirror is None) != (event["kind"] != EventKind.CORRECT):
            self.faults.append(f"{name}: no line that an event of kind {event['kind']} can have")
            return
        if mirror is not None:
            self._mirrors[mirror] = _negative(line)
        elif line["occurred_at"] != event["occurred_at"]:
            self.faults.append(f"{name}: its time is not that of its event")
        if source is not None:
            slot = self._slot(source)
            self._out[slot] += doses
            if mirror is None:
                self._taken_at[slot] = min(self._taken_at[slot], _micros(line["occurred_at"]))
        if to is not None:
            slot = self._slot(to)
            self._in[slot] += doses
            if mirror is None:
                self._open(name, slot, line, opened.pop(to, None))
        _sum(stream, source, end, doses, self._origin(line, to))

    def _open(self, name: str, slot: int, line: dict[str, Any], custody: dict[str, Any] | None) -> None:
        if custody is None or custody["doses"] != line["doses"] or self._doses[slot] >= 0:
            self.faults.append(f"{name}: does not open custody {line['to_custody_id']} with its doses, once")
            return
        parent = custody.get("parent_id")
        if parent != line.get("from_custody_id") or (parent is None) != ("origin" in custody):
            self.faults.append(f"{name}: the custody that it opened names another source")
        self._doses[slot], self._opened_at[slot] = custody["doses"], _micros(custody["opened_at"])
        if parent is not None:
            self._parent[slot] = self._slot(parent)
        if custody.get("origin") == Origin.FOUND:
            self._found.add(slot)

    def _origin(self, line: dict[str, Any], to: str | None) -> str:
        """Where doses from no custody come from."""
        found = line.get("from_custody_id") is None and to is not None and self._slot(to) in self._found
        return "found" if found else "received"

    def _slot(self, custody: str) -> int:
        """Where a custody's figures are; a custody may be named before the leaf that opened it."""
        number = _number(custody)
        slot = self._slots.get(number)
        if slot is None:
            slot = self._slots[number] = len(self._doses)
            for figures, first in ((self._doses, -1), (self._in, 0), (self._out, 0), (self._opened_at, 0)):
                figures.append(first)
            self._taken_at.append(_NEVER)
            self._parent.append(_NOWHERE)
        return slot

    def _custody_faults(self, slot: int) -> Iterator[str]:
        doses, came, went = self._doses[slot], self._in[slot], self._out[slot]
        if doses < 0:
            yield "doses moved out of it, and no leaf here has opened it"
        elif came not in {0, doses}:
            yield f"opened with {doses} doses, {came} were moved in"
        elif not 0 <= went <= came:
            yield f"{came} doses came in and {went} went out"
        elif self._taken_at[slot] < self._opened_at[slot]:
            yield "doses were taken before it was opened"

    def _chain_faults(self) -> Iterator[str]:
        """Each custody from that of the administration up to a root has to be here."""
        if not self._ends:
            yield f"administration {self._chain_of} is in no leaf"
        for end in self._ends:
            yield from self._way_up(end)

    def _way_up(self, slot: int) -> Iterator[str]:
        for _ in range(len(self._doses)):
            if slot == _NOWHERE:
                return
            if self._doses[slot] < 0:
                yield "the chain is broken: a custody on it was opened by no leaf here"
                return
            if self._taken_at[slot] < self._opened_at[slot]:
                yield "doses were taken from a custody before it was opened"
            slot = self._parent[slot]
        if slot != _NOWHERE:
            yield "the chain goes in a circle"


def _sum(stream: Stream, source: str | None, end: str | None, doses: int, origin: str) -> None:
    if source is None:
        stream.doses[origin] += doses
        stream.doses["in"] += doses
    if end is not None:
        stream.doses[end] += doses
        stream.doses["out"] += doses


def _is_sound(line: dict[str, Any]) -> bool:
    """As the table's own checks: one way out, from somewhere, and negative where it reverses."""
    ways = ("to_custody_id" in line) != ("end_kind" in line)
    somewhere = "from_custody_id" in line or "to_custody_id" in line
    return ways and somewhere and line["doses"] != 0 and (line["doses"] < 0) == ("reverses_id" in line)


def _mirrored(line: dict[str, Any]) -> dict[str, Any]:
    return {name: line.get(name) for name in ("from_custody_id", "to_custody_id", "end_kind", "doses", "occurred_at")}


def _negative(line: dict[str, Any]) -> dict[str, Any]:
    """What the original of a correction's line has to be."""
    return _mirrored(line) | {"doses": -line["doses"]}


def _title(leaf: dict[str, Any]) -> str:
    if "gtin" in leaf:
        return f"batch {leaf['gtin']} {leaf['batch']}"
    return f"{leaf['kind']}s of {leaf['stream']}"


def _number(uuid: str) -> int:
    """The random end of an id, which tells it from all others here in a fourth of the memory."""
    return int(uuid[-17:].replace("-", ""), 16)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _micros(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
