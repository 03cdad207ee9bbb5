"""A province's fridges for the benchmarks: gateways with sensors that measure each minute, as messages and as rows."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.words import FacilityKind
from inventory.persistence.database import Database
from inventory.persistence.tables import Facility, Gateway, Sensor
from inventory.services import rules
from inventory.services.ids import new_id
from inventory.services.messages import Measurement
from mqtt_ingest import topics
from mqtt_ingest.formats import native

START = datetime(2026, 10, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BOOT = "bench"
WARM = 0.01
"""The part of the fridges that stands warm for an hour of each four."""


@dataclass(frozen=True)
class Fleet:
    """So many gateways with so many sensors each."""

    gateways: int
    sensors: int

    def enrol(self, url: str) -> None:
        """Write the gateways and sensors into a database of the current schema."""
        database = Database(url)
        rules.seed(database)

        def work(session: Session) -> None:
            store = Facility(
                id=new_id(), code="STORE", name="Store", kind=FacilityKind.CITY_STORE, zone="Asia/Shanghai"
            )
            session.add(store)
            session.flush()
            for number in range(self.gateways):
                gateway = Gateway(id=new_id(), code=code(number), facility_id=store.id, shard=shard(number))
                session.add(gateway)
                session.flush()
                session.add_all(_sensor(number, each, gateway) for each in range(self.sensors))

        database.write(work)
        database.close()

    def messages(self, count: int, readings: int, first: int = 1) -> Iterator[tuple[str, bytes]]:
        """Topic and payload of so many messages, with so many readings each, from number `first` of each gateway on."""
        for gateway, seq, made in self._made(count, readings, first):
            topic = topics.build(topics.Topic(shard(gateway), code(gateway), topics.Kind.READINGS))
            yield topic, native.encode(BOOT, seq, made)

    def measured(self, count: int, readings: int, first: int = 1) -> Iterator[Measurement]:
        """The readings of the same messages."""
        for _, _, made in self._made(count, readings, first):
            yield from made

    def _made(self, count: int, readings: int, first: int) -> Iterator[tuple[int, int, list[Measurement]]]:
        for number in range(count):
            gateway, seq = number % self.gateways, first + number // self.gateways
            yield gateway, seq, [self._measured(gateway, (seq - 1) * readings + each) for each in range(readings)]

    def _measured(self, gateway: int, number: int) -> Measurement:
        sensor, minute = number % self.sensors, number // self.sensors
        return Measurement(serial(gateway, sensor), START + minute * MINUTE, temperature(gateway, sensor, minute))


def ids(url: str) -> dict[str, UUID]:
    """The ids of the sensors by serial."""
    database = Database(url)
    with database.read() as session:
        found = {row.serial: row.id for row in session.execute(select(Sensor.serial, Sensor.id))}
    database.close()
    return found


def _sensor(number: int, sensor: int, gateway: Gateway) -> Sensor:
    known = {"serial": serial(number, sensor), "gateway_id": gateway.id}
    return Sensor(id=new_id(), interval_seconds=60, profile_code="strict-2-8", **known)


def temperature(gateway: int, sensor: int, minute: int) -> int:
    """Hundredths of a degree: 3.5 to 6.5, but of the warm ones 9 to 10 in the second of each four hours."""
    noise = random.Random(gateway * 7919 + sensor * 104729 + minute).randrange(300)
    warm = (gateway * 31 + sensor) % round(1 / WARM) == 0 and minute // 60 % 4 == 1
    return 900 + noise // 3 if warm else 350 + noise


def code(gateway: int) -> str:
    """The code of a gateway."""
    return f"GW-{gateway:04}"


def shard(gateway: int) -> str:
    """The shard of a gateway."""
    return f"{gateway % 256:02x}"


def serial(gateway: int, sensor: int) -> str:
    """The serial of a sensor."""
    return f"T-{gateway:04}-{sensor:02}"
