"""The book of packs, which follows the ledger.

A pack that is scanned goes where its doses go. Doses that are not scanned leave packs where they are, for nobody knows
which they came from, until a movement takes all that is left of a custody: then all its packs go along. So more may be
left in a pack than in its custody; the check before use asks then. A correction puts packs back.

Whoever changes a pack holds the row of the custody that the pack is in, and custodies are held in one order (see
`ledger`): so writers of packs never wait for each other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, func, update
from sqlalchemy.orm import Session

from inventory.domain.custody import Take
from inventory.persistence.database import LostRace
from inventory.persistence.statements import insert_rows
from inventory.persistence.tables import Custody, Pack


@dataclass(frozen=True)
class PackLine:
    """A pack that came with goods from a supplier, and the doses in it, whole vials."""

    code: str
    doses: int


@dataclass(frozen=True)
class Change:
    """What an event does to a pack: takes doses of it, and where `to` is one, puts it into another custody.

    `whole`: only if so many doses are left in it, for all of them are moved.
    """

    code: str
    source: UUID
    doses: int = 0
    to: UUID | None = None
    whole: int | None = None


@dataclass
class PackLog:
    """What one event does to packs, while it is being put together; `along` are custodies that may be emptied."""

    new: list[tuple[PackLine, UUID]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    along: list[tuple[UUID, UUID]] = field(default_factory=list)
    void: list[UUID] = field(default_factory=list)

    def move(self, take: Take, to: UUID) -> None:
        """Packs that were scanned go with their doses, and those of a custody of which nothing is left."""
        self.changes += [Change(scan.code, scan.custody_id, to=to, whole=scan.doses) for scan in take.scans]
        if take.takes_all and not take.scans:
            self.along.append((take.custody_id, to))

    def use(self, take: Take) -> None:
        """Doses of packs that were scanned leave for good."""
        self.changes += [Change(scan.code, scan.custody_id, scan.doses) for scan in take.scans]

    def undo(self, source: UUID | None, opened: UUID | None) -> None:
        """Packs in a custody that is void go back to where they came from; those of a void receipt never came."""
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
        return {change.source for change in self.changes}

    def details(self) -> dict[str, Any]:
        """The packs that were scanned, and how many doses of each: what the event's record says of them."""
        doses: dict[str, int] = {line.code: line.doses for line, _ in self.new}
        for change in self.changes:
            moved = change.doses if change.whole is None else change.whole
            if change.doses >= 0:
                doses[change.code] = max(doses.get(change.code, 0), moved)
        return {"packs": doses} if doses else {}


def insert_packs(session: Session, batch_id: UUID, log: PackLog) -> None:
    """Make the packs of a receipt known."""
    rows = [
        {"code": line.code, "batch_id": batch_id, "custody_id": custody, "doses": line.doses, "remaining": line.doses}
        for line, custody in log.new
    ]
    insert_rows(session, Pack, rows)


def apply(session: Session, logs: Sequence[tuple[UUID, PackLog]]) -> None:
    """Change the packs of batches, after the doses were taken out of their custodies, whose rows are held now.

    Raises:
        LostRace: a pack is no more where it was, or has not what it had.
    """
    for batch_id, log in logs:
        for change in _net(log.changes):
            found = session.execute(_CHANGE, {"batch": batch_id, **change})
            if found.rowcount != 1:  # type: ignore[attr-defined]
                raise LostRace
    for batch_id, log in logs:
        for source, to in log.along:
            session.execute(_ALONG, {"batch": batch_id, "source": source, "to": to})
        for custody in log.void:
            session.execute(_FORGET, {"batch": batch_id, "source": custody})


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


_at_source = (Pack.batch_id == bindparam("batch")) & (Pack.custody_id == bindparam("source"))
_left = Pack.remaining - bindparam("taken", type_=Pack.remaining.type)
_all_of_it = Pack.remaining == func.coalesce(bindparam("whole", type_=Pack.remaining.type), Pack.remaining)
_CHANGE = (
    update(Pack)
    .where(_at_source, Pack.code == bindparam("which"), _left >= 0, _left <= Pack.doses, _all_of_it)
    .values(remaining=_left, custody_id=bindparam("to"))
    .execution_options(synchronize_session=False)
)
_emptied = exists().where(Custody.id == Pack.custody_id, Custody.batch_id == Pack.batch_id, Custody.remaining == 0)
_ALONG = (
    update(Pack)
    .where(_at_source, _emptied)
    .values(custody_id=bindparam("to"))
    .execution_options(synchronize_session=False)
)
_FORGET = delete(Pack).where(_at_source).execution_options(synchronize_session=False)
