"""Packs: coded units of a batch, each in the custody that holds it: where they are, and taking doses out of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.custody import Holding, Scan, Take, in_whole_vials, pick
from inventory.domain.errors import N_, Code, ColdtrailError, Conflict, Invalid, NotFound
from inventory.domain.products import whole_vials
from inventory.domain.words import FacilityKind, LocationKind
from inventory.persistence.database import Database
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import HOLDS, Appliance, Batch, Custody, Facility, Location, Pack
from inventory.services import choice
from inventory.services.choice import Wanted
from inventory.services.pack_log import PackLine
from inventory.services.places import Place, place_of, with_place


@dataclass(frozen=True)
class PackView:
    """A pack: its batch, what is left of it, and the custody that holds it, with what is left there and where it is."""

    code: str
    gtin: str
    batch: str
    expiry: date
    doses: int
    remaining: int
    custody: UUID
    custody_remaining: int
    place: Place


def get_pack(database: Database, code: str) -> PackView:
    """Where a pack is; NotFound `not_found`."""
    query = with_place(
        select(Pack, Batch, Custody.remaining)
        .join(Batch, Batch.id == Pack.batch_id)
        .join(Custody, (Custody.id == Pack.custody_id) & (Custody.batch_id == Pack.batch_id))
        .join(Location, Location.id == Custody.location_id)
    ).where(Pack.code == code)
    with database.read() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound(Code.NOT_FOUND, "pack", code, N_("the code of a pack that was received"))
    pack, batch = row[0], row[1]
    return PackView(
        code, batch.gtin, batch.number, batch.expiry, pack.doses, pack.remaining, pack.custody_id, row[2], place_of(row)
    )


def of_batch(session: Session, batch: Batch, code: str, where: str = "pack") -> Pack:
    """A pack of a batch; Invalid `not_found`, naming the field, where the batch has none of this code."""
    found = session.get(Pack, (code, batch.id))
    if found is None:
        raise Invalid(Code.NOT_FOUND, where, code, N_("a pack of batch %(batch)s"), batch=batch.number)
    return found


@dataclass(frozen=True)
class Whereabouts:
    """Where the book has a pack: its custody, then the vials that were opened from it, and the doses that these hold.

    `facility_id` is None on its way.
    """

    custodies: tuple[UUID, ...]
    there: int
    facility_id: UUID | None
    held: bool


def whereabouts(session: Session, pack: Pack) -> Whereabouts:
    """Where a pack is. A vial that is opened out of a pack of several stays beside it, in a custody of its own."""
    here = (
        select(Custody.location_id)
        .where(Custody.id == pack.custody_id, Custody.batch_id == pack.batch_id)
        .scalar_subquery()
    )
    opened = (Custody.parent_id == pack.custody_id) & (Custody.location_id == here) & HOLDS
    rows = session.execute(
        select(Custody.id, Custody.remaining, Location.kind, Appliance.facility_id)
        .join(Location, Location.id == Custody.location_id)
        .outerjoin(Appliance, Appliance.id == Location.appliance_id)
        .where(Custody.batch_id == pack.batch_id, (Custody.id == pack.custody_id) | opened)
    ).all()
    there, place = sum(row.remaining for row in rows), rows[0]
    custodies = tuple(sorted((row.id for row in rows), key=lambda each: each != pack.custody_id))
    return Whereabouts(custodies, there, place.facility_id, place.kind is LocationKind.QUARANTINE)


def check_new(session: Session, packs: Sequence[PackLine], doses: int, doses_per_vial: int) -> None:
    """Refuse packs that hold more than came, parts of vials, or a code that is known.

    A code is one pack's everywhere, and packs lie with their batch, so that no constraint of the table can say so:
    receipts with packs wait for each other at the rows of the suppliers.

    Raises:
        Invalid: `malformed`, `not_whole_vials`, `repeated_line`.
        Conflict: `already_exists`.
    """
    if not packs:
        return
    for pack in packs:
        whole_vials("packs", pack.doses, doses_per_vial)
    packed = sum(pack.doses for pack in packs)
    if packed > doses:
        raise Invalid(Code.MALFORMED, "packs", packed, N_("packs of %(doses)d doses at most"), doses=doses)
    codes = [pack.code for pack in packs]
    _refuse_twice(codes)
    suppliers = select(Facility.id).where(Facility.kind == FacilityKind.SUPPLIER).order_by(Facility.id)
    session.execute(suppliers.with_for_update(key_share=True)).all()
    known = rows_in(session, select(Pack.code), Pack.code, codes)
    if known:
        raise Conflict(Code.ALREADY_EXISTS, "packs", known[0].code, N_("packs that were not received yet"))


def _refuse_twice(codes: Sequence[str]) -> None:
    again = [code for number, code in enumerate(codes) if code in codes[:number]]
    if again:
        raise Invalid(Code.REPEATED_LINE, "packs", again[0], N_("each pack once"))


def scanned(session: Session, wanted: Wanted, codes: Sequence[str]) -> list[Take]:
    """All that is left in packs, from the custodies that hold them; they have to be where the event takes from.

    Raises:
        Invalid: `not_found`, `not_whole_vials`, `repeated_line`.
        Conflict: `pack_elsewhere`, `not_enough_doses` for a pack that is empty, or whose custody holds less; and as
            `choice.choose`.
    """
    choice.refuse_batch(wanted.kind, wanted.known, wanted.at, wanted.within.facility.zone)
    _refuse_twice(codes)
    there: dict[UUID, list[Scan]] = {}
    for code in codes:
        pack = of_batch(session, wanted.known.batch, code, "packs")
        refuse_more(code, 1, pack.remaining)
        there.setdefault(pack.custody_id, []).append(Scan(code, pack.custody_id, pack.remaining))
    takes = []
    for custody_id, scans in there.items():
        holding = _where(session, wanted, custody_id, scans[0].code)
        (take,) = pick([holding], sum(scan.doses for scan in scans))
        takes.append(replace(take, scans=tuple(scans)))
    in_whole_vials(takes, wanted.known.product.doses_per_vial)
    return takes


def part_of(session: Session, wanted: Wanted, code: str, doses: int) -> list[Take]:
    """Some of the doses in a pack.

    Raises:
        as `scanned`.
    """
    choice.refuse_batch(wanted.kind, wanted.known, wanted.at, wanted.within.facility.zone)
    pack = of_batch(session, wanted.known.batch, code)
    refuse_more(code, doses, pack.remaining)
    (take,) = pick([_where(session, wanted, pack.custody_id, code)], doses)
    in_whole_vials([take], wanted.known.product.doses_per_vial)
    return [replace(take, scans=(Scan(code, pack.custody_id, doses),))]


def refuse_more(code: str, doses: int, remaining: int) -> None:
    """Refuse to take more doses out of a pack than are left in it; Conflict `not_enough_doses`."""
    if doses > remaining:
        expected = N_("at most the %(there)d doses that are left in pack %(pack)s")
        raise Conflict(Code.NOT_ENOUGH_DOSES, "doses", doses, expected, there=remaining, pack=code)


def _where(session: Session, wanted: Wanted, custody_id: UUID, code: str) -> Holding:
    """The custody of a pack, if the event may take from it."""
    try:
        return choice.named(session, replace(wanted, custody=custody_id))
    except ColdtrailError as error:
        if isinstance(error, Invalid) or error.code is Code.WRONG_LOCATION:
            raise elsewhere(code, wanted.within.facility) from error
        raise


def elsewhere(code: str, facility: Facility) -> Conflict:
    """What is said of a pack that is not where doses are to be taken from."""
    expected = N_("a pack where this is taken from, at %(facility)s")
    return Conflict(Code.PACK_ELSEWHERE, "pack", code, expected, facility=facility.code)


def choose(session: Session, wanted: Wanted, codes: Sequence[str]) -> tuple[list[Take], int]:
    """What is scanned, and how many doses are wanted beside it.

    Raises:
        Invalid: `malformed` without packs and doses, or for fewer doses than the packs hold; and as `scanned`.
        Conflict: as `scanned`.
    """
    if codes and wanted.custody is not None:
        raise Invalid(Code.MALFORMED, "custody", wanted.custody, N_("none beside packs, which say where they are"))
    if not codes and wanted.doses is None:
        raise Invalid(Code.MALFORMED, "doses", None, N_("a number of doses, or packs"))
    takes = scanned(session, wanted, codes) if codes else []
    in_packs = sum(take.doses for take in takes)
    doses = in_packs if wanted.doses is None else wanted.doses
    if doses < in_packs:
        raise Invalid(Code.MALFORMED, "doses", doses, N_("at least the %(packed)d doses in the packs"), packed=in_packs)
    return takes, doses - in_packs
