"""The county while it lives: its staff and its gateways, each in a thread, and the diary that they share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event, Lock, Thread

from coldtrail.demo.county import County
from coldtrail.demo.devices import Devices
from coldtrail.demo.diary import Diary
from coldtrail.demo.processes import DemoFailed
from coldtrail.demo.staff import Staff
from coldtrail.demo.tally import Tally
from coldtrail.demo.world import World

_LAST_REQUESTS_SECONDS = 20.0
_AHEAD = timedelta(seconds=10)


@dataclass
class _Worker:
    """A thread whose failure is kept for the one who looks after it."""

    name: str
    work: Callable[[], None]
    fault: Exception | None = None
    thread: Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = Thread(target=self._run, name=self.name, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.work()
        except Exception as error:
            self.fault = error


class Life:
    """The county at work.

    Args:
        county: its sites, sensors and gateways.
        world: what it works with.
        diary: where it is in its time.
        folder: where it keeps its diary and the gateways' buffers.
        abandon: set last of all, when the service no longer answers.
    """

    def __init__(self, county: County, world: World, diary: Diary, folder: Path, abandon: Event) -> None:
        self.tally = Tally()
        self._world = world
        self.diary = diary
        self._file = diary_file(folder)
        self._keeping = Lock()
        self._halt, self._abandon, self._dark = Event(), abandon, Event()
        buffers = folder / "gateways"
        self.devices = Devices(county, world, diary, buffers, self._dark, self.tally)
        self._staff = Staff(world, county, diary, self._halt, self.tally, self.devices.arrived, self.keep)
        self._workers = (_Worker("gateways", self.devices.run), _Worker("staff", self._staff.run))

    @property
    def is_over(self) -> bool:
        """Whether the time is up and the staff have gone home."""
        until = self._world.until
        return until is not None and self._world.clock() >= until and not self._workers[1].thread.is_alive()

    @property
    def behind(self) -> timedelta:
        """By how much the earliest step that is not done yet is late."""
        return max(timedelta(), self._world.clock() - self._staff.progress.done_until)

    @property
    def is_confirmed(self) -> bool:
        """Whether the service has everything that the gateways took."""
        return self.tally.confirmed == self.tally.taken

    def check(self) -> None:
        """Raise `DemoFailed` when a thread has failed."""
        for worker in self._workers:
            if worker.fault is not None:
                raise DemoFailed(f"the county's {worker.name} failed: {worker.fault!r}") from worker.fault

    def keep(self, ahead: timedelta = _AHEAD) -> None:
        """Write the diary; should we be killed before it is written again, the next run begins `ahead` of now.

        `ahead` is real time: what is written until then would lie in the future of a run that began earlier.
        """
        with self._keeping:
            self.diary.kept = self._world.clock()
            self.diary.shown = self.diary.kept + ahead * self._world.clock.speed
            self.diary.done_until = self._staff.progress.done_until
            self.diary.save(self._file)

    def end(self) -> None:
        """Let what is under way be answered, begin nothing more, and write the diary a last time."""
        self._halt.set()
        self._workers[1].thread.join(_LAST_REQUESTS_SECONDS)
        self._abandon.set()
        self._dark.set()
        for worker in self._workers:
            worker.thread.join()
        self.keep(ahead=timedelta())


def diary_file(folder: Path) -> Path:
    """Where the diary lies."""
    return folder / "demo-clock.json"
