"""The packs that come with goods from a supplier: announced before, or made known by the receipt itself."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.packs import PackLine, tree
from inventory.persistence.tables import Batch
from inventory.services import pack_files
from inventory.services.pack_places import Held, held
from inventory.services.packs import refuse_twice


def arriving(
    session: Session, batch: Batch, lines: Sequence[PackLine], doses: int, doses_per_vial: int, now: datetime
) -> list[Held]:
    """The packs that a receipt of so many doses brings; a line that says in which one its pack is comes in that one.

    Who calls this is in turn (see `pack_files.in_turn`).

    Raises:
        Invalid: `malformed` for a pack that nobody has announced and whose doses are not stated, and for packs of more
            doses than came; `repeated_line` for one inside another; `BadLines` as `packs.tree`.
        Conflict: `already_exists` for one that was received, or is known otherwise; `pack_differs` for its label.
    """
    stated = pack_files.read(lines, batch, pack_files.scanned(lines))
    codes = [line.code for line in stated]
    refuse_twice(codes)
    _refuse_elsewhere(session, batch, codes)
    known = held(session, batch.id, codes)
    _announce(session, batch, [line for line in stated if line.code not in known], doses_per_vial, now)
    _refuse_otherwise(stated, known)
    found = held(session, batch.id, [line.code for line in stated if line.parent not in codes])
    _refuse_what_came(found)
    packed = sum(each.pack.doses for each in found.values())
    if packed > doses:
        raise Invalid(Code.MALFORMED, "packs", packed, N_("packs of %(doses)d doses at most"), doses=doses)
    return list(found.values())


def _announce(session: Session, batch: Batch, lines: Sequence[PackLine], doses_per_vial: int, now: datetime) -> None:
    around = {line.parent for line in lines}
    for line in lines:
        if line.doses is None and line.parent is None and line.code not in around:
            expected = N_("the doses of a pack that no file has announced")
            raise Invalid(Code.MALFORMED, "packs", line.code, expected)
    _, faults = pack_files.announce(session, batch, tree(lines, doses_per_vial), now)
    if faults:
        raise faults[0]


def _refuse_elsewhere(session: Session, batch: Batch, codes: Sequence[str]) -> None:
    """A code that was announced here, and received in another batch since, is that pack's."""
    for code, pack in pack_files.known(session, batch, codes).items():
        if pack is None:
            raise pack_files.known_elsewhere(code)


def _refuse_otherwise(lines: Sequence[PackLine], known: dict[str, Held]) -> None:
    """What a receipt says of a pack that is known, that has to be so."""
    for line in lines:
        if line.code not in known:
            continue
        pack = known[line.code].pack
        if line.doses not in {None, pack.doses} or line.parent not in {None, pack.parent_code}:
            raise pack_files.known_otherwise(line.code, pack.doses, pack.parent_code)


def _refuse_what_came(found: dict[str, Held]) -> None:
    for code, each in found.items():
        if each.custody_id is not None or each.pack.opened:
            raise Conflict(Code.ALREADY_EXISTS, "packs", code, N_("packs that were not received yet"))
        if any(around.code in found for around in each.way[1:]):
            raise Invalid(Code.REPEATED_LINE, "packs", code, N_("each pack once, in one of them only"))
