"""Ends what a demonstration started when the demonstration itself was killed and could not.

It leads a process group that everything else of the demonstration is started into, before that runs anything: so there
is no moment at which somebody is there and the guardian does not know. When the pipe ends that only the demonstration
holds, the group is ended: asked first, then by force, the guardian with it.
"""

import os
import signal
import sys
import time

_PATIENCE_SECONDS = 5.0


def end(group: int, patience: float = _PATIENCE_SECONDS) -> None:
    """End a group; whoever is in it and does not listen is ended by force after `patience` seconds."""
    os.killpg(group, signal.SIGTERM)
    time.sleep(patience)
    os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdin.read()
    end(os.getpgrp())
