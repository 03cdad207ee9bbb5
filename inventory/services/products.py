"""Products: making them known, and listing them."""

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.products import gtin as valid_gtin
from inventory.persistence.database import Database
from inventory.persistence.tables import Product, Programme, StorageProfile
from inventory.services import lookups
from inventory.services.paging import Page, page
from inventory.services.rules import PROGRAMME

OPEN_VIAL_HOURS = 6
"""WHO/IVB/14.07: an opened vial is discarded after 6 hours or at the end of the session, unless its maker says more."""


@dataclass(frozen=True)
class ProductRecord:
    """A vaccine: its GTIN (14 digits), doses in a vial, the storage profile it is kept by and its programme.

    An opened vial of several doses lasts `open_vial_hours` (6 unless stated, WHO/IVB/14.07), and where
    `open_vial_session` not beyond the session; thawed doses last `thaw_hours`. `imported` goods need more papers.
    """

    gtin: str
    name: str
    doses_per_vial: int
    storage_profile: str
    programme: str = PROGRAMME
    imported: bool = False
    open_vial_hours: int | None = None
    open_vial_session: bool | None = None
    thaw_hours: int | None = None


def add_product(database: Database, record: ProductRecord) -> ProductRecord:
    """Make a product known.

    Raises:
        Invalid: `malformed`, `wrong_check_digit`, or `not_found` for its storage profile.
        Conflict: `already_exists`.
    """
    record = _with_defaults(record)

    def work(session: Session) -> ProductRecord:
        lookups.refuse_known(session, Product.gtin, record.gtin, "gtin")
        lookups.by_code(session, StorageProfile.code, record.storage_profile, "storage_profile")
        lookups.by_code(session, Programme.code, record.programme, "programme")
        session.add(
            Product(
                gtin=record.gtin,
                name=record.name,
                doses_per_vial=record.doses_per_vial,
                profile_code=record.storage_profile,
                programme_code=record.programme,
                imported=record.imported,
                open_vial_hours=record.open_vial_hours,
                open_vial_session=bool(record.open_vial_session),
                thaw_hours=record.thaw_hours,
            )
        )
        return record

    return database.write(work)


def _with_defaults(record: ProductRecord) -> ProductRecord:
    """The GTIN in full, and an opened vial's limits where several doses share one and none is stated."""
    several, stated = record.doses_per_vial > 1, record.open_vial_hours is not None
    hours = record.open_vial_hours if stated or not several else OPEN_VIAL_HOURS
    session = record.open_vial_session
    return replace(
        record,
        gtin=valid_gtin(record.gtin),
        open_vial_hours=hours,
        open_vial_session=several and not stated if session is None else session,
    )


def list_products(database: Database, after: str | None, limit: int) -> Page[ProductRecord]:
    """Products by GTIN."""
    with database.read() as session:
        return page(session, select(Product), [Product.gtin], after, limit).map(lambda row: _record(row[0]))


def _record(row: Product) -> ProductRecord:
    return ProductRecord(
        row.gtin,
        row.name,
        row.doses_per_vial,
        row.profile_code,
        row.programme_code,
        row.imported,
        row.open_vial_hours,
        row.open_vial_session,
        row.thaw_hours,
    )
