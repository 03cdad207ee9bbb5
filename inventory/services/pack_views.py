"""What is shown of a pack: where it is, what is left of it, and the packs around it and in it."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from inventory.domain.deadlines import RuleName
from inventory.persistence.database import Database
from inventory.persistence.tables import Batch, Custody, Deadline, Location, Pack
from inventory.services import scans
from inventory.services.pack_places import Held, PackRow, holder, inside
from inventory.services.places import Place, place_of, with_place

SHOWN = 200
"""How many of the packs in another are listed; the first by their codes."""


@dataclass(frozen=True)
class PackView:
    """A pack: its batch, the one it is in, those in it, what is left of it, and the custody that holds it.

    `holder` is the pack whose custody that is: itself, or the nearest one around it that nobody has opened. There is
    none for a pack that was announced and not received, nor for one that was opened: those in it have theirs. `inside`:
    how many packs are directly in it, of which `children` are the first.
    """

    code: str
    gtin: str
    batch: str
    expiry: date
    level: int
    parent: str | None
    children: tuple[str, ...]
    inside: int
    opened: bool
    doses: int
    remaining: int
    holder: str | None
    custody: UUID | None
    custody_remaining: int | None
    place: Place | None


def get_pack(database: Database, text: str) -> PackView:
    """Where a pack is, by whatever a scanner gives.

    Raises:
        NotFound: `not_found`.
        Invalid: `malformed`, `wrong_check_digit`; Conflict: `pack_differs` for a label of another batch or expiry.
    """
    scan = scans.read(text)
    with database.read() as session:
        pack = holder(session, scan.code)
        batch = session.get_one(Batch, pack.pack.batch_id)
        scan.agree("pack", batch.number, batch.expiry)
        return _view(session, pack, batch)


def left(session: Session, pack: Held) -> int:
    """The doses left in a pack, those that were taken out of packs around it or in it counted; never less than none."""
    return _left_inside(session, pack.pack) if pack.pack.opened else pack.left


def _left_inside(session: Session, pack: PackRow) -> int:
    if not pack.opened:
        return pack.remaining
    gone = sum(each.doses - _left_inside(session, each) for each in inside(session, pack.batch_id, pack.code))
    return max(0, pack.remaining - gone)


def _view(session: Session, held: Held, batch: Batch) -> PackView:
    pack = held.pack
    mine = (Pack.batch_id == pack.batch_id) & (Pack.parent_code == pack.code)
    row = _custody(session, held)
    return PackView(
        pack.code,
        batch.gtin,
        batch.number,
        batch.expiry,
        pack.level,
        pack.parent_code,
        tuple(each.code for each in inside(session, pack.batch_id, pack.code, SHOWN)),
        session.scalar(select(func.count()).where(mine)) or 0,
        pack.opened or _is_open_vial(session, pack),
        pack.doses,
        left(session, held),
        held.way[-1].code if row else None,
        row.id if row else None,
        row.remaining if row else None,
        place_of(row) if row else None,
    )


def _custody(session: Session, held: Held) -> Row[Any] | None:
    """The custody that a pack is in, with its place, if there is one."""
    if held.custody_id is None:
        return None
    query = select(Custody.id, Custody.remaining).join(Location, Location.id == Custody.location_id)
    here = (Custody.id == held.custody_id) & (Custody.batch_id == held.pack.batch_id)
    return session.execute(with_place(query).where(here)).one()


def _is_open_vial(session: Session, pack: PackRow) -> bool:
    """Whether it is a vial whose own clock runs."""
    clock = select(Deadline.name).where(
        Deadline.custody_id == pack.custody_id,
        Deadline.batch_id == pack.batch_id,
        Deadline.name == RuleName.OPEN_VIAL,
    )
    return pack.custody_id is not None and session.scalar(clock) is not None
