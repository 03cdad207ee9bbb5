"""Where packs are: each has a custody of its own, or that of the nearest pack around it that nobody has opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, literal_column, select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, NotFound
from inventory.persistence.prepared import Prepared
from inventory.persistence.statements import PART
from inventory.persistence.tables import Pack


@dataclass(frozen=True)
class PackRow:
    """A pack as it is recorded; `remaining` is what came in it less what was taken by its own code."""

    code: str
    batch_id: UUID
    parent_code: str | None
    level: int
    custody_id: UUID | None
    opened: bool
    doses: int
    remaining: int


@dataclass(frozen=True)
class Held:
    """A pack, and the packs around it up to the one that has a custody, or where none has one, up to the outermost."""

    way: tuple[PackRow, ...]

    @property
    def pack(self) -> PackRow:
        """The pack itself."""
        return self.way[0]

    @property
    def custody_id(self) -> UUID | None:
        """Where it is; none where it was only announced, or where it was opened and what was in it has places."""
        return self.way[-1].custody_id

    @cached_property
    def left(self) -> int:
        """No more than is left in the sealed packs around it: what was taken by their code may have been in this."""
        return min([self.pack.remaining, *(row.remaining for row in self.way if not row.opened)])

    @cached_property
    def opens(self) -> tuple[str, ...]:
        """The packs that are opened when this one is taken out, the outermost first."""
        return tuple(row.code for row in reversed(self.way[1:])) if self.custody_id else ()


def holder(session: Session, code: str) -> Held:
    """A pack by its code as it is stored, and where it is; NotFound `not_found`.

    A code that was announced in one batch by mistake, and received in another, is that of the pack that was received.
    """
    ways: dict[UUID, list[PackRow]] = {}
    for _, _, *row in _OF_CODE.rows(session, code=code):
        pack = PackRow(*row)
        ways.setdefault(pack.batch_id, []).append(pack)
    found = [Held(tuple(way)) for way in ways.values()]
    if not found:
        raise NotFound(Code.NOT_FOUND, "pack", code, N_("the code of a pack that was received or announced"))
    return next((each for each in found if each.custody_id or each.pack.opened), found[0])


def held(session: Session, batch_id: UUID, codes: Sequence[str]) -> dict[str, Held]:
    """The packs of a batch that have these codes, and where each is: a few statements, however many there are."""
    ways: dict[str, list[PackRow]] = {}
    for start in range(0, len(codes), PART):
        asked = {"batch": batch_id, "codes": codes[start : start + PART]}
        for first, _, *row in session.connection().execute(_WAYS, asked):
            ways.setdefault(first, []).append(PackRow(*row))
    return {code: Held(tuple(way)) for code, way in ways.items()}


def inside(session: Session, batch_id: UUID, code: str, limit: int | None = None) -> list[PackRow]:
    """The packs that are directly in another, by their codes; the first of them where there is a limit."""
    query = select(*_COLUMNS).where(Pack.batch_id == batch_id, Pack.parent_code == code).order_by(Pack.code)
    return [PackRow(*row) for row in session.execute(query.limit(limit))]


_COLUMNS = (
    Pack.code,
    Pack.batch_id,
    Pack.parent_code,
    Pack.level,
    Pack.custody_id,
    Pack.opened,
    Pack.doses,
    Pack.remaining,
)


def _ways(wanted: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Up from each pack that is wanted, until one has a custody."""
    asked = (
        select(Pack.code.label("asked"), literal_column("0").label("height"), *_COLUMNS)
        .where(wanted)
        .cte("way", recursive=True)
    )
    around = select(asked.c.asked, asked.c.height + literal_column("1"), *_COLUMNS).join(
        asked,
        (asked.c.parent_code == Pack.code) & (asked.c.batch_id == Pack.batch_id) & asked.c.custody_id.is_(None),
    )
    way = asked.union_all(around)
    return select(*way.c).order_by(way.c.asked, way.c.batch_id.desc(), way.c.height)


_WAYS = _ways(and_(Pack.batch_id == bindparam("batch"), Pack.code.in_(bindparam("codes", expanding=True))))
_OF_CODE = Prepared(_ways(Pack.code == bindparam("code")))
