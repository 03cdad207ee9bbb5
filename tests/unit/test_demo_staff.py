"""The staff carry out a plan: each step once, in an order that the service can follow, also over two runs."""

# ruff: noqa: ARG002  (the signatures are those of the real service)

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest

from coldtrail.demo.api import Api, Refused, Stopped
from coldtrail.demo.county import CITY, COUNTY, ZONE, County, build_county
from coldtrail.demo.diary import Diary
from coldtrail.demo.plan import plan_day
from coldtrail.demo.staff import Staff
from coldtrail.demo.steps import Lot, Trip
from coldtrail.demo.tally import Tally
from coldtrail.demo.tokens import SITES, SUPERVISOR
from coldtrail.demo.trouble import trouble_of
from coldtrail.demo.world import BrokerAddress, World
from inventory.clock import ScaledClock, system_clock

DAY = date(2026, 1, 5)
SMALL = County(build_county().sites[18:20])
TOKENS = {holder: holder for holder in (CITY, COUNTY, SITES, SUPERVISOR)}
PLAN = plan_day(SMALL, DAY, trouble_of(SMALL, 0, DAY), {})
PLANNED = sum(step.doses for step in PLAN)


class Service(Api):
    """Answers as the service would, and keeps what was posted under each key."""

    def __init__(self, halt: Event | None = None, after: int = 0) -> None:
        super().__init__("http://nowhere", Event(), lambda: None)
        self.posted: dict[str, tuple[str, dict[str, Any]]] = {}
        self.order: list[str] = []
        self._halt, self._after = halt, after
        self._lock = Lock()

    def get(self, path: str, token: str) -> Any:
        """Nothing is on hand; the sensors have been read, and saw nothing."""
        return {"items": [{}] if "/readings" in path else [], "next": None}

    def post(self, path: str, token: str, body: Mapping[str, object], key: str | None = None) -> Any:
        """Carried out once; another request under the same key is refused."""
        assert key is not None
        with self._lock:
            if self.posted.setdefault(key, (path, dict(body))) != (path, dict(body)):
                raise Refused(path, 409, {"code": "idempotency_key_reused"})
            self.order.append(key)
            if self._halt is not None and len(self.order) >= self._after:
                self._halt.set()
        if path.endswith("/administration-lists"):
            return {"results": [{"problem": None} for _ in body["administrations"]]}  # type: ignore[attr-defined]
        if "/adverse-events" in path:
            return {"adverse_event": f"adverse-event-of-{key}", "version": 1}
        return {"shipment": f"of-{key}", "return_shipment": f"back-of-{key}", "events": [{"id": f"event-of-{key}"}]}

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every administration, one by one or in a list, but for what was mistyped."""
        single = [body for path, body in self.posted.values() if path.endswith("administrations")]
        lists = [body for path, body in self.posted.values() if path.endswith("administration-lists")]
        return [line for line in single if line["doses"] == 1] + [
            line for each in lists for line in each["administrations"]
        ]

    @property
    def given(self) -> int:
        """Doses given, each to another person."""
        people = [line["recipient"] for line in self.lines]
        assert len(set(people)) == len(people)
        return len(people)


def work(service: Service, diary: Diary, speed: float, halt: Event | None = None) -> tuple[Staff, Tally, list[Trip]]:
    clock = ScaledClock(system_clock(), diary.shown, speed)
    until = datetime.combine(DAY + timedelta(days=1), time(6), ZONE)
    world = World(service, TOKENS, BrokerAddress("mqtt://nowhere", "5"), clock, until)
    tally, trips = Tally(), list[Trip]()
    staff = Staff(world, SMALL, diary, halt or Event(), tally, trips.append, lambda: None)
    staff.run()
    return staff, tally, trips


def test_every_dose_of_the_plan_is_given() -> None:
    service = Service()
    _, tally, trips = work(service, Diary.begin(DAY), 1e6)
    assert service.given == tally.given == PLANNED
    assert tally.refused == tally.movements_refused == 0
    assert len(trips) == len([step for step in PLAN if step.trip])


def test_steps_name_what_the_one_before_began() -> None:
    service = Service()
    work(service, Diary.begin(DAY), 1e6)
    for step in PLAN:
        if step.follows:
            named = {
                "shipment": "of-",
                "way_back": "back-of-",
                "event": "event-of-",
                "adverse_event": "adverse-event-of-",
            }
            began = {name: f"{prefix}{step.follows}" for name, prefix in named.items()}
            assert service.posted[step.key][0] == step.path.format(**began)
            assert step.names is None or service.posted[step.key][1][step.names] == began["event"]


def test_a_site_gives_nothing_before_its_vaccine_is_received() -> None:
    service = Service()
    work(service, Diary.begin(DAY), 1e6)
    keys = service.order
    for site in SMALL.sites:
        arrival = min(keys.index(key) for key in keys if key.startswith(f"{DAY}-arrival-{site.code}"))
        assert arrival < min(keys.index(key) for key in keys if key.startswith(f"{DAY}-dose-{site.code}"))


def test_nothing_is_moved_while_doses_before_it_are_under_way() -> None:
    service = Service()
    work(service, Diary.begin(DAY), 1e6)
    for counted in (step for step in PLAN if step.path.endswith("/counts")):
        before = service.order[: service.order.index(counted.key)]
        assert len([key for key in before if "-dose-" in key]) == len([key for key in service.order if "-dose-" in key])


@pytest.mark.parametrize("after", [1, 5, 9, 15, 40, 60])
def test_a_second_run_goes_on_where_the_first_was_stopped(after: int) -> None:
    halt = Event()
    service, diary = Service(halt, after), Diary.begin(DAY)
    staff, _, _ = work(service, diary, 2e4, halt)
    assert service.given < PLANNED
    diary.done_until = staff.progress.done_until
    diary.shown = staff.progress.done_until
    work(service, diary, 1e6)
    assert service.given == PLANNED


def test_a_dose_that_is_refused_is_counted_and_the_others_go_on() -> None:
    class Stern(Service):
        def post(self, path: str, token: str, body: Mapping[str, object], key: str | None = None) -> Any:
            if (key or "").startswith(next(step.key for step in PLAN if step.doses)):
                raise Refused(path, 409, {"code": "not_enough_doses"})
            return super().post(path, token, body, key)

    service = Stern()
    _, tally, _ = work(service, Diary.begin(DAY), 1e6)
    assert tally.refused > 0
    assert tally.given + tally.refused == PLANNED


def test_a_line_of_a_list_that_is_refused_is_counted() -> None:
    class Picky(Service):
        def post(self, path: str, token: str, body: Mapping[str, object], key: str | None = None) -> Any:
            answer = super().post(path, token, body, key)
            if path.endswith("/administration-lists"):
                answer["results"][0]["problem"] = {"code": "not_enough_doses", "detail": "none left"}
            return answer

    service = Picky()
    _, tally, _ = work(service, Diary.begin(DAY), 1e6)
    lists = [path for path, _ in service.posted.values() if path.endswith("/administration-lists")]
    assert tally.refused == len(lists) > 0
    assert tally.given + tally.refused == PLANNED


def test_a_movement_that_is_refused_is_told_and_what_follows_it_is_left_out() -> None:
    key = f"{DAY}-dispatch-{SMALL.sites[0].code}-morning"

    class Closed(Service):
        def post(self, path: str, token: str, body: Mapping[str, object], key_: str | None = None) -> Any:
            if key_ == key:
                raise Refused(path, 409, {"code": "not_enough_doses"})
            return super().post(path, token, body, key_)

    service = Closed()
    _, tally, _ = work(service, Diary.begin(DAY), 1e6)
    left_out = {key}
    for step in PLAN:
        if step.follows in left_out:
            left_out.add(step.key)
    assert tally.movements_refused == len(left_out) > 2
    assert not left_out & set(service.posted)


def test_a_list_that_nobody_answered_is_sent_again_as_it_was() -> None:
    class Deaf(Service):
        def post(self, path: str, token: str, body: Mapping[str, object], key: str | None = None) -> Any:
            answer = super().post(path, token, body, key)
            if path.endswith("/administration-lists"):
                raise Stopped(path)
            return answer

    deaf, diary = Deaf(), Diary.begin(DAY)
    staff, _, _ = work(deaf, diary, 1e6)
    assert diary.lists
    diary.done_until = staff.progress.done_until
    service = Service()
    service.posted = deaf.posted
    work(service, diary, 1e6)
    assert service.given == PLANNED


def test_the_diary_is_read_as_it_was_written(tmp_path: Path) -> None:
    diary = Diary.begin(DAY)
    diary.day, diary.opening = DAY, {"S01": [Lot("09520000000011", "A260104", DAY, 12)]}
    diary.lists = [["a", "b"], ["c"]]
    diary.read_until = datetime(2026, 1, 5, 3, tzinfo=UTC)
    diary.save(tmp_path / "diary.json")
    assert Diary.load(tmp_path / "diary.json", date(2030, 1, 1)) == diary


def test_a_county_without_a_diary_begins_today_at_six(tmp_path: Path) -> None:
    diary = Diary.load(tmp_path / "none.json", DAY)
    assert diary.shown == datetime(2026, 1, 5, 6, tzinfo=ZONE)
