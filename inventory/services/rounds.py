"""Requests that wait at the same moment go in one round: one transaction, and one commit, for all of them.

At a station a dose is one small request, and most of its cost is the way to the database and back and the commit. While
a round is under way, those who come wait, and the first of them takes all along in the next. Who is alone goes alone.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Generic, TypeVar

from inventory.services.posting import Posted, Request

Order = TypeVar("Order")

MOST = 50
"""How many requests go in one round, so that none waits for long."""


@dataclass(eq=False)
class Waiting(Generic[Order]):
    """A request that waits, and what it wrote once its round is committed."""

    request: Request
    order: Order
    posted: Posted | None = None
    over: bool = False
    called: Event = field(default_factory=Event)


Alone = Callable[[Request, Order], Posted]
Together = Callable[[Sequence[Waiting[Order]]], Sequence[Posted | None]]


class Rounds(Generic[Order]):
    """The requests of one kind that wait in this process."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._under_way = False
        self._queue: deque[Waiting[Order]] = deque()

    def post(self, request: Request, order: Order, alone: Alone[Order], together: Together[Order]) -> Posted:
        """Carry out an order, with others or `alone`; what went wrong for it in a round it is told alone.

        Raises:
            whatever `alone` raises.
        """
        mine = Waiting(request, order)
        if not self._is_first(mine):
            mine.called.wait()
        if not mine.over:
            self._lead(alone, together)
        return mine.posted or alone(request, order)

    def _is_first(self, mine: Waiting[Order]) -> bool:
        """Whether no round is under way, so that this one leads the next at once."""
        with self._guard:
            self._queue.append(mine)
            first, self._under_way = not self._under_way, True
            return first

    def _lead(self, alone: Alone[Order], together: Together[Order]) -> None:
        """Carry out a round of those who wait, and call each of them once: who was in it, and who leads the next."""
        party = [self._queue.popleft() for _ in range(min(len(self._queue), MOST))]
        try:
            self._go(party, alone, together)
        finally:
            for each in party:
                each.over = True
            with self._guard:
                following = self._queue[0] if self._queue else None
                self._under_way = following is not None
            for each in [*party[1:], *([following] if following else [])]:
                each.called.set()

    def _go(self, party: list[Waiting[Order]], alone: Alone[Order], together: Together[Order]) -> None:
        """Carry out a round; nobody is answered by one that fails, and each then goes alone."""
        if len(party) == 1:
            party[0].posted = alone(party[0].request, party[0].order)
            return
        with suppress(Exception):  # the request at fault will be told by itself, the others shall not suffer from it
            for each, posted in zip(party, together(party), strict=True):
                each.posted = posted
