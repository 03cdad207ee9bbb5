"""Ends what a demonstration started when the demonstration itself was killed and could not.

It reads `+PID` and `-PID` lines from a pipe that only the demonstration holds. When the pipe ends, whoever is still
on the list, each the leader of a group of its own, is ended: asked first, then by force.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

_PATIENCE_SECONDS = 10.0
_LOOK_EVERY = 0.1


def watch(lines: Iterable[str]) -> set[int]:
    """Those on the list when the lines end."""
    left: set[int] = set()
    for line in lines:
        pid = int(line[1:])
        if line.startswith("+"):
            left.add(pid)
        else:
            left.discard(pid)
    return left


def end(leaders: set[int], patience: float = _PATIENCE_SECONDS) -> None:
    """End the groups of these leaders."""
    give_up = time.monotonic() + patience
    for leader in leaders:
        _signal(leader, signal.SIGTERM)
    while any(_signal(leader, 0) for leader in leaders) and time.monotonic() < give_up:
        time.sleep(_LOOK_EVERY)
    for leader in leaders:
        _signal(leader, signal.SIGKILL)


def _signal(leader: int, number: int) -> bool:
    """Whether there was anybody to get it."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    end(watch(sys.stdin))
