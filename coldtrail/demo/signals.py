"""Ctrl-C and SIGTERM as an event, so that the end comes in good order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType


@contextmanager
def stop_on_signals() -> Iterator[Event]:
    """An event that is set by SIGINT or SIGTERM; a second signal changes nothing, for the end is under way."""
    stop = Event()

    def hear(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
