"""The ingest worker: messages in, one transaction a chunk, and only then acknowledgements and receipts.

A message is acknowledged to the broker and to its gateway after the commit and never before; whatever dies in
between, it comes again, and the service knows it again.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from inventory.clock import Clock
from inventory.domain.words import RejectReason
from inventory.services.messages import Message, Receipt, Rejection
from mqtt_ingest import topics
from mqtt_ingest.answers import Answers, Enrolled, nobody
from mqtt_ingest.client import Incoming
from mqtt_ingest.edge_nodes import EdgeNodes
from mqtt_ingest.reader import Entry, read, storable

Record = Callable[[Sequence[Entry]], list[Receipt]]
"""Stores a chunk in one transaction and says what may be told to whom; the same chunk again changes nothing."""

_log = logging.getLogger(__name__)


class Inbox(Protocol):
    """What the ingestor needs of `client.Subscriber`."""

    connected: bool
    lost_sessions: int
    new_sessions: int

    def step(self, timeout: float) -> list[Incoming]:
        """What arrived within `timeout` seconds, in order."""

    def ack(self, messages: Sequence[Incoming]) -> None:
        """Let the broker forget these."""

    def publish(self, topic: str, payload: bytes) -> bool:
        """Hand a message to the connection; False where it cannot be sent now."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at a time and how often: counts of messages, bytes of their payloads, and seconds.

    A chunk is gathered for `gather` at most; after a `lull` without a message there is nothing to wait for. No message
    is divided, so that a chunk may hold one more than makes `readings` of them. While `pending` messages wait, or
    messages of `pending_bytes`, no more are taken: the broker keeps what follows.
    """

    chunk: int = 1000
    readings: int = 20_000
    gather: float = 0.2
    lull: float = 0.02
    pending: int = 5000
    pending_bytes: int = 32 << 20
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
    unread: int = 0
    missed: int = 0


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
        nodes: what is remembered of Sparkplug edge nodes.
        enrolled: the gateways that are asked to send again when the broker has lost what was queued, and for births.
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
        nodes: EdgeNodes | None = None,
        enrolled: Enrolled = nobody,
    ) -> None:
        self._subscriber = subscriber
        self._record = record
        self._clock = clock
        self._away = away
        self._root = root
        self._pace = pace or Pace()
        self._nodes = nodes or EdgeNodes()
        self._answers = Answers(subscriber, clock, enrolled, root)
        self._sessions = self._sessions_read = 0
        self._pending: list[tuple[Incoming, list[Entry]]] = []
        self._counts = Counts()
        self._report_at = time.monotonic() + self._pace.report

    def run(self, stop: Event, beat: Callable[[], None] = lambda: None) -> None:
        """Work until `stop` is set; what is not committed by then stays with the broker and the gateways.

        `beat` is called again and again while the broker is there and what it sends is stored.

        Raises:
            Exception: what `record` raised for a chunk that holds nothing but one rejection. Rejections can always
                be stored, so the fault lies with the store; to go on would be to forget messages.
        """
        while not stop.is_set():
            self._gather()
            self._heed_sessions()
            if self._pending:
                self._commit(stop)
            self._report()
            if self._subscriber.connected and not stop.is_set():
                beat()

    def _gather(self) -> None:
        """Wait for a first message, and then for more, until the chunk is full, its time is up or no more come."""
        ends = time.monotonic() + self._pace.gather
        while self._has_room(self._pace.chunk) and (left := ends - time.monotonic()) > 0:
            arrived = self._take(min(left, self._pace.lull) if self._pending else left)
            if self._pending and not arrived:
                return

    def _take(self, timeout: float) -> int:
        """Take what arrives within `timeout` seconds; how many messages."""
        arrived = self._subscriber.step(timeout)
        if self._subscriber.new_sessions > self._sessions_read:
            self._sessions_read = self._subscriber.new_sessions
            self._nodes.forget_all()  # births may have been lost with what was queued
        now = self._clock()
        self._pending += [(incoming, read(incoming, now, self._root, self._nodes)) for incoming in arrived]
        return len(arrived)

    def _has_room(self, count: int) -> bool:
        """Whether fewer messages than `count` wait, and fewer bytes than may; the last one taken may pass these."""
        waiting = sum(len(incoming.payload) for incoming, _ in self._pending)
        return len(self._pending) < count and waiting < self._pace.pending_bytes

    def _heed_sessions(self) -> None:
        """Ask for all that has no receipt where the broker did not know us: what was queued for us is lost."""
        found = self._subscriber.new_sessions
        if found == self._sessions:
            return
        try:
            asked = self._answers.ask_to_resend()
        except self._away as error:
            _log.warning("cannot ask gateways to send again yet: %s", error)
            return
        if asked:
            self._sessions = found

    def _commit(self, stop: Event) -> None:
        chunk = self._next_chunk()
        entries = [entry for _, entries in chunk for entry in entries]
        committed = self._persist(entries, stop)
        if committed is None:
            return
        del self._pending[: len(chunk)]
        self._subscriber.ack([incoming for incoming, _ in chunk])
        self._counts.receipts += self._answers.tell(committed)
        self._ask_for_births(entries)

    def _ask_for_births(self, entries: list[Entry]) -> None:
        try:
            self._answers.ask_for_births(entry for entry in entries if isinstance(entry, Message))
        except self._away as error:
            _log.warning("cannot ask edge nodes for their births yet: %s", error)

    def _next_chunk(self) -> list[tuple[Incoming, list[Entry]]]:
        """The next messages, as many as one transaction takes."""
        chunk, left = self._pending[: self._pace.chunk], self._pace.readings
        for number, (_, entries) in enumerate(chunk):
            left -= sum(len(entry.measurements) for entry in entries if isinstance(entry, Message))
            if left < 0:
                return chunk[: number + 1]
        return chunk

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
            told = self._recorded(chunk)
        except self._away:
            raise
        except Exception as error:
            return self._store_around(chunk, error)
        rejected = sum(isinstance(entry, Rejection) for entry in chunk)
        self._counts.rejected += rejected
        self._counts.stored += len(chunk) - rejected
        for note in (entry.edge for entry in chunk if isinstance(entry, Message)):
            if note is not None:
                self._counts.unread += note.unread
                self._counts.missed += note.missed
        return told

    def _recorded(self, chunk: list[Entry]) -> list[Receipt]:
        """Record a chunk; a second time where the fault may lie in what was remembered, which is forgotten by then."""
        try:
            return self._record(chunk)
        except self._away:
            raise
        except Exception as error:
            _log.warning("trying once more after %r", error)
            return self._record(chunk)

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
            if self._has_room(self._pace.pending):
                self._take(min(left, self._pace.gather))
            else:
                stop.wait(min(left, self._pace.gather))

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
    """Nothing but the message's number, so that it is not missing from the stream for ever."""
    number = message._replace(measurements=(), alarms=(), presence=None, edge=None)
    has_one = message.boot is not None or message.transfer_id is not None
    return [number] if has_one and number != message else []
