"""Cold-chain equipment, gateways and sensors: making them known, and listing them."""

import zlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain import gs1
from inventory.domain.instants import stated
from inventory.domain.words import ApplianceKind, LocationKind
from inventory.persistence.database import Database
from inventory.persistence.tables import (
    Appliance,
    Facility,
    Gateway,
    Location,
    Sensor,
    StorageProfile,
)
from inventory.services import assignments, lookups
from inventory.services.ids import new_id
from inventory.services.paging import Page, page


@dataclass(frozen=True)
class ApplianceRecord:
    """Cold-chain equipment and the code of the facility where it stands."""

    code: str
    facility: str
    name: str
    kind: ApplianceKind


@dataclass(frozen=True)
class GatewayRecord:
    """A gateway, its facility and its shard, two hex digits; without one it is given by its code."""

    code: str
    facility: str
    shard: str | None = None


@dataclass(frozen=True)
class SensorRecord:
    """A sensor: how often it measures, by which profile it is judged, which gateway and appliance it belongs to.

    `appliance_since` is when it began to watch that appliance; `giai` is its GS1 asset number.
    """

    serial: str
    interval_seconds: int
    storage_profile: str
    gateway: str | None = None
    appliance: str | None = None
    appliance_since: datetime | None = None
    giai: str | None = None


def add_appliance(database: Database, record: ApplianceRecord) -> ApplianceRecord:
    """Make an appliance known, with its storage and its quarantine.

    Raises:
        Invalid: `not_found` for its facility.
        Conflict: `already_exists`.
    """

    def work(session: Session) -> ApplianceRecord:
        lookups.refuse_known(session, Appliance.code, record.code, "code")
        owner = lookups.facility(session, record.facility)
        appliance = Appliance(id=new_id(), code=record.code, facility_id=owner.id, name=record.name, kind=record.kind)
        session.add(appliance)
        session.flush()
        for kind in (LocationKind.STORAGE, LocationKind.QUARANTINE):
            session.add(Location(id=new_id(), kind=kind, appliance_id=appliance.id))
        return record

    return database.write(work)


def list_appliances(database: Database, after: str | None, limit: int) -> Page[ApplianceRecord]:
    """Appliances by code."""
    query = select(Appliance, Facility.code).join(Facility, Facility.id == Appliance.facility_id)
    with database.read() as session:
        return page(session, query, [Appliance.code], after, limit).map(
            lambda row: ApplianceRecord(row[0].code, row[1], row[0].name, row[0].kind)
        )


def shard_of(code: str) -> str:
    """The shard that a gateway is given by its code: the last byte of the code's CRC-32, as two hex digits."""
    return f"{zlib.crc32(code.encode()) % 256:02x}"


def add_gateway(database: Database, record: GatewayRecord) -> GatewayRecord:
    """Enrol a gateway and give it its shard.

    Raises:
        Invalid: `not_found` for its facility.
        Conflict: `already_exists`.
    """
    shard = record.shard or shard_of(record.code)

    def work(session: Session) -> GatewayRecord:
        lookups.refuse_known(session, Gateway.code, record.code, "code")
        owner = lookups.facility(session, record.facility)
        session.add(Gateway(id=new_id(), code=record.code, facility_id=owner.id, shard=shard))
        return GatewayRecord(record.code, record.facility, shard)

    return database.write(work)


def add_sensor(database: Database, record: SensorRecord, now: datetime) -> SensorRecord:
    """Make a sensor known and, where an appliance is named, assign it.

    Raises:
        Invalid: `not_found`; `naive_time` or `time_in_future` for `appliance_since`; `malformed` for its GIAI.
        Conflict: `already_exists`.
    """
    since = stated("appliance_since", record.appliance_since or now, now)
    giai = None if record.giai is None else gs1.giai(record.giai)

    def work(session: Session) -> SensorRecord:
        lookups.refuse_known(session, Sensor.serial, record.serial, "serial")
        if giai is not None:
            lookups.refuse_known(session, Sensor.giai, giai, "giai")  # type: ignore[arg-type]
        lookups.by_code(session, StorageProfile.code, record.storage_profile, "storage_profile")
        gateway: Gateway | None = None
        if record.gateway is not None:
            gateway = lookups.by_code(session, Gateway.code, record.gateway, "gateway")
        sensor = Sensor(
            id=new_id(),
            serial=record.serial,
            interval_seconds=record.interval_seconds,
            profile_code=record.storage_profile,
            gateway_id=gateway.id if gateway else None,
            giai=giai,
        )
        session.add(sensor)
        session.flush()
        if record.appliance is not None:
            appliance: Appliance = lookups.by_code(session, Appliance.code, record.appliance, "appliance")
            assignments.watch_appliance(session, sensor, appliance, since, now)
        return record

    return database.write(work)
