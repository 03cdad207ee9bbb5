"""The reference gateway: how a maker's device speaks to Coldtrail without losing a reading.

Store first, publish then, forget only on the service's receipt. A broker's acknowledgement (PUBACK) says that the
broker had the message in memory, not that anybody will ever read it; the receipt says that it is committed.

Beside that it says that it is there: a birth on each connection, and a last will that the broker publishes for it.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from inventory.services.messages import Measurement, Presence
from mqtt_ingest import receipts, topics
from mqtt_ingest.buffer import Buffer
from mqtt_ingest.client import Incoming
from mqtt_ingest.formats import native, state

READINGS_A_MESSAGE = 100
"""What a full message holds: about 8 KB, well below what brokers are set to accept."""

LONGEST_PATIENCE = 900.0
"""The longest wait between two resends, in seconds, while the service does not answer."""


class Outlet(Protocol):
    """What the gateway needs of `client.Publisher`, which must be subscribed to the gateway's receipt topic."""

    connected: bool
    generation: int

    def step(self, timeout: float) -> list[Incoming]:
        """What arrived within `timeout` seconds."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message to the connection; False where it cannot be sent now."""


def last_will(code: str, shard: str, birth: int, root: str = topics.ROOT) -> tuple[str, bytes]:
    """Topic and payload of the will that a gateway's publisher is to be made with: nobody can add it later."""
    topic = topics.build(topics.Topic(shard, code, topics.Kind.STATE), root)
    return topic, state.encode(Presence(online=False, birth=birth))


class Gateway:
    """Takes measurements, and sends them until the service has them.

    With each message it says which is the lowest number that it still keeps. A service that was set back to a
    backup waits for none below, and so goes on where it would else have waited for ever.

    Args:
        code: the gateway's code, as enrolled.
        shard: two hexadecimal digits, given at enrolment.
        publisher: its connection.
        buffer: its memory; the only thing that must survive.
        birth: the number of its `last_will`, from `Buffer.next_birth`; without one it says nothing of its presence.
        root: where the installation's topics begin.
        patience: seconds without a receipt before all is sent again; doubled each time in vain.
        window: how many messages may be under way at once.
        monotonic: counts seconds.
    """

    def __init__(
        self,
        code: str,
        shard: str,
        publisher: Outlet,
        buffer: Buffer,
        *,
        birth: int | None = None,
        root: str = topics.ROOT,
        patience: float = 30.0,
        window: int = 200,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topic = topics.build(topics.Topic(shard, code, topics.Kind.READINGS), root)
        self._state_topic = topics.build(topics.Topic(shard, code, topics.Kind.STATE), root)
        self._publisher = publisher
        self._buffer = buffer
        self._birth = birth
        self._announced: int | None = None
        self._window = window
        self._monotonic = monotonic
        self._first_patience = self._patience = patience
        self._generation = publisher.generation
        self._sent = buffer.confirmed
        self._waiting_since = monotonic()

    @property
    def outstanding(self) -> int:
        """How many messages the service has not confirmed yet."""
        return self._buffer.outstanding

    def take(self, measurements: Sequence[Measurement]) -> None:
        """Store measurements, which are safe once this returns, and begin to send them.

        Raises:
            sqlite3.Error: the buffer cannot store them; what was not stored yet is not sent either.
        """
        for start in range(0, len(measurements), READINGS_A_MESSAGE):
            part = measurements[start : start + READINGS_A_MESSAGE]
            self._buffer.add(partial(native.encode, measurements=part))
        self._send()

    def step(self, timeout: float = 0.0) -> None:
        """Keep the connection for up to `timeout` seconds, hear receipts, and send what is due. Call it often."""
        for message in self._publisher.step(timeout):
            self._hear(message.payload)
        if self._publisher.generation != self._generation:
            self._start_over()
        elif self._sent > self._buffer.confirmed and self._monotonic() - self._waiting_since > self._patience:
            self._start_over()
            self._patience = min(LONGEST_PATIENCE, self._patience * 2)
        self._send()

    def leave(self) -> None:
        """Say that it goes; a will is published only for who goes without a word.

        Close the connection once the broker has answered (`client.Publisher.settle`).
        """
        if self._announced == self._publisher.generation:
            self._state(online=False)
            self._announced = None

    def _hear(self, payload: bytes) -> None:
        receipt = receipts.heard(payload)
        if isinstance(receipt, receipts.Numbered) and self._buffer.confirm(receipt.boot, receipt.seq):
            self._sent = max(self._sent, self._buffer.confirmed)
            self._listened()
        elif isinstance(receipt, receipts.Resend) and receipt.concerns(self._buffer.boot):
            self._start_over()
            self._listened()

    def _listened(self) -> None:
        """The service is there: patience begins anew."""
        self._waiting_since = self._monotonic()
        self._patience = self._first_patience

    def _start_over(self) -> None:
        """Send all again that is not confirmed: the same bytes but for `first`, so that the service knows it again."""
        self._generation = self._publisher.generation
        self._sent = self._buffer.confirmed

    def _send(self) -> None:
        if not self._publisher.connected or self._publisher.generation != self._generation:
            return
        if not self._announce():
            return
        under_way = self._sent - self._buffer.confirmed
        if not under_way:
            self._waiting_since = self._monotonic()
        for seq, payload in self._buffer.after(self._sent, self._window - under_way):
            stated = native.stating(payload, self._buffer.confirmed + 1)
            if not self._publisher.publish(self._topic, stated):
                return
            self._sent = seq

    def _announce(self) -> bool:
        """Say once on each connection that it is there; False where that cannot be sent now."""
        if self._birth is None or self._announced == self._generation:
            return True
        if not self._state(online=True):
            return False
        self._announced = self._generation
        return True

    def _state(self, *, online: bool) -> bool:
        """Retained, so that who comes to listen later is told at once."""
        payload = state.encode(Presence(online, self._birth))
        return self._publisher.publish(self._state_topic, payload, retain=True)
