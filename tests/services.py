"""Real databases for the tests, found on this machine or started for them, and a clean copy for each test.

A test that lacks a service is skipped with its reason. Where `COLDTRAIL_REQUIRE_SERVICES=1` promises that all
services are there, it fails instead, so that nothing is left out unseen.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn, Protocol
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

REQUIRE_SERVICES = "COLDTRAIL_REQUIRE_SERVICES"
POSTGRES_URL = "COLDTRAIL_TEST_POSTGRES_URL"

ENGINES = ("sqlite", "postgresql")
BROKERS = ("mosquitto", "amqtt")

LOOPBACK = "127.0.0.1"
PATIENCE = 30.0
"""Seconds to wait for a service to start or to stop before that is a failure."""

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
}
"""For a cluster that is thrown away: not safe from a power cut, but still safe from a kill -9."""

_numbers = count()


def unavailable(reason: str) -> NoReturn:
    """Skip the test for lack of a service, or fail it where every service has to be there."""
    if os.environ.get(REQUIRE_SERVICES) == "1":
        pytest.fail(f"{REQUIRE_SERVICES}=1, but {reason}", pytrace=False)
    pytest.skip(reason)


class Template(Protocol):
    """A migrated database that is copied for each test, because a copy is far cheaper than the migrations."""

    def clone(self) -> AbstractContextManager[str]:
        """The URL of a fresh copy, dropped at the end."""


@dataclass(frozen=True)
class SqliteTemplate:
    """A migrated file; it has to be closed, so that nothing of it is left in a write-ahead log beside it."""

    file: Path

    @contextmanager
    def clone(self) -> Iterator[str]:
        """The URL of a fresh copy of the file, dropped at the end."""
        copy = self.file.with_name(f"{next(_numbers)}.db")
        shutil.copyfile(self.file, copy)
        try:
            yield sqlite_url(copy)
        finally:
            for leftover in copy.parent.glob(f"{copy.name}*"):
                leftover.unlink(missing_ok=True)


def sqlite_url(file: Path) -> str:
    """The application's URL of a SQLite file, which needs an absolute path."""
    return f"sqlite:///{file.absolute()}"


@dataclass(frozen=True)
class Postgres:
    """A server, by the URL of somebody who may create databases there."""

    admin_url: str = field(repr=False)

    def url(self, name: str) -> str:
        """The application's URL of one of the server's databases."""
        return urlsplit(self.admin_url)._replace(path=f"/{name}").geturl()

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The name of a new database of ours, dropped at the end with whoever is still connected to it."""
        name = f"coldtrail_test_{os.getpid()}_{next(_numbers)}"
        new, source = sql.Identifier(name), sql.Identifier(template)
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(new, source))
        try:
            yield name
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(new))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(statement)


@dataclass(frozen=True)
class PostgresTemplate:
    """A migrated database of a server; nobody may be connected to it while it is copied."""

    server: Postgres
    name: str

    @contextmanager
    def clone(self) -> Iterator[str]:
        """The URL of a fresh copy of the database, dropped at the end."""
        with self.server.database(template=self.name) as name:
            yield self.server.url(name)


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """The server that the environment names, or else one of our own for as long as it is needed."""
    if url := os.environ.get(POSTGRES_URL):
        yield Postgres(url)
        return
    binaries = postgres_binaries()
    if binaries is None:
        unavailable(f"there is no PostgreSQL: install its server or set {POSTGRES_URL}")
    with private_postgres(binaries) as server:
        yield server


def postgres_binaries() -> Path | None:
    """Where `initdb` and `postgres` are: on the PATH, or where Debian keeps each version, newest first."""
    on_path = shutil.which("initdb")
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda found: int(found.parts[-3]))
    candidates = [*([Path(on_path).resolve()] if on_path else []), *reversed(packaged)]
    return next((found.parent for found in candidates if found.with_name("postgres").exists()), None)


@contextmanager
def private_postgres(binaries: Path) -> Iterator[Postgres]:
    """A cluster of our own on a free port of the loopback interface, gone without a trace at the end."""
    with TemporaryDirectory(prefix="coldtrail-postgres-") as name:
        cluster = _Cluster(binaries, Path(name), free_port(), *_account())
        cluster.initialise()
        process = cluster.start()
        try:
            yield cluster.await_ready(process)
        finally:
            process.send_signal(signal.SIGINT)  # a fast shutdown, which does not wait for clients to leave
            process.wait(PATIENCE)


def free_port() -> int:
    """A port of the loopback interface that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class _Cluster:
    binaries: Path
    folder: Path
    port: int
    user: int | None
    group: int | None

    def initialise(self) -> None:
        if self.user is not None and self.group is not None:
            os.chown(self.folder, self.user, self.group)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        initdb = self._start("initdb", f"--pgdata={self._data}", *options)
        if initdb.wait() != 0:
            raise RuntimeError(f"initdb failed:\n{self._log.read_text()}")

    def start(self) -> "subprocess.Popen[bytes]":
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        return self._start("postgres", "-D", str(self._data), "-p", str(self.port), *settings)

    def await_ready(self, process: "subprocess.Popen[bytes]") -> Postgres:
        server = Postgres(f"postgresql://postgres@{LOOPBACK}:{self.port}/postgres")
        give_up = time.monotonic() + PATIENCE
        while not _answers(server):
            if process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()}")
            time.sleep(0.05)
        return server

    def _start(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        groups: list[int] | None = None if self.user is None else []
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [self.binaries / name, *arguments],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                user=self.user,
                group=self.group,
                extra_groups=groups,
            )

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "log"


def _account() -> tuple[int, int] | tuple[None, None]:
    """User and group to run the server as when root runs the tests: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None, None
    accounts = {each.pw_name: each for each in pwd.getpwall()}
    account = accounts.get("postgres") or accounts["nobody"]
    return account.pw_uid, account.pw_gid


def _answers(server: Postgres) -> bool:
    try:
        psycopg.connect(server.admin_url).close()
    except psycopg.OperationalError:
        return False
    return True


def mosquitto_binary() -> Path | None:
    """The Mosquitto broker; Debian keeps it in a folder that only root has on its PATH."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def require_mosquitto() -> Path:
    """The Mosquitto broker, or no test."""
    return mosquitto_binary() or unavailable("there is no Mosquitto: install its broker")
