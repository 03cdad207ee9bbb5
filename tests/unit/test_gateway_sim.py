from datetime import UTC, datetime, timedelta
from io import StringIO
from threading import Event

import click
import pytest

from coldtrail import gateway_command
from coldtrail.gateway_sim import Counts, Every, Plan, Simulation
from coldtrail.settings import from_environment
from inventory.services.messages import Measurement

NOW = datetime(2026, 1, 5, 0, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOURLY = Every(timedelta(hours=1), timedelta(minutes=10))


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coldtrail.gateway_sim._NAP", 0)


class Device:
    """Stands for a simulated gateway."""

    code = "SIM-1"
    confirmed = 0

    def __init__(self) -> None:
        self.taken: list[Measurement] = []
        self.away: list[bool] = []
        self.waiting = 0

    def take(self, measurements: list[Measurement]) -> None:
        self.taken += measurements
        self.waiting += 1

    def step(self, away: bool) -> None:
        self.away.append(away)


class Ticking:
    """A clock that goes on by 90 seconds whenever it is asked."""

    def __init__(self) -> None:
        self.at = NOW - timedelta(seconds=90)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=90)
        return self.at


def simulation(plan: Plan, until: datetime, record: StringIO | None = None) -> tuple[Simulation, Device]:
    device = Device()
    return Simulation([device], plan, Ticking(), Event(), until, record), device  # type: ignore[list-item]


def test_what_comes_again_and_again_holds_for_its_length_and_elsewhere_at_other_times() -> None:
    minutes = [NOW + MINUTE * number for number in range(120)]
    assert sum(HOURLY.holds("A", at) for at in minutes) == 20
    assert [at for at in minutes if HOURLY.holds("A", at)] != [at for at in minutes if HOURLY.holds("B", at)]


def test_sensors_measure_the_same_in_every_run() -> None:
    plan = Plan(3, MINUTE)
    assert plan.measured("A", NOW) == plan.measured("A", NOW)
    assert [one.sensor for one in plan.measured("A", NOW)] == ["A-S1", "A-S2", "A-S3"]


def test_a_compressor_that_stands_still_is_felt() -> None:
    plan = Plan(1, MINUTE, failures=Every(timedelta(hours=12), timedelta(hours=3)))
    hottest = max(one.temperature for number in range(720) for one in plan.measured("A", NOW + MINUTE * number))
    assert hottest > 1000


def test_every_whole_interval_is_measured_once_and_none_after_the_end() -> None:
    record = StringIO()
    run, device = simulation(Plan(2, MINUTE), NOW + timedelta(minutes=10), record)
    run.run(lambda _counts: None)
    instants = [NOW.replace(second=0) + MINUTE * number for number in range(1, 11)]
    assert [one.measured_at for one in device.taken] == [at for at in instants for _ in range(2)]
    assert run.counts == Counts(taken=20, confirmed=0, waiting=10)
    assert len(record.getvalue().splitlines()) == 20
    assert record.getvalue().startswith(f"SIM-1-S1,2026-01-05T00:01:00+00:00,{device.taken[0].temperature}\n")


def test_an_outage_takes_the_connection_and_not_the_readings() -> None:
    run, device = simulation(Plan(1, MINUTE, outages=HOURLY), NOW + timedelta(hours=2))
    run.run(lambda _counts: None)
    assert len(device.taken) == 120
    assert 10 <= sum(device.away) <= 16


def test_it_settles_only_when_nothing_waits() -> None:
    run, device = simulation(Plan(1, MINUTE), NOW)
    assert run.settle(0.1)
    device.waiting = 1
    assert not run.settle(0.1)


@pytest.mark.parametrize("text", ["60", "60/70", "a/b", "60/0", "1e999/1", "/", "nan/1"])
def test_what_is_no_every_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not minutes such as 60/10"):
        gateway_command.EveryType().convert(text, None, None)


def test_each_gateway_has_a_session_and_a_name_of_its_own() -> None:
    given = from_environment({"COLDTRAIL_MQTT_ROOT": "here"})
    found = gateway_command.connection(given, "mqtt://{gateway}:secret@host:1884", "SIM/1")
    assert (found.username, found.password, found.port, found.client_id) == ("SIM/1", "secret", 1884, "coldtrail-SIM/1")
    assert gateway_command.connection(given, None, "SIM-2").client_id == "coldtrail-SIM-2"
    assert found.root == "here"
    with pytest.raises(click.BadParameter, match="the URL is not mqtt://"):
        gateway_command.connection(given, "http://host", "SIM-1")
