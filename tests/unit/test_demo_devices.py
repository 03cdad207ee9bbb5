"""The demonstration's gateways: nothing is lost while nobody listens, and no minute is left out between two runs."""

import json
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from coldtrail.demo.api import Api
from coldtrail.demo.county import County, build_county, gateway
from coldtrail.demo.devices import Devices
from coldtrail.demo.diary import Diary
from coldtrail.demo.steps import Trip
from coldtrail.demo.tally import Tally
from coldtrail.demo.world import BrokerAddress, World
from inventory.clock import ScaledClock, system_clock

SMALL = County(build_county().sites[19:20])
SITE = SMALL.sites[0]
NOWHERE = BrokerAddress("mqtt://127.0.0.1:9", "5")
BEGIN = datetime(2026, 1, 4, 22, tzinfo=UTC)
RUN = timedelta(minutes=30)


def live(folder: Path, diary: Diary, trips: list[Trip]) -> Tally:
    """Half an hour of the county, from where its diary stands, in a moment."""
    until = diary.shown + RUN
    clock = ScaledClock(system_clock(), diary.shown, 6000)
    stop, tally = Event(), Tally()
    world = World(Api("http://nowhere", stop, lambda: None), {}, NOWHERE, clock, until)
    devices = Devices(SMALL, world, diary, folder, stop, tally)
    for trip in trips:
        devices.arrived(trip)
    thread = Thread(target=devices.run)
    thread.start()
    while diary.read_until < until:
        stop.wait(0.01)
    stop.wait(0.2)
    stop.set()
    thread.join()
    diary.shown = until
    return tally


def stored(folder: Path, code: str) -> list[tuple[str, str]]:
    """The sensors and instants in a gateway's buffer."""
    connection = sqlite3.connect(folder / f"{code}.db")
    try:
        payloads = connection.execute("SELECT payload FROM message ORDER BY seq").fetchall()
    finally:
        connection.close()
    return [(each["sensor"], each["at"]) for (payload,) in payloads for each in json.loads(payload)["readings"]]


def test_every_minute_of_two_runs_is_on_disk_once(tmp_path: Path) -> None:
    diary = Diary.begin(date(2026, 1, 5))
    tallies = [live(tmp_path, diary, []) for _ in range(2)]
    instants = [(BEGIN + timedelta(minutes=number)).isoformat() for number in range(61)]
    assert stored(tmp_path, gateway(SITE.code)) == [(f"T-{SITE.code}-F1", at) for at in instants]
    assert sum(tally.taken for tally in tallies) == 61 * len(SMALL.probes)
    assert [tally.confirmed for tally in tallies] == [0, 0]


def test_who_receives_a_trip_sends_what_its_loggers_saw(tmp_path: Path) -> None:
    trip = Trip(SITE.loggers, BEGIN + timedelta(minutes=3), BEGIN + timedelta(minutes=10), gateway(SITE.code))
    live(tmp_path, Diary.begin(date(2026, 1, 5)), [trip])
    seen = [at for sensor, at in stored(tmp_path, gateway(SITE.code)) if sensor == SITE.loggers[0]]
    assert seen == [(BEGIN + timedelta(minutes=number)).isoformat() for number in range(3, 11)]
