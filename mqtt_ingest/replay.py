"""Plays recorded WHO equipment data to a broker, until the service has confirmed all of it."""

import time
from collections.abc import Iterator, Mapping

from inventory.clock import Clock
from inventory.strict_json import BadPayload
from mqtt_ingest import receipts, topics
from mqtt_ingest.envelope import Delivery, passed_through, wrapped
from mqtt_ingest.gateway import Outlet

RECORDS_A_DELIVERY = 96
"""A day at the standard's 15 minutes: about 25 KB, below what brokers are usually set to accept."""

_WINDOW = 100


class Replayer:
    """Sends deliveries and keeps each until its receipt came.

    Args:
        publisher: a connection that is subscribed to the gateway's receipt topic.
        gateway: the code of the gateway in whose name is sent.
        shard: the gateway's two hexadecimal digits.
        root: where the installation's topics begin.
        patience: seconds without its receipt before a delivery is sent again.
    """

    def __init__(
        self, publisher: Outlet, gateway: str, shard: str, *, root: str = topics.ROOT, patience: float = 10.0
    ) -> None:
        self._publisher = publisher
        self._topic = topics.build(topics.Topic(shard, gateway, topics.Kind.CCE), root)
        self._patience = patience
        self._kept: dict[str, bytes] = {}
        self._sent: dict[str, float] = {}
        self._generation = publisher.generation

    @property
    def outstanding(self) -> int:
        """How many deliveries are not confirmed yet."""
        return len(self._kept)

    def take(self, delivery: Delivery) -> None:
        """Keep a delivery, in memory, to be sent by `step`."""
        self._kept[delivery.transfer_id] = delivery.payload

    def step(self, timeout: float = 0.0) -> None:
        """Keep the connection for up to `timeout` seconds, hear receipts, and send what is due."""
        for message in self._publisher.step(timeout):
            self._hear(message.payload)
        if self._publisher.generation != self._generation:
            self._generation = self._publisher.generation
            self._sent.clear()
        self._give_up_waiting()
        if self._publisher.connected:
            self._send()

    def _hear(self, payload: bytes) -> None:
        receipt = receipts.heard(payload)
        if isinstance(receipt, receipts.Resend):
            self._sent.clear()
        if isinstance(receipt, receipts.Transferred) and self._kept.pop(receipt.transfer_id, None) is not None:
            self._sent.pop(receipt.transfer_id, None)

    def _give_up_waiting(self) -> None:
        """Let be sent again whose receipt does not come: it was lost, and would else take up the window for ever."""
        latest = time.monotonic() - self._patience
        self._sent = {key: at for key, at in self._sent.items() if at > latest}

    def _send(self) -> None:
        due = [key for key in self._kept if key not in self._sent]
        for transfer_id in due[: _WINDOW - len(self._sent)]:
            if not self._publisher.publish(self._topic, self._kept[transfer_id]):
                return
            self._sent[transfer_id] = time.monotonic()


def deliveries(
    document: Mapping[str, object], gateway: str, serial: str, clock: Clock, chunk: int = RECORDS_A_DELIVERY
) -> Iterator[Delivery]:
    """What is to be sent of a document: itself, where it is an envelope, or its `records`, `chunk` a delivery.

    Raises:
        BadPayload: it is neither, or has no records: nothing sent must not look like all confirmed.
    """
    if "meta" in document:
        yield passed_through(dict(document))
        return
    records = document.get("records")
    if not isinstance(records, list):
        raise BadPayload("document has neither 'meta' nor a list of 'records'")
    if not records:
        raise BadPayload("document has no records; there is nothing to send")
    for start in range(0, len(records), chunk):
        yield wrapped(records[start : start + chunk], gateway, serial, clock())


def replay(
    document: Mapping[str, object],
    publisher: Outlet,
    gateway: str,
    shard: str,
    serial: str,
    clock: Clock,
    *,
    chunk: int = RECORDS_A_DELIVERY,
    timeout: float = 60.0,
    patience: float = 10.0,
    root: str = topics.ROOT,
) -> int:
    """Send a document and wait until the service has all of it.

    Args:
        document: an envelope, or a simulator's file whose `records` are put into `ems` envelopes.
        publisher: a connection that is subscribed to the gateway's receipt topic.
        gateway: its code.
        shard: its two hexadecimal digits.
        serial: the logger's serial, for bare records.
        clock: says when a delivery was made up.
        chunk: records in a delivery.
        timeout: seconds to wait in all.
        patience: seconds without its receipt before a delivery is sent again.
        root: where the installation's topics begin.

    Returns:
        How many deliveries are not confirmed: 0, unless the timeout passed.

    Raises:
        BadPayload: the document is neither an envelope nor has records.
    """
    replayer = Replayer(publisher, gateway, shard, root=root, patience=patience)
    for delivery in deliveries(document, gateway, serial, clock, chunk):
        replayer.take(delivery)
    ends = time.monotonic() + timeout
    while replayer.outstanding and (left := ends - time.monotonic()) > 0:
        replayer.step(min(left, 0.1))
    return replayer.outstanding
