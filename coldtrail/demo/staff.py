"""The staff of the county: they carry out each day's plan over HTTP, each step when its time has come."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import BoundedSemaphore, Event, Lock
from typing import Any

from coldtrail.demo.api import Refused, Stopped
from coldtrail.demo.county import County
from coldtrail.demo.diary import Diary
from coldtrail.demo.plan import begin_of, plan_day
from coldtrail.demo.steps import Lot, Step, Trip, merged
from coldtrail.demo.tally import Tally
from coldtrail.demo.tokens import SITES
from coldtrail.demo.trouble import trouble_of
from coldtrail.demo.world import World

AT_ONCE = 4
"""Requests under way at the same moment."""

_QUEUE = 32
_FAR_BEHIND = timedelta(minutes=20)
_AT_MOST = 400
_NAP = 0.25

_log = logging.getLogger(__name__)


@dataclass
class Progress:
    """Which steps are under way, and which is next: everything before the earliest of them is done."""

    next_at: datetime
    _lock: Lock = field(default_factory=Lock)
    _open: dict[str, datetime] = field(default_factory=dict)

    @property
    def done_until(self) -> datetime:
        """From here on steps have to be sent, some perhaps again."""
        with self._lock:
            return min([self.next_at, *self._open.values()])

    def begin(self, steps: Sequence[Step], next_at: datetime) -> None:
        """These steps are sent; then the next one is due at `next_at`."""
        with self._lock:
            self._open.update({step.key: step.at for step in steps})
            self.next_at = max(self.next_at, next_at)

    def end(self, step: Step) -> None:
        """It has been answered."""
        with self._lock:
            del self._open[step.key]


class Staff:
    """Carries out one day after the other, in its own thread, until `halt` is set or the time is up.

    Args:
        world: the service, the tokens, the county's time and its end.
        county: the county.
        diary: where it is in its time; the staff write down each day's opening.
        halt: no further step is begun; those under way are waited for.
        tally: is told what was given.
        arrived: told of each trip that ends.
        keep: told when the diary has to be kept.
    """

    def __init__(
        self,
        world: World,
        county: County,
        diary: Diary,
        halt: Event,
        tally: Tally,
        arrived: Callable[[Trip], None],
        keep: Callable[[], None],
    ) -> None:
        self._api, self._tokens = world.api, world.tokens
        self._clock, self._until = world.clock, world.until
        self._county = county
        self._diary = diary
        self._halt = halt
        self._tally = tally
        self._arrived = arrived
        self._keep = keep
        self._shipments: dict[str, str] = {}
        self._places = BoundedSemaphore(_QUEUE)
        self.progress = Progress(diary.done_until)

    def run(self) -> None:
        """Work day after day; raises `Refused` when the service refuses a movement of the plan."""
        day = self._diary.day or self._diary.began
        try:
            while self._wait_until(begin_of(day)):
                self._work(day)
                day += timedelta(days=1)
        except Stopped:
            _log.info("stopped at %s", self._clock().isoformat())

    def _work(self, day: date) -> None:
        self._open(day)
        trouble = trouble_of(self._county, self._diary.index(day), day)
        steps = plan_day(self._county, day, trouble, self._diary.opening)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self._carry_out(steps, pool, begin_of(day + timedelta(days=1)))

    def _open(self, day: date) -> None:
        """Write down what each site holds, unless this day was begun in an earlier run."""
        if self._diary.day == day:
            return
        self._diary.day, self._diary.opening = day, self._on_hand()
        self._keep()

    def _carry_out(self, steps: list[Step], pool: ThreadPoolExecutor, tomorrow: datetime) -> None:
        resumed_at = self.progress.done_until
        waiting = [step for step in steps if not step.doses or step.at >= resumed_at]
        while waiting and self._wait_until(waiting[0].at):
            due = self._due(waiting)
            del waiting[: len(due)]
            sent = merged(due) if len(due) > 1 else due
            self.progress.begin(sent, waiting[0].at if waiting else tomorrow)
            for step in sent:
                self._send(step, pool, again=step.at < resumed_at)

    def _due(self, waiting: list[Step]) -> list[Step]:
        """The next step; when the county is far behind, all doses that are due before the next movement."""
        now = self._clock()
        if not waiting[0].doses or now - waiting[0].at < _FAR_BEHIND:
            return waiting[:1]
        due = []
        for step in waiting[:_AT_MOST]:
            if not step.doses or step.at > now:
                break
            due.append(step)
        return due

    def _send(self, step: Step, pool: ThreadPoolExecutor, *, again: bool) -> None:
        """Movements one after the other, for the next may need what this one brings; doses side by side."""
        if not step.doses:
            self._move(step, again=again)
            return
        self._places.acquire()
        pool.submit(self._give, step)

    def _move(self, step: Step, *, again: bool) -> None:
        answer = self._post(step)
        self._shipments[step.key] = answer.get("shipment", "")
        self.progress.end(step)
        self._count(step)
        if step.trip is not None and not again:
            self._arrived(step.trip)

    def _give(self, step: Step) -> None:
        try:
            self._post(step)
            self.progress.end(step)
            self._count(step)
        except Refused as refused:
            _log.warning("%s", refused)
            self.progress.end(step)
            with self._tally.change() as tally:
                tally.refused += step.doses
        except Stopped:
            _log.info("%s is left for the next run", step.key)
        finally:
            self._places.release()

    def _post(self, step: Step) -> Any:
        path = step.path.format(shipment=self._shipments.get(step.follows or ""))
        return self._api.post(path, self._tokens[step.holder], step.body, step.key)

    def _count(self, step: Step) -> None:
        with self._tally.change() as tally:
            tally.given += step.doses

    def _wait_until(self, at: datetime) -> bool:
        """Wait for an instant; False when the run ends before."""
        if self._until is not None and at >= self._until:
            return False
        while not self._halt.is_set():
            left = (at - self._clock()).total_seconds() / self._clock.speed
            if left <= 0:
                return True
            self._halt.wait(min(left, _NAP))
        return False

    def _on_hand(self) -> dict[str, list[Lot]]:
        held: dict[str, list[Lot]] = {}
        for line in self._pages("/api/v1/stock?limit=1000"):
            facility = line["place"]["facility"]
            if facility is not None:
                lot = Lot(line["gtin"], line["batch"], date.fromisoformat(line["expiry"]), line["doses"])
                held.setdefault(facility, []).append(lot)
        return held

    def _pages(self, path: str) -> list[Mapping[str, Any]]:
        page = self._api.get(path, self._tokens[SITES])
        items: list[Mapping[str, Any]] = page["items"]
        while page["next"]:
            page = self._api.get(f"{path}&after={page['next']}", self._tokens[SITES])
            items += page["items"]
        return items
