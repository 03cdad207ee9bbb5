"""A private MQTT broker on this machine, for the demo and for tests: Mosquitto where there is one, else amqtt.

Neither may be trusted with messages: Mosquitto keeps its queues in memory between saves, and amqtt, which comes with
Coldtrail's own packages so that there is always a broker, keeps nothing for a client that is away. That is what
receipts are for.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

Kind = Literal["mosquitto", "amqtt"]

HOST = "127.0.0.1"

_MOSQUITTO_PLACES = ("/usr/sbin", "/usr/local/sbin")
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_LOG_TAIL = 2000


class BrokerFailed(RuntimeError):
    """A broker that did not come up; the message ends with what it said."""


class Broker:
    """A running broker; as a context manager it stops at the end.

    Attributes:
        kind: which broker it is.
        port: its port on the loopback interface, the same after a restart.
        process: its process, another one after a restart.
        log: the file of what it says.
    """

    process: subprocess.Popen[bytes]

    def __init__(self, kind: Kind, port: int, folder: Path, command: list[str], group: int) -> None:
        self.kind = kind
        self.port = port
        self.log = folder / f"{kind}.log"
        self._folder = folder
        self._command = command
        self._group = group
        self._start()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"mqtt://{HOST}:{self.port}"

    @property
    def protocol(self) -> Literal["5", "3.1.1"]:
        """The newest MQTT that it speaks."""
        return "5" if self.kind == "mosquitto" else "3.1.1"

    def stop(self) -> None:
        """End it in good order, by force after ten seconds; nothing if it has ended already."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Stop it where it still runs, and start it again on the same port and folder.

        Raises:
            BrokerFailed: it did not come up.
        """
        self.stop()
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        """Start the process outside our process group: Ctrl-C is for its owner, who stops it last."""
        if _answers(self.port):
            raise BrokerFailed(f"port {self.port} is taken by another program")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command, cwd=self._folder, stdout=log, stderr=log, process_group=self._group
            )
        try:
            self._wait_until_up()
        except BaseException:
            self.kill()
            raise

    def _wait_until_up(self) -> None:
        ends = time.monotonic() + _START_SECONDS
        while time.monotonic() < ends:
            if self.process.poll() is not None:
                raise BrokerFailed(f"{self.kind} ended with status {self.process.returncode}: {self._tail()}")
            if _answers(self.port):
                return
            time.sleep(0.05)
        raise BrokerFailed(f"{self.kind} does not answer on port {self.port}: {self._tail()}")

    def _tail(self) -> str:
        return self.log.read_bytes()[-_LOG_TAIL:].decode(errors="replace").strip() or "it said nothing"


def start_broker(port: int | None, folder: Path, prefer: Kind | None = None, group: int = 0) -> Broker:
    """Start a broker that only this machine can reach; whoever can, needs no password.

    Args:
        port: where; None for any that is free.
        folder: its own, for configuration, log and queues; made if need be.
        prefer: this one and no other; None for Mosquitto if it can be found, else amqtt.
        group: the process group that it joins; 0 for one of its own.

    Raises:
        BrokerFailed: it did not come up, or Mosquitto was wanted and cannot be found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kind = prefer or ("mosquitto" if mosquitto_path() else "amqtt")
    free = port or _free_port()
    return Broker(kind, free, folder.resolve(), _COMMANDS[kind](free, folder.resolve()), group)


def mosquitto_path() -> str | None:
    """The Mosquitto program, also where Debian keeps it, outside an ordinary PATH."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), *_MOSQUITTO_PLACES))
    return shutil.which("mosquitto", path=places)


def _mosquitto(port: int, folder: Path) -> list[str]:
    program = mosquitto_path()
    if program is None:
        raise BrokerFailed("there is no Mosquitto: install its broker, or let amqtt serve")
    return [program, "-c", str(_written(folder / "mosquitto.conf", _mosquitto_settings(port, folder)))]


def _mosquitto_settings(port: int, folder: Path) -> list[str]:
    """Queues far beyond the default thousand, past which it drops in silence; `user`: root's folder stays root's."""
    user = ["user root"] if os.geteuid() == 0 else []
    return [
        *user,
        f"listener {port} {HOST}",
        "allow_anonymous true",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_interval 30",
        "persistent_client_expiration 14d",
        "max_queued_messages 1000000",
        "max_queued_bytes 1000000000",
        "max_inflight_messages 1000",
        "max_packet_size 1114112",
        "set_tcp_nodelay true",
        "sys_interval 0",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
    ]


def _amqtt(port: int, folder: Path) -> list[str]:
    settings = [
        "listeners:",
        "  default:",
        "    type: tcp",
        f"    bind: {HOST}:{port}",
        "plugins:",
        "  amqtt.plugins.authentication.AnonymousAuthPlugin:",
        "    allow_anonymous: true",
    ]
    file = _written(folder / "amqtt.yaml", settings)
    return [sys.executable, "-W", "ignore", "-m", "amqtt.scripts.broker_script", "-c", str(file)]


_COMMANDS: dict[Kind, Callable[[int, Path], list[str]]] = {"mosquitto": _mosquitto, "amqtt": _amqtt}


def _written(file: Path, lines: list[str]) -> Path:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
