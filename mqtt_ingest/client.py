"""The MQTT client: with mqtt_ingest.wire, the only module that knows paho.

Both classes are driven by their owner's thread through `step`, never by a thread of paho's: an exception there
kills that thread while the client goes on saying that it is connected. Here it surfaces in `step` and ends the
process, whose supervisor starts it again.
"""

import logging
import random
import time
from collections.abc import Sequence
from typing import NamedTuple

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from mqtt_ingest import topics, wire
from mqtt_ingest.settings import MqttSettings

SESSION_EXPIRY = 7 * 24 * 3600
"""How long a broker keeps what it has for us while we are away, in seconds (MQTT 5)."""

KEEPALIVE = 30
"""Seconds of silence after which each side pings the other; half as much again, and the connection is dead."""

_WILL_DELAY = 60
_RECEIVE_MAXIMUM = 4000
_BURST = 1000
_TURNS = 64
_OUTGOING = 10_000
_CONNECT_TIMEOUT = 5.0
_LEAVE_SECONDS = 5.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0

_log = logging.getLogger(__name__)


class SubscriptionRefused(RuntimeError):
    """The broker does not let this client hear what it lives for: waiting would look like silence."""


Will = tuple[str, bytes]
"""What the broker publishes for a client that goes without a word: topic and payload; retained, QoS 1."""


class Incoming(NamedTuple):
    """A message that arrived; `mid` identifies it to the broker on connection `generation` only."""

    generation: int
    mid: int
    topic: str
    payload: bytes


class _Link:
    """One connection with a durable session, made again whenever it breaks."""

    def __init__(
        self,
        settings: MqttSettings,
        filters: Sequence[str],
        *,
        manual_ack: bool,
        optional: Sequence[str] = (),
        will: Will | None = None,
    ) -> None:
        self.generation = 0
        self.lost_sessions = 0
        self.new_sessions = 0
        self.connected = False
        self.subscribed = False
        self._settings = settings
        self._filters = (*filters, *optional)
        self._needed = frozenset(filters)
        self._arrived: list[Incoming] = []
        self._last_handed: paho.MQTTMessageInfo | None = None
        self._open = False
        self._failures = 0
        self._retry_at = 0.0
        self._client = self._made(manual_ack, will)

    def step(self, timeout: float) -> list[Incoming]:
        """Send, receive and keep the connection, for `timeout` seconds or until something happens.

        Returns what arrived, in order. While there is no connection, it waits, or tries to make one (which may
        take five seconds longer where the broker's host does not answer at all).

        Raises:
            SubscriptionRefused: the broker granted less than was asked.
        """
        if self._open:
            self._turn(timeout)
        else:
            self._come_back(timeout)
        turns = 1
        while self._open and 0 < len(self._arrived) < _BURST and turns < _TURNS and self._turned_up_more():
            turns += 1  # of 64 KiB at most each
        arrived, self._arrived = self._arrived, []
        return arrived

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand a message to the connection, QoS 1; False where there is none or it is congested.

        True promises nothing yet: whoever needs certainty keeps the message until its receipt.
        """
        if not self.connected:
            return False
        handed = self._client.publish(topic, payload, qos=1, retain=retain)
        if handed.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        self._last_handed = handed
        return True

    def settle(self, seconds: float = _LEAVE_SECONDS) -> None:
        """Hear the broker's answers to what was published, for up to so many seconds: before `close`, to go in peace.

        A broker that still has to answer when the connection is gone takes that for going without a word.
        """
        last, ends = self._last_handed, time.monotonic() + seconds
        while self.connected and last and not last.is_published() and time.monotonic() < ends:
            self._turn(0.1)

    def close(self) -> None:
        """End the connection; the broker keeps the session."""
        was_open = self._open
        self.connected = self._open = False
        if was_open:
            self._client.disconnect()

    def _turned_up_more(self) -> bool:
        before = len(self._arrived)
        self._turn(0)
        return len(self._arrived) > before

    def _turn(self, timeout: float) -> None:
        if self._client.turn(timeout) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost("the connection broke")

    def _come_back(self, timeout: float) -> None:
        wait = self._retry_at - time.monotonic()
        if wait > 0:
            time.sleep(min(wait, timeout))
            return
        try:
            self._client.drop_out_messages()
            self._last_handed = None
            self._connect()
        except OSError as error:
            self._retry_later(str(error))
        else:
            self._open = True

    def _connect(self) -> None:
        host, port = self._settings.host, self._settings.port
        if self._settings.protocol == "3.1.1":
            self._client.connect(host, port, KEEPALIVE)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY
        properties.ReceiveMaximum = _RECEIVE_MAXIMUM
        self._client.connect(host, port, KEEPALIVE, clean_start=False, properties=properties)

    def _lost(self, why: str) -> None:
        """The connection is gone: heeded once, whoever notices it first."""
        if self._open:
            self._retry_later(why)

    def _retry_later(self, why: str) -> None:
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(self._failures, 10))
        self._retry_at = time.monotonic() + wait * random.uniform(0.5, 1)  # noqa: S311  (jitter, not a secret)
        self._failures += 1
        self.connected = self._open = False
        _log.warning("%s: not connected to %s: %s", self._settings.client_id, self._settings.host, why)

    def _made(self, manual_ack: bool, will: Will | None) -> wire.Client:
        """The client of paho: nothing of a session may be cleaned on any connect."""
        five = self._settings.protocol == "5"
        client = wire.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._settings.client_id,
            clean_session=None if five else False,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            manual_ack=manual_ack,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _CONNECT_TIMEOUT
        client.max_queued_messages_set(_OUTGOING)
        self._authenticate(client)
        if will:
            client.will_set(*will, qos=1, retain=True, properties=_will_delay() if five else None)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        if manual_ack:
            client.heard = self._heard
        client.on_message = self._on_message
        return client

    def _authenticate(self, client: paho.Client) -> None:
        if self._settings.username:
            client.username_pw_set(self._settings.username, self._settings.password)
        if self._settings.tls:
            tls = self._settings.tls
            files = (tls.authority, tls.certificate, tls.key)
            authority, certificate, key = (None if file is None else str(file) for file in files)
            client.tls_set(authority, certificate, key)

    def _on_connect(
        self, client: paho.Client, _data: object, flags: paho.ConnectFlags, reason: ReasonCode, _more: object
    ) -> None:
        if reason.is_failure:
            self._lost(f"refused: {reason}")
            return
        self.generation += 1
        self.connected = True
        self._failures = 0
        self.new_sessions += not flags.session_present
        if self.generation > 1 and not flags.session_present:
            self.lost_sessions += 1
            _log.warning("%s: the broker lost the session and what was queued in it", self._settings.client_id)
        if self._filters:
            self._subscribe(client)

    def _subscribe(self, client: paho.Client) -> None:
        if self._settings.protocol == "3.1.1":
            client.subscribe([(name, 1) for name in self._filters])
            return
        client.subscribe([(name, _options(name)) for name in self._filters])

    def _on_subscribe(
        self, _client: object, _data: object, _mid: int, reasons: list[ReasonCode], _more: object
    ) -> None:
        refused = [
            name for name, reason in zip(self._filters, reasons, strict=False) if reason.is_failure or not reason.value
        ]
        said = f"{self._settings.client_id} may not subscribe to {', '.join(refused)}"
        if self._needed.intersection(refused):
            raise SubscriptionRefused(said)
        if refused:
            _log.warning("%s", said)
        self.subscribed = True

    def _on_disconnect(self, _client: object, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        self._lost(str(reason))

    def _heard(self, mid: int, topic: bytes, payload: bytes) -> None:
        self._arrived.append(Incoming(self.generation, mid, topics.as_text(topic), payload))

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        """What did not go by `_heard`: messages that paho acknowledges, or of another QoS than was asked for."""
        self._heard(message.mid, message._topic, bytes(message.payload))  # noqa: SLF001  (as it came, UTF-8 or not)


class Subscriber(_Link):
    """The ingest worker's connection: nothing is acknowledged to the broker before `ack`."""

    def __init__(self, settings: MqttSettings, filters: Sequence[str], optional: Sequence[str] = ()) -> None:
        """`optional` filters may be refused; that is noted and no more."""
        super().__init__(settings, filters, manual_ack=True, optional=optional)

    def ack(self, messages: Sequence[Incoming]) -> None:
        """Tell the broker that it may forget these, in order of arrival; what came with QoS 0 has no identifier.

        Those of an earlier connection are passed over: the broker sends them again, and on this connection their
        identifiers may belong to others.
        """
        current = [message.mid for message in messages if message.mid and message.generation == self.generation]
        if self.connected and self._client.ack_all(current) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lost("the connection broke")


class Publisher(_Link):
    """A gateway's connection: what arrives on its filters, receipts, is acknowledged by itself.

    A receipt that is lost after that does no harm, for the gateway sends again and gets it again. The `will` is what
    the broker is to say, a minute later where MQTT 5 allows, when the gateway goes without a word.
    """

    def __init__(self, settings: MqttSettings, filters: Sequence[str] = (), *, will: Will | None = None) -> None:
        super().__init__(settings, filters, manual_ack=False, will=will)


def _options(name: str) -> SubscribeOptions:
    """Only what is said of a gateway's presence is retained, and wanted once, by a session that has not heard it."""
    if name.endswith("/state"):
        return SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
    return SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)


def _will_delay() -> Properties:
    properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
    properties.WillDelayInterval = _WILL_DELAY
    return properties
