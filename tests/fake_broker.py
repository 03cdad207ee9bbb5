"""A broker that shows what a client sends, byte by byte, and does what no real broker could be brought to do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from mqtt_ingest.settings import MqttSettings
from tests.services import LOOPBACK, PATIENCE

CONNECT, PUBLISH, PUBACK, SUBSCRIBE = 1, 3, 4, 8

Protocol = Literal["5", "3.1.1"]


@dataclass(frozen=True)
class Packet:
    """A control packet: its kind, the lower half of its first byte, and what follows its length."""

    kind: int
    flags: int
    body: bytes


@dataclass
class FakeBroker:
    """One connection at a time; `granted` answers each filter, `session_present` each CONNECT."""

    protocol: Protocol
    granted: int = 1
    session_present: bool = False
    packets: list[Packet] = field(default_factory=list)
    _client: socket.socket | None = None

    def __post_init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"mqtt://{LOOPBACK}:{self._listener.getsockname()[1]}"

    def settings(self) -> MqttSettings:
        """For a client of it."""
        return MqttSettings.from_url(self.url, "under-test", protocol=self.protocol)

    def of(self, kind: int) -> list[Packet]:
        """What came so far of a kind, on all connections."""
        return [packet for packet in list(self.packets) if packet.kind == kind]

    def acknowledged(self) -> list[int]:
        """The identifiers of all PUBACKs so far."""
        return [int.from_bytes(packet.body[:2], "big") for packet in self.of(PUBACK)]

    def publish(self, mid: int, topic: str, payload: bytes) -> None:
        """Hand a message of QoS 1 to the client."""
        self.send(self.message(mid, topic, payload))

    def message(self, mid: int, topic: str, payload: bytes, qos: int = 1) -> bytes:
        """A message as it goes over the line."""
        name = topic.encode()
        identifier = mid.to_bytes(2, "big") if qos else b""
        properties = b"\0" if self.protocol == "5" else b""
        return _packed(PUBLISH << 4 | qos << 1, len(name).to_bytes(2, "big") + name + identifier + properties + payload)

    def send(self, content: bytes) -> None:
        """Send bytes to the client as they are."""
        if self._client is None:
            raise ConnectionError
        self._client.sendall(content)

    def drop(self) -> None:
        """Break the connection without a word."""
        if self._client:
            with suppress(OSError):
                self._client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        self._thread.join(PATIENCE)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, client.makefile("rb") as stream:
                    self._client = client
                    with suppress(OSError, EOFError):
                        self._talk(stream)

    def _talk(self, stream: BinaryIO) -> None:
        while True:
            packet = _read(stream)
            self.packets.append(packet)
            if packet.kind == CONNECT:
                flags = bytes([self.session_present, 0])
                self.send(_packed(0x20, flags + (b"\0" if self.protocol == "5" else b"")))
            elif packet.kind == SUBSCRIBE:
                properties = b"\0" if self.protocol == "5" else b""
                codes = bytes([self.granted]) * len(filters(packet, self.protocol))
                self.send(_packed(0x90, packet.body[:2] + properties + codes))


@contextmanager
def fake_broker(protocol: Protocol = "5") -> Iterator[FakeBroker]:
    """One that ends with the block."""
    broker = FakeBroker(protocol)
    try:
        yield broker
    finally:
        broker.close()


def filters(packet: Packet, protocol: Protocol) -> list[tuple[str, int]]:
    """The filters of a SUBSCRIBE with the options of each; its properties are expected to be short or none."""
    body = packet.body[2:]
    if protocol == "5":
        body = body[1 + body[0] :]
    found = []
    while body:
        size = int.from_bytes(body[:2], "big")
        found.append((body[2 : 2 + size].decode(), body[2 + size]))
        body = body[3 + size :]
    return found


def connect_flags(packet: Packet) -> int:
    """The flags of a CONNECT: 2 is the clean start, 4 a will, 32 that the will is retained."""
    return packet.body[7]


def _read(stream: BinaryIO) -> Packet:
    first = _exactly(stream, 1)[0]
    length, shift = 0, 0
    while True:
        byte = _exactly(stream, 1)[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return Packet(first >> 4, first & 0x0F, _exactly(stream, length))


def _exactly(stream: BinaryIO, size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise EOFError
    return found


def _packed(first: int, body: bytes) -> bytes:
    """A packet: its first byte, its length in seven bits a byte, its body."""
    length, size = bytearray(), len(body)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([first, *length, size]) + body
