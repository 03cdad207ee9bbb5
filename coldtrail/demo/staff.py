"""The staff of the county: they carry out each day's plan over HTTP, each step when its time has come."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Event, Lock
from typing import Any

from coldtrail.demo.api import Refused, Stopped
from coldtrail.demo.county import County
from coldtrail.demo.desks import Desks
from coldtrail.demo.diary import Diary
from coldtrail.demo.observing import RoomWatch
from coldtrail.demo.plan import begin_of, plan_day
from coldtrail.demo.steps import LISTS, Lot, Step, Trip, as_list, in_lists
from coldtrail.demo.tally import Tally
from coldtrail.demo.tokens import SITES
from coldtrail.demo.trouble import trouble_of
from coldtrail.demo.world import World

_FAR_BEHIND = timedelta(minutes=20)
_AT_MOST = 3000

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

    @property
    def is_idle(self) -> bool:
        """Whether everything that was sent has been answered."""
        with self._lock:
            return not self._open

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
        diary: where it is in its time; the staff write down each day's opening, and the lists that are under way.
        halt: no further step is begun; those under way are waited for.
        tally: is told what was given, and what was refused.
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
        self._watch = RoomWatch(world, halt)
        self._answers: dict[str, dict[str, str]] = {}
        self._one_by_one = (diary.kept - _FAR_BEHIND, diary.shown)
        self.progress = Progress(diary.done_until)

    def run(self) -> None:
        """Work day after day."""
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
        with Desks() as desks:
            self._carry_out(steps, desks, begin_of(day + timedelta(days=1)))

    def _open(self, day: date) -> None:
        """Write down what the store and each site hold, unless this day was begun in an earlier run."""
        if self._diary.day == day:
            return
        self._diary.day, self._diary.opening = day, self._on_hand()
        self._keep()

    def _carry_out(self, steps: list[Step], desks: Desks, tomorrow: datetime) -> None:
        resumed_at = self.progress.done_until
        listed = self._send_unanswered(steps, desks)
        waiting = [step for step in steps if step.is_alone or (step.at >= resumed_at and step.key not in listed)]
        while waiting and self._wait_until(waiting[0].at):
            due = self._due(waiting)
            del waiting[: len(due)]
            groups = in_lists(due) if len(due) > 1 else [due]
            self.progress.begin(sent := [as_list(group) for group in groups], waiting[0].at if waiting else tomorrow)
            if len(due) > 1:
                self._send_lists(groups, sent, desks)
            elif sent[0].is_alone:
                self._move(sent[0], desks, again=sent[0].at < resumed_at)
            else:
                desks.give(sent[0], self._give)

    def _due(self, waiting: list[Step]) -> list[Step]:
        """The next step; when the county is far behind, all doses that are due before the next movement.

        Doses of the same instant are not parted, for where a run was stopped is known by the instant. What an earlier
        run may have sent one by one after its diary was written is sent so again.
        """
        now = self._clock()
        first = waiting[0]
        since, until = self._one_by_one
        if first.is_alone or since <= first.at < until or now - first.at < _FAR_BEHIND:
            return waiting[:1]
        due: list[Step] = []
        for step in waiting:
            full = len(due) >= _AT_MOST and step.at > due[-1].at
            if step.is_alone or step.at > now or full or since <= step.at < until:
                break
            due.append(step)
        return due

    def _send_lists(self, groups: Sequence[Sequence[Step]], sent: Sequence[Step], desks: Desks) -> None:
        """Each site catches up with a list; which doses are in it is written down before it is sent.

        Raises:
            Stopped: the demonstration ends; the next run sends the same lists first.
        """
        desks.wait()
        self._diary.lists = [[step.key for step in group] for group in groups]
        self._keep()
        for step in sent:
            desks.give(step, self._give)
        desks.wait()
        if not self.progress.is_idle:
            raise Stopped("lists that may not have been answered")
        self._diary.lists = []

    def _send_unanswered(self, steps: Sequence[Step], desks: Desks) -> set[str]:
        """Send the lists again that an earlier run may have sent without an answer; the doses in them."""
        by_key = {step.key: step for step in steps}
        groups = [[by_key[key] for key in keys] for keys in self._diary.lists if all(key in by_key for key in keys)]
        if groups:
            sent = [as_list(group) for group in groups]
            self.progress.begin(sent, self.progress.next_at)
            self._send_lists(groups, sent, desks)
        return {step.key for group in groups for step in group}

    def _move(self, step: Step, desks: Desks, *, again: bool) -> None:
        """Movements one after the other, after all doses before: the next may need what this one brings, or count."""
        desks.wait()
        if step.follows is not None and step.follows not in self._answers:
            self._refused(step, f"{step.key} follows {step.follows}, which was refused")
            return
        if step.looks_at:
            self._watch.wait_for(step)
        try:
            self._answers[step.key] = _ids(self._post(step))
        except Refused as refused:
            self._refused(step, str(refused))
            return
        self.progress.end(step)
        if again:
            return
        with self._tally.change() as tally:
            tally.given += step.doses
        if step.trip is not None:
            self._arrived(step.trip)

    def _give(self, step: Step) -> None:
        try:
            answer = self._post(step)
        except Refused as refused:
            self._refused(step, str(refused))
            return
        except Stopped:
            _log.info("%s is left for the next run", step.key)
            return
        problems = [line["problem"] for line in answer["results"] if line["problem"]] if step.path == LISTS else []
        for problem in problems:
            _log.warning("a line of %s: %s: %s", step.key, problem["code"], problem["detail"])
        self.progress.end(step)
        with self._tally.change() as tally:
            tally.given += step.doses - len(problems)
            tally.refused += len(problems)

    def _refused(self, step: Step, why: str) -> None:
        """What the service refuses is told, and the county goes on: its user may have moved the doses elsewhere."""
        _log.warning("%s", why)
        self.progress.end(step)
        with self._tally.change() as tally:
            if step.doses:
                tally.refused += step.doses
            else:
                tally.movements_refused += 1

    def _post(self, step: Step) -> Any:
        known = self._answers.get(step.follows or "", {})
        body = {**step.body, step.names: known["event"]} if step.names else step.body
        return self._api.post(step.path.format_map(known), self._tokens[step.holder], body, step.key)

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
            place = line["place"]
            if place["facility"] is not None and place["kind"] == "storage":
                lot = Lot(line["gtin"], line["batch"], date.fromisoformat(line["expiry"]), line["doses"])
                held.setdefault(place["facility"], []).append(lot)
        return held

    def _pages(self, path: str) -> list[Mapping[str, Any]]:
        page = self._api.get(path, self._tokens[SITES])
        items: list[Mapping[str, Any]] = page["items"]
        while page["next"]:
            page = self._api.get(f"{path}&after={page['next']}", self._tokens[SITES])
            items += page["items"]
        return items


def _ids(answer: Mapping[str, Any]) -> dict[str, str]:
    """What the steps that follow need to know."""
    if "adverse_event" in answer:
        return {"adverse_event": str(answer["adverse_event"])}
    events = answer["events"]
    return {
        "shipment": str(answer["shipment"]),
        "way_back": str(answer["return_shipment"]),
        "event": str(events[-1]["id"]) if events else "",
    }
