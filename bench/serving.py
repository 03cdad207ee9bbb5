"""The two servers that are compared, each under gunicorn in processes of its own with the same workers and threads."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.load import Address

LOOPBACK = "127.0.0.1"
WORKERS, THREADS = 2, 16
"""Of both servers: what `coldtrail serve` takes unless told otherwise."""

KEEP_ALIVE = 75
ROOT = Path(__file__).parents[1]
_PATIENCE = 30.0


@contextmanager
def coldtrail(database_url: str) -> Iterator[Address]:
    """`coldtrail serve`, as an installation runs it."""
    host, port = _free()
    environment = {
        "COLDTRAIL_DATABASE_URL": database_url,
        "COLDTRAIL_BIND": f"{host}:{port}",
        "COLDTRAIL_WORKERS": str(WORKERS),
        "COLDTRAIL_THREADS": str(THREADS),
    }
    with _running(["-m", "coldtrail", "serve"], environment, (host, port)) as address:
        yield address


@contextmanager
def bare(database_url: str) -> Iterator[Address]:
    """The handler written by hand (bench/bare.py), under the same gunicorn with the same settings."""
    host, port = _free()
    options = {
        "bind": f"{host}:{port}",
        "workers": WORKERS,
        "threads": THREADS,
        "worker-class": "gthread",
        "keep-alive": KEEP_ALIVE,
    }
    command = ["-m", "gunicorn", "--no-control-socket", *(f"--{name}={value}" for name, value in options.items())]
    with _running([*command, "bench.bare:app"], {"BENCH_DATABASE_URL": database_url}, (host, port)) as address:
        yield address


@contextmanager
def _running(arguments: list[str], environment: Mapping[str, str], address: Address) -> Iterator[Address]:
    outside = {name: value for name, value in os.environ.items() if not name.startswith("COLDTRAIL_")}
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=outside | dict(environment), stderr=subprocess.DEVNULL
    )
    try:
        _await(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _await(address: Address, process: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + _PATIENCE
    while True:
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"{process.args!r} does not answer at {address}")
        try:
            socket.create_connection(address, 1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def _free() -> Address:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return LOOPBACK, port
