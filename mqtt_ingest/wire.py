"""paho's client, with what costs most at a high rate made cheaper: reading, QoS 1 messages and acknowledgements.

paho asks the system for each byte of a header, decodes properties that nobody reads, and sends each acknowledgement by
itself. Here what has arrived is read at once, QoS 1 messages are cut out of it in memory, their properties are passed
over, and acknowledgements go out together. Connections, sessions, keep-alive, subscriptions and all other packets are
paho's own. This builds on names of paho that are not public; `tests/unit/test_wire.py` tells when they change.
"""

import select
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion

Heard = Callable[[int, bytes, bytes], None]
"""Takes a QoS 1 message: its identifier, its topic and its payload."""

_PUBACK = 0x40
_PUBLISH_QOS_1 = 0x32
_BUT_DUP_AND_RETAIN = 0xF6
_AT_A_TIME = 1 << 16
_LONGEST_HEADER = 5

_OK = MQTTErrorCode.MQTT_ERR_SUCCESS


class ReadAhead:
    """A socket of which as much is read at a time as has arrived."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._arrived = b""
        self._taken = 0
        self._ended = self._incomplete = self._malformed = False

    def fill(self) -> bool:
        """Read what the system has, up to 64 KiB; whether it had anything."""
        try:
            more = self._inner.recv(_AT_A_TIME)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        self._ended, self._incomplete = not more, False
        self._arrived, self._taken = self._arrived[self._taken :] + more, 0
        return bool(more)

    def messages(self, *, with_properties: bool) -> Iterator[tuple[int, bytes, bytes]]:
        """The QoS 1 messages at the front that are here whole, taken out: identifier, topic, payload."""
        arrived = self._arrived
        while self._taken < len(arrived) and arrived[self._taken] & _BUT_DUP_AND_RETAIN == _PUBLISH_QOS_1:
            start, length = _varint(arrived, self._taken + 1)
            end = start + length
            if start < 0 or end > len(arrived):
                self._malformed = start < 0 and len(arrived) - self._taken > _LONGEST_HEADER
                self._incomplete = not self._malformed
                return
            body = start + 4 + int.from_bytes(arrived[start : start + 2], "big")
            payload, skipped = _varint(arrived, body) if with_properties else (body, 0)
            if not body <= payload + skipped <= end:
                self._malformed = True
                return
            self._taken = end
            mid = int.from_bytes(arrived[body - 2 : body], "big")
            yield mid, arrived[start + 2 : body - 2], arrived[payload + skipped : end]

    def recv(self, size: int) -> bytes:
        """Up to so many bytes, for paho."""
        start = self._taken
        if start >= len(self._arrived) and not self._ended:
            return self._inner.recv(size)  # type: ignore[no-any-return]
        self._taken = min(start + size, len(self._arrived))
        return self._arrived[start : self._taken]

    def is_for_paho(self) -> bool:
        """Whether what comes next is no QoS 1 message, or a malformed one, or the end."""
        if self._taken >= len(self._arrived) or self._incomplete:
            return self._ended
        return self._malformed or self._arrived[self._taken] & _BUT_DUP_AND_RETAIN != _PUBLISH_QOS_1

    def has_more(self) -> bool:
        """Whether something can be read without waiting for the system."""
        inner = getattr(self._inner, "pending", None)
        here = self._taken < len(self._arrived) and not self._incomplete
        return here or bool(inner and inner())

    def __getattr__(self, name: str) -> Any:
        """All else is the socket's."""
        return getattr(self._inner, name)


class Client(paho.Client):
    """A paho client that hands QoS 1 messages to `heard`, where that is set, and acknowledges none by itself."""

    heard: Heard | None = None

    def turn(self, timeout: float) -> MQTTErrorCode:
        """Send, receive and keep the connection, for `timeout` seconds or until something happens."""
        found = self.socket()
        if found is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        rc = self._take_in(found) if self._may_read(found, timeout) else _OK
        if rc == _OK and self.want_write():
            rc = self.loop_write()
        return rc if rc != _OK else self.loop_misc()

    def ack_all(self, identifiers: Iterable[int]) -> MQTTErrorCode:
        """Acknowledge messages, in this order, with one write."""
        packed = b"".join(b"\x40\x02" + each.to_bytes(2, "big") for each in identifiers)
        return self._packet_queue(_PUBACK, packed, 0, 1) if packed else _OK

    def _create_socket(self) -> Any:
        return ReadAhead(super()._create_socket())

    def _may_read(self, found: Any, timeout: float) -> bool:
        poll = select.poll()
        poll.register(found.fileno(), select.POLLIN | (select.POLLOUT if self.want_write() else 0))
        ready = poll.poll(0 if found.has_more() else timeout * 1000)
        return found.has_more() or any(event & ~select.POLLOUT for _, event in ready)

    def _take_in(self, found: Any) -> MQTTErrorCode:
        """Read what has arrived: QoS 1 messages here, anything else and the end of the connection by paho."""
        if self.heard is None or self._in_packet["command"]:
            return self.loop_read()
        try:
            came = found.fill()
        except OSError:
            return self.loop_read()
        for mid, topic, payload in found.messages(with_properties=self._protocol == MQTTProtocolVersion.MQTTv5):
            self.heard(mid, topic, payload)
        if came:
            with self._msgtime_mutex:
                self._last_bytes_received = time.monotonic()
        rc = _OK
        while rc == _OK and found.is_for_paho() and self.socket() is found:
            rc = self.loop_read()
        return rc


def _varint(data: bytes, start: int) -> tuple[int, int]:
    """Where a length of seven bits a byte ends, and what it is; -1 where it does not end in what is here."""
    length = shift = 0
    for index in range(start, min(start + 4, len(data))):
        length |= (data[index] & 0x7F) << shift
        if not data[index] & 0x80:
            return index + 1, length
        shift += 7
    return -1, 0
