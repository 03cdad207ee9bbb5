"""The demonstration as a user meets it: `ready`, eight commands with content, Ctrl-C, and nothing left behind."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.services import free_port

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc which processes are left")

SPEED = "150"
"""Of the county's clock: a machine that other tests keep busy has to keep up with it."""

READY_SECONDS = 300.0


class Demo:
    """A running `coldtrail demo`, in a session of its own as in a terminal."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._said = folder.parent / f"said-{time.monotonic_ns()}"
        with self._said.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "coldtrail", "demo", "--folder", str(folder)],
                env={**os.environ, "COLDTRAIL_PORT": str(port), "COLDTRAIL_SPEED": SPEED},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self._said.read_text()

    def await_ready(self) -> None:
        """Wait until it says so and has printed all eight commands."""
        give_up = time.monotonic() + READY_SECONDS
        while len(self.commands) < 8:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < give_up, self.said
            time.sleep(0.1)

    @property
    def commands(self) -> list[list[str]]:
        """The printed commands, in words."""
        return [shlex.split(line) for line in self.said.splitlines(keepends=True) if re.match(r"curl .*\n", line)]

    def told(self, name: str) -> str:
        """A fact that it told by its name."""
        return next(line.removeprefix(name).strip() for line in self.said.splitlines() if line.startswith(name))

    @property
    def batch(self) -> tuple[str, str]:
        """GTIN and number of the batch that it shows."""
        *_, gtin, number, _ = self.told("the batch's trail, to print").split("/")
        return gtin, number

    def answers(self) -> list[Any]:
        """What each printed command answers."""
        return [_run(command) for command in self.commands]

    def children(self) -> list[int]:
        """Its processes, by what the kernel says."""
        return [pid for pid, (parent, _) in _processes().items() if parent == self.process.pid]

    def interrupt(self) -> int:
        """Ctrl-C; its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(45)


def _run(command: list[str]) -> Any:
    name, value = command[command.index("-H") + 1].split(": ", 1)
    answer = urllib3.request("GET", command[-1], headers={name: value})
    assert answer.status == 200, answer.data
    return answer.json()


@contextmanager
def demo(folder: Path, port: int) -> Iterator[Demo]:
    running = Demo(folder, port)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


@pytest.mark.timeout(900)
def test_from_the_first_process_to_the_last(tmp_path: Path) -> None:
    folder, port = tmp_path / "var", free_port()
    with demo(folder, port) as first:
        first.await_ready()
        assert f"ready http://127.0.0.1:{port}\n" in first.said
        _check_answers(first.answers())
        children = first.children()
        assert len(children) >= 4
        assert (folder / "demo-tokens.json").stat().st_mode & 0o777 == 0o600
        assert first.interrupt() == 0, first.said
        assert not _left(children)
    with demo(folder, port) as second:
        second.await_ready()
        _check_answers(second.answers())
        gtin, number = second.batch
        assert second.interrupt() == 0, second.said
    key = second.told("log key")
    trail = str(tmp_path / "trail.proof")
    coldtrail(folder, "export", "trail", "-o", trail, "--batch", f"{gtin}/{number}")
    assert "FAULT" not in coldtrail(folder, "audit", trail, "--key", key)
    assert "0 facts not in it yet: as it was signed" in coldtrail(folder, "verify", "log", "--key", key)
    assert "NOT" not in coldtrail(folder, "verify")


def coldtrail(folder: Path, *arguments: str) -> str:
    """What a command says of the demonstration's data; it succeeds."""
    command = [sys.executable, "-m", "coldtrail", *arguments]
    environment = {**os.environ, "COLDTRAIL_DATABASE_URL": f"sqlite:///{folder / 'coldtrail.db'}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _check_answers(answers: list[Any]) -> None:
    board, batch, dose, impact, shared, recalls, compliance, bulletin = answers
    assert {line["status"] for line in board["items"]} <= {"open", "due-soon", "missed"}
    assert sum(line["doses_left"] for line in board["items"]) > 0
    ended = batch["administered"] + batch["wasted"] + batch["returned"] + batch["missing"]
    held = batch["on_hand"] + batch["in_quarantine"] + batch["in_transit"] + batch["unexplained"]
    assert batch["received"] + batch["found"] == held + ended
    assert batch["administered"] > 0
    assert _excursions_on_the_way(dose)
    assert impact["administered"] > 0
    assert impact["excursion"]["side"] == "above"
    assert {line["shared"] for line in shared["sharings"]} == {"vial", "fridge", "trip"}
    assert recalls["items"] == []
    assert compliance["totals"]["administered"] > 0
    assert len(bulletin["items"]) == 28
    assert bulletin["totals"]["used"] > 0


def _excursions_on_the_way(dose: Any) -> list[str]:
    """From the city's cold room, through the county's hold, to the site's fridge, and what happened there."""
    (chain,) = dose["chains"]
    places = [stage["custody"]["place"] for stage in chain["stages"]]
    way = [facility for facility, _ in groupby(place["facility"] for place in places)]
    assert way == ["CITY", None, "COUNTY", None, dose["facility"]]
    return [found["rule"] for stage in chain["stages"] for found in stage["evidence"]["excursions"]]


def test_nothing_outlives_a_demonstration_that_is_killed(tmp_path: Path) -> None:
    with demo(tmp_path / "var", free_port()) as killed:
        give_up = time.monotonic() + 30
        while len(killed.children()) < 4 and time.monotonic() < give_up:
            time.sleep(0.1)
        children = killed.children()
        assert len(children) >= 4, killed.said
        killed.process.kill()
        killed.process.wait()
        while _left(children) and time.monotonic() < give_up + 30:
            time.sleep(0.1)
        assert not _left(children)


def _processes() -> dict[int, tuple[int, str]]:
    """The parent and the state of every process."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            found[int(stat.parent.name)] = (int(parent), state)
    return found


def _left(pids: list[int]) -> list[int]:
    """Those that still run; a zombie that nobody has collected does not."""
    alive = _processes()
    return [pid for pid in pids if pid in alive and alive[pid][1] != "Z"]
