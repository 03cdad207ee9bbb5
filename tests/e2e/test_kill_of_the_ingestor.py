"""Law 5: whatever dies, a reading whose receipt did not go out is sent again, and is there once."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from coldtrail.broker import Broker
from inventory.clock import system_clock
from inventory.domain.excursions import detect
from inventory.domain.words import ApplianceKind, FacilityKind
from inventory.persistence.database import Database
from inventory.persistence.tables import Excursion, Reading, RejectedMessage, Sensor
from inventory.services import equipment, facilities, rules
from inventory.services.judgement import hold_of, read_between
from mqtt_ingest.client import Publisher
from mqtt_ingest.settings import MqttSettings
from tests.e2e.processes import PATIENCE, beside, running, start, until

RECORDS = 3000
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
EVERY = timedelta(minutes=15)
FAILED = range(700, 724)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database that knows one gateway and one logger."""
    found = Database(database_url)
    rules.seed(found)
    facilities.add_facility(found, facilities.FacilityRecord("S", "Site", FacilityKind.FIXED_SITE, "Asia/Shanghai"))
    equipment.add_appliance(found, equipment.ApplianceRecord("F", "S", "Fridge", ApplianceKind.FRIDGE))
    equipment.add_gateway(found, equipment.GatewayRecord("GW", "S"))
    logger = equipment.SensorRecord("LOGGER", 900, "strict-2-8", "GW", "F", FIRST)
    equipment.add_sensor(found, logger, system_clock())
    yield found
    found.close()


def write_records(file: Path) -> None:
    """WHO DS01 records of a month, in which a compressor fails for six hours."""
    records = [
        {"ABST": f"{FIRST + EVERY * number:%Y%m%dT%H%M%SZ}", "TVC": 12.5 if number in FAILED else 4.5, "TAMB": 21.0}
        | {"CMPR": 300, "SVA": 900, "DORV": 0, "BLOG": 300, "BEMD": 14, "ALRM": None, "EERR": None, "LERR": None}
        | {"ACCD": 1.2, "ACSV": 230.0, "HOLD": 9.0}
        for number in range(RECORDS)
    ]
    file.write_text(json.dumps({"scenario": "six hours without a compressor", "records": records}))


def count(session: Session, table: type[Reading | RejectedMessage]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def stored(database: Database) -> int:
    with database.read() as session:
        return count(session, Reading)


def test_every_reading_is_there_once_after_a_kill_in_the_middle_of_a_replay(
    database: Database, database_url: str, broker: Broker, tmp_path: Path
) -> None:
    file, log, settings = tmp_path / "month.json", tmp_path / "log", beside(database_url, broker)
    write_records(file)
    ingest = start(["ingest"], settings, log)
    replay = ["replay", str(file), "--mqtt", broker.url, "--gateway", "GW", "--serial", "LOGGER", "--chunk", "2"]
    with running([*replay, "--timeout", str(3 * PATIENCE)], settings, log) as gateway:
        until(lambda: stored(database) > 0)
        ingest.kill()
        ingest.wait(PATIENCE)
        before = stored(database)
        with running(["ingest"], settings, log):
            assert gateway.wait(3 * PATIENCE) == 0, log.read_text()
    assert 0 < before < RECORDS, "the kill came too late to prove anything"
    _holds_everything_once(database)


def _holds_everything_once(database: Database) -> None:
    with database.read() as session:
        sensor = session.scalars(select(Sensor)).one()
        readings = read_between(session, sensor.id, FIRST, None)
        assert [each.measured_at for each in readings] == [FIRST + EVERY * number for number in range(RECORDS)]
        assert count(session, RejectedMessage) == 0
        found = detect(readings, rules.excursion_rules(session, "strict-2-8"), hold_of(sensor))
        kept = session.scalars(select(Excursion).where(Excursion.cancelled_at.is_(None))).all()
        assert [(each.started_at, each.ended_at) for each in kept] == [
            (span.started_at, span.ended_at) for span in found
        ]
        assert [each.rule_name for each in kept] == ["HOT"]


def await_hearing(database: Database, broker: Broker) -> None:
    """Wait until a worker hears: what nobody could have sent is kept aside."""
    settings = MqttSettings.from_url(broker.url, "probe", protocol=broker.protocol)
    with closing(Publisher(settings)) as probe:

        def heard() -> bool:
            probe.step(0.1)
            probe.publish("coldtrail/v1/00/PROBE/readings", b"probe")
            with database.read() as session:
                return count(session, RejectedMessage) > 0

        until(heard)


def test_an_ingest_worker_ends_quietly_when_it_is_asked_to(
    database: Database, database_url: str, broker: Broker, tmp_path: Path
) -> None:
    process = start(["ingest"], beside(database_url, broker), tmp_path / "log")
    await_hearing(database, broker)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.terminate()
    assert process.wait(PATIENCE) == 0
