"""What can be killed: processes of ours, a broker, and a PostgreSQL that is thrown away."""

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psycopg

from coldtrail.broker import Broker

LOOPBACK = "127.0.0.1"
PATIENCE = 60.0
"""Seconds until what does not happen is a failure."""

_SETTINGS = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", "full_page_writes": "off"}


class Victim(Protocol):
    """What can be killed without warning, and started again where it was."""

    kind: str

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""

    def revive(self) -> None:
        """Start it again on what it left behind."""

    def stop(self) -> None:
        """End it in good order."""


def until(what: Callable[[], bool], patience: float = PATIENCE, why: str = "it did not come to pass") -> None:
    """Wait until something holds; RuntimeError after `patience` seconds."""
    ends = time.monotonic() + patience
    while not what():
        if time.monotonic() > ends:
            raise RuntimeError(why)
        time.sleep(0.02)


@dataclass
class Command:
    """A process of `coldtrail`; one that ends by itself is started again, as a supervisor would, and counted."""

    kind: str
    arguments: Sequence[str]
    settings: dict[str, str] = field(repr=False)
    log: Path
    restarts: int = 0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def revive(self) -> None:
        """Start it."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "coldtrail", *self.arguments],
                env=self.settings,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """SIGKILL."""
        if self._process:
            self._process.kill()
            self._process.wait(PATIENCE)

    def supervise(self) -> None:
        """Start it again where it has ended by itself (its database was away when it came up, say)."""
        if self._process and self._process.poll() is not None:
            self.restarts += 1
            self.revive()

    def ask_to_end(self) -> None:
        """SIGTERM, without waiting."""
        if self._process:
            self._process.terminate()

    def ended(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.poll() if self._process else 0

    def stop(self) -> None:
        """SIGTERM, and wait."""
        self.ask_to_end()
        if self._process:
            self._process.wait(PATIENCE)


@dataclass
class KillableBroker:
    """A broker; what it had in memory dies with it."""

    broker: Broker
    kind: str = "broker"

    def kill(self) -> None:
        """SIGKILL."""
        self.broker.kill()

    def revive(self) -> None:
        """On the same port and folder."""
        self.broker.restart()

    def stop(self) -> None:
        """In good order."""
        self.broker.stop()


@dataclass
class Cluster:
    """A PostgreSQL cluster of its own in a folder, run by an account that PostgreSQL accepts."""

    binaries: Path
    folder: Path
    port: int
    kind: str = "database"
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Its only database."""
        return f"postgresql://postgres@{LOOPBACK}:{self.port}/postgres"

    def initialise(self) -> None:
        """Make the cluster; RuntimeError where that fails."""
        self.folder.mkdir(parents=True, exist_ok=True)
        user, group = account()
        if user is not None and group is not None:
            os.chown(self.folder, user, group)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        if self._run("initdb", f"--pgdata={self.folder / 'data'}", *options).wait() != 0:
            raise RuntimeError(self._log.read_text())

    def revive(self) -> None:
        """Start it and wait until it answers; whom its killed master left behind may have to leave first."""
        until(self._started, why=f"PostgreSQL did not start; see {self._log}")

    def kill(self) -> None:
        """SIGKILL its master; the others leave when they notice."""
        if self._process:
            self._process.kill()
            self._process.wait(PATIENCE)

    def stop(self) -> None:
        """A fast shutdown, which does not wait for clients to leave."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE)

    def _started(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
            self._process = self._run("postgres", "-D", str(self.folder / "data"), "-p", str(self.port), *settings)
        return self._answers()

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
            return False
        return True

    def _run(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        user, group = account()
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [self.binaries / name, *arguments],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                user=user,
                group=group,
                extra_groups=None if user is None else [],
                start_new_session=True,
            )

    @property
    def _log(self) -> Path:
        return self.folder / "log"


def account() -> tuple[int, int] | tuple[None, None]:
    """User and group to run PostgreSQL as where root runs this: it refuses to run as root."""
    if os.geteuid() != 0:
        return None, None
    accounts = {each.pw_name: each for each in pwd.getpwall()}
    found = accounts.get("postgres") or accounts["nobody"]
    return found.pw_uid, found.pw_gid
