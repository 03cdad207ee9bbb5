"""Reference data: facilities, equipment, products, batches, shipments and the rules."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.deadlines import RuleName
from inventory.domain.words import ApplianceKind, FacilityKind, LocationKind, Policy, Purpose, Side
from inventory.persistence.columns import Base, Code, FacilityRef, Key, Name, Small, word


class Facility(Base):
    """A supplier, a store or a site, with its IANA zone; `supplied_by` is the store above it.

    `session_ends` is when a site's session ends each day, on its own clock: HH:MM. `gln` is its GS1 location number.
    """

    __tablename__ = "facility"
    __table_args__ = (Index("uq_facility_gln", "gln", unique=True),)
    id: Mapped[Key]
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Name]
    kind: Mapped[FacilityKind] = mapped_column(word(FacilityKind))
    zone: Mapped[Code]
    supplied_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("facility.id"))
    daily_capacity: Mapped[Small | None]
    stations: Mapped[Small | None]
    session_ends: Mapped[str | None] = mapped_column(String(5))
    gln: Mapped[str | None] = mapped_column(String(13))


class Appliance(Base):
    """Cold-chain equipment of a facility."""

    __tablename__ = "appliance"
    id: Mapped[Key]
    code: Mapped[Code] = mapped_column(unique=True)
    facility_id: Mapped[FacilityRef] = mapped_column(index=True)
    name: Mapped[Name]
    kind: Mapped[ApplianceKind] = mapped_column(word(ApplianceKind))


class Shipment(Base):
    """One dispatch from a facility to a facility; it has arrived with its first receipt.

    `departure` and `arrival` are the transport record's two halves, as each side stated it.
    """

    __tablename__ = "shipment"
    __table_args__ = (
        *(
            Index(
                f"ix_shipment_under_way_{end}",
                f"{end}_facility_id",
                sqlite_where=text("arrived_at IS NULL"),
                postgresql_where=text("arrived_at IS NULL"),
            )
            for end in ("from", "to")
        ),
    )
    id: Mapped[Key]
    from_facility_id: Mapped[FacilityRef] = mapped_column(index=True)
    to_facility_id: Mapped[FacilityRef] = mapped_column(index=True)
    purpose: Mapped[Purpose] = mapped_column(word(Purpose))
    dispatched_at: Mapped[datetime]
    arrived_at: Mapped[datetime | None]
    departure: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    arrival: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class Location(Base):
    """What holds custodies: an appliance's storage or quarantine, a shipment's transit or its quarantine."""

    __tablename__ = "location"
    __table_args__ = (
        CheckConstraint("(appliance_id IS NULL) <> (shipment_id IS NULL)", "one_place"),
        UniqueConstraint("appliance_id", "kind"),
        UniqueConstraint("shipment_id", "kind"),
    )
    id: Mapped[Key]
    kind: Mapped[LocationKind] = mapped_column(word(LocationKind))
    appliance_id: Mapped[UUID | None] = mapped_column(ForeignKey("appliance.id"))
    shipment_id: Mapped[UUID | None] = mapped_column(ForeignKey("shipment.id"))


class StorageProfile(Base):
    """How something is to be kept: its band in hundredths of a degree, both ends included, and its limits."""

    __tablename__ = "storage_profile"
    code: Mapped[Code] = mapped_column(primary_key=True)
    low: Mapped[Small]
    high: Mapped[Small]


class ExcursionRule(Base):
    """A limit of a storage profile (see inventory.domain.excursions)."""

    __tablename__ = "excursion_rule"
    profile_code: Mapped[Code] = mapped_column(ForeignKey("storage_profile.code"), primary_key=True)
    name: Mapped[Code] = mapped_column(primary_key=True)
    side: Mapped[Side] = mapped_column(word(Side))
    threshold: Mapped[Small]
    inclusive: Mapped[bool]
    duration_seconds: Mapped[Small]
    window_seconds: Mapped[Small | None]


class ExposureBudget(Base):
    """Time outside the band that a storage profile allows in total (see inventory.domain.budgets)."""

    __tablename__ = "exposure_budget"
    profile_code: Mapped[Code] = mapped_column(ForeignKey("storage_profile.code"), primary_key=True)
    name: Mapped[Code] = mapped_column(primary_key=True)
    low: Mapped[Small]
    high: Mapped[Small]
    allowed_seconds: Mapped[Small]


class DeadlineRule(Base):
    """A rule of a set, such as "double-24" (see inventory.domain.deadlines)."""

    __tablename__ = "deadline_rule"
    rule_set: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[RuleName] = mapped_column(word(RuleName), primary_key=True)
    window: Mapped[Code]


class RuleAssignment(Base):
    """From when on a rule set holds: for a programme or all, for a facility with those below it or all."""

    __tablename__ = "rule_assignment"
    id: Mapped[Key]
    rule_set: Mapped[Code]
    programme_code: Mapped[str | None] = mapped_column(ForeignKey("programme.code"))
    facility_id: Mapped[UUID | None] = mapped_column(ForeignKey("facility.id"))
    effective_from: Mapped[datetime]


class Programme(Base):
    """A vaccination programme, and what it makes of doses that missed a deadline or were exposed."""

    __tablename__ = "programme"
    code: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[Name]
    on_missed: Mapped[Policy] = mapped_column(word(Policy))
    on_exposure: Mapped[Policy] = mapped_column(word(Policy))


class Product(Base):
    """A vaccine by its GTIN; an opened vial lasts for hours, to the end of the session or for days, as it says."""

    __tablename__ = "product"
    gtin: Mapped[str] = mapped_column(String(14), primary_key=True)
    name: Mapped[Name]
    doses_per_vial: Mapped[Small]
    profile_code: Mapped[Code] = mapped_column(ForeignKey("storage_profile.code"))
    programme_code: Mapped[Code] = mapped_column(ForeignKey("programme.code"))
    imported: Mapped[bool]
    open_vial_hours: Mapped[Small | None]
    open_vial_session: Mapped[bool]
    thaw_hours: Mapped[Small | None]


class Batch(Base):
    """A manufacturer's batch of a product: GS1 AI 10 and its expiry, AI 17."""

    __tablename__ = "batch"
    __table_args__ = (UniqueConstraint("gtin", "number"),)
    id: Mapped[Key]
    gtin: Mapped[str] = mapped_column(ForeignKey("product.gtin"))
    number: Mapped[str] = mapped_column(String(20))
    expiry: Mapped[date]


class Gateway(Base):
    """A device that publishes for sensors; its shard is the part of the topics that one ingest worker reads."""

    __tablename__ = "gateway"
    id: Mapped[Key]
    code: Mapped[Code] = mapped_column(unique=True)
    facility_id: Mapped[FacilityRef]
    shard: Mapped[str] = mapped_column(String(2))


class Sensor(Base):
    """A thermometer; where a gateway is named, only that one may deliver for it. `giai` is its GS1 asset number."""

    __tablename__ = "sensor"
    __table_args__ = (Index("uq_sensor_giai", "giai", unique=True),)
    id: Mapped[Key]
    serial: Mapped[Code] = mapped_column(unique=True)
    interval_seconds: Mapped[Small]
    profile_code: Mapped[Code] = mapped_column(ForeignKey("storage_profile.code"))
    gateway_id: Mapped[UUID | None] = mapped_column(ForeignKey("gateway.id"))
    giai: Mapped[str | None] = mapped_column(String(30))


class SensorAssignment(Base):
    """An interval in which a sensor watches an appliance or a shipment."""

    __tablename__ = "sensor_assignment"
    __table_args__ = (
        CheckConstraint("(appliance_id IS NULL) <> (shipment_id IS NULL)", "one_place"),
        CheckConstraint("until IS NULL OR until >= since", "forward"),
    )
    sensor_id: Mapped[UUID] = mapped_column(ForeignKey("sensor.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime | None]
    appliance_id: Mapped[UUID | None] = mapped_column(ForeignKey("appliance.id"), index=True)
    shipment_id: Mapped[UUID | None] = mapped_column(ForeignKey("shipment.id"), index=True)
