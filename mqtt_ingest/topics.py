"""Topics: `{root}/{shard}/{gateway}/{kind}`, and those of Sparkplug B.

The shard is given at enrolment, so that several ingest workers divide the gateways among them by plain
durable subscriptions; a shared subscription would strand the part of a member that is away.

Sparkplug B lays out its own, `spBv1.0/{group}/{kind}/{edge node}[/{device}]`: the group is the shard, and the edge
node the gateway.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

ROOT = "coldtrail/v1"
"""Where all topics of an installation begin, unless its settings say otherwise."""

SPARKPLUG = "spBv1.0"
"""Where all topics of Sparkplug B begin, whatever the installation."""

_SHARD = re.compile(r"[0-9a-f]{2}")
_SHORT = 200
_GATEWAY = re.compile(r"[^/+#\0]{1,64}")


class Kind(StrEnum):
    """What is said on a topic."""

    READINGS = "readings"
    """Readings in Coldtrail's own format, numbered by the gateway."""
    CCE = "cce"
    """A WHO/PQS E006 DS01 delivery envelope."""
    STATE = "state"
    """That a gateway came or went."""
    RECEIPT = "receipt"
    """From the service to the gateway: what is committed."""
    NBIRTH = "NBIRTH"
    """Sparkplug B: an edge node came, and says which metrics it has."""
    DBIRTH = "DBIRTH"
    """Sparkplug B: a device of an edge node came, and the edge node says which metrics it has."""
    NDATA = "NDATA"
    """Sparkplug B: metrics of an edge node itself."""
    DDATA = "DDATA"
    """Sparkplug B: metrics of a device."""
    NDEATH = "NDEATH"
    """Sparkplug B: an edge node went; its last will."""
    DDEATH = "DDEATH"
    """Sparkplug B: an edge node lost a device."""
    NCMD = "NCMD"
    """Sparkplug B: from the service to the edge node; it is asked for its births."""


OF_NODES = (Kind.NBIRTH, Kind.NDATA, Kind.NDEATH)
"""The kinds in which an edge node speaks of itself."""

OF_DEVICES = (Kind.DBIRTH, Kind.DDATA, Kind.DDEATH)
"""The kinds in which an edge node speaks of a device."""

_SPARKPLUG_KINDS = (*OF_NODES, *OF_DEVICES, Kind.NCMD)
_OWN_KINDS = tuple(kind for kind in Kind if kind not in _SPARKPLUG_KINDS)

HEARD = (Kind.READINGS, Kind.CCE, Kind.STATE)
"""The kinds that an ingest worker subscribes to."""


class BadTopic(ValueError):
    """A topic that is none of this installation's."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Whose message it is and of which kind; `shard` is two lower-case hexadecimal digits.

    A Sparkplug edge node speaks of its devices under their names; no other topic has a `device`.
    """

    shard: str
    gateway: str
    kind: Kind
    device: str | None = None


def parse(topic: str, root: str = ROOT) -> Topic:
    """The parts of a topic below `root`, or of one of Sparkplug B.

    Raises:
        BadTopic: it lies elsewhere, or its shard, gateway code, device or kind is none.
    """
    if topic.startswith(f"{SPARKPLUG}/"):
        return _sparkplug(topic.split("/")[1:])
    if not topic.startswith(f"{root}/"):
        raise BadTopic(f"topic is outside {root}/")
    levels = topic.removeprefix(f"{root}/").split("/")
    if len(levels) != 3:
        raise BadTopic(f"topic has {len(levels)} levels below {root}/; expected shard/gateway/kind")
    shard, gateway, kind = levels
    _require_names(shard, gateway)
    return Topic(shard, gateway, _kind(kind, _OWN_KINDS))


def _sparkplug(levels: Sequence[str]) -> Topic:
    if len(levels) not in {3, 4}:
        raise BadTopic(f"topic has {len(levels)} levels below {SPARKPLUG}/; expected group/kind/node or one more")
    shard, word, gateway, *device = levels
    kind = _kind(word, _SPARKPLUG_KINDS)
    topic = Topic(shard, gateway, kind, device[0] if device else None)
    _require_names(topic.shard, topic.gateway)
    _require_device(topic)
    return topic


def _kind(word: str, kinds: Sequence[Kind]) -> Kind:
    if word not in kinds:
        raise BadTopic(f"kind is {word[:64]!r}; expected one of {', '.join(kinds)}")
    return Kind(word)


def build(topic: Topic, root: str = ROOT) -> str:
    """The topic as MQTT wants it.

    Raises:
        BadTopic: the shard, the gateway code or the device cannot stand in a topic, or the kind wants no device.
    """
    _require_names(topic.shard, topic.gateway)
    _require_device(topic)
    if topic.kind in _SPARKPLUG_KINDS:
        device = f"/{topic.device}" if topic.device is not None else ""
        return f"{SPARKPLUG}/{topic.shard}/{topic.kind}/{topic.gateway}{device}"
    return f"{root}/{topic.shard}/{topic.gateway}/{topic.kind}"


def receipt_topic(gateway: str, shard: str, root: str = ROOT) -> str:
    """Where a gateway hears what is committed; BadTopic for a code or shard that cannot stand in a topic."""
    return build(Topic(shard, gateway, Kind.RECEIPT), root)


def filters(shards: Sequence[str] | None = None, root: str = ROOT) -> list[str]:
    """Subscription filters for what gateways send in these shards, in all of them by default.

    Raises:
        BadTopic: a shard is not two lower-case hexadecimal digits.
    """
    for shard in shards or ():
        _require_names(shard, "any")
    return [f"{root}/{shard}/+/{kind}" for shard in shards or ("+",) for kind in HEARD]


def command_topic(gateway: str, shard: str) -> str:
    """Where a Sparkplug edge node hears commands; BadTopic for a code or shard that cannot stand in a topic."""
    return build(Topic(shard, gateway, Kind.NCMD))


def sparkplug_filters(shards: Sequence[str] | None = None) -> list[str]:
    """Subscription filters for what Sparkplug edge nodes send in these shards, in all of them by default.

    Raises:
        BadTopic: a shard is not two lower-case hexadecimal digits.
    """
    for shard in shards or ():
        _require_names(shard, "any")
    levels = {**dict.fromkeys(OF_NODES, "+"), **dict.fromkeys(OF_DEVICES, "+/+")}
    return [f"{SPARKPLUG}/{shard}/{kind}/{level}" for shard in shards or ("+",) for kind, level in levels.items()]


def _require_device(topic: Topic) -> None:
    if (topic.device is not None) is not (topic.kind in OF_DEVICES):
        raise BadTopic(f"topic of the kind {topic.kind} {'lacks a' if topic.device is None else 'has a'} device")
    if topic.device is not None and not _GATEWAY.fullmatch(topic.device):
        raise BadTopic(f"device is {topic.device[:64]!r}; expected 1 to 64 characters other than / + # and NUL")


def _require_names(shard: str, gateway: str) -> None:
    if not _SHARD.fullmatch(shard):
        raise BadTopic(f"shard is {shard[:64]!r}; expected two lower-case hexadecimal digits")
    if not _GATEWAY.fullmatch(gateway):
        raise BadTopic(f"gateway is {gateway[:64]!r}; expected 1 to 64 characters other than / + # and NUL")


def as_text(name: bytes) -> str:
    """A name as text that can be stored; MQTT forbids what is escaped here, but not every broker looks."""
    return _remembered(name) if len(name) <= _SHORT else _escaped(name)


@lru_cache(maxsize=65536)
def _remembered(name: bytes) -> str:
    return _escaped(name)


def _escaped(name: bytes) -> str:
    return name.decode(errors="backslashreplace").replace("\0", "\\0")
