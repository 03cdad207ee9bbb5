"""What a gateway says, and what it may be told: the shapes that `monitoring.record` takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from inventory.domain.words import RejectReason


class Measurement(NamedTuple):
    """One reading in a message: the sensor's serial, the instant (UTC) and hundredths of a degree Celsius."""

    sensor: str
    measured_at: datetime
    temperature: int


@dataclass(frozen=True, slots=True)
class AlarmState:
    """What a device itself says of its alarms at an instant: its own codes; none where it says that there is none."""

    sensor: str
    at: datetime
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Presence:
    """That a gateway is there, or, as a rule said by its last will, that it is not.

    `birth` numbers the connection that it is said of, so that a will that comes late is not taken for a later one's.
    """

    online: bool
    birth: int | None = None


@dataclass(frozen=True, slots=True)
class EdgeNote:
    """What is known of a Sparkplug edge node after a message of its; see mqtt_ingest.edge_nodes.

    `births` is what its births said, as JSON. `missed` messages were missing before this one, `unread` temperatures of
    it were none. `rebirth` says that it is to be asked for its births.
    """

    births: Mapping[str, Any]
    missed: int = 0
    unread: int = 0
    rebirth: bool = False


class Message(NamedTuple):
    """A well-formed message of a gateway.

    A native message is numbered by `boot` and `seq` together, a WHO delivery by its `transfer_id`; a message
    without either is stored like any other, but nothing can be promised to its sender. `first`, 1 to `seq`, is the
    lowest number of that boot that the sender still keeps: what is missing below it will never come.
    """

    topic: str
    payload: bytes
    received_at: datetime
    gateway: str
    shard: str
    measurements: tuple[Measurement, ...]
    boot: str | None = None
    seq: int | None = None
    transfer_id: str | None = None
    first: int | None = None
    alarms: tuple[AlarmState, ...] = ()
    presence: Presence | None = None
    edge: EdgeNote | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that could not be read, kept whole with its reason."""

    topic: str
    payload: bytes
    received_at: datetime
    reason: RejectReason
    detail: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is committed and may be told to its gateway: all of `boot` up to `seq`, or one `transfer_id`."""

    gateway: str
    shard: str
    boot: str | None = None
    seq: int | None = None
    transfer_id: str | None = None
