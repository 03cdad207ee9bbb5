"""What the county has done in this run, counted by its threads and read by the one that tells."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Tally:
    """Counts of this run.

    Attributes:
        given: doses given.
        refused: doses that the service refused.
        movements_refused: other requests that it refused.
        taken: readings that gateways took.
        confirmed: those for which the service's receipt came.
    """

    given: int = 0
    refused: int = 0
    movements_refused: int = 0
    taken: int = 0
    confirmed: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    @contextmanager
    def change(self) -> Iterator["Tally"]:
        """Count, one thread at a time."""
        with self._lock:
            yield self
