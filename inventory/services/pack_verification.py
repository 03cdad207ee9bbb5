"""Proving that packs are where the ledger's events have put them, and that as much is left in them as was not taken."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from inventory.persistence.tables import Custody, Movement, Pack, StockEvent
from inventory.services.ledger import stands


def wrong_trees(session: Session) -> list[str]:
    """What has a place, or was opened, is only in packs that were opened, and these hold something that is there."""
    around, inner = aliased(Pack), aliased(Pack)
    in_it = (around.code == Pack.parent_code) & (around.batch_id == Pack.batch_id)
    hidden = select(Pack.code).join(around, in_it).where(~around.opened, Pack.custody_id.is_not(None) | Pack.opened)
    there = inner.custody_id.is_not(None) | inner.opened
    mine = (inner.parent_code == Pack.code) & (inner.batch_id == Pack.batch_id)
    hollow = select(Pack.code).where(Pack.opened, ~select(inner.code).where(mine, there).exists())
    return [
        *(f"pack {each}: has a place of its own in a pack that nobody has opened" for each in session.scalars(hidden)),
        *(f"pack {each}: was opened, but nothing that was in it has a place" for each in session.scalars(hollow)),
    ]


def void_places(session: Session) -> list[str]:
    """A pack is in a custody of its batch that stands."""
    query = (
        select(Pack.code)
        .outerjoin(Custody, (Custody.id == Pack.custody_id) & (Custody.batch_id == Pack.batch_id))
        .where(Pack.custody_id.is_not(None), or_(Custody.id.is_(None), ~stands(Custody.event_id, Custody.batch_id)))
    )
    return [f"pack {each}: not where a pack of its batch can be" for each in session.scalars(query)]


def wrong_books(session: Session) -> list[str]:
    """What events say of packs is so: where they were put, and how many doses were taken.

    That more is left in packs than in their custody is no fault: doses may leave without a scan. One batch is looked at
    after the other, for the sake of memory.
    """
    batches = session.scalars(select(Pack.batch_id).distinct()).all()
    books = (_Book(session, batch) for batch in sorted(batches))
    return [fault for book in books for fault in (*book.wrong_places(), *book.wrong_remaining())]


CHECKS: tuple[Callable[[Session], list[str]], ...] = (wrong_trees, void_places, wrong_books)


_READ = (Pack.code, Pack.parent_code, Pack.custody_id, Pack.opened, Pack.doses, Pack.remaining)


class _Book:
    """The packs of a batch, and what the events that stand say of them."""

    def __init__(self, session: Session, batch_id: UUID) -> None:
        self._session, self._batch = session, batch_id
        self._packs: dict[str, Any] = {
            row.code: row for row in session.execute(select(*_READ).where(Pack.batch_id == batch_id))
        }
        self._put: defaultdict[str, set[UUID]] = defaultdict(set)
        self._taken: Counter[str] = Counter()
        ends = select(Movement.event_id).where(Movement.batch_id == batch_id, Movement.end_kind.is_not(None))
        standing = select(StockEvent.details, StockEvent.id.in_(ends)).where(
            StockEvent.batch_id == batch_id,
            StockEvent.details.is_not(None),
            StockEvent.reverses_id.is_(None),
            stands(StockEvent.id, StockEvent.batch_id),
        )
        for details, took in session.execute(standing):
            self._read(details or {}, took=took)

    def _read(self, details: dict[str, object], *, took: bool) -> None:
        placed, doses = details.get("pack_places"), details.get("packs")
        for custody, codes in placed.items() if isinstance(placed, dict) else ():
            for code in codes:
                self._put[code].add(UUID(custody))
        if took and isinstance(doses, dict):
            self._taken.update(doses)

    def wrong_remaining(self) -> Iterator[str]:
        """Packs of which more or less is left than events say."""
        for code, pack in self._packs.items():
            left = pack.doses - self._taken[code]
            if pack.remaining != left:
                yield f"pack {code}: {pack.remaining} doses are left, but its events leave {left}"

    def wrong_places(self) -> Iterator[str]:
        """Packs that are not below each custody into which they, or what is around them, were put; or nowhere."""
        parents = self._parents()
        for code, pack in self._packs.items():
            put = set().union(*(self._put.get(each.code, ()) for each in self._way(pack)))
            place = next((each.custody_id for each in self._way(pack) if each.custody_id or each.opened), None)
            if put and not pack.opened and not put <= set(_upward(parents, place)):
                yield f"pack {code}: not where it was put by the events that name it"

    def _way(self, pack: Any) -> Iterator[Any]:
        """The pack and those around it."""
        around: Any = pack
        while around is not None:
            yield around
            around = self._packs.get(around.parent_code) if around.parent_code else None

    def _parents(self) -> dict[UUID, UUID | None]:
        query = select(Custody.id, Custody.parent_id).where(Custody.batch_id == self._batch)
        return {row.id: row.parent_id for row in self._session.execute(query)}


def _upward(parents: dict[UUID, UUID | None], custody: UUID | None) -> Iterator[UUID]:
    """A custody and those above it."""
    while custody is not None:
        yield custody
        custody = parents.get(custody)
