import json
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from inventory.domain.words import RejectReason
from inventory.services.messages import Message, Receipt, Rejection
from mqtt_ingest import receipts
from mqtt_ingest.client import Incoming
from mqtt_ingest.formats import FORMATS, Format
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.native import identify
from mqtt_ingest.ingestor import Ingestor, Pace
from mqtt_ingest.reader import Entry, read
from mqtt_ingest.topics import Kind

NOW = datetime(2026, 1, 5, tzinfo=UTC)
PACE = Pace(chunk=4, gather=0.01, pending=8, first_wait=0.01, longest_wait=0.02, report=0.0)
TOPIC = "coldtrail/v1/0a/gw/readings"


def native(seq: int | None = 1, **members: Any) -> bytes:
    number = {"boot": "b", "seq": seq} if seq else {}
    return json.dumps({**number, "sensor": "S1", "at": "2026-01-05T08:00:00+08:00", "celsius": 4.5, **members}).encode()


def incoming(payload: bytes, mid: int = 1, topic: str = TOPIC) -> Incoming:
    return Incoming(1, mid, topic, payload)


class Broker:
    """Stands for a subscriber: gives prepared messages, and stops the ingestor when all of them are acknowledged."""

    def __init__(self, stop: Event, *payloads: bytes, topic: str = TOPIC) -> None:
        self.stop = stop
        self.waiting = [incoming(payload, mid, topic) for mid, payload in enumerate(payloads)]
        self.expected = len(payloads)
        self.acked: list[int] = []
        self.told: list[tuple[str, Any]] = []
        self.lost_sessions = 0
        self.new_sessions = 0
        self.connected = True
        self.steps = 0

    def step(self, _timeout: float) -> list[Incoming]:
        self.steps += 1
        arrived, self.waiting = self.waiting[:3], self.waiting[3:]
        return arrived

    def ack(self, messages: Sequence[Incoming]) -> None:
        self.acked += [message.mid for message in messages]

    def publish(self, topic: str, payload: bytes) -> bool:
        self.told.append((topic, json.loads(payload)))
        if len(self.acked) == self.expected:
            self.stop.set()
        return True


class Store:
    """Stands for the service; `break_on` raises for chunks that hold a message numbered so."""

    def __init__(self, stop: Event, break_on: int | None = None, errors: Sequence[Exception] = ()) -> None:
        self.stop = stop
        self.break_on = break_on
        self.errors = list(errors)
        self.chunks: list[list[Entry]] = []

    def __call__(self, chunk: Sequence[Entry]) -> list[Receipt]:
        if self.errors:
            raise self.errors.pop(0)
        messages = [entry for entry in chunk if isinstance(entry, Message)]
        if any(message.seq == self.break_on and message.measurements for message in messages):
            raise LookupError("poison \0 \ud800")
        self.chunks.append(list(chunk))
        return [Receipt(each.gateway, each.shard, each.boot, each.seq) for each in messages if each.boot]

    @property
    def entries(self) -> list[Entry]:
        return [entry for chunk in self.chunks for entry in chunk]


def run(broker: Broker, store: Store, **options: Any) -> None:
    ingestor = Ingestor(broker, store, lambda: NOW, pace=PACE, **options)
    ingestor.run(broker.stop)


@pytest.fixture
def stop() -> Event:
    return Event()


def test_a_chunk_is_acknowledged_in_order_and_told_once(stop: Event) -> None:
    broker, store = Broker(stop, *(native(seq) for seq in range(1, 11))), Store(stop)
    run(broker, store)
    assert broker.acked == list(range(10))
    assert max(map(len, store.chunks)) == PACE.chunk
    assert [entry.seq for entry in store.entries if isinstance(entry, Message)] == list(range(1, 11))
    assert len(broker.told) == len(store.chunks)
    assert broker.told[-1] == ("coldtrail/v1/0a/gw/receipt", {"boot": "b", "seq": 10})


def test_what_cannot_be_read_is_kept_with_its_reason_and_stops_nothing(stop: Event) -> None:
    broker, store = Broker(stop, b"\xff", native(0, celsius="warm"), native(7)), Store(stop)
    run(broker, store)
    rejections = [entry for entry in store.entries if isinstance(entry, Rejection)]
    assert [each.reason for each in rejections] == [RejectReason.MALFORMED] * 2
    assert rejections[0].payload == b"\xff"
    assert "celsius is 'warm'" in rejections[1].detail
    assert broker.acked == [0, 1, 2]


def test_a_malformed_message_with_a_legible_number_does_not_block_the_next() -> None:
    rejection, message = read(incoming(native(7, celsius="warm")), NOW)
    assert isinstance(rejection, Rejection)
    assert isinstance(message, Message)
    assert (message.boot, message.seq, message.measurements) == ("b", 7, ())


def test_a_number_is_found_in_what_is_no_json() -> None:
    rejection, message = read(incoming(native(7)[:-5]), NOW)
    assert isinstance(rejection, Rejection)
    assert isinstance(message, Message)
    assert (message.boot, message.seq, message.first, message.measurements) == ("b", 7, None, ())


def test_what_the_sender_keeps_is_handed_on() -> None:
    for payload in (native(7, first=5), native(7, first=5, celsius="warm")):
        message = read(incoming(payload), NOW)[-1]
        assert isinstance(message, Message)
        assert message.first == 5


def test_an_unforeseen_error_in_finding_a_number_costs_only_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_payload: bytes) -> Content:
        raise ZeroDivisionError

    monkeypatch.setitem(FORMATS, Kind.READINGS, Format(broken, broken))
    [rejection] = read(incoming(native(7)), NOW)
    assert isinstance(rejection, Rejection)


def test_a_foreign_topic_is_kept_aside() -> None:
    for topic in ("elsewhere", "coldtrail/v1/0a/gw/nothing", "coldtrail/v1/0a/gw/receipt"):
        [rejection] = read(incoming(native(), topic=topic), NOW)
        assert isinstance(rejection, Rejection)
        assert rejection.reason is RejectReason.BAD_TOPIC


def test_an_unforeseen_error_of_a_parser_is_a_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_payload: bytes) -> Content:
        raise ZeroDivisionError

    monkeypatch.setitem(FORMATS, Kind.READINGS, Format(broken, identify))
    rejection, message = read(incoming(native(7)), NOW)
    assert isinstance(rejection, Rejection)
    assert rejection.detail == "ZeroDivisionError()"
    assert isinstance(message, Message)


def test_while_the_store_is_away_nothing_is_acknowledged_and_nothing_lost(stop: Event) -> None:
    broker = Broker(stop, *(native(seq) for seq in range(1, 7)))
    store = Store(stop, errors=[ConnectionError("gone")] * 3)
    run(broker, store, away=(OSError,))
    assert broker.acked == list(range(6))
    assert [entry.seq for entry in store.entries if isinstance(entry, Message)] == list(range(1, 7))


def test_while_the_store_is_away_what_arrives_is_bounded(stop: Event) -> None:
    broker = Broker(stop, *(native(seq) for seq in range(1, 101)))
    store = Store(stop, errors=[ConnectionError("gone")] * 20)

    def record(chunk: Sequence[Entry]) -> list[Receipt]:
        assert 100 - len(broker.waiting) - len(broker.acked) <= PACE.pending + 3
        return store(chunk)

    Ingestor(broker, record, lambda: NOW, away=(OSError,), pace=PACE).run(stop)
    assert broker.acked == list(range(100))


def test_a_worker_does_not_beat_while_the_store_is_away(stop: Event) -> None:
    store = Store(stop, errors=[ConnectionError("gone")] * 5)
    broker = Broker(stop, native(1))

    def beat() -> None:
        assert store.errors == []
        stop.set()

    Ingestor(broker, store, lambda: NOW, away=(OSError,), pace=PACE).run(stop, beat)
    assert broker.acked == [0]


def test_a_worker_does_not_beat_while_there_is_no_connection(stop: Event) -> None:
    class Away(Broker):
        def step(self, timeout: float) -> list[Incoming]:
            self.connected = self.steps >= 9
            return super().step(timeout)

    broker, beats = Away(stop), list[int]()

    def beat() -> None:
        beats.append(broker.steps)
        stop.set()

    Ingestor(broker, Store(stop), lambda: NOW, pace=PACE).run(stop, beat)
    assert beats
    assert beats[0] >= 10


def test_stopping_while_the_store_is_away_leaves_all_with_the_broker(stop: Event) -> None:
    broker = Broker(stop, native(1))

    def away(_chunk: Sequence[Entry]) -> list[Receipt]:
        stop.set()
        raise ConnectionError("gone")

    Ingestor(broker, away, lambda: NOW, away=(OSError,), pace=PACE).run(stop)
    assert broker.acked == []


def test_the_one_message_that_breaks_a_chunk_is_found_and_its_number_goes_on(stop: Event) -> None:
    broker = Broker(stop, *(native(seq) for seq in range(1, 11)))
    store = Store(stop, break_on=3)
    run(broker, store)
    [rejection] = [entry for entry in store.entries if isinstance(entry, Rejection)]
    assert rejection.detail == "LookupError: poison \\0 \\ud800"
    messages = {entry.seq: entry for entry in store.entries if isinstance(entry, Message)}
    assert sorted(messages, key=lambda seq: seq or 0) == list(range(1, 11))
    assert [seq for seq, message in messages.items() if not message.measurements] == [3]
    assert broker.told[-1][1] == {"boot": "b", "seq": 10}


def test_a_store_that_cannot_even_keep_a_rejection_ends_the_worker(stop: Event) -> None:
    broker = Broker(stop, b"junk")

    def broken(_chunk: Sequence[Entry]) -> list[Receipt]:
        raise LookupError("no such table")

    with pytest.raises(LookupError, match="no such table"):
        Ingestor(broker, broken, lambda: NOW, pace=PACE).run(stop)
    assert broker.acked == []


def test_receipts_are_reduced_to_the_furthest_and_read_back() -> None:
    given = [Receipt("g", "0a", "b", seq) for seq in (1, 3, 2)]
    given += [Receipt("g", "0a", "c", 1), Receipt("h", "0a", "b", 1), *[Receipt("g", "0a", transfer_id="T")] * 2]
    kept = receipts.newest(given)
    assert [(each.gateway, each.boot, each.seq, each.transfer_id) for each in kept] == [
        ("g", "b", 3, None),
        ("g", "c", 1, None),
        ("h", "b", 1, None),
        ("g", None, None, "T"),
    ]
    assert [receipts.parse(receipts.encode(each)) for each in kept[2:]] == [
        receipts.Numbered("b", 1),
        receipts.Transferred("T"),
    ]


def test_a_single_message_is_not_blamed_for_what_a_second_try_stores() -> None:
    stop = Event()
    broker, errors, stored = Broker(stop, native(1)), [RuntimeError("stale")], list[Entry]()

    def record(chunk: Sequence[Entry]) -> list[Receipt]:
        if errors:
            raise errors.pop()
        stored.extend(chunk)
        return [Receipt("gw", "0a", boot="b", seq=1)]

    Ingestor(broker, record, lambda: NOW, pace=PACE).run(stop)
    assert [type(entry) for entry in stored] == [Message]
