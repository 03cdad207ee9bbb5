"""A real Mosquitto as `deploy/` and `docker-compose.yml` describe it.

It is started by the very command of the compose file, with the container's folders moved into a temporary one.
"""

import os
import queue
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path
from shutil import which
from threading import Event
from typing import Self

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.services import LOOPBACK, PATIENCE, free_port, require_mosquitto, unavailable
from tests.unit.test_compose import ROOT, SERVICES

V5 = MQTTProtocolVersion.MQTTv5


@dataclass(frozen=True)
class Deployed:
    """A running broker and the passwords of its users."""

    folder: Path
    port: int
    tls_port: int

    def reload(self) -> None:
        """Let the broker read its users again."""
        os.kill(int((self.folder / "pid").read_text()), signal.SIGHUP)

    def client(self, user: str | None, password: str = "", version: MQTTProtocolVersion = V5) -> "Client":
        inner = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=version)
        inner.username_pw_set(user, password or f"{user}-password")
        return Client(inner, self.port)

    def certified(self, name: str) -> "Client":
        authority, certificate, key = (
            str(self.folder / "certs" / file) for file in ("ca.crt", f"{name}.crt", f"{name}.key")
        )
        inner = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=V5)
        inner.tls_set(authority, certificate, key)
        return Client(inner, self.tls_port)


class Client:
    """A client that remembers what it is told."""

    def __init__(self, inner: mqtt.Client, port: int) -> None:
        self._client = inner
        self._port = port
        self.connected: queue.Queue[str] = queue.Queue()
        self.published: queue.Queue[str] = queue.Queue()
        self.inbox: queue.Queue[str] = queue.Queue()
        self.gone = Event()
        self._subscribed = Event()
        self._listen()

    def _listen(self) -> None:
        self._client.on_connect = lambda _c, _u, _f, reason, _p: self.connected.put(str(reason))
        self._client.on_publish = lambda _c, _u, _m, reason, _p: self.published.put(str(reason))
        self._client.on_message = lambda _c, _u, message: self.inbox.put(message.topic)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_disconnect = lambda *_: self.gone.set()

    def __enter__(self) -> Self:
        self._client.connect(LOOPBACK, self._port)
        self._client.loop_start()
        self.welcome = self.connected.get(timeout=PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, topics: str) -> None:
        self._client.subscribe(topics, qos=1)
        assert self._subscribed.wait(PATIENCE)

    def publish(self, topic: str, payload: bytes = b"{}") -> str:
        """How the broker answers."""
        self.send(topic, payload)
        return self.published.get(timeout=PATIENCE)

    def send(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1)

    def next_topic(self) -> str:
        return self.inbox.get(timeout=PATIENCE)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    require_mosquitto()
    broker = Deployed(tmp_path_factory.mktemp("mosquitto"), free_port(), free_port())
    _lay_out(broker)
    with _running(broker):
        yield broker


def _lay_out(broker: Deployed) -> None:
    for name in ("config", "data", "certs", "etc"):
        (broker.folder / name).mkdir()
    _issue_certificates(broker.folder / "certs")
    (broker.folder / "etc/acl").write_text((ROOT / "deploy/mosquitto.acl").read_text())
    (broker.folder / "etc/mosquitto.conf").write_text(_configuration(broker))
    for user in ("gateway-a", "gateway-b", "+"):
        add_user(broker, user)


def _configuration(broker: Deployed) -> str:
    """The file that is shipped, with its TLS listener switched on as its comment tells, on free ports."""
    shipped = (ROOT / "deploy/mosquitto.conf").read_text()
    text = re.sub(r"^#(?=\S)", "", shipped, flags=re.MULTILINE).replace("/mosquitto/", f"{broker.folder}/")
    text = text.replace("listener 1883", f"listener {broker.port} {LOOPBACK}")
    text = text.replace("listener 8883", f"listener {broker.tls_port} {LOOPBACK}")
    return (
        f"{text}\nuser {getuser()}\npid_file {broker.folder / 'pid'}\n"  # the temporary folder belongs to nobody else
    )


def add_user(broker: Deployed, user: str) -> None:
    """Give a user a password, `{user}-password`; a running broker has to `reload`."""
    passwords = broker.folder / "config/passwords"
    passwords.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", passwords, user, f"{user}-password"], check=True)


def _issue_certificates(folder: Path) -> None:
    if which("openssl") is None:
        unavailable("there is no openssl to make certificates with")
    (folder / "names").write_text(f"subjectAltName=IP:{LOOPBACK}\n")
    _openssl(folder, "req -x509 -newkey rsa:2048 -nodes -subj /CN=ca -keyout ca.key -out ca.crt -days 2")
    for name in ("broker", "gateway-a"):
        _openssl(folder, f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr")
        signed_by = "-CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names"
        _openssl(folder, f"x509 -req -in {name}.csr -out {name}.crt {signed_by}")


def _openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)


@contextmanager
def _running(broker: Deployed) -> Iterator[None]:
    environment = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin", "MQTT_INGEST_PASSWORD": "ingest-password"}
    with (broker.folder / "log").open("wb") as log:
        process = subprocess.Popen(["sh", "-euc", _command(broker)], env=environment, stdout=log, stderr=log)
    try:
        _await(process, broker)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _command(broker: Deployed) -> str:
    *_, script = SERVICES["broker"]["command"]
    moved = script.replace("/etc/mosquitto", f"{broker.folder}/etc").replace("/mosquitto/", f"{broker.folder}/")
    return str(moved.replace("$$", "$"))


def _await(process: "subprocess.Popen[bytes]", broker: Deployed) -> None:
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((LOOPBACK, broker.port), timeout=1).close()
        except OSError:
            assert process.poll() is None, (broker.folder / "log").read_text()
            assert time.monotonic() < give_up
            time.sleep(0.05)
        else:
            return
