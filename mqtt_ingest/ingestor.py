"""The ingest worker: messages in, one transaction a chunk, and only then acknowledgements and receipts.

A message is acknowledged to the broker and to its gateway after the commit and never before; whatever dies in
between, it comes again, and the service knows it again.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import Protocol

from inventory.clock import Clock
from inventory.domain.words import RejectReason
from inventory.services.messages import Message, Receipt, Rejection
from mqtt_ingest import receipts, topics
from mqtt_ingest.client import Incoming
from mqtt_ingest.reader import Entry, read, storable

Record = Callable[[Sequence[Entry]], list[Receipt]]
"""Stores a chunk in one transaction and says what may be told to whom; the same chunk again changes nothing."""

_log = logging.getLogger(__name__)


class Inbox(Protocol):
    """What the ingestor needs of `client.Subscriber`."""

    lost_sessions: int

    def step(self, timeout: float) -> list[Incoming]:
        """What arrived within `timeout` seconds, in order."""

    def ack(self, messages: Sequence[Incoming]) -> None:
        """Let the broker forget these."""

    def publish(self, topic: str, payload: bytes) -> bool:
        """Hand a message to the connection; False where it cannot be sent now."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at a time and how often: counts of messages, and seconds.

    A chunk is gathered for `gather` at most; after a `lull` without a message there is nothing to wait for.
    """

    chunk: int = 1000
    gather: float = 0.2
    lull: float = 0.02
    pending: int = 5000
    first_wait: float = 0.5
    longest_wait: float = 30.0
    report: float = 60.0


@dataclass(slots=True)
class Counts:
    """What happened since the last report."""

    stored: int = 0
    rejected: int = 0
    receipts: int = 0
    waits: int = 0


class Ingestor:
    """Feeds `record` from `subscriber`.

    Args:
        subscriber: where messages come from and receipts go out.
        record: stores a chunk; see `Record`.
        clock: says when a message arrived.
        away: the errors of `record` that say that the store cannot be reached now: the chunk waits. Any other error
            is held to be the fault of one message, which is found and kept as a rejection.
        root: where this installation's topics begin.
        pace: how much at a time.
    """

    def __init__(
        self,
        subscriber: Inbox,
        record: Record,
        clock: Clock,
        *,
        away: tuple[type[Exception], ...] = (),
        root: str = topics.ROOT,
        pace: Pace | None = None,
    ) -> None:
        self._subscriber = subscriber
        self._record = record
        self._clock = clock
        self._away = away
        self._root = root
        self._pace = pace or Pace()
        self._pending: list[tuple[Incoming, list[Entry]]] = []
        self._counts = Counts()
        self._report_at = time.monotonic() + self._pace.report

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; what is not committed by then stays with the broker and the gateways.

        Raises:
            Exception: what `record` raised for a chunk that holds nothing but one rejection. Rejections can always
                be stored, so the fault lies with the store; to go on would be to forget messages.
        """
        while not stop.is_set():
            self._gather()
            if self._pending:
                self._commit(stop)
            self._report()

    def _gather(self) -> None:
        """Wait for a first message, and then for more, until the chunk is full, its time is up or no more come."""
        ends = time.monotonic() + self._pace.gather
        while len(self._pending) < self._pace.chunk and (left := ends - time.monotonic()) > 0:
            arrived = self._take(min(left, self._pace.lull) if self._pending else left)
            if self._pending and not arrived:
                return

    def _take(self, timeout: float) -> int:
        """Take what arrives within `timeout` seconds; how many messages."""
        arrived = self._subscriber.step(timeout)
        now = self._clock()
        self._pending += [(incoming, read(incoming, now, self._root)) for incoming in arrived]
        return len(arrived)

    def _commit(self, stop: Event) -> None:
        chunk = self._pending[: self._pace.chunk]
        committed = self._persist([entry for _, entries in chunk for entry in entries], stop)
        if committed is None:
            return
        del self._pending[: len(chunk)]
        self._subscriber.ack([incoming for incoming, _ in chunk])
        self._tell(receipts.newest(committed))

    def _persist(self, chunk: list[Entry], stop: Event) -> list[Receipt] | None:
        """The receipts of a chunk, however long the store is away; None where `stop` came first."""
        wait = self._pace.first_wait
        while not stop.is_set():
            try:
                return self._store(chunk)
            except self._away as error:
                self._counts.waits += 1
                _log.warning("cannot store now, trying again in %.1f s: %s", wait, error)
            self._wait(wait, stop)
            wait = min(self._pace.longest_wait, wait * 2)
        return None

    def _store(self, chunk: list[Entry]) -> list[Receipt]:
        try:
            told = self._record(chunk)
        except self._away:
            raise
        except Exception as error:
            return self._store_around(chunk, error)
        rejected = sum(isinstance(entry, Rejection) for entry in chunk)
        self._counts.rejected += rejected
        self._counts.stored += len(chunk) - rejected
        return told

    def _store_around(self, chunk: list[Entry], error: Exception) -> list[Receipt]:
        """Store a chunk in halves until the one message that breaks it stands alone and can be kept aside."""
        if len(chunk) > 1:
            middle = len(chunk) // 2
            return self._store(chunk[:middle]) + self._store(chunk[middle:])
        entry = chunk[0]
        if isinstance(entry, Rejection):
            raise error
        _log.error("a message on %s breaks the store: %r", entry.topic, error)
        return self._store([_refused(entry, error), *_emptied(entry)])

    def _wait(self, seconds: float, stop: Event) -> None:
        """Wait, but keep the connection alive while there is room for what arrives."""
        ends = time.monotonic() + seconds
        while not stop.is_set() and (left := ends - time.monotonic()) > 0:
            if len(self._pending) < self._pace.pending:
                self._take(min(left, self._pace.gather))
            else:
                stop.wait(min(left, self._pace.gather))

    def _tell(self, told: list[Receipt]) -> None:
        """Publish receipts; one that does not get through is given again when the gateway sends again."""
        for receipt in told:
            topic = topics.receipt_topic(receipt.gateway, receipt.shard, self._root)
            self._counts.receipts += self._subscriber.publish(topic, receipts.encode(receipt))

    def _report(self) -> None:
        if time.monotonic() < self._report_at:
            return
        self._report_at = time.monotonic() + self._pace.report
        if self._counts != Counts():
            _log.info("%s; sessions lost: %d", self._counts, self._subscriber.lost_sessions)
        self._counts = Counts()


def _refused(message: Message, error: Exception) -> Rejection:
    detail = storable(f"{type(error).__name__}: {error}")
    return Rejection(message.topic, message.payload, message.received_at, RejectReason.MALFORMED, detail)


def _emptied(message: Message) -> list[Entry]:
    """The message without its readings, so that its number is not missing from the stream for ever."""
    return [replace(message, measurements=())] if message.measurements else []
