"""Topics: `{root}/{shard}/{gateway}/{kind}`.

The shard is given at enrolment, so that several ingest workers divide the gateways among them by plain
durable subscriptions; a shared subscription would strand the part of a member that is away.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

ROOT = "coldtrail/v1"
"""Where all topics of an installation begin, unless its settings say otherwise."""

_SHARD = re.compile(r"[0-9a-f]{2}")
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


HEARD = (Kind.READINGS, Kind.CCE)
"""The kinds that an ingest worker subscribes to."""


class BadTopic(ValueError):
    """A topic that is none of this installation's."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Whose message it is and of which kind; `shard` is two lower-case hexadecimal digits."""

    shard: str
    gateway: str
    kind: Kind


def parse(topic: str, root: str = ROOT) -> Topic:
    """The parts of a topic below `root`.

    Raises:
        BadTopic: it lies elsewhere, or its shard, gateway code or kind is none.
    """
    if not topic.startswith(f"{root}/"):
        raise BadTopic(f"topic is outside {root}/")
    levels = topic.removeprefix(f"{root}/").split("/")
    if len(levels) != 3:
        raise BadTopic(f"topic has {len(levels)} levels below {root}/; expected shard/gateway/kind")
    shard, gateway, kind = levels
    _require_names(shard, gateway)
    if kind not in list(Kind):
        raise BadTopic(f"kind is {kind[:64]!r}; expected one of {', '.join(Kind)}")
    return Topic(shard, gateway, Kind(kind))


def build(topic: Topic, root: str = ROOT) -> str:
    """The topic as MQTT wants it.

    Raises:
        BadTopic: the shard or the gateway code cannot stand in a topic.
    """
    _require_names(topic.shard, topic.gateway)
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


def _require_names(shard: str, gateway: str) -> None:
    if not _SHARD.fullmatch(shard):
        raise BadTopic(f"shard is {shard[:64]!r}; expected two lower-case hexadecimal digits")
    if not _GATEWAY.fullmatch(gateway):
        raise BadTopic(f"gateway is {gateway[:64]!r}; expected 1 to 64 characters other than / + # and NUL")
