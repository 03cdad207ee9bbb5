"""The known ways of losing messages with MQTT, each by its name; most were measured before this was built."""

import random
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coldtrail.broker import start_broker
from inventory.persistence.migrate import upgrade
from mqtt_ingest import topics
from mqtt_ingest.client import Incoming, Publisher, Subscriber, SubscriptionRefused
from mqtt_ingest.settings import MqttSettings
from soak.plain import publish_all
from tests.deployment import Deployed
from tests.e2e.processes import PATIENCE, environment, start
from tests.fake_broker import CONNECT, PUBACK, SUBSCRIBE, FakeBroker, Protocol, connect_flags, fake_broker, filters
from tests.services import LOOPBACK, require_mosquitto, sqlite_url
from tests.unit.test_compose import ROOT
from tests.workers import until

TOPIC = "coldtrail/v1/0a/GW/readings"
CLEAN_START, WILL, WILL_RETAINED, WILL_QOS = 0x02, 0x04, 0x20, 0x18
QOS, RETAIN_HANDLING = 0x03, 0x30


@pytest.fixture(params=["5", "3.1.1"])
def broker(request: pytest.FixtureRequest) -> Iterator[FakeBroker]:
    protocol: Protocol = request.param
    with fake_broker(protocol) as started:
        yield started


@pytest.fixture
def subscriber(broker: FakeBroker) -> Iterator[Subscriber]:
    found = Subscriber(broker.settings(), topics.filters())
    yield found
    found.close()


def step_until(client: Subscriber | Publisher, what: Callable[[], bool]) -> list[Incoming]:
    """What arrived until something holds."""
    arrived: list[Incoming] = []

    def stepped() -> bool:
        arrived.extend(client.step(0.02))
        return what()

    until(stepped)
    return arrived


def arrivals(client: Subscriber, count: int) -> list[Incoming]:
    """The next messages."""
    found: list[Incoming] = []

    def enough() -> bool:
        found.extend(client.step(0.02))
        return len(found) >= count

    until(enough)
    return found


def test_1_nothing_is_subscribed_with_qos_2(broker: FakeBroker, subscriber: Subscriber) -> None:
    step_until(subscriber, lambda: bool(broker.of(SUBSCRIBE)))
    asked = filters(broker.of(SUBSCRIBE)[0], broker.protocol)
    assert {name for name, _ in asked} == set(topics.filters())
    assert {options & QOS for _, options in asked} == {1}


def test_1_a_message_of_qos_2_comes_as_qos_1_and_wedges_nothing(tmp_path: Path) -> None:
    require_mosquitto()
    with start_broker(None, tmp_path, prefer="mosquitto") as started:
        subscriber = Subscriber(MqttSettings.from_url(started.url, "ingest"), topics.filters())
        until(lambda: subscriber.step(0.05) == [] and subscriber.connected)
        publish_all(started.url, TOPIC, *[b"%d" % number for number in range(50)], qos=2)
        heard = arrivals(subscriber, 50)
        subscriber.ack(heard)
        subscriber.step(0.1)
        subscriber.close()
    assert [message.payload for message in heard] == [b"%d" % number for number in range(50)]


def test_2_and_3_no_connect_cleans_the_session_not_the_first_and_not_a_later_one(
    broker: FakeBroker, subscriber: Subscriber
) -> None:
    for connects in (1, 2, 3):
        step_until(subscriber, lambda connects=connects: len(broker.of(SUBSCRIBE)) == connects)  # type: ignore[misc]
        broker.drop()
    assert [connect_flags(packet) & CLEAN_START for packet in broker.of(CONNECT)[:3]] == [0, 0, 0]
    if broker.protocol == "5":
        expiry = b"\x11" + (7 * 24 * 3600).to_bytes(4, "big")
        assert all(expiry in packet.body for packet in broker.of(CONNECT))


def test_2_a_session_that_the_broker_lost_is_counted(broker: FakeBroker, subscriber: Subscriber) -> None:
    for connects, present in ((1, True), (2, True), (3, False)):
        step_until(subscriber, lambda connects=connects: len(broker.of(SUBSCRIBE)) == connects)  # type: ignore[misc]
        broker.session_present = present
        assert subscriber.lost_sessions == 0
        broker.drop()
    step_until(subscriber, lambda: len(broker.of(SUBSCRIBE)) == 4)
    assert subscriber.lost_sessions == 1


def test_4_brokers_save_far_more_often_than_by_default(tmp_path: Path) -> None:
    require_mosquitto()
    with start_broker(None, tmp_path, prefer="mosquitto"):
        texts = [(tmp_path / "mosquitto.conf").read_text(), (ROOT / "deploy/mosquitto.conf").read_text()]
    for text in texts:
        assert re.search(r"^persistence true$", text, re.MULTILINE)
        (seconds,) = re.findall(r"^autosave_interval ([0-9]+)$", text, re.MULTILINE)
        assert int(seconds) <= 30


def test_4_a_broker_that_is_stopped_in_good_order_keeps_what_is_queued(tmp_path: Path) -> None:
    require_mosquitto()
    with start_broker(None, tmp_path, prefer="mosquitto") as started:
        settings = MqttSettings.from_url(started.url, "ingest")
        first = Subscriber(settings, topics.filters())
        until(lambda: first.step(0.05) == [] and first.connected)
        first.step(0.2)
        first.close()
        publish_all(started.url, TOPIC, *[b"%d" % number for number in range(100)])
        started.restart()
        again = Subscriber(settings, topics.filters())
        assert len(arrivals(again, 100)) == 100
        again.close()


def test_5_a_worker_that_is_away_finds_more_than_a_thousand_messages(deployed: Deployed) -> None:
    settings = MqttSettings("away", LOOPBACK, deployed.port, username="ingest", password="ingest-password")
    worker = Subscriber(settings, topics.filters())
    until(lambda: worker.step(0.05) == [] and worker.connected)
    worker.step(0.2)
    worker.close()
    url = f"mqtt://gateway-a:gateway-a-password@{LOOPBACK}:{deployed.port}"
    publish_all(url, "coldtrail/v1/0a/gateway-a/readings", *[b"%d" % number for number in range(3000)])
    again = Subscriber(settings, topics.filters())
    heard: list[bytes] = []
    while len(heard) < 3000:
        arrived = arrivals(again, 1)
        again.ack(arrived)
        heard += [message.payload for message in arrived]
    again.close()
    assert heard == [b"%d" % number for number in range(3000)]


def test_7_no_subscription_is_shared(broker: FakeBroker, subscriber: Subscriber) -> None:
    step_until(subscriber, lambda: bool(broker.of(SUBSCRIBE)))
    assert not any(name.startswith("$share") for name, _ in filters(broker.of(SUBSCRIBE)[0], broker.protocol))


def test_7_a_worker_subscribes_anew_on_each_connection(broker: FakeBroker, subscriber: Subscriber) -> None:
    broker.session_present = True
    step_until(subscriber, lambda: len(broker.of(SUBSCRIBE)) == 1)
    broker.drop()
    step_until(subscriber, lambda: len(broker.of(SUBSCRIBE)) == 2)


def test_8_what_goes_wrong_in_a_callback_surfaces_in_the_owners_thread(broker: FakeBroker) -> None:
    broker.granted = 0x87 if broker.protocol == "5" else 0x80
    subscriber = Subscriber(broker.settings(), topics.filters())
    with pytest.raises(SubscriptionRefused):
        step_until(subscriber, lambda: False)
    subscriber.close()


def test_8_and_ends_the_process_with_a_failure(broker: FakeBroker, tmp_path: Path) -> None:
    broker.granted = 0x87 if broker.protocol == "5" else 0x80
    upgrade(sqlite_url(tmp_path / "db"))
    settings = environment(
        COLDTRAIL_DATABASE_URL=sqlite_url(tmp_path / "db"),
        COLDTRAIL_MQTT_URL=broker.url,
        COLDTRAIL_MQTT_PROTOCOL=broker.protocol,
    )
    process: subprocess.Popen[bytes] = start(["ingest"], settings, tmp_path / "log")
    assert process.wait(PATIENCE) == 1
    assert "may not subscribe to coldtrail/v1/+/+/readings" in (tmp_path / "log").read_text()


def test_8_a_broker_that_falls_silent_is_left(
    broker: FakeBroker, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never answers a ping; a connection that nobody gives up looks like silence of the gateways."""
    monkeypatch.setattr("mqtt_ingest.client.KEEPALIVE", 1)
    step_until(subscriber, lambda: len(broker.of(CONNECT)) == 2)


def test_8_what_is_malformed_ends_a_connection_and_not_the_worker(broker: FakeBroker, subscriber: Subscriber) -> None:
    step_until(subscriber, lambda: len(broker.of(SUBSCRIBE)) == 1)
    broker.publish(1, TOPIC, b"before")
    broker.send(b"\x32\x05\xff\xff123")
    before = step_until(subscriber, lambda: len(broker.of(SUBSCRIBE)) == 2)
    broker.publish(1, TOPIC, b"after")
    assert [message.payload for message in before + arrivals(subscriber, 1)] == [b"before", b"after"]


def test_messages_arrive_whole_and_in_order_however_the_network_cuts_them(
    broker: FakeBroker, subscriber: Subscriber
) -> None:
    step_until(subscriber, lambda: bool(broker.of(SUBSCRIBE)))
    chance, pong = random.Random(5), b"\xd0\x00"
    sizes = [0, 1, 90, 127, 128, 129, 16_383, 16_384, 70_000, 200_000, *(chance.randrange(300) for _ in range(60))]
    payloads = [chance.randbytes(size) for size in sizes]
    stream = b"".join(
        broker.message(mid, TOPIC, payload, qos=mid % 5 and 1) + (pong if mid % 7 == 0 else b"")
        for mid, payload in enumerate(payloads, 1)
    )
    heard: list[Incoming] = []
    while stream:
        size = chance.choice([1, 2, 3, 7, 100, 5000, 100_000])
        broker.send(stream[:size])
        stream = stream[size:]
        heard += subscriber.step(0.001)
    heard += arrivals(subscriber, len(payloads) - len(heard)) if len(heard) < len(payloads) else []
    assert [message.payload for message in heard] == payloads
    subscriber.ack(heard)
    expected = [mid for mid in range(1, len(payloads) + 1) if mid % 5]
    step_until(subscriber, lambda: len(broker.acknowledged()) == len(expected))
    assert broker.acknowledged() == expected


def test_one_step_takes_a_few_megabytes_however_much_has_come(broker: FakeBroker, subscriber: Subscriber) -> None:
    step_until(subscriber, lambda: bool(broker.of(SUBSCRIBE)))
    flood = b"".join(broker.message(mid, TOPIC, bytes(30_000)) for mid in range(1, 801))
    sender = threading.Thread(target=broker.send, args=(flood,))
    sender.start()
    steps: list[int] = []
    while sum(steps) < 24_000_000:
        steps.append(sum(len(each.payload) for each in subscriber.step(0.02)))
    sender.join()
    assert max(steps) <= 5 << 20


def test_9_nothing_is_acknowledged_before_it_is_said_to_be(broker: FakeBroker, subscriber: Subscriber) -> None:
    step_until(subscriber, lambda: bool(broker.of(SUBSCRIBE)))
    for mid in (1, 2, 3):
        broker.publish(mid, TOPIC, b"%d" % mid)
    heard = arrivals(subscriber, 3)
    subscriber.step(0.2)
    assert broker.acknowledged() == []
    subscriber.ack(heard[:2])
    step_until(subscriber, lambda: len(broker.acknowledged()) == 2)
    assert broker.acknowledged() == [1, 2]


def test_10_what_an_earlier_connection_brought_is_not_acknowledged_on_this_one(
    broker: FakeBroker, subscriber: Subscriber
) -> None:
    step_until(subscriber, lambda: len(broker.of(SUBSCRIBE)) == 1)
    broker.publish(1, TOPIC, b"old")
    old = arrivals(subscriber, 1)
    broker.drop()
    step_until(subscriber, lambda: len(broker.of(SUBSCRIBE)) == 2)
    broker.publish(1, TOPIC, b"another")
    new = arrivals(subscriber, 1)
    subscriber.ack(old)
    subscriber.step(0.2)
    assert broker.acknowledged() == []
    subscriber.ack(new)
    step_until(subscriber, lambda: broker.acknowledged() == [1])


def test_retained_readings_are_not_asked_for(broker: FakeBroker, subscriber: Subscriber) -> None:
    if broker.protocol == "3.1.1":
        pytest.skip("MQTT 3.1.1 cannot refuse them; they are stored once anyway")
    step_until(subscriber, lambda: bool(broker.of(SUBSCRIBE)))
    asked = dict(filters(broker.of(SUBSCRIBE)[0], "5"))
    assert {options & RETAIN_HANDLING for name, options in asked.items() if not name.endswith("/state")} == {0x20}


def test_a_last_will_is_retained_and_of_qos_1(broker: FakeBroker) -> None:
    publisher = Publisher(broker.settings(), [], will=("coldtrail/v1/0a/GW/state", b'{"online":false,"birth":1}'))
    step_until(publisher, lambda: bool(broker.of(CONNECT)))
    publisher.close()
    packet = broker.of(CONNECT)[0]
    assert connect_flags(packet) & WILL
    assert connect_flags(packet) & WILL_RETAINED
    assert connect_flags(packet) & WILL_QOS == 0x08
    assert b'{"online":false,"birth":1}' in packet.body
    if broker.protocol == "5":
        assert b"\x18" + (60).to_bytes(4, "big") in packet.body


def test_a_receipt_is_acknowledged_to_the_broker_by_itself(broker: FakeBroker) -> None:
    publisher = Publisher(broker.settings(), ["coldtrail/v1/0a/GW/receipt"])
    step_until(publisher, lambda: bool(broker.of(SUBSCRIBE)))
    broker.publish(7, "coldtrail/v1/0a/GW/receipt", b"{}")
    step_until(publisher, lambda: bool(broker.of(PUBACK)))
    publisher.close()
    assert broker.acknowledged() == [7]


def test_only_one_mqtt_library_is_used() -> None:
    """Others drop what they have acknowledged when their queue is full, or acknowledge before they hand over."""
    wanted = (ROOT / "requirements.in").read_text() + (ROOT / "requirements-dev.in").read_text()
    assert not re.search(r"^(aiomqtt|gmqtt|hbmqtt|asyncio-mqtt)", wanted, re.MULTILINE)
    assert re.search(r"^paho-mqtt>=2\.2", wanted, re.MULTILINE)
