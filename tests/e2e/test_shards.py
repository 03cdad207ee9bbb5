"""However the shards are divided among ingest workers, and whoever hands them to whom, the result is the same."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coldtrail.broker import Broker, start_broker
from coldtrail.gateway_sim import Every, Plan, serials_of
from inventory.clock import system_clock
from inventory.domain.words import FacilityKind
from inventory.persistence.database import Database
from inventory.services import equipment, facilities, rules
from inventory.services.equipment import shard_of
from mqtt_ingest import topics
from mqtt_ingest.buffer import Buffer
from mqtt_ingest.client import Publisher
from mqtt_ingest.gateway import Gateway
from mqtt_ingest.settings import MqttSettings
from soak.installation import divided
from soak.plain import publish_readings
from soak.proof import Taken, prove
from tests.services import require_mosquitto
from tests.workers import until, worker

FIRST = datetime(2026, 1, 31, 12, tzinfo=UTC)
PLAN = Plan(2, timedelta(minutes=15), failures=Every(timedelta(hours=24), timedelta(hours=6)))
CODES = ("GW-Q", "GW-R", "GW-A", "GW-B")
"""Gateways of four different quarters of the shards, the first two of different halves."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    require_mosquitto()
    with start_broker(None, tmp_path, prefer="mosquitto") as started:
        yield started


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    rules.seed(found)
    facilities.add_facility(found, facilities.FacilityRecord("S", "S", FacilityKind.FIXED_SITE, "Asia/Shanghai"))
    for code in CODES:
        equipment.add_gateway(found, equipment.GatewayRecord(code, "S"))
        for serial in serials_of(code, PLAN.sensors):
            record = equipment.SensorRecord(serial, 900, "strict-2-8", code)
            equipment.add_sensor(found, record, system_clock())
    yield found
    found.close()


def instants(first: int, last: int) -> list[datetime]:
    return [FIRST + PLAN.interval * number for number in range(first, last)]


def readings(codes: Sequence[str], first: int, last: int) -> Taken:
    """What the sensors of gateways measure from the `first` interval to the `last`."""
    measured = [one for code in codes for at in instants(first, last) for one in PLAN.measured(code, at)]
    return {(one.sensor, one.measured_at): one.temperature for one in measured}


class Gateways:
    """Reference gateways, sent from one thread."""

    def __init__(self, broker: Broker, codes: Sequence[str], running: ExitStack, patience: float = 0.5) -> None:
        self._patience = patience
        self._made = [self._open(broker, code, running) for code in codes]
        self._codes = codes

    def _open(self, broker: Broker, code: str, running: ExitStack) -> Gateway:
        settings = MqttSettings.from_url(broker.url, code)
        publisher = Publisher(settings, [topics.receipt_topic(code, shard_of(code))])
        buffer = Buffer()
        running.callback(buffer.close)
        running.callback(publisher.close)
        return Gateway(code, shard_of(code), publisher, buffer, patience=self._patience)

    def take(self, first: int, last: int) -> None:
        for at in instants(first, last):
            for code, gateway in zip(self._codes, self._made, strict=True):
                gateway.take(PLAN.measured(code, at))

    def step(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.confirmed()

    def confirmed(self) -> bool:
        for gateway in self._made:
            gateway.step(0.005)
        return not any(gateway.outstanding for gateway in self._made)

    @property
    def outstanding(self) -> int:
        return sum(gateway.outstanding for gateway in self._made)


@pytest.fixture
def running() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_one_two_and_four_workers_store_the_same_and_judge_the_same(
    workers: int, database: Database, database_url: str, broker: Broker, running: ExitStack
) -> None:
    assert {int(shard_of(code), 16) // 64 for code in CODES} == {0, 1, 2, 3}
    for division in divided(workers):
        running.enter_context(worker(broker, database_url, division))
    gateways = Gateways(broker, CODES, running)
    gateways.take(0, 100)
    until(gateways.confirmed)
    proof = prove(database, readings(CODES, 0, 100))
    assert proof.holds, proof
    assert proof.stored == proof.taken == 800
    assert proof.excursions >= len(CODES)


def test_shards_handed_to_a_new_worker_lose_nothing_of_gateways_that_keep_until_the_receipt(
    database: Database, database_url: str, broker: Broker, running: ExitStack
) -> None:
    gateways = Gateways(broker, CODES[:2], running)
    with worker(broker, database_url, "00-ff", "old"):
        gateways.take(0, 20)
        until(gateways.confirmed)
    gateways.take(20, 40)
    gateways.step(0.3)
    assert gateways.outstanding == 40
    with worker(broker, database_url, "00-7f", "low"), worker(broker, database_url, "80-ff", "high"):
        gateways.take(40, 60)
        until(gateways.confirmed)
    everything = readings(CODES[:2], 0, 60)
    assert prove(database, everything).holds
    before = prove(database, everything)
    with worker(broker, database_url, "00-ff", "old"):
        time.sleep(1.0)
    assert prove(database, everything) == before


def test_a_worker_that_finds_no_session_has_everything_sent_again_at_once(
    database: Database, database_url: str, broker: Broker, running: ExitStack
) -> None:
    gateways = Gateways(broker, CODES[:2], running, patience=600.0)
    gateways.take(0, 20)
    gateways.step(0.5)
    assert gateways.outstanding == 40
    with worker(broker, database_url):
        until(gateways.confirmed, seconds=20.0)
        broker.kill()
        gateways.take(20, 40)
    broker.restart()
    gateways.step(3.0)
    assert gateways.outstanding == 40
    with worker(broker, database_url):
        until(gateways.confirmed, seconds=20.0)
    assert prove(database, readings(CODES[:2], 0, 40)).holds


def test_without_receipts_what_lies_in_the_old_session_comes_only_when_it_is_drained(
    database: Database, database_url: str, broker: Broker
) -> None:
    before, between, after = (readings(CODES[:1], number, number + 20) for number in (0, 20, 40))
    with worker(broker, database_url, "00-ff", "old"):
        publish_readings(broker.url, CODES[0], before)
        until(lambda: prove(database, before).lost == 0)
    publish_readings(broker.url, CODES[0], between)
    with worker(broker, database_url, "00-ff", "new"):
        publish_readings(broker.url, CODES[0], after)
        until(lambda: prove(database, after).lost == 0)
    everything = before | between | after
    assert prove(database, everything).lost == len(between)
    with worker(broker, database_url, "00-ff", "old"):
        until(lambda: prove(database, everything).lost == 0)
    assert prove(database, everything).holds


def test_without_receipts_nothing_is_lost_where_the_new_worker_starts_before_the_old_one_stops(
    database: Database, database_url: str, broker: Broker, running: ExitStack
) -> None:
    old = ExitStack()
    old.enter_context(worker(broker, database_url, "00-ff", "old"))
    publish_readings(broker.url, CODES[0], readings(CODES[:1], 0, 20))
    running.enter_context(worker(broker, database_url, "00-ff", "new"))
    publish_readings(broker.url, CODES[0], readings(CODES[:1], 20, 40))
    until(lambda: prove(database, readings(CODES[:1], 0, 40)).lost == 0)
    old.close()
    publish_readings(broker.url, CODES[0], readings(CODES[:1], 40, 60))
    until(lambda: prove(database, readings(CODES[:1], 0, 60)).lost == 0)
    assert prove(database, readings(CODES[:1], 0, 60)).holds
