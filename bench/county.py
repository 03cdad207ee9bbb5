"""A county of the size that the benchmarks are about: a store, its sites, batches and the people who give doses."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from inventory.domain.words import ApplianceKind, FacilityKind, Role
from inventory.persistence.database import Database
from inventory.services import access, equipment, facilities, products, rules
from inventory.services.equipment import ApplianceRecord
from inventory.services.facilities import FacilityRecord
from inventory.services.ids import new_id
from inventory.services.products import ProductRecord

SITES, BATCHES = 28, 100
GTIN = "06901234567892"
ZONE = "Asia/Shanghai"
STORE = "COUNTY"
CLERK = "Clerk of the history"
"""The token by which everything before a run was recorded."""


def site(number: int) -> str:
    """The code of a site, numbered from 0."""
    return f"SITE-{number:02d}"


def build(url: str) -> None:
    """Make the county known in a database that is migrated."""
    database = Database(url)
    rules.seed(database)
    kinds = [("MAKER", FacilityKind.SUPPLIER, None), (STORE, FacilityKind.COUNTY_STORE, None)]
    sites = [(site(number), FacilityKind.FIXED_SITE, STORE) for number in range(SITES)]
    for code, kind, above in [*kinds, *sites]:
        facilities.add_facility(database, FacilityRecord(code, code.title(), kind, ZONE, above, 2_000))
    for code in [STORE, *(code for code, _, _ in sites)]:
        kind_of = ApplianceKind.COLD_ROOM if code == STORE else ApplianceKind.FRIDGE
        equipment.add_appliance(database, ApplianceRecord(f"{code}-COLD", code, "Cold", kind_of))
    products.add_product(database, ProductRecord(GTIN, "Vaccine", 1, "strict-2-8"))
    access.create_token(database, CLERK, Role.ADMIN, (), datetime.now(UTC))
    database.close()
    with psycopg.connect(url) as connection:
        expiry = datetime.now(UTC).date() + timedelta(days=5 * 365)
        rows = [(new_id(), GTIN, f"B{number}", expiry) for number in range(BATCHES)]
        connection.cursor().executemany("INSERT INTO batch (id, gtin, number, expiry) VALUES (%s, %s, %s, %s)", rows)


@dataclass(frozen=True)
class Nurse:
    """Somebody who gives doses at one site."""

    site: str
    secret: str


def nurses(url: str) -> list[Nurse]:
    """A new token for each site, and the nurse who holds it."""
    database = Database(url)
    now = datetime.now(UTC)
    found = [
        Nurse(code, access.create_token(database, f"Nurse of {code}", Role.STAFF, [code], now))
        for code in map(site, range(SITES))
    ]
    database.close()
    return found
