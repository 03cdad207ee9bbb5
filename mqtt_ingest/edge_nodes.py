"""What the births of Sparkplug edge nodes said, so that the metrics of their later messages are known as sensors.

Between its birth and its death an edge node may name a metric by its alias alone. Whoever has not heard the birth
knows nothing, so what the births said has to outlive the ingest worker (`dump` and `load`), and what cannot be known
is not guessed: the message is to be kept aside, and the edge node asked for its births anew.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from inventory.services.messages import Measurement, Presence
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.fields import shown
from mqtt_ingest.formats.metric_sensors import Definition, defined
from mqtt_ingest.formats.metrics import EdgeMessage, Metric
from mqtt_ingest.topics import Kind, Topic

_NUMBERS = 256
_SHOWN = 5
_MOST = 100_000
"""How many are known at most: a stranger may use any name, and who is forgotten is asked for its births."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What came of a message of an edge node.

    Attributes:
        content: its readings of known sensors, and its presence.
        unknown: why its payload is to be kept aside as UNKNOWN_ALIAS, if it is.
        malformed: why its payload is to be kept aside as MALFORMED, if it is.
        unread: how many temperatures it told to be null or not finite.
        missed: how many messages of the edge node are missing before it.
        rebirth: whether the edge node is to be asked for its births.
    """

    content: Content
    unknown: str | None = None
    malformed: str | None = None
    unread: int = 0
    missed: int = 0
    rebirth: bool = False


@dataclass(slots=True)
class _Table:
    """The metrics of an edge node (device None) or of one of its devices."""

    by_name: dict[str, Definition]
    by_alias: dict[int, Definition]

    def of(self, metric: Metric) -> Definition | None:
        """What the birth said of a metric; its name goes before its alias."""
        if metric.name is not None:
            return self.by_name.get(metric.name)
        return None if metric.alias is None else self.by_alias.get(metric.alias)


@dataclass(slots=True)
class _Node:
    birth: int | None = None
    seq: int | None = None
    at: datetime | None = None
    tables: dict[str | None, _Table] = field(default_factory=dict)

    def step(self, seq: int, at: datetime | None) -> int:
        """Take the number of a message; how many are missing before it. What comes late or again is not counted."""
        missed = 0 if self.seq is None else (seq - self.seq - 1) % _NUMBERS
        if missed and self._is_late(missed, at):
            return 0
        self.seq, self.at = seq, at
        return missed

    def _is_late(self, missed: int, at: datetime | None) -> bool:
        """Whether a message that is not the next was sent before the last: by its time, else as is more likely."""
        if at is None or self.at is None or at == self.at:
            return missed >= _NUMBERS // 2
        return at < self.at

    def define(self, device: str | None, definitions: Iterable[Definition]) -> None:
        found = _distinct(definitions)
        aliases = {each.alias: each for each in found if each.alias is not None}
        self.tables[device] = _Table({each.name: each for each in found}, aliases)


@dataclass(slots=True)
class _Reading:
    """What is found while the metrics of one message are read."""

    measurements: list[Measurement] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    unread: int = 0
    strange: bool = False

    def take(self, metric: Metric, definition: Definition | None) -> None:
        if definition is None:
            self._miss(metric)
        elif definition.fault is not None:
            self.faults.append(definition.fault)
        elif definition.sensor is not None:
            self._measure(metric, definition, definition.sensor)

    def _miss(self, metric: Metric) -> None:
        """Of what no birth told; only a number can have been a temperature."""
        self.strange = True
        if isinstance(metric.value, int | float) and not isinstance(metric.value, bool):
            self.unknown.append(f"alias {metric.alias}" if metric.name is None else shown(metric.name))

    def _measure(self, metric: Metric, definition: Definition, sensor: str) -> None:
        if metric.value is None or (isinstance(metric.value, float) and not isfinite(metric.value)):
            self.unread += 1
        elif metric.at is None:
            self.faults.append(f"{shown(definition.name)} has no time that can be one")
        else:
            try:
                value = definition.hundredths(metric.value)
            except (ValueError, ArithmeticError) as error:
                self.faults.append(f"{shown(definition.name)}: {error}")
            else:
                self.measurements.append(Measurement(sensor, metric.at, value))


class EdgeNodes:
    """The edge nodes that one ingest worker hears; it changes with each message, in the order in which they come."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[str, str], _Node] = {}

    def resolve(self, topic: Topic, message: EdgeMessage) -> Resolved:
        """What a message says, by what the births before it said."""
        if len(self._nodes) >= _MOST:
            self.forget_all()
        node = self._nodes.setdefault((topic.shard, topic.gateway), _Node())
        if message.kind is Kind.NDEATH:
            return _death(node, message)
        if message.kind is Kind.NBIRTH:
            node.birth, node.seq = message.birth, None
            node.tables.clear()
        missed = 0 if message.seq is None else node.step(message.seq, message.at)
        if message.kind in {Kind.NBIRTH, Kind.DBIRTH}:
            node.define(topic.device, (defined(metric, topic.device) for metric in message.metrics))
        if message.kind is Kind.DDEATH:
            node.tables.pop(topic.device, None)
            return Resolved(Content(()), missed=missed, rebirth=missed > 0)
        return _resolved(node, topic, message, missed)

    def dump(self, shard: str, gateway: str) -> dict[str, Any]:
        """What is known of an edge node, to be stored as JSON with the messages that taught it."""
        node = self._nodes.get((shard, gateway), _Node())
        tables = [[device, [_row(each) for each in table.by_name.values()]] for device, table in node.tables.items()]
        at = None if node.at is None else node.at.isoformat()
        return {"birth": node.birth, "seq": node.seq, "at": at, "tables": tables}

    def load(self, shard: str, gateway: str, stored: Mapping[str, Any]) -> None:
        """Know again what `dump` gave."""
        at = stored.get("at")
        node = _Node(stored["birth"], stored["seq"], None if at is None else datetime.fromisoformat(at))
        for device, rows in stored["tables"]:
            node.define(device, map(_definition, rows))
        self._nodes[shard, gateway] = node

    def forget_all(self) -> None:
        """Know nothing of any edge node: births may have been lost with the broker's session."""
        self._nodes.clear()


def _distinct(definitions: Iterable[Definition]) -> list[Definition]:
    """The same definitions, but that no two metrics are one sensor: whose reading would count, nobody could tell."""
    found = list(definitions)
    metrics = Counter(each.sensor for each in found)
    return [
        replace(each, sensor=None, fault=f"{shown(each.name)}: {each.sensor} is the serial of several metrics")
        if each.sensor is not None and metrics[each.sensor] > 1
        else each
        for each in found
    ]


def _death(node: _Node, message: EdgeMessage) -> Resolved:
    """A will of another connection than was born last comes late, or its birth was lost: it is no absence.

    Which of the two, nobody can tell, so that what the births said holds no longer; who is there is asked for it.
    """
    expected = node.birth in {None, message.birth}
    node.tables.clear()
    if not expected:
        return Resolved(Content(()), rebirth=True)
    node.birth = node.seq = None
    return Resolved(Content((), presence=Presence(online=False, birth=message.birth)))


def _resolved(node: _Node, topic: Topic, message: EdgeMessage, missed: int) -> Resolved:
    table = node.tables.get(topic.device, _Table({}, {}))
    reading = _Reading()
    for metric in message.metrics:
        reading.take(metric, table.of(metric))
    came = Presence(online=True, birth=message.birth) if message.kind is Kind.NBIRTH else None
    return Resolved(
        content=Content(tuple(reading.measurements), presence=came),
        unknown=_listed("no birth says what these metrics are: ", reading.unknown),
        malformed=_listed("temperatures cannot be read: ", reading.faults),
        unread=reading.unread,
        missed=missed,
        rebirth=missed > 0 or reading.strange or node.birth is None,
    )


def _listed(prefix: str, found: Sequence[str]) -> str | None:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return prefix + ", ".join(found[:_SHOWN]) + more if found else None


def _row(each: Definition) -> list[object]:
    scale = None if each.scale is None else str(each.scale)
    return [each.name, each.alias, each.datatype, each.sensor, scale, each.fault]


def _definition(row: Sequence[Any]) -> Definition:
    name, alias, datatype, sensor, scale, fault = row
    return Definition(name, alias, datatype, sensor, None if scale is None else Decimal(scale), fault)
