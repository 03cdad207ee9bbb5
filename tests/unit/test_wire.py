"""The names of paho that mqtt_ingest.wire builds on, and what it cuts out of the bytes that arrive."""

import inspect
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from mqtt_ingest.wire import Client, ReadAhead

Message = tuple[int, bytes, bytes]

METHODS = {
    "_packet_queue": ["self", "command", "packet", "mid", "qos", "info"],
    "_create_socket": ["self"],
    "loop_read": ["self", "max_packets"],
    "loop_write": ["self"],
    "loop_misc": ["self"],
    "want_write": ["self"],
}


class Socket:
    """Gives prepared bytes, so many at a time, and then nothing, or the end."""

    def __init__(self, *parts: bytes, ends: bool = False) -> None:
        self.parts = list(parts)
        self.ends = ends
        self.sent: list[bytes] = []

    def recv(self, size: int) -> bytes:
        if self.parts:
            part, self.parts[0] = self.parts[0][:size], self.parts[0][size:]
            if not self.parts[0]:
                del self.parts[0]
            return part
        if self.ends:
            return b""
        raise BlockingIOError


def packet(mid: int, topic: bytes, payload: bytes, *, properties: bytes | None = None, flags: int = 0x32) -> bytes:
    """A PUBLISH; with properties of MQTT 5 where they are given."""
    extra = b"" if properties is None else bytes([len(properties)]) + properties
    body = len(topic).to_bytes(2, "big") + topic + mid.to_bytes(2, "big") + extra + payload
    length, encoded = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([flags]) + bytes(encoded) + body


def heard(stream: bytes, at_a_time: int, *, five: bool) -> tuple[list[Message], ReadAhead]:
    """What is cut out of a stream that arrives so many bytes at a time."""
    parts = [stream[start : start + at_a_time] for start in range(0, len(stream), at_a_time)]
    ahead, found = ReadAhead(Socket(*parts)), list[Message]()
    for _ in parts:
        ahead.fill()
        found += ahead.messages(with_properties=five)
    return found, ahead


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 7, 100, 100_000])
@pytest.mark.parametrize("five", [False, True])
def test_messages_are_cut_out_wherever_the_stream_is_cut(at_a_time: int, five: bool) -> None:
    properties = b"\x01\x00" if five else None
    payloads = [b"", b"a", b"x" * 200, b"y" * 20_000]
    stream = b"".join(packet(mid, b"t/%d" % mid, each, properties=properties) for mid, each in enumerate(payloads, 1))
    found, ahead = heard(stream, at_a_time, five=five)
    assert found == [(mid, b"t/%d" % mid, each) for mid, each in enumerate(payloads, 1)]
    assert not ahead.is_for_paho()
    assert not ahead.has_more()


@pytest.mark.parametrize("flags", [0x32, 0x33, 0x3A, 0x3B])
def test_repeated_and_retained_messages_are_messages(flags: int) -> None:
    found, _ = heard(packet(7, b"t", b"p", flags=flags), 100, five=False)
    assert found == [(7, b"t", b"p")]


@pytest.mark.parametrize("first", [b"\xd0\x00", packet(1, b"t", b"p", flags=0x30), packet(1, b"t", b"p", flags=0x34)])
def test_whatever_else_comes_is_left_to_paho_and_messages_behind_it_are_not_lost(first: bytes) -> None:
    found, ahead = heard(first + packet(7, b"t", b"p"), 1000, five=False)
    assert found == []
    assert ahead.is_for_paho()
    assert b"".join(ahead.recv(1) for _ in first) == first
    assert not ahead.is_for_paho()
    assert list(ahead.messages(with_properties=False)) == [(7, b"t", b"p")]


@pytest.mark.parametrize(
    "broken",
    [
        b"\x32\x03\x00\x09t",
        b"\x32\xff\xff\xff\xff\xff",
        packet(1, b"t", b"", properties=b"")[:-1] + b"\x7f",
    ],
)
def test_a_malformed_message_is_for_paho_to_refuse(broken: bytes) -> None:
    found, ahead = heard(broken, 1000, five=True)
    assert found == []
    assert ahead.is_for_paho()


def test_a_message_that_is_not_whole_is_waited_for_without_turning_round() -> None:
    found, ahead = heard(packet(1, b"t", b"p" * 50)[:-1], 1000, five=False)
    assert found == []
    assert not ahead.has_more()
    assert not ahead.is_for_paho()


def test_the_end_of_the_connection_is_for_paho() -> None:
    ahead = ReadAhead(Socket(ends=True))
    ahead.fill()
    assert ahead.is_for_paho()
    assert ahead.recv(1) == b""


def test_the_end_within_a_message_is_for_paho_too() -> None:
    ahead = ReadAhead(Socket(packet(1, b"t", b"p" * 50)[:-1], ends=True))
    for _ in range(2):
        ahead.fill()
        assert list(ahead.messages(with_properties=False)) == []
    assert ahead.is_for_paho()
    while ahead.recv(10):
        pass
    assert ahead.is_for_paho()


def client() -> Client:
    return Client(CallbackAPIVersion.VERSION2, client_id="c", protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True)


def test_acknowledgements_go_out_in_one_write_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[Any, ...]] = []

    def queued(*arguments: Any) -> MQTTErrorCode:
        written.append(arguments)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    mine = client()
    monkeypatch.setattr(mine, "_packet_queue", queued)
    mine.ack_all([1, 258, 65535])
    mine.ack_all([])
    assert [each[1] for each in written] == [bytes.fromhex("40020001 40020102 4002ffff")]


def test_paho_still_has_what_is_built_on() -> None:
    methods = {name: list(inspect.signature(getattr(paho.Client, name)).parameters) for name in METHODS}
    assert methods == METHODS
    mine = vars(client())
    assert mine["_in_packet"]["command"] == 0
    assert mine["_last_bytes_received"] > 0
    assert mine["_protocol"] == MQTTProtocolVersion.MQTTv5
    with mine["_msgtime_mutex"]:
        pass
