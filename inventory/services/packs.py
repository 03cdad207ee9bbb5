"""Taking packs, at any level, out of where they are: scanned whole, or some of the doses in one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.custody import Holding, Scan, Take, in_whole_vials, pick
from inventory.domain.errors import N_, Code, ColdtrailError, Conflict, Invalid
from inventory.domain.words import Chosen, LocationKind
from inventory.persistence.database import LostRace
from inventory.persistence.tables import HOLDS, Appliance, Batch, Custody, Facility, Location, Pack
from inventory.services import choice, scans
from inventory.services.holdings import Wanted
from inventory.services.pack_places import Held, held, inside


def of_batch(session: Session, batch: Batch, texts: Sequence[str], where: str = "pack") -> list[Held]:
    """The packs of a batch that were scanned, in whatever form.

    Raises:
        Invalid: `malformed` or `wrong_check_digit` for what is no code, `not_found`, `repeated_line`.
        Conflict: `pack_differs` for a label that says another batch or expiry.
    """
    codes = [_code(batch, each, where) for each in texts]
    refuse_twice(codes)
    found = held(session, batch.id, codes)
    for code in codes:
        if code not in found:
            raise Invalid(Code.NOT_FOUND, where, code, N_("a pack of batch %(batch)s"), batch=batch.number)
    return [found[code] for code in codes]


def _code(batch: Batch, text: str, where: str) -> str:
    scan = scans.read(text, where)
    scan.agree(where, batch.number, batch.expiry)
    return scan.code


@dataclass(frozen=True)
class Whereabouts:
    """Where the book has a pack: its custodies, then the vials that were opened from it, and the doses that these hold.

    None of them for one that was announced and not received; several for one that was opened. `facility_id` is None on
    its way.
    """

    custodies: tuple[UUID, ...]
    there: int
    facility_id: UUID | None
    held: bool


def whereabouts(session: Session, pack: Held, facility_id: UUID | None = None) -> Whereabouts:
    """Where a pack is: of one that was opened, what of it is at a facility, if anything is.

    A vial that is opened out of a pack of several stays beside it, in a custody of its own.
    """
    mine = {each.custody_id for each in unopened(session, pack) if each.custody_id}
    rows = session.execute(
        select(Custody.id, Custody.remaining, Custody.location_id, Location.kind, Appliance.facility_id)
        .join(Location, Location.id == Custody.location_id)
        .outerjoin(Appliance, Appliance.id == Location.appliance_id)
        .where(Custody.batch_id == pack.pack.batch_id, Custody.id.in_(mine) | _opened_beside(mine))
        .order_by(Custody.id)
    ).all()
    if not rows:
        return Whereabouts((), 0, None, held=False)
    own = [row for row in rows if row.id in mine]
    first = next((row for row in own if row.facility_id == facility_id), own[0])
    here = [row for row in rows if row.location_id == first.location_id]
    custodies = tuple(row.id for row in sorted(here, key=lambda row: (row.id not in mine, row.id)))
    is_held = first.kind is LocationKind.QUARANTINE
    return Whereabouts(custodies, sum(row.remaining for row in here), first.facility_id, is_held)


def _opened_beside(custodies: Iterable[UUID]) -> ColumnElement[bool]:
    """A condition: vials that were opened from these custodies without anybody scanning them."""
    here = exists().where(
        _source.id == Custody.parent_id,
        _source.batch_id == Custody.batch_id,
        _source.location_id == Custody.location_id,
    )
    coded = exists().where(Pack.custody_id == Custody.id, Pack.batch_id == Custody.batch_id)
    return Custody.parent_id.in_(custodies) & HOLDS & here & ~coded


_source = aliased(Custody)


def unopened(session: Session, pack: Held) -> list[Held]:
    """The pack itself, or of one that was opened those in it that have not been."""
    if not pack.pack.opened:
        return [pack]
    inner = inside(session, pack.pack.batch_id, pack.pack.code)
    return list(chain.from_iterable(unopened(session, Held((each,))) for each in inner))


def refuse_twice(codes: Sequence[str]) -> None:
    """Refuse a pack that is named twice; Invalid `repeated_line`."""
    if len(set(codes)) < len(codes):
        again = next(code for number, code in enumerate(codes) if code in codes[:number])
        raise Invalid(Code.REPEATED_LINE, "packs", again, N_("each pack once"))


def scanned(session: Session, wanted: Wanted, codes: Sequence[str]) -> list[Take]:
    """All that is left in packs, from the custodies that hold them; they have to be where the event takes from.

    Of a pack that was opened this is all that is left in it, which has to be there, too.

    Raises:
        Invalid: `not_whole_vials`; and as `of_batch`.
        Conflict: `pack_elsewhere`, `not_enough_doses` for a pack that is empty, or whose custody holds less; and as
            `choice.choose` and `of_batch`.
    """
    choice.refuse_batch(wanted.kind, wanted.known, wanted.at, wanted.within.facility.zone)
    there: dict[UUID, list[Scan]] = {}
    for each in _whole(session, of_batch(session, wanted.known.batch, codes, "packs")):
        scan = _scan(wanted, each, each.pack.remaining)
        there.setdefault(scan.custody_id, []).append(scan)
    takes = [_take(session, wanted, mine) for mine in there.values()]
    in_whole_vials(takes, wanted.known.product.doses_per_vial)
    return takes


def _whole(session: Session, packs: Sequence[Held]) -> list[Held]:
    """Packs to be taken whole: for each that was opened, those in it that something is left of."""
    found: list[Held] = []
    for each in packs:
        mine = [inner for inner in unopened(session, each) if inner is each or inner.left]
        if not mine:
            refuse_more(each.pack.code, 1, 0)
        found += mine
    codes = {each.pack.code for each in found} | {each.pack.code for each in packs}
    refuse_twice([each.pack.code for each in found])
    for each in found:
        around = next((row.code for row in each.way[1:] if row.code in codes), None)
        if around is not None:
            raise Invalid(Code.REPEATED_LINE, "packs", each.pack.code, N_("each pack once, not beside what it is in"))
    return found


def _scan(wanted: Wanted, pack: Held, doses: int) -> Scan:
    """So many doses of a pack that has a place."""
    refuse_more(pack.pack.code, max(doses, 1), pack.left)
    if pack.custody_id is None:
        raise elsewhere(pack.pack.code, wanted.within.facility)
    return Scan(pack.pack.code, pack.custody_id, doses, pack.opens)


def part_of(session: Session, wanted: Wanted, code: str, doses: int) -> list[Take]:
    """Some of the doses in a pack.

    Raises:
        Conflict: `pack_opened` for one whose doses are in several packs now; and as `scanned`.
    """
    choice.refuse_batch(wanted.kind, wanted.known, wanted.at, wanted.within.facility.zone)
    (pack,) = of_batch(session, wanted.known.batch, [code])
    refuse_opened(pack)
    scan = _scan(wanted, pack, doses)
    found = [_take(session, wanted, [scan])]
    in_whole_vials(found, wanted.known.product.doses_per_vial)
    return found


def _take(session: Session, wanted: Wanted, scans: Sequence[Scan]) -> Take:
    """The doses of packs that are in one custody, out of it.

    Raises:
        LostRace: they are too few because the packs have gone meanwhile.
    """
    custody_id = scans[0].custody_id
    try:
        (take,) = pick([_where(session, wanted, custody_id, scans[0].code)], sum(scan.doses for scan in scans))
    except Conflict as error:
        now = held(session, wanted.known.batch.id, [scan.code for scan in scans]).values()
        if error.code is Code.NOT_ENOUGH_DOSES and any(each.custody_id != custody_id for each in now):
            raise LostRace from error
        raise
    return replace(take, scans=tuple(scans))


def refuse_opened(pack: Held) -> None:
    """Refuse to take some doses of a pack that was opened: they are in one of those in it; Conflict `pack_opened`."""
    if pack.pack.opened:
        raise was_opened(pack.pack.code)


def was_opened(code: str) -> Conflict:
    """What is said of a pack that was opened, where one is wanted that doses can be taken from."""
    return Conflict(Code.PACK_OPENED, "pack", code, N_("the code of a pack inside it, for it was opened"))


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


def takes(session: Session, wanted: Wanted, codes: Sequence[str]) -> tuple[list[Take], Chosen]:
    """What an order takes: packs that were scanned, doses beside them, or without packs as `choice.choose` says.

    Raises:
        as `choose`, and as `choice.choose`.
    """
    if not codes:
        return choice.choose(session, wanted)
    scans, beside = choose(session, wanted, codes)
    if not beside:
        return scans, Chosen.SCANNED
    more, chosen = choice.choose(session, replace(wanted, doses=beside, beside=tuple(scans)))
    return [*scans, *more], chosen


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
