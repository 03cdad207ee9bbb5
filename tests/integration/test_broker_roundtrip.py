import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coldtrail.broker import Broker, BrokerFailed, start_broker
from inventory.clock import system_clock
from inventory.services.messages import Measurement, Message, Receipt, Rejection
from mqtt_ingest import topics
from mqtt_ingest.buffer import Buffer
from mqtt_ingest.client import Incoming, Publisher, Subscriber
from mqtt_ingest.gateway import Gateway
from mqtt_ingest.ingestor import Ingestor, Pace
from mqtt_ingest.reader import Entry
from mqtt_ingest.replay import replay
from mqtt_ingest.settings import MqttSettings
from soak.plain import publish_all
from tests.buffers import OpenBuffer
from tests.envelopes import RECORDS
from tests.services import require_mosquitto

NOW = datetime(2026, 1, 5, tzinfo=UTC)
PACE = Pace(chunk=20, gather=0.02, first_wait=0.05)


class Store:
    """Stands for the service: keeps readings once, and advances each boot without holes."""

    def __init__(self) -> None:
        self.readings: dict[tuple[str, datetime], int] = {}
        self.heard: dict[tuple[str, str], set[int]] = {}
        self.rejections: list[Rejection] = []
        self.messages = 0

    def record(self, chunk: Sequence[Entry]) -> list[Receipt]:
        self.rejections += [entry for entry in chunk if isinstance(entry, Rejection)]
        return [receipt for entry in chunk if isinstance(entry, Message) for receipt in self._keep(entry)]

    def _keep(self, message: Message) -> Iterator[Receipt]:
        self.messages += 1
        for one in message.measurements:
            self.readings[one.sensor, one.measured_at] = one.temperature
        if message.boot and message.seq:
            heard = self.heard.setdefault((message.gateway, message.boot), set())
            heard.add(message.seq)
            committed = next(seq for seq in range(1, len(heard) + 2) if seq not in heard) - 1
            yield Receipt(message.gateway, message.shard, message.boot, committed)
        if message.transfer_id:
            yield Receipt(message.gateway, message.shard, transfer_id=message.transfer_id)


class Forgetful(Subscriber):
    """Loses every third acknowledgement and every second receipt."""

    acks = published = 0

    def ack(self, messages: Sequence[object]) -> None:
        self.acks += len(messages)
        super().ack([message for index, message in enumerate(messages) if index % 3])  # type: ignore[misc]

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        self.published += 1
        return self.published % 2 == 0 or super().publish(topic, payload, retain=retain)


def settings(broker: Broker, client_id: str) -> MqttSettings:
    return MqttSettings.from_url(broker.url, client_id, protocol=broker.protocol)


def readings(count: int, sensor: str = "S1") -> list[Measurement]:
    return [Measurement(sensor, NOW + timedelta(minutes=minute), 400 + minute) for minute in range(count)]


@contextmanager
def worker(broker: Broker, store: Store, kind: type[Subscriber] = Subscriber) -> Iterator[Subscriber]:
    """An ingest worker on a thread of its own; its error, if any, is raised at the end."""
    subscriber = kind(settings(broker, "ingest"), topics.filters())
    ingestor = Ingestor(subscriber, store.record, system_clock, pace=PACE)
    stop, errors = threading.Event(), []

    def work() -> None:
        try:
            ingestor.run(stop)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield subscriber
    finally:
        stop.set()
        thread.join()
        subscriber.close()
    assert errors == []


@contextmanager
def device(broker: Broker, buffer: Buffer, code: str = "gw") -> Iterator[Gateway]:
    publisher = Publisher(settings(broker, f"gateway-{code}"), [topics.receipt_topic(code, "0a")])
    try:
        yield Gateway(code, "0a", publisher, buffer, patience=0.5, window=50)
    finally:
        publisher.close()


def step_until(done: Callable[[], bool], *gateways: Gateway, seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "it takes too long"
        for gateway in gateways:
            gateway.step(0.01)


def step_for(seconds: float, gateway: Gateway) -> None:
    ends = time.monotonic() + seconds
    step_until(lambda: time.monotonic() > ends, gateway)


def expected(count: int, *sensors: str) -> dict[tuple[str, datetime], int]:
    return {(each.sensor, each.measured_at): each.temperature for name in sensors for each in readings(count, name)}


def test_receipts_empty_the_buffers_though_acknowledgements_and_receipts_are_lost(
    broker: Broker, open_buffer: OpenBuffer
) -> None:
    store, one, two = Store(), open_buffer(), open_buffer()
    with worker(broker, store, Forgetful), device(broker, one, "gw1") as first, device(broker, two, "gw2") as second:
        for minute in range(60):
            first.take([readings(60, "S1")[minute]])
            second.take([readings(60, "S2")[minute]])
        step_until(lambda: not first.outstanding and not second.outstanding, first, second)
    assert store.readings == expected(60, "S1", "S2")
    assert store.rejections == []


def test_what_is_sent_while_no_worker_listens_is_sent_again(broker: Broker, open_buffer: OpenBuffer) -> None:
    store, buffer = Store(), open_buffer()
    with device(broker, buffer) as gateway:
        gateway.take(readings(150))
        step_for(1.0, gateway)
        assert gateway.outstanding == 2
        with worker(broker, store):
            step_until(lambda: not gateway.outstanding, gateway)
        for one in readings(200)[150:]:
            gateway.take([one])
        step_for(1.0, gateway)
        assert gateway.outstanding == 50
        with worker(broker, store):
            step_until(lambda: not gateway.outstanding, gateway)
    assert store.readings == expected(200, "S1")


def test_a_broker_that_is_killed_costs_nothing(broker: Broker, tmp_path: Path, open_buffer: OpenBuffer) -> None:
    store, file = Store(), tmp_path / "gw.db"
    with worker(broker, store) as subscriber:
        with device(broker, open_buffer(file)) as gateway:
            step_until(lambda: subscriber.connected, gateway)
            for one in readings(30):
                gateway.take([one])
            gateway.step(0.01)
            broker.kill()
            step_for(0.3, gateway)
        broker.restart()
        with device(broker, open_buffer(file)) as gateway:
            for one in readings(60)[30:]:
                gateway.take([one])
            step_until(lambda: not gateway.outstanding, gateway)
        assert subscriber.generation >= 2
    assert store.readings == expected(60, "S1")


def test_malformed_messages_are_kept_aside_and_block_nobody(broker: Broker, open_buffer: OpenBuffer) -> None:
    store, buffer = Store(), open_buffer()
    with worker(broker, store) as subscriber, device(broker, buffer) as gateway:
        step_until(lambda: subscriber.connected, gateway)
        buffer.add(lambda boot, seq: f'{{"boot":"{boot}","seq":{seq},"readings":"none"}}'.encode())
        buffer.add(lambda _boot, _seq: b"\xff\x00")
        gateway.take(readings(1))
        step_until(lambda: len(store.rejections) >= 2 and bool(store.readings), gateway)
        step_until(lambda: gateway.outstanding == 2, gateway)
    assert store.readings == expected(1, "S1")


def test_recorded_equipment_data_is_replayed_until_it_is_confirmed(broker: Broker) -> None:
    store = Store()
    records = [
        RECORDS["ems"] | {"ABST": each.measured_at.strftime("%Y%m%dT%H%M%SZ"), "TVC": each.temperature / 100}
        for each in readings(30, "L1")
    ]
    publisher = Publisher(settings(broker, "replay"), [topics.receipt_topic("gw", "0a")])
    with worker(broker, store):
        left = replay(
            {"records": records}, publisher, "gw", "0a", "L1", system_clock, chunk=7, timeout=20, patience=0.5
        )
    publisher.close()
    assert left == 0
    assert store.readings == expected(30, "L1")


def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    with (
        start_broker(None, tmp_path / "one", prefer="amqtt") as first,
        pytest.raises(BrokerFailed, match=f"port {first.port} is taken"),
    ):
        start_broker(first.port, tmp_path / "two", prefer="amqtt")


def test_a_broker_that_does_not_come_up_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coldtrail.broker.HOST", "192.0.2.1")
    monkeypatch.setattr("coldtrail.broker._START_SECONDS", 2)
    with pytest.raises(BrokerFailed, match=r"amqtt (ended|does not answer).*: .+"):
        start_broker(1883, tmp_path, prefer="amqtt")


def test_without_mosquitto_amqtt_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coldtrail.broker.mosquitto_path", lambda: None)
    with start_broker(None, tmp_path) as broker:
        assert (broker.kind, broker.protocol) == ("amqtt", "3.1.1")
    with pytest.raises(BrokerFailed, match="there is no Mosquitto"):
        start_broker(None, tmp_path, prefer="mosquitto")


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="expected mqtt://"):
        MqttSettings.from_url("http://host", "id")
    found = MqttSettings.from_url("mqtts://us%40er:p%2Fw@host", "id")
    assert (found.username, found.password, found.port, found.tls is None) == ("us@er", "p/w", 8883, False)
    assert "p/w" not in repr(found)


class Counting(Subscriber):
    """Adds up the payloads that were taken and not yet acknowledged."""

    waiting = most = largest = 0

    def step(self, timeout: float) -> list[Incoming]:
        arrived = super().step(timeout)
        came = sum(len(each.payload) for each in arrived)
        self.waiting += came
        self.most, self.largest = max(self.most, self.waiting), max(self.largest, came)
        return arrived

    def ack(self, messages: Sequence[Incoming]) -> None:
        self.waiting -= sum(len(each.payload) for each in messages)
        super().ack(messages)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    """The broker that queues."""
    require_mosquitto()
    with start_broker(None, tmp_path, prefer="mosquitto") as started:
        yield started


@pytest.mark.parametrize(("size", "longest"), [(100_000, 1 << 20), (100_000, 1), (30_000, 1 << 20)])
def test_what_waits_for_an_absent_store_is_bounded_by_its_bytes(mosquitto: Broker, size: int, longest: int) -> None:
    store, stop, tries = Store(), threading.Event(), [0]
    subscriber = Counting(settings(mosquitto, "ingest"), topics.filters())
    step_alone(subscriber)
    payloads = [b"%03d" % number + bytes(size) for number in range(6_000_000 // size)]
    publish_all(mosquitto.url, "coldtrail/v1/0a/gw/readings", *payloads)

    def record(chunk: Sequence[Entry]) -> list[Receipt]:
        tries[0] += subscriber.waiting >= longest
        if tries[0] <= 20:
            raise ConnectionError("gone")
        told = store.record(chunk)
        if len(store.rejections) == len(payloads):
            stop.set()
        return told

    pace = Pace(gather=0.02, pending_bytes=longest, first_wait=0.01, longest_wait=0.05)
    Ingestor(subscriber, record, system_clock, away=(ConnectionError,), pace=pace).run(stop)
    subscriber.close()
    assert sorted(each.payload for each in store.rejections) == payloads
    assert subscriber.most < longest + subscriber.largest


def step_alone(subscriber: Subscriber) -> None:
    """Until its subscription stands."""
    ends = time.monotonic() + 30
    while not subscriber.subscribed:
        assert time.monotonic() < ends, "it takes too long"
        subscriber.step(0.05)
