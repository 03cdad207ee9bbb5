"""A publisher that knows nothing of receipts: QoS 1, and it believes to be safe what the broker acknowledged."""

import json
from collections.abc import Iterator
from datetime import datetime
from threading import Event, Thread
from urllib.parse import urlsplit

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from coldtrail.gateway_sim import Plan
from inventory.services.equipment import shard_of
from inventory.services.messages import Measurement
from mqtt_ingest import topics
from soak.proof import Taken
from soak.victims import PATIENCE

_PAUSE = 0.01


class PlainPublisher:
    """Publishes a message a reading until it is stopped, and notes what the broker acknowledged.

    Args:
        url: the broker.
        code: the gateway in whose name it speaks.
        plan: what its sensors measure.
        since: when the first reading was; each next is an interval later.
    """

    def __init__(self, url: str, code: str, plan: Plan, since: datetime) -> None:
        self._sent: list[tuple[paho.MQTTMessageInfo, Measurement]] = []
        self._stop = Event()
        self._readings = _readings(code, plan, since)
        self._topic = readings_topic(code)
        self._client = _connected(url)
        self._thread = Thread(target=self._run)
        self._thread.start()

    def stop(self) -> Taken:
        """End; what the broker acknowledged."""
        self._stop.set()
        self._thread.join()
        for sent, _ in self._sent:
            sent.wait_for_publish(PATIENCE)
        self._client.disconnect()
        self._client.loop_stop()
        acknowledged = (one for sent, one in self._sent if sent.is_published())
        return {(one.sensor, one.measured_at): one.temperature for one in acknowledged}

    def _run(self) -> None:
        for one in self._readings:
            if self._stop.wait(_PAUSE):
                return
            self._sent.append((self._client.publish(self._topic, _payload(one), qos=1), one))


def publish_all(url: str, topic: str, *payloads: bytes, qos: int = 1) -> None:
    """Publish messages and wait until the broker has acknowledged them."""
    client = _connected(url)
    for sent in [client.publish(topic, payload, qos=qos) for payload in payloads]:
        sent.wait_for_publish(PATIENCE)
    client.disconnect()
    client.loop_stop()


def publish_readings(url: str, code: str, taken: Taken) -> None:
    """Publish readings, one a message, in the name of a gateway, and wait until the broker has acknowledged them."""
    payloads = [_payload(Measurement(serial, at, value)) for (serial, at), value in taken.items()]
    publish_all(url, readings_topic(code), *payloads)


def readings_topic(code: str) -> str:
    """Where a gateway publishes."""
    return topics.build(topics.Topic(shard_of(code), code, topics.Kind.READINGS))


def _connected(url: str) -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    parts = urlsplit(url)
    if parts.username:
        client.username_pw_set(parts.username, parts.password)
    client.connect(parts.hostname or "", parts.port or 1883)
    client.loop_start()
    return client


def _readings(code: str, plan: Plan, since: datetime) -> Iterator[Measurement]:
    at = since
    while True:
        yield from plan.measured(code, at)
        at += plan.interval


def _payload(one: Measurement) -> bytes:
    """The native format without a number."""
    return json.dumps(
        {"sensor": one.sensor, "at": one.measured_at.isoformat(), "celsius": one.temperature / 100}
    ).encode()
