"""The desks where doses are entered: several at once, but each site's one after the other, as they were given."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

from coldtrail.demo.steps import Step

_DESKS = 4
_QUEUE = 32


class Desks:
    """A few threads; a site always comes to the same one, so that vials are opened and used up in order."""

    def __init__(self) -> None:
        self._pools = [ThreadPoolExecutor(1) for _ in range(_DESKS)]
        self._of: dict[str, int] = {}
        self._under_way: set[Future[None]] = set()

    def give(self, step: Step, work: Callable[[Step], None]) -> None:
        """Have it done; waits while too much is under way."""
        if len(self._under_way) >= _QUEUE:
            self._collect(wait(self._under_way, return_when="FIRST_COMPLETED").done)
        desk = self._of.setdefault(step.site, len(self._of) % _DESKS)
        self._under_way.add(self._pools[desk].submit(work, step))

    def wait(self) -> None:
        """Until nothing is under way."""
        self._collect(wait(self._under_way).done)

    def _collect(self, done: set[Future[None]]) -> None:
        self._under_way -= done
        for each in done:
            each.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pool in self._pools:
            pool.shutdown()
