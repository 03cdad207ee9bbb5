"""Reference data: making facilities, equipment, products, gateways and sensors known, and listing them."""

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.instants import stated
from inventory.domain.products import gtin as valid_gtin
from inventory.domain.words import ApplianceKind, FacilityKind, LocationKind
from inventory.persistence.database import Database
from inventory.persistence.tables import (
    Appliance,
    Base,
    Facility,
    Gateway,
    Location,
    Product,
    Sensor,
    SensorAssignment,
    StorageProfile,
)
from inventory.services import assignments, lookups
from inventory.services.ids import new_id
from inventory.services.paging import Page, page

T = TypeVar("T")


@dataclass(frozen=True)
class FacilityRecord:
    """A supplier, a store or a site; `supplied_by` is the code of the store above it, `daily_capacity` in doses."""

    code: str
    name: str
    kind: FacilityKind
    zone: str
    supplied_by: str | None = None
    daily_capacity: int | None = None
    stations: int | None = None


@dataclass(frozen=True)
class ApplianceRecord:
    """Cold-chain equipment and the code of the facility where it stands."""

    code: str
    facility: str
    name: str
    kind: ApplianceKind


@dataclass(frozen=True)
class ProductRecord:
    """A vaccine: its GTIN (14 digits), doses in a vial and the storage profile it is kept by."""

    gtin: str
    name: str
    doses_per_vial: int
    storage_profile: str


@dataclass(frozen=True)
class GatewayRecord:
    """A gateway, its facility and its shard, two hex digits; without one it is given by its code."""

    code: str
    facility: str
    shard: str | None = None


@dataclass(frozen=True)
class SensorRecord:
    """A sensor: how often it measures, by which profile it is judged, which gateway and appliance it belongs to.

    `appliance_since` is when it began to watch that appliance.
    """

    serial: str
    interval_seconds: int
    storage_profile: str
    gateway: str | None = None
    appliance: str | None = None
    appliance_since: datetime | None = None


def add_facility(database: Database, record: FacilityRecord) -> FacilityRecord:
    """Make a facility known.

    Raises:
        Invalid: `malformed` for a zone that is none, `not_found` or `wrong_facility_kind` for its supplier.
        Conflict: `already_exists`.
    """
    if record.zone not in available_timezones():
        raise Invalid(Code.MALFORMED, "zone", record.zone, N_("an IANA time zone, such as Asia/Shanghai"))

    def work(session: Session) -> FacilityRecord:
        _refuse_known(session, Facility.code, record.code, "code")
        above = None
        if record.supplied_by is not None:
            above = lookups.facility(session, record.supplied_by, "supplied_by")
            if not above.kind.is_store:
                raise Invalid(Code.WRONG_FACILITY_KIND, "supplied_by", above.code, N_("a city or county store"))
        session.add(
            Facility(
                id=new_id(),
                code=record.code,
                name=record.name,
                kind=record.kind,
                zone=record.zone,
                supplied_by_id=above.id if above else None,
                daily_capacity=record.daily_capacity,
                stations=record.stations,
            )
        )
        return record

    return database.write(work)


def list_facilities(database: Database, after: str | None, limit: int) -> Page[FacilityRecord]:
    """Facilities by code."""
    above = aliased(Facility)
    query = select(Facility, above.code).outerjoin(above, above.id == Facility.supplied_by_id)
    with database.read() as session:
        return page(session, query, [Facility.code], after, limit).map(
            lambda row: FacilityRecord(
                row[0].code, row[0].name, row[0].kind, row[0].zone, row[1], row[0].daily_capacity, row[0].stations
            )
        )


def add_appliance(database: Database, record: ApplianceRecord) -> ApplianceRecord:
    """Make an appliance known, with its storage and its quarantine.

    Raises:
        Invalid: `not_found` for its facility.
        Conflict: `already_exists`.
    """

    def work(session: Session) -> ApplianceRecord:
        _refuse_known(session, Appliance.code, record.code, "code")
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


def add_product(database: Database, record: ProductRecord) -> ProductRecord:
    """Make a product known.

    Raises:
        Invalid: `malformed`, `wrong_check_digit`, or `not_found` for its storage profile.
        Conflict: `already_exists`.
    """
    gtin = valid_gtin(record.gtin)

    def work(session: Session) -> ProductRecord:
        _refuse_known(session, Product.gtin, gtin, "gtin")
        lookups.by_code(session, StorageProfile.code, record.storage_profile, "storage_profile")
        session.add(
            Product(
                gtin=gtin,
                name=record.name,
                doses_per_vial=record.doses_per_vial,
                profile_code=record.storage_profile,
            )
        )
        return ProductRecord(gtin, record.name, record.doses_per_vial, record.storage_profile)

    return database.write(work)


def list_products(database: Database, after: str | None, limit: int) -> Page[ProductRecord]:
    """Products by GTIN."""
    with database.read() as session:
        return page(session, select(Product), [Product.gtin], after, limit).map(
            lambda row: ProductRecord(row[0].gtin, row[0].name, row[0].doses_per_vial, row[0].profile_code)
        )


def add_gateway(database: Database, record: GatewayRecord) -> GatewayRecord:
    """Enrol a gateway and give it its shard.

    Raises:
        Invalid: `not_found` for its facility.
        Conflict: `already_exists`.
    """
    shard = record.shard or f"{zlib.crc32(record.code.encode()) % 256:02x}"

    def work(session: Session) -> GatewayRecord:
        _refuse_known(session, Gateway.code, record.code, "code")
        owner = lookups.facility(session, record.facility)
        session.add(Gateway(id=new_id(), code=record.code, facility_id=owner.id, shard=shard))
        return GatewayRecord(record.code, record.facility, shard)

    return database.write(work)


def list_gateways(database: Database, after: str | None, limit: int) -> Page[GatewayRecord]:
    """Gateways by code."""
    query = select(Gateway, Facility.code).join(Facility, Facility.id == Gateway.facility_id)
    with database.read() as session:
        return page(session, query, [Gateway.code], after, limit).map(
            lambda row: GatewayRecord(row[0].code, row[1], row[0].shard)
        )


def add_sensor(database: Database, record: SensorRecord, now: datetime) -> SensorRecord:
    """Make a sensor known and, where an appliance is named, assign it.

    Raises:
        Invalid: `not_found`; `naive_time` or `time_in_future` for `appliance_since`.
        Conflict: `already_exists`.
    """
    since = stated("appliance_since", record.appliance_since or now, now)

    def work(session: Session) -> SensorRecord:
        _refuse_known(session, Sensor.serial, record.serial, "serial")
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
        )
        session.add(sensor)
        session.flush()
        if record.appliance is not None:
            appliance: Appliance = lookups.by_code(session, Appliance.code, record.appliance, "appliance")
            assignments.watch_appliance(session, sensor, appliance, since, now)
        return record

    return database.write(work)


def list_sensors(database: Database, after: str | None, limit: int) -> Page[SensorRecord]:
    """Sensors by serial, each with the appliance that it watches now."""
    watching = (
        select(SensorAssignment.sensor_id, SensorAssignment.since, Appliance.code)
        .join(Appliance, Appliance.id == SensorAssignment.appliance_id)
        .where(SensorAssignment.until.is_(None))
        .subquery()
    )
    query = (
        select(Sensor, Gateway.code, watching.c.code, watching.c.since)
        .outerjoin(Gateway, Gateway.id == Sensor.gateway_id)
        .outerjoin(watching, watching.c.sensor_id == Sensor.id)
    )
    with database.read() as session:
        return page(session, query, [Sensor.serial], after, limit).map(
            lambda row: SensorRecord(
                row[0].serial, row[0].interval_seconds, row[0].profile_code, row[1], row[2], row[3]
            )
        )


def _refuse_known(session: Session, column: InstrumentedAttribute[str], value: str, field: str) -> None:
    table: type[Base] = column.class_
    if session.scalar(select(column).select_from(table).where(column == value)) is not None:
        raise Conflict(Code.ALREADY_EXISTS, field, value, N_("one that is not registered yet"))
