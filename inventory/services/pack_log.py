"""The book of packs, which follows the ledger.

A pack that is scanned goes where its doses go, and with it, untouched, all that is in it. Where it is in another that
nobody has opened, that one is opened: its custody is handed down to the packs directly in it. Doses that are not
scanned leave packs where they are, for nobody knows which they came from, until a movement takes all that is left of a
custody: then all its packs go along. So more may be left in a pack than in its custody; the check before use asks then.
A correction puts packs back; what was opened stays open.

Whoever changes a pack holds the row of the custody that the pack is in, its own or that of the pack around it, and
custodies are held in one order (see `ledger`): so writers of packs never wait for each other. Only packs that have no
place yet, or none any more, are in no custody: receipts and their corrections take turns (see `pack_files`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, exists, false, func, select, true, update
from sqlalchemy.orm import Session, aliased

from inventory.domain.custody import Scan, Take
from inventory.persistence.database import LostRace
from inventory.persistence.tables import Custody, Pack


@dataclass(frozen=True)
class Change:
    """What an event does to a pack: takes doses of it, and where `to` is one, puts it into another custody.

    `source` is where it is, none for one that was opened. `whole`: only if so many doses are left in it, for all of
    them are moved. `opens` are the packs around it that it is taken out of, the outermost first.
    """

    code: str
    source: UUID | None
    doses: int = 0
    to: UUID | None = None
    whole: int | None = None
    opens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arrival:
    """A pack that a receipt brings into a custody, its doses, and the packs around it, which did not come whole."""

    code: str
    doses: int
    to: UUID
    around: tuple[str, ...] = ()


@dataclass
class PackLog:
    """What one event does to packs, while it is being put together; `along` are custodies that may be emptied."""

    new: list[Arrival] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    along: list[tuple[UUID, UUID]] = field(default_factory=list)
    void: list[UUID] = field(default_factory=list)

    def move(self, take: Take, to: UUID) -> None:
        """Packs that were scanned go with their doses, and those of a custody of which nothing is left."""
        self.changes += [_change(scan, to=to, whole=scan.doses) for scan in take.scans]
        if take.takes_all and not take.scans:
            self.along.append((take.custody_id, to))

    def use(self, take: Take) -> None:
        """Doses of packs that were scanned leave for good."""
        self.changes += [_change(scan, doses=scan.doses) for scan in take.scans]

    def undo(self, source: UUID | None, opened: UUID | None) -> None:
        """Packs in a custody that is void go back to where they came from; those of a void receipt are to come."""
        if opened is not None and source is not None:
            self.along.append((opened, source))
        elif opened is not None:
            self.void.append(opened)

    def give_back(self, session: Session, batch_id: UUID, details: dict[str, Any] | None) -> None:
        """Doses that an event took out of packs are in them again, wherever these are now."""
        for code, doses in (details or {}).get("packs", {}).items():
            pack = session.get_one(Pack, (code, batch_id))
            self.changes.append(Change(code, pack.custody_id, -doses))

    @property
    def sources(self) -> set[UUID]:
        """The custodies whose packs are changed."""
        return {change.source for change in self.changes if change.source is not None}

    def details(self) -> dict[str, Any]:
        """What the record says: the packs that were scanned, how many doses of each, where to, and what was opened."""
        doses = Counter({pack.code: pack.doses for pack in self.new})
        for change in self.changes:
            if change.doses >= 0:  # of one pack there may be several, from vials of it that were opened beside it
                doses[change.code] += change.doses if change.whole is None else change.whole
        places: defaultdict[str, list[str]] = defaultdict(list)
        for to, code in [(each.to, each.code) for each in self.new] + [(each.to, each.code) for each in self.changes]:
            if to is not None:
                places[str(to)].append(code)
        opened = sorted({code for change in self.changes for code in change.opens})
        told = {"packs": dict(doses), "pack_places": dict(places), "opened_packs": opened}
        return {name: what for name, what in told.items() if what}


def _change(scan: Scan, *, doses: int = 0, to: UUID | None = None, whole: int | None = None) -> Change:
    return Change(scan.code, scan.custody_id, doses, to, whole, scan.opens)


def place(session: Session, batch_id: UUID, log: PackLog) -> None:
    """Put the packs of a receipt into its custody; what is around one of them has not come whole, and counts as opened.

    Raises:
        LostRace: one has a place meanwhile.
    """
    for pack in log.new:
        asked = {"batch": batch_id, "which": pack.code, "to": pack.to}
        if session.execute(_PLACE, asked).rowcount != 1:  # type: ignore[attr-defined]
            raise LostRace
        for code in pack.around:
            session.execute(_OPENED, {"batch": batch_id, "which": code})


def apply(session: Session, logs: Sequence[tuple[UUID, PackLog]]) -> None:
    """Change the packs of batches, after the doses were taken out of their custodies, whose rows are held now.

    Raises:
        LostRace: a pack is no more where it was, or has not what it had.
    """
    for batch_id, log in logs:
        for code, source in _opened(log.changes):
            _hand_down(session, {"batch": batch_id, "which": code, "source": source})
        for change in _net(log.changes):
            found = session.execute(_CHANGE, {"batch": batch_id, **change})
            if found.rowcount != 1:  # type: ignore[attr-defined]
                raise LostRace
    for batch_id, log in logs:
        for source, to in log.along:
            session.execute(_ALONG, {"batch": batch_id, "source": source, "to": to})
        for custody in log.void:
            _announce_again(session, batch_id, custody)


def _opened(changes: Iterable[Change]) -> Iterator[tuple[str, UUID | None]]:
    """The packs to be opened, each behind the one that it is in, with the custody that they are handed."""
    yield from dict.fromkeys((code, change.source) for change in changes for code in change.opens)


def _hand_down(session: Session, asked: dict[str, Any]) -> None:
    """A pack in a custody is opened: those directly in it are there. Another may have opened it; then they are."""
    if session.execute(_OPEN, asked).rowcount:  # type: ignore[attr-defined]
        session.execute(_HANDED, asked)


def _announce_again(session: Session, batch_id: UUID, custody: UUID) -> None:
    """The packs of a void receipt are still to come; what is around them is whole where nothing in it is there."""
    mine = select(Pack.parent_code).where(Pack.batch_id == batch_id, Pack.custody_id == custody).distinct()
    around = set(session.scalars(mine)) - {None}
    session.execute(_VOID, {"batch": batch_id, "source": custody})
    while around:
        closed = session.execute(_CLOSE.where(Pack.code.in_(around)), {"batch": batch_id}).all()
        around = {row.parent_code for row in closed} - {None}


def _net(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """One change a pack: several lines of a list may take from it one after the other."""
    found: dict[str, dict[str, Any]] = {}
    for change in changes:
        one = found.setdefault(
            change.code,
            {"which": change.code, "source": change.source, "to": change.source, "taken": 0, "whole": change.whole},
        )
        one["taken"] += change.doses
        one["to"] = change.to or one["to"]
    return [found[code] for code in sorted(found)]


_in_batch = Pack.batch_id == bindparam("batch")
_which = _in_batch & (Pack.code == bindparam("which"))
_at_source = _in_batch & (Pack.custody_id == bindparam("source"))
_left = Pack.remaining - bindparam("taken", type_=Pack.remaining.type)
_all_of_it = Pack.remaining == func.coalesce(bindparam("whole", type_=Pack.remaining.type), Pack.remaining)
_update = update(Pack).execution_options(synchronize_session=False)
_CHANGE = _update.where(
    _which,
    Pack.custody_id.is_not_distinct_from(bindparam("source", type_=Pack.custody_id.type)),
    _left >= 0,
    _left <= Pack.doses,
    _all_of_it,
).values(remaining=_left, custody_id=bindparam("to"))
_emptied = exists().where(Custody.id == Pack.custody_id, Custody.batch_id == Pack.batch_id, Custody.remaining == 0)
_ALONG = _update.where(_at_source, _emptied).values(custody_id=bindparam("to"))
_PLACE = _update.where(_which, Pack.custody_id.is_(None), ~Pack.opened).values(custody_id=bindparam("to"))
_OPENED = _update.where(_which, Pack.custody_id.is_(None)).values(opened=true())
_OPEN = _update.where(_which, _at_source).values(custody_id=None, opened=true())
_HANDED = _update.where(_in_batch, Pack.parent_code == bindparam("which")).values(custody_id=bindparam("source"))
_VOID = _update.where(_at_source).values(custody_id=None)
_inner = aliased(Pack)
_something_there = exists().where(
    _inner.batch_id == Pack.batch_id, _inner.parent_code == Pack.code, _inner.custody_id.is_not(None) | _inner.opened
)
_CLOSE = _update.where(_in_batch, Pack.opened, ~_something_there).values(opened=false()).returning(Pack.parent_code)
