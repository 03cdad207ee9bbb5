"""Proving that packs are what was said of them, where events have put them, and that what was not taken is left."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import takewhile
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.packs import DEEPEST, NewPack, digest_of, read_back
from inventory.persistence.tables import Custody, Movement, Pack, PackRegistration, StockEvent
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
    batches = session.scalars(select(Pack.batch_id).union(select(PackRegistration.batch_id))).all()
    books = (_Book(session, batch) for batch in sorted(batches))
    return [fault for book in books for fault in (*book.unlike_said(), *book.wrong_places(), *book.wrong_remaining())]


CHECKS: tuple[Callable[[Session], list[str]], ...] = (wrong_trees, void_places, wrong_books)


_READ = (Pack.code, Pack.parent_code, Pack.level, Pack.custody_id, Pack.opened, Pack.doses, Pack.remaining)

_AT_ONCE = timedelta(minutes=5)
"""Of what was recorded within it, by clocks that may differ, nobody can say which was first."""


class _Book:
    """The packs of a batch, and what the events that stand say of them."""

    def __init__(self, session: Session, batch_id: UUID) -> None:
        self._session, self._batch = session, batch_id
        self._packs: dict[str, Any] = {
            row.code: row for row in session.execute(select(*_READ).where(Pack.batch_id == batch_id))
        }
        self._upward = {
            row.id: row.parent_id
            for row in session.execute(select(Custody.id, Custody.parent_id).where(Custody.batch_id == batch_id))
        }
        self._emptied: dict[UUID, bool] = {}
        self._scanned: set[UUID] = set()
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
            self._scanned.add(UUID(custody))
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

    def unlike_said(self) -> Iterator[str]:
        """Packs that are gone, or otherwise than was said when they were made known, or that nobody made known."""
        query = select(PackRegistration.id, PackRegistration.digest, PackRegistration.packs)
        strangers = set(self._packs)
        for row in self._session.execute(query.where(PackRegistration.batch_id == self._batch)):
            if digest_of(row.packs) != row.digest:
                yield f"pack_registration {row.id}: its packs are not what its digest was made of"
                continue
            try:
                known = read_back(row.packs)
            except ValueError:
                yield f"pack_registration {row.id}: what it says are no packs"
                continue
            for said in known:
                strangers.discard(said.code)
                yield from _unlike(self._packs.get(said.code), said)
        yield from (f"pack {code}: nobody has made it known" for code in sorted(strangers))

    def wrong_places(self) -> Iterator[str]:
        """Packs that are not where they, or what is around them, were put last, nor where all the rest of that went."""
        for code, pack in self._packs.items():
            put = set().union(*(self._put.get(each.code, ()) for each in self._way(pack)))
            place = next((each.custody_id for each in self._way(pack) if each.custody_id or each.opened), None)
            if pack.custody_id and not put:
                yield f"pack {code}: has a place, and no event has put it there"
            elif put and not pack.opened and not self._may_be(place, put):
                yield f"pack {code}: not where it was put by the events that name it"

    def _may_be(self, place: UUID | None, put: set[UUID]) -> bool:
        """Below each custody into which it was put, and below the last by ways only that packs go along unscanned."""
        way = []
        while place is not None and place not in way:
            way.append(place)
            place = self._upward.get(place)
        return put <= set(way) and all(map(self._took_the_rest, takewhile(lambda each: each not in put, way)))

    def _took_the_rest(self, custody: UUID) -> bool:
        """Whether nothing was scanned into it, and it may have taken all that was left; then packs have gone along."""
        if custody not in self._emptied:
            unscanned = custody not in self._scanned
            self._emptied[custody] = unscanned and _took_the_rest(self._session, self._batch, custody)
        return self._emptied[custody]

    def _way(self, pack: Any) -> Iterator[Any]:
        """The pack and those around it."""
        around: Any = pack
        for _ in range(DEEPEST):  # however they were changed
            if around is None:
                return
            yield around
            around = self._packs.get(around.parent_code)


def _took_the_rest(session: Session, batch_id: UUID, custody: UUID) -> bool:
    """Whether so much had left the custody above by then that it may have been empty; what was given back counts."""
    line, event = aliased(Movement), aliased(StockEvent)
    into = (
        select(line.from_custody_id, event.recorded_at, Custody.doses)
        .join(event, (event.id == line.event_id) & (event.batch_id == line.batch_id))
        .join(Custody, (Custody.id == line.from_custody_id) & (Custody.batch_id == line.batch_id))
        .where(line.to_custody_id == custody, line.batch_id == batch_id, line.reverses_id.is_(None))
    )
    opening = session.execute(into).first()
    if opening is None:
        return False
    left = (
        select(func.sum(Movement.doses))
        .join(StockEvent, (StockEvent.id == Movement.event_id) & (StockEvent.batch_id == Movement.batch_id))
        .where(
            Movement.from_custody_id == opening.from_custody_id,
            Movement.batch_id == batch_id,
            Movement.reverses_id.is_(None),
            StockEvent.recorded_at <= opening.recorded_at + _AT_ONCE,
        )
    )
    return bool(int(session.scalar(left) or 0) >= opening.doses)


def _unlike(pack: Any, said: NewPack) -> Iterator[str]:
    """What the table says otherwise of a pack than was said when it was made known."""
    if pack is None:
        yield f"pack {said.code}: is gone"
        return
    for name, is_, was in (
        ("parent_code", pack.parent_code, said.parent),
        ("level", pack.level, said.level),
        ("doses", pack.doses, said.doses),
    ):
        if is_ != was:
            yield f"pack {said.code}: its {name} is {is_}, was made known as {was}"
