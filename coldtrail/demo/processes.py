"""The processes of a demonstration: started together, watched, and ended together."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_GUARDIAN = Path(__file__).with_name("guardian.py")
"""Run by its path: it needs nothing of ours, and is to be small."""

_PATIENCE_SECONDS = 15.0
_TAIL = 2000


class DemoFailed(RuntimeError):
    """The demonstration cannot go on; the message says why."""


@dataclass(frozen=True)
class Child:
    """A process in the guardian's group, so that the terminal's Ctrl-C does not reach it before us."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def tail(self) -> str:
        """The end of what it said."""
        return self.log.read_bytes()[-_TAIL:].decode(errors="replace").strip() or "it said nothing"

    def end(self) -> None:
        """Ask it to end, and after a while end it by force."""
        self.process.terminate()
        try:
            self.process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Processes:
    """The children, as a context manager that ends them, the last started first."""

    def __init__(self, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._children: list[Child] = []
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", str(_GUARDIAN)], stdin=subprocess.PIPE, process_group=0
        )

    @property
    def group(self) -> int:
        """The process group that whoever is adopted has to be started into."""
        return self._guardian.pid

    def start(self, name: str, arguments: list[str], environment: Mapping[str, str]) -> None:
        """Start a command of ours under a name; what it says goes to the log of that name."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "coldtrail", *arguments],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=self.group,
            )
        self.adopt(Child(name, process, log))

    def adopt(self, child: Child) -> None:
        """Watch and end a process that another has started, in the group."""
        self._children.append(child)

    def check(self) -> None:
        """Raise `DemoFailed` when a child has ended by itself."""
        for child in self._children:
            status = child.process.poll()
            if status is not None:
                raise DemoFailed(f"{child.name} ended with status {status}; the end of {child.log}:\n{child.tail()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in reversed(self._children):
            child.end()
        with suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)  # the guardian, and what a child may have left
        self._guardian.communicate()
