"""Packs are made known: a maker's file says which vial is in which carton and case, before the goods or with them.

A pack that is known and was not received is announced. Packs are never deleted, for a code is one pack's for ever; what
was announced for another batch by mistake, and never came, gives way to whoever announces the right one.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, ColdtrailError, Conflict, Forbidden
from inventory.domain.handling import may_post
from inventory.domain.packs import BadLines, NewPack, PackLine, digest_of, tree, written
from inventory.domain.scans import PackScan
from inventory.domain.words import EventKind, FacilityKind, Role
from inventory.persistence.bulk import insert_certain
from inventory.persistence.database import Database
from inventory.persistence.statements import insert_new, insert_rows, rows_in
from inventory.persistence.tables import Batch, Facility, Pack, PackRegistration
from inventory.services import lookups, scans
from inventory.services.access import Actor
from inventory.services.ids import new_id
from inventory.services.pack_places import held


@dataclass(frozen=True)
class PackFile:
    """What a maker's association file says of a batch: its packs, and which is in which."""

    gtin: str
    batch: str
    expiry: date
    packs: tuple[PackLine, ...]


@dataclass(frozen=True)
class Announced:
    """How many packs a file named, how many of them were new, how many are in no other, and the doses in all."""

    packs: int
    new: int
    outermost: int
    doses: int


def announce_packs(database: Database, actor: Actor | None, file: PackFile, now: datetime) -> Announced:
    """Make the packs of a file known, all of them or none; what is known already in the same way stays as it is.

    A batch that is new becomes known with its expiry. Without an `actor` it is done for whoever runs the service.

    Raises:
        Forbidden: `forbidden` for who works at no store.
        Invalid: `unknown_product`, `malformed`, `wrong_check_digit`; `BadLines` with each line that cannot be.
        Conflict: `batch_expiry_differs`.
    """
    said = scanned(file.packs)

    def work(session: Session) -> Announced:
        if actor is not None:
            _may_announce(session, actor)
        product = lookups.product(session, file.gtin)
        in_turn(session)
        batch = _batch(session, product.gtin, file)
        lines = read(file.packs, batch, said)
        made = tree(lines, product.doses_per_vial)
        new, faults = announce(session, batch, made, now)
        if faults:
            number = {line.code: index for index, line in enumerate(lines, 1)}
            raise BadLines(sorted(((number[str(each.value)], each) for each in faults), key=lambda fault: fault[0]))
        outermost = [each for each in made if each.parent is None]
        return Announced(len(made), new, len(outermost), sum(each.doses for each in outermost))

    return database.write(work)


def in_turn(session: Session) -> None:
    """Whoever makes packs known, brings them, or takes that back waits for the others: at the rows of the suppliers.

    A code is one pack's everywhere, and packs lie with their batch, so that no constraint of the table can say so.
    """
    suppliers = select(Facility.id).where(Facility.kind == FacilityKind.SUPPLIER).order_by(Facility.id)
    session.execute(suppliers.with_for_update(key_share=True)).all()


def announce(session: Session, batch: Batch, packs: Sequence[NewPack], now: datetime) -> tuple[int, list[Conflict]]:
    """Insert the packs that are not known: how many these are, and `already_exists` for each that is known otherwise.

    Who calls this is in turn (see `in_turn`).
    """
    before = known(session, batch, [pack.code for pack in packs])
    faults = [fault for pack in packs if pack.code in before and (fault := _otherwise(pack, before[pack.code]))]
    fresh = [pack for pack in packs if pack.code not in before]
    if not faults:
        rows = [
            (each.code, batch.id, each.parent, each.level, None, False, each.doses, each.doses) for each in fresh
        ]  # the outer packs first, for each names the one that it is in
        insert_certain(session, Pack, _COLUMNS, rows)
        _register(session, batch, fresh, now)
    return len(fresh), faults


def _register(session: Session, batch: Batch, packs: Sequence[NewPack], now: datetime) -> None:
    """Write down what was said of packs: the log has it from there, and the packs are held against it."""
    if packs:
        text = written(packs)
        row = {"id": new_id(), "batch_id": batch.id, "recorded_at": now, "digest": digest_of(text), "packs": text}
        insert_rows(session, PackRegistration, [row])


_COLUMNS = ("code", "batch_id", "parent_code", "level", "custody_id", "opened", "doses", "remaining")


def _may_announce(session: Session, actor: Actor) -> None:
    """Who receives goods from suppliers: a store's people, and admins."""
    may_post(EventKind.RECEIVE, actor.role)
    mine = select(Facility.kind).where(Facility.id.in_(actor.facility_ids))
    if actor.role is not Role.ADMIN and not any(kind.is_store for kind in session.scalars(mine)):
        raise Forbidden(Code.FORBIDDEN, "role", actor.role, N_("somebody at a store"))


def _batch(session: Session, gtin: str, file: PackFile) -> Batch:
    """The batch, made known if it is new."""
    insert_new(session, Batch, [{"id": new_id(), "gtin": gtin, "number": file.batch, "expiry": file.expiry}])
    batch = session.scalars(select(Batch).where(Batch.gtin == gtin, Batch.number == file.batch)).one()
    if batch.expiry != file.expiry:
        expected = N_("%(expiry)s, as this batch was received before")
        raise Conflict(Code.BATCH_EXPIRY_DIFFERS, "expiry", file.expiry, expected, expiry=batch.expiry)
    return batch


def scanned(lines: Sequence[PackLine]) -> dict[str, PackScan]:
    """What the codes of lines say, but for those that are none: each once, for it takes long, and holds nobody up."""
    found: dict[str, PackScan] = {}
    for text in {text for line in lines for text in (line.code, line.parent) if text is not None}:
        with suppress(ColdtrailError):  # its line is refused for it
            found[text] = scans.read(text)
    return found


def read(lines: Sequence[PackLine], batch: Batch, said: Mapping[str, PackScan]) -> list[PackLine]:
    """The lines with their codes as they are stored; `BadLines` with all that are none, or of another batch."""
    found: list[PackLine] = []
    faults: list[tuple[int, ColdtrailError]] = []
    for number, line in enumerate(lines, 1):
        try:
            parent = None if line.parent is None else _code(line.parent, "parent", batch, said)
            found.append(replace(line, code=_code(line.code, "code", batch, said), parent=parent))
        except ColdtrailError as fault:
            faults.append((number, fault))
    if faults:
        raise BadLines(faults)
    return found


def _code(text: str, field: str, batch: Batch, said: Mapping[str, PackScan]) -> str:
    scan = said.get(text) or scans.read(text, field)
    scan.agree(field, batch.number, batch.expiry)
    return scan.code


def known(session: Session, batch: Batch, codes: Sequence[str]) -> dict[str, NewPack | None]:
    """Of these codes those that are known: their packs in this batch, or None in another where they were received."""
    found: dict[str, NewPack | None] = {}
    others: dict[UUID, list[str]] = {}
    for (pack,) in rows_in(session, select(Pack), Pack.code, codes):
        if pack.batch_id == batch.id:
            found[pack.code] = NewPack(pack.code, pack.parent_code, pack.level, pack.doses)
        else:
            others.setdefault(pack.batch_id, []).append(pack.code)
    for other, theirs in others.items():
        ways = held(session, other, theirs)
        found |= {code: None for code, each in ways.items() if each.custody_id or each.pack.opened}
    return found


def _otherwise(pack: NewPack, other: NewPack | None) -> Conflict | None:
    """Why a pack cannot be made known, if it is known as another."""
    if other is None:
        return known_elsewhere(pack.code)
    same = (other.parent, other.doses) == (pack.parent, pack.doses)
    return None if same else known_otherwise(pack.code, other.doses, other.parent)


def known_elsewhere(code: str) -> Conflict:
    """What is said of a code that a pack of another batch has, which was received."""
    return Conflict(Code.ALREADY_EXISTS, "code", code, N_("a code that no pack of another batch has"))


def known_otherwise(code: str, doses: int, parent: str | None) -> Conflict:
    """What is said of a pack that is stated to be otherwise than it is known."""
    expected = N_("a pack of %(doses)d doses in %(parent)s, as it was announced before")
    return Conflict(Code.ALREADY_EXISTS, "code", code, expected, doses=doses, parent=parent or "-")
