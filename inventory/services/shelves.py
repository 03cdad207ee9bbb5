"""What a site has of a batch, with all that is to be known of both: one statement, for sites give doses all day."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import Session

from inventory.domain.custody import Holding
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.products import gtin as valid_gtin
from inventory.domain.words import EventKind, LocationKind
from inventory.persistence import arrays
from inventory.persistence.tables import HOLDS, Appliance, Batch, Custody, Deadline, Facility, Location, Product
from inventory.services import holdings, lookups, settled
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


Name = tuple[str, str, str]
"""What people call a shelf by: the code of its facility, the GTIN with all its digits, the number of the batch."""


def look(session: Session, facility: str, gtin: str, number: str, since: datetime) -> Shelf:
    """The shelf of a batch at a facility, by the names that people use.

    Raises:
        Invalid: `not_found`, `malformed`, `wrong_check_digit`.
    """
    asked = {"facility": facility, "gtin": valid_gtin(gtin), "number": number, "since": since}
    rows = session.execute(_SHELF, asked).all()
    if not rows:
        raise Invalid(Code.NOT_FOUND, "facility", facility, N_("one that is registered"))
    return _shelf(rows)


def look_at_several(session: Session, names: Collection[Name], since: datetime) -> dict[Name, Shelf]:
    """The shelves of these names, those that there are, in one statement; only PostgreSQL can be asked so."""
    if not names:
        return {}
    columns = zip(_NAME.items(), zip(*sorted(names), strict=True), strict=True)
    asked: dict[str, Any] = {name: arrays.packed(values, kind) for (name, kind), values in columns}
    rows: defaultdict[Name, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(_SHELVES, asked | {"since": since}):
        rows[row.Facility.code, row.Batch.gtin, row.Batch.number].append(row)
    return {name: _shelf(mine) for name, mine in rows.items()}


def _shelf(rows: Sequence[Row[Any]]) -> Shelf:
    first = rows[0]
    if first.Batch is None:
        return Shelf(first.Facility, None, [], counted=False)
    known = KnownBatch(first.Batch, first.Product, first.recalled)
    held = [row for row in rows if row.id is not None]
    return Shelf(first.Facility, known, holdings.grouped(held, known.batch.expiry), first.counted)


def _with_what_is_held(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """A query of facilities and batches, with all that is to be known of both."""
    return (
        query.add_columns(
            Facility,
            Batch,
            Product,
            lookups.standing(EventKind.RECALL).label("recalled"),
            settled.COUNTED_SINCE.label("counted"),
            *holdings.HELD,
        )
        .outerjoin(Product, Product.gtin == Batch.gtin)
        .outerjoin(Appliance, Appliance.facility_id == Facility.id)
        .outerjoin(Location, (Location.appliance_id == Appliance.id) & holdings.of_kind(LocationKind.STORAGE))
        .outerjoin(Custody, (Custody.location_id == Location.id) & (Custody.batch_id == Batch.id) & HOLDS)
        .outerjoin(Deadline, (Deadline.custody_id == Custody.id) & (Deadline.batch_id == Custody.batch_id))
    )


_SHELF = _with_what_is_held(
    select()
    .select_from(Facility)
    .outerjoin(Batch, (Batch.gtin == bindparam("gtin")) & (Batch.number == bindparam("number")))
    .where(Facility.code == bindparam("facility"))
)
_NAME = {"facility": Facility.code.type, "gtin": Batch.gtin.type, "number": Batch.number.type}
_asked = arrays.rows(**_NAME)
_SHELVES = _with_what_is_held(
    select()
    .select_from(_asked)
    .join(Facility, Facility.code == _asked.c.facility)
    .join(Batch, (Batch.gtin == _asked.c.gtin) & (Batch.number == _asked.c.number))
)
