"""A whole installation of real processes: PostgreSQL, Mosquitto, ingest workers and gateways."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from coldtrail.broker import start_broker
from coldtrail.gateway_sim import Every, Plan, serials_of
from coldtrail.settings import shard_list
from inventory.clock import ScaledClock, system_clock
from inventory.domain.words import FacilityKind
from inventory.persistence.database import Database
from inventory.persistence.migrate import upgrade
from inventory.persistence.tables import RejectedMessage
from inventory.services import equipment, facilities, rules
from mqtt_ingest.topics import ROOT
from soak.plain import publish_all
from soak.proof import PROBE
from soak.victims import Cluster, Command, KillableBroker, Victim, until

SPEED = 1200.0
"""How much faster than real time the sensors measure: one minute is 50 ms."""

FAILURE = Every(timedelta(hours=8), timedelta(hours=3))
"""When compressors stand still, so that there is an excursion every 24 real seconds."""


@dataclass(frozen=True)
class Shape:
    """How large it is; `divisions` are the shards of each ingest worker."""

    gateways: int = 2
    sensors: int = 4
    divisions: tuple[str, ...] = ("00-ff",)

    @property
    def plan(self) -> Plan:
        """What each gateway measures."""
        return Plan(self.sensors, timedelta(minutes=1), failures=FAILURE)

    @property
    def codes(self) -> list[str]:
        """The codes of the gateways, each of a process of its own."""
        return [f"K{number}-1" for number in range(self.gateways)]


@dataclass
class Installation:
    """What runs, and where the gateways note what they took."""

    cluster: Cluster
    broker: KillableBroker
    workers: list[Command]
    gateways: list[Command] = field(default_factory=list)
    records: list[Path] = field(default_factory=list)

    @property
    def victims(self) -> list[Victim]:
        """All that can be killed."""
        return [self.cluster, self.broker, *self.workers, *self.gateways]

    def supervise(self) -> None:
        """Start again what has ended by itself."""
        for command in (*self.workers, *self.gateways):
            command.supervise()

    def await_hearing(self) -> None:
        """Wait until each worker hears: before it has subscribed once, nobody keeps anything for it."""
        asked = {f"{ROOT}/{worker.arguments[-1][:2]}/{PROBE}/readings" for worker in self.workers}

        def heard() -> bool:
            for topic in asked:
                publish_all(self.broker.broker.url, topic, PROBE.encode())
            with database.read() as session:
                return set(session.scalars(select(RejectedMessage.topic))) >= asked

        with closing(self.database()) as database:
            until(heard)

    def database(self) -> Database:
        """A connection to look at it."""
        return Database(self.cluster.url)


@contextmanager
def installed(binaries: Path, folder: Path, port: int, shape: Shape) -> Iterator[Installation]:
    """A new installation with its gateways enrolled and its workers running; all ends with the block."""
    with ExitStack() as running:
        cluster = Cluster(binaries, folder / "postgres", port)
        cluster.initialise()
        running.callback(cluster.stop)
        cluster.revive()
        _enrol(cluster.url, shape)
        broker = KillableBroker(start_broker(None, folder / "mosquitto", prefer="mosquitto"))
        running.callback(broker.stop)
        settings = environment(COLDTRAIL_DATABASE_URL=cluster.url, COLDTRAIL_MQTT_URL=broker.broker.url)
        workers = [
            Command("ingestor", ["ingest", "--shards", division], settings, folder / "ingest.log")
            for division in shape.divisions
        ]
        installation = Installation(cluster, broker, workers)
        for worker in workers:
            running.callback(worker.stop)
            worker.revive()
        yield installation


@contextmanager
def measuring(installation: Installation, folder: Path, shape: Shape) -> Iterator[None]:
    """Gateways that measure and send until the block ends."""
    settings = installation.workers[0].settings | {"COLDTRAIL_CLOCK": str(across_a_month())}
    with ExitStack() as running:
        for code in shape.codes:
            record = folder / f"{code}.csv"
            command = Command("gateway", _simulated(code, shape, folder, record), settings, folder / "gateways.log")
            installation.gateways.append(command)
            installation.records.append(record)
            running.callback(command.kill)
            command.revive()
        until(lambda: all(record.exists() and record.stat().st_size for record in installation.records))
        yield


def _simulated(code: str, shape: Shape, folder: Path, record: Path) -> list[str]:
    failure = f"{FAILURE.period.total_seconds() / 60:g}/{FAILURE.length.total_seconds() / 60:g}"
    size = ["--sensors", str(shape.sensors), "--interval", "60", "--hours", "80000", "--failure", failure]
    patience = ["--patience", "2", "--timeout", "120"]
    return ["gateway-sim", "--code", code.removesuffix("-1"), *size, *patience, *_files(folder, record)]


def _files(folder: Path, record: Path) -> list[str]:
    return ["--folder", str(folder / "gateways"), "--record", str(record)]


def across_a_month() -> ScaledClock:
    """A clock that comes to the first of a month within seconds, and stays behind the real one for days."""
    now = system_clock()
    month = (now - timedelta(days=25)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return ScaledClock(now, month - timedelta(seconds=8 * SPEED), SPEED)


def environment(**settings: str) -> dict[str, str]:
    """The settings of a process, and nothing of whoever started this."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COLDTRAIL_")} | settings


def _enrol(url: str, shape: Shape) -> None:
    upgrade(url)
    database = Database(url)
    rules.seed(database)
    facilities.add_facility(database, facilities.FacilityRecord("S", "S", FacilityKind.FIXED_SITE, "Asia/Shanghai"))
    for code in shape.codes:
        equipment.add_gateway(database, equipment.GatewayRecord(code, "S"))
        for serial in serials_of(code, shape.sensors):
            equipment.add_sensor(database, equipment.SensorRecord(serial, 60, "strict-2-8", code), system_clock())
    database.close()


def divided(workers: int) -> tuple[str, ...]:
    """The shards, divided evenly among so many workers, a power of two."""
    shards, size = shard_list("00-ff"), 256 // workers
    return tuple(f"{shards[start]}-{shards[start + size - 1]}" for start in range(0, 256, size))
