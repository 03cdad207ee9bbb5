"""What a site has of a batch, with all that is to be known of both: one statement, for sites give doses all day."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from inventory.domain.custody import Holding
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.products import gtin as valid_gtin
from inventory.domain.words import EventKind, LocationKind
from inventory.persistence.tables import HOLDS, Appliance, Batch, Custody, Deadline, Facility, Location, Product
from inventory.services import choice, lookups, settled
from inventory.services.lookups import KnownBatch


@dataclass(frozen=True)
class Shelf:
    """What the storages of a facility hold of a batch; without a batch where nobody has received one of that number.

    `counted`: whether there is a count of it there of a later time than was asked for.
    """

    facility: Facility
    known: KnownBatch | None
    holdings: list[Holding]
    counted: bool


def look(session: Session, facility: str, gtin: str, number: str, since: datetime) -> Shelf:
    """The shelf of a batch at a facility, by the names that people use.

    Raises:
        Invalid: `not_found`, `malformed`, `wrong_check_digit`.
    """
    asked = {"facility": facility, "gtin": valid_gtin(gtin), "number": number, "since": since}
    rows = session.execute(_SHELF, asked).all()
    if not rows:
        raise Invalid(Code.NOT_FOUND, "facility", facility, N_("one that is registered"))
    first = rows[0]
    if first.Batch is None:
        return Shelf(first.Facility, None, [], counted=False)
    known = KnownBatch(first.Batch, first.Product, first.recalled)
    held = [row for row in rows if row.id is not None]
    return Shelf(first.Facility, known, choice.grouped(held, known.batch.expiry), first.counted)


_SHELF = (
    select(
        Facility,
        Batch,
        Product,
        lookups.standing(EventKind.RECALL).label("recalled"),
        settled.COUNTED_SINCE.label("counted"),
        *choice.HELD,
    )
    .select_from(Facility)
    .outerjoin(Batch, (Batch.gtin == bindparam("gtin")) & (Batch.number == bindparam("number")))
    .outerjoin(Product, Product.gtin == Batch.gtin)
    .outerjoin(Appliance, Appliance.facility_id == Facility.id)
    .outerjoin(Location, (Location.appliance_id == Appliance.id) & choice.of_kind(LocationKind.STORAGE))
    .outerjoin(Custody, (Custody.location_id == Location.id) & (Custody.batch_id == Batch.id) & HOLDS)
    .outerjoin(Deadline, (Deadline.custody_id == Custody.id) & (Deadline.batch_id == Custody.batch_id))
    .where(Facility.code == bindparam("facility"))
)
