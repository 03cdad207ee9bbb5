"""A small county for tests: a supplier, two stores, two sites, their equipment, two products and everybody's tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select

from inventory.domain.transport import TransportRecord
from inventory.domain.words import ApplianceKind, FacilityKind, Paper, Role
from inventory.persistence.database import Database
from inventory.persistence.tables import Base
from inventory.services import access, equipment, facilities, products, rules
from inventory.services.access import Actor
from inventory.services.messages import Measurement, Message

NOW = datetime(2026, 1, 5, 4, tzinfo=UTC)
"""Noon in Shanghai."""

MIDNIGHT = datetime(2026, 1, 4, 16, tzinfo=UTC)
"""When that civil day began there, and the sensors their duty."""

ZONE = "Asia/Shanghai"
EXPIRY = date(2026, 6, 30)
ONE, TWO = "06901234567892", "09506000134352"
"""Products of one dose and of two doses a vial."""

GATEWAY, SHARD = "GW", "0a"
PAPERS = (Paper.LOT_RELEASE, Paper.DELIVERY_NOTE, Paper.TEMPERATURE_RECORD)
COOL = TransportRecord(arrival_temperature=450)
"""What a receipt states for goods that are in order."""

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

_FACILITIES = (
    ("MAKER", FacilityKind.SUPPLIER, None),
    ("CITY", FacilityKind.CITY_STORE, None),
    ("COUNTY", FacilityKind.COUNTY_STORE, "CITY"),
    ("SITE-A", FacilityKind.FIXED_SITE, "COUNTY"),
    ("SITE-B", FacilityKind.MOBILE_SITE, "COUNTY"),
)
_APPLIANCES = (
    ("CITY-ROOM", "CITY", ApplianceKind.COLD_ROOM),
    ("COUNTY-ROOM", "COUNTY", ApplianceKind.COLD_ROOM),
    ("A-FRIDGE", "SITE-A", ApplianceKind.FRIDGE),
    ("B-FRIDGE", "SITE-B", ApplianceKind.FRIDGE),
)
_SENSORS = (
    ("S-CITY", GATEWAY, "CITY-ROOM"),
    ("S-COUNTY", GATEWAY, "COUNTY-ROOM"),
    ("S-A", GATEWAY, "A-FRIDGE"),
    ("S-BOX", GATEWAY, None),
    ("S-BOX-2", GATEWAY, None),
    ("S-FREE", None, None),
    ("S-FOREIGN", "GW-2", None),
)
_STAFF = {"keeper": ("CITY", "COUNTY"), "county": ("COUNTY",), "nurse-a": ("SITE-A",), "nurse-b": ("SITE-B",)}
_OTHERS = {"admin": Role.ADMIN, "auditor": Role.AUDITOR, "gateway": Role.GATEWAY}


class SetClock:
    """A clock that shows what it is set to."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class County:
    """The database of a county, and the secrets of its tokens by their names."""

    database: Database
    tokens: dict[str, str]

    def actor(self, name: str) -> Actor:
        """The actor of a token."""
        return access.authenticate(self.database, self.tokens[name])


def build(database: Database) -> County:
    """Make the county known in a database that is migrated."""
    rules.seed(database)
    for code, kind, above in _FACILITIES:
        facilities.add_facility(database, facilities.FacilityRecord(code, code.title(), kind, ZONE, above))
    for code, owner, appliance in _APPLIANCES:
        equipment.add_appliance(database, equipment.ApplianceRecord(code, owner, code.title(), appliance))
    for gtin, name, doses in ((ONE, "One", 1), (TWO, "Two", 2)):
        products.add_product(database, products.ProductRecord(gtin, name, doses, "strict-2-8"))
    equipment.add_gateway(database, equipment.GatewayRecord(GATEWAY, "COUNTY", SHARD))
    equipment.add_gateway(database, equipment.GatewayRecord("GW-2", "CITY", "0b"))
    for serial, gateway, place in _SENSORS:
        record = equipment.SensorRecord(serial, 300, "strict-2-8", gateway, place, MIDNIGHT if place else None)
        equipment.add_sensor(database, record, NOW)
    tokens = {name: access.create_token(database, name, Role.STAFF, of, MIDNIGHT) for name, of in _STAFF.items()}
    everywhere = ("CITY", "COUNTY", "SITE-A", "SITE-B")
    tokens["chief"] = access.create_token(database, "chief", Role.SUPERVISOR, everywhere, MIDNIGHT)
    tokens |= {name: access.create_token(database, name, role, (), MIDNIGHT) for name, role in _OTHERS.items()}
    return County(database, tokens)


def counts(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    with database.read() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def message(
    readings: Sequence[tuple[str, datetime, int]],
    seq: int | None = None,
    *,
    boot: str = "boot-1",
    gateway: str = GATEWAY,
    shard: str = SHARD,
    payload: bytes = b"{}",
    received_at: datetime = NOW,
) -> Message:
    """A message of the county's gateway, of readings as sensor, instant and hundredths of a degree."""
    return Message(
        topic=f"coldtrail/v1/{shard}/{gateway}/readings",
        payload=payload,
        received_at=received_at,
        gateway=gateway,
        shard=shard,
        measurements=tuple(Measurement(*reading) for reading in readings),
        boot=None if seq is None else boot,
        seq=seq,
    )


def series(sensor: str, since: datetime, temperatures: Sequence[int], step: timedelta = 5 * MINUTE) -> Message:
    """A message of readings at even steps."""
    return message([(sensor, since + index * step, each) for index, each in enumerate(temperatures)])
