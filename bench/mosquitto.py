"""A Mosquitto of the benchmarks' own, a durable session in it, and messages that wait there."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mqtt_ingest import topics
from mqtt_ingest.client import Subscriber
from mqtt_ingest.settings import MqttSettings


class NotMeasured(RuntimeError):
    """What a measure needs is not there."""


_CONFIGURATION = """
listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 1000
set_tcp_nodelay true
persistence false
log_type error
"""

_CONNECT = bytes.fromhex("1012 0004 4d515454 04 02 003c 0006") + b"loader"
_WINDOW = 2000
_PUBACK = 4


@contextmanager
def broker(folder: Path) -> Iterator[int]:
    """The port of a Mosquitto that runs meanwhile."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise NotMeasured("there is no mosquitto on this machine")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = folder / "mosquitto.conf"
    configuration.write_text(_CONFIGURATION.format(port=port))
    process = subprocess.Popen(
        [program, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def open_session(port: int, client_id: str) -> None:
    """Make the durable session in which messages are to wait for a client."""
    settings = MqttSettings(client_id, "127.0.0.1", port)
    subscriber = Subscriber(settings, topics.filters())
    while not subscriber.subscribed:
        subscriber.step(0.1)
    subscriber.close()


def publish(port: int, messages: Iterable[tuple[str, bytes]]) -> int:
    """Publish messages with QoS 1, as fast as the broker acknowledges them; how many it acknowledged."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(_CONNECT)
        connection.recv(4)
        sent = acknowledged = 0
        waiting: list[bytes] = []
        for topic, payload in messages:
            waiting.append(_packet(topic, payload, sent % 65535 + 1))
            sent += 1
            if len(waiting) == _WINDOW // 2:
                connection.sendall(b"".join(waiting))
                waiting.clear()
                while sent - acknowledged // _PUBACK > _WINDOW:
                    acknowledged += len(connection.recv(1 << 16))
        connection.sendall(b"".join(waiting))
        while acknowledged // _PUBACK < sent:
            acknowledged += len(connection.recv(1 << 16))
    return sent


def _packet(topic: str, payload: bytes, mid: int) -> bytes:
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big") + payload
    length, encoded = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return b"\x32" + bytes(encoded) + body


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NotMeasured("mosquitto did not come up")
