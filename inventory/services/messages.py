"""What a gateway says, and what it may be told: the shapes that `monitoring.record` takes and gives."""

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.words import RejectReason


@dataclass(frozen=True, slots=True)
class Measurement:
    """One reading in a message: the sensor's serial, the instant (UTC) and hundredths of a degree Celsius."""

    sensor: str
    measured_at: datetime
    temperature: int


@dataclass(frozen=True, slots=True)
class Message:
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
