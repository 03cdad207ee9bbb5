"""Coldtrail's own processes, started as an operator would, and ended by their own pid."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from coldtrail.broker import Broker

PATIENCE = 60.0
"""Seconds until what does not happen is a failure."""


def environment(**settings: str) -> dict[str, str]:
    """The settings of a process, and nothing of this test run's own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COLDTRAIL_")} | settings


def beside(database_url: str, broker: Broker) -> dict[str, str]:
    """The settings of a process that works with these."""
    return environment(
        COLDTRAIL_DATABASE_URL=database_url, COLDTRAIL_MQTT_URL=broker.url, COLDTRAIL_MQTT_PROTOCOL=broker.protocol
    )


def start(arguments: list[str], settings: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start `coldtrail` with arguments; what it says goes to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "coldtrail", *arguments],
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def running(arguments: list[str], settings: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with the block."""
    process = start(arguments, settings, log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def until(what: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until something holds."""
    ends = time.monotonic() + patience
    while not what():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.02)
