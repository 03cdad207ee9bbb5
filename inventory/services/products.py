"""Products: making them known, and listing them."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.products import gtin as valid_gtin
from inventory.persistence.database import Database
from inventory.persistence.tables import Product, StorageProfile
from inventory.services import lookups
from inventory.services.paging import Page, page


@dataclass(frozen=True)
class ProductRecord:
    """A vaccine: its GTIN (14 digits), doses in a vial and the storage profile it is kept by."""

    gtin: str
    name: str
    doses_per_vial: int
    storage_profile: str


def add_product(database: Database, record: ProductRecord) -> ProductRecord:
    """Make a product known.

    Raises:
        Invalid: `malformed`, `wrong_check_digit`, or `not_found` for its storage profile.
        Conflict: `already_exists`.
    """
    gtin = valid_gtin(record.gtin)

    def work(session: Session) -> ProductRecord:
        lookups.refuse_known(session, Product.gtin, gtin, "gtin")
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
