"""WHO records of a simulator, through the format and the service.

What the files hold was computed by hand, for their names promise more than they hold. Each has 24 records at 15
minutes, 2024-06-15 00:00 to 05:45 UTC. In `compressor_failure.json` the compressor runs 0 s of each 900 s (CMPR) for
all six hours, but the ice lining only falls from 99.9 % to 97 % (ICESOC): the vaccine (TVC) stays between 4.3 and 5.5
degrees, in every record exactly as in `mains_normal.json`. So by temperature alone neither file holds an excursion, nor
does `power_outage.json` (4.3 to 4.5), and a service that found one would be wrong.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory.persistence.database import Database
from inventory.services import equipment, monitoring
from inventory.services.evidence import ExcursionSummary
from inventory.services.excursions import list_excursions
from inventory.services.series import list_readings
from mqtt_ingest.envelope import wrapped
from mqtt_ingest.formats import cce
from tests.county import GATEWAY, NOW, SHARD, build, counts, message

START = datetime(2024, 6, 15, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
FILES = ("compressor_failure.json", "mains_normal.json", "power_outage.json")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    build(found)
    equipment.add_sensor(found, equipment.SensorRecord("LOGGER", 900, "strict-2-8", GATEWAY), NOW)
    yield found
    found.close()


def records(folder: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "cce" / name).read_text())["records"]
    return found


def take_in(database: Database, of: list[dict[str, Any]]) -> list[ExcursionSummary]:
    """Send records as a gateway would, in one delivery, and give the standing excursions."""
    delivery = wrapped(of, GATEWAY, "LOGGER", NOW)
    content = cce.parse(delivery.payload)
    readings = [(each.sensor, each.measured_at, each.temperature) for each in content.measurements]
    monitoring.record(database, [message(readings, shard=SHARD, payload=delivery.payload)], NOW)
    return list(list_excursions(database, "LOGGER", True, None, 100).items)


@pytest.mark.parametrize("name", FILES)
def test_six_hours_between_4_and_6_degrees_are_24_readings_and_no_excursion(
    database: Database, shared_data: Path, name: str
) -> None:
    assert take_in(database, records(shared_data, name)) == []
    stored = list_readings(database, "LOGGER", None, None, None, 100).page.items
    assert [line.measured_at for line in stored] == [START + index * QUARTER for index in range(24)]
    assert 430 <= min(line.temperature for line in stored) <= max(line.temperature for line in stored) <= 550


def test_the_compressor_failed_for_six_hours_and_the_ice_kept_the_vaccine_cold(shared_data: Path) -> None:
    failed, normal = records(shared_data, FILES[0]), records(shared_data, FILES[1])
    assert {each["CMPR"] for each in failed} == {0}
    assert {each["CMPR"] for each in normal} == {900}
    assert [each["TVC"] for each in failed] == [each["TVC"] for each in normal]


def test_the_same_failure_without_its_ice_is_one_excursion_of_six_hours_however_often_it_is_sent(
    database: Database, shared_data: Path
) -> None:
    """Each record four degrees warmer: 8.3 to 9.5, all above +8.0; the record after it is cold again."""
    warm = [each | {"TVC": round(each["TVC"] + 4, 1)} for each in records(shared_data, FILES[0])]
    cold = warm[0] | {"ABST": "20240615T060000Z", "TVC": 4.5}
    first = take_in(database, [*warm, cold])
    (hot,) = first
    assert (hot.rule, hot.started_at, hot.alarm_at) == ("HOT", START, START + 2 * QUARTER)
    assert (hot.ended_at, hot.seen, hot.extreme) == (START + 24 * QUARTER, 24 * QUARTER, 950)
    before = counts(database)
    assert take_in(database, [*warm, cold]) == first
    assert counts(database) == before


def test_records_sent_backwards_and_one_by_one_are_the_same_excursion(database: Database, shared_data: Path) -> None:
    warm = [each | {"TVC": round(each["TVC"] + 4, 1)} for each in records(shared_data, FILES[0])]
    for record in reversed(warm):
        found = take_in(database, [record])
    (hot,) = found
    assert (hot.started_at, hot.alarm_at, hot.ended_at) == (START, START + 2 * QUARTER, None)
    assert hot.seen == 23 * QUARTER
