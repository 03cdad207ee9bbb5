"""The tree of a batch: everywhere that it went, what was seen of it there, and where every dose is."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.domain.budgets import Measures
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.exposure import Band
from inventory.domain.words import End, LocationKind, Origin
from inventory.persistence.database import Database
from inventory.persistence.planning import IN_MEMORY
from inventory.persistence.tables import Product, StorageProfile
from inventory.services import chains, lookups
from inventory.services.arrivals_known import arrivals
from inventory.services.as_of import NOW, AsOf
from inventory.services.chains import CustodyLine, Ended
from inventory.services.evidence import Evidence, evidences
from inventory.services.paging import cursor_of
from inventory.services.trail_clocks import Counts, told, tree_clocks
from inventory.services.watches import Stay


@dataclass(frozen=True)
class Branches:
    """Which custodies of a tree are wanted; the sums are always of the whole.

    `facility`: those that it held or that were on their way to it, with all that leads to them. `depth`: down to so
    many steps from the root. A page of `limit` begins behind the custody that `after` names.
    """

    facility: str | None = None
    depth: int | None = None
    after: str | None = None
    limit: int | None = None
    as_of: AsOf = NOW


WHOLE = Branches()


@dataclass(frozen=True)
class BatchTrail:
    """The tree of a batch: its custodies, root first and children behind their parent, and where its doses are.

    What was received and found is the sum of what follows. `unexplained` doses did not arrive with the rest of their
    shipment and nobody has said why; `in_transit` are the others on their way. `next` is where the next page begins.
    """

    gtin: str
    batch: str
    received: int
    found: int
    on_hand: int
    in_quarantine: int
    in_transit: int
    unexplained: int
    administered: int
    wasted: int
    returned: int
    missing: int
    custodies: tuple[CustodyLine, ...]
    next: str | None


def batch_trail(database: Database, gtin: str, number: str, now: datetime, wanted: Branches = WHOLE) -> BatchTrail:
    """The tree of a batch, or some of its branches.

    Raises:
        NotFound: `unknown_product` or `unknown_batch`.
        Invalid: `malformed` or `wrong_check_digit` for the GTIN, `malformed` for a cursor that no page gave,
            `not_found` for the facility.
    """
    with database.read(IN_MEMORY) as session:
        batch = lookups.batch_at_address(session, gtin, number)
        if wanted.facility is not None:
            lookups.facility(session, wanted.facility)
        tree = _Tree(session, batch.id, wanted.as_of, now)
        rows, cursor = _page(_chosen(tree, wanted), wanted)
        profile = session.get_one(StorageProfile, session.get_one(Product, batch.gtin).profile_code)
        lines = tree.lines(rows, Measures(Band(profile.low, profile.high)))
    ends, left = tree.sums()
    return BatchTrail(
        gtin=batch.gtin,
        batch=batch.number,
        received=tree.began(Origin.SUPPLIED),
        found=tree.began(Origin.FOUND),
        on_hand=left[LocationKind.STORAGE],
        in_quarantine=left[LocationKind.QUARANTINE],
        in_transit=left[LocationKind.TRANSIT],
        unexplained=left[None],
        administered=ends[End.ADMINISTERED],
        wasted=ends[End.WASTED],
        returned=ends[End.RETURNED],
        missing=ends[End.MISSING],
        custodies=tuple(lines),
        next=cursor,
    )


class _Tree:
    """All custodies of a batch as of an instant, each behind its parent, and how doses ended."""

    def __init__(self, session: Session, batch_id: UUID, as_of: AsOf, now: datetime) -> None:
        self._session, self._as_of = session, as_of
        self._until = as_of.until(now)
        self.children: defaultdict[UUID | None, list[Any]] = defaultdict(list)
        for row in chains.custodies(session, batch_id, as_of):
            self.children[row.parent_id].append(row)
        self.rows = self._in_order()
        self.depths: dict[UUID | None, int] = {None: -1}
        for row in self.rows:
            self.depths[row.id] = self.depths[row.parent_id] + 1
        ids = [row.id for row in self.rows]
        self._clocks = chains.clocks(session, batch_id, ids)
        self._ends = chains.ends(session, batch_id, self._clocks, as_of)
        self._arrived = arrivals(session, [row for row in self.rows if row.place_shipment], as_of)
        self._left = {row.id: self._remaining(row) for row in self.rows}

    def _in_order(self) -> list[Any]:
        """Each custody behind its parent, siblings by opening: ids and times of two processes may contradict that."""
        ordered = []
        waiting = self.children[None][::-1]
        while waiting:
            row = waiting.pop()
            ordered.append(row)
            waiting += self.children[row.id][::-1]
        return ordered

    def _remaining(self, row: Any) -> int:
        """What was left in a custody; nothing in one that is void."""
        if self._as_of.is_now:
            return int(row.remaining)
        if row.corrected:
            return 0
        gone = sum(child.doses for child in self.children[row.id] if not child.corrected)
        return int(row.doses - gone - sum(ended.doses for ended in self._ended(row)))

    def _ended(self, row: Any) -> Sequence[Ended]:
        return self._ends.get(row.id, ())

    def began(self, origin: Origin) -> int:
        """The doses that the tree began with."""
        return sum(row.doses for row in self.rows if row.origin is origin and not row.corrected)

    def sums(self) -> tuple[Counter[End], Counter[LocationKind | None]]:
        """How doses ended, and where the others are; None is where those are that did not arrive with the rest."""
        ends: Counter[End] = Counter()
        left: Counter[LocationKind | None] = Counter()
        for row in self.rows:
            short = row.place_shipment in self._arrived
            left[None if short else row.place_kind] += self._left[row.id]
            for ended in self._ended(row):
                ends[ended.end] += ended.doses
        return ends, left

    def lines(self, rows: Sequence[Any], measures: Measures) -> list[CustodyLine]:
        """Custodies as the trail tells them, with their clocks and what was seen of their places."""
        emptied = [self._emptied_at(row) for row in rows]
        stays = [
            Stay(row.location_id, row.occurred_at, max(row.occurred_at, min(end or self._until, self._until)))
            for row, end in zip(rows, emptied, strict=True)
        ]
        seen = evidences(self._session, stays, measures)
        mine = {row.id: self._clocks[row.id] for row in rows if row.id in self._clocks}
        found = tree_clocks(mine, self._ends, self.children, self._clocks)
        return [
            self._line(row, [(clock, found[row.id, clock.name]) for clock in mine.get(row.id, ())], end, evidence)
            for row, end, evidence in zip(rows, emptied, seen, strict=True)
        ]

    def _line(
        self, row: Any, clocks: Sequence[tuple[Any, Counts]], emptied_at: datetime | None, evidence: Evidence
    ) -> CustodyLine:
        left = self._left[row.id]
        deadlines = [told(clock, left, counts, self._until) for clock, counts in clocks]
        ended = tuple((each.end, each.doses) for each in self._ended(row))
        return chains.line(
            row, self.depths[row.id], deadlines, left, ended=ended, emptied_at=emptied_at, evidence=evidence
        )

    def _emptied_at(self, row: Any) -> datetime | None:
        """When the last doses left a custody; one that is void held none."""
        if row.corrected:
            return row.occurred_at  # type: ignore[no-any-return]
        if self._left[row.id]:
            return None
        out = [child.occurred_at for child in self.children[row.id] if not child.corrected]
        return max(out + [ended.last for ended in self._ended(row)], default=None)


def _chosen(tree: _Tree, wanted: Branches) -> list[Any]:
    """The custodies that are asked for, in the order of the tree."""
    rows = tree.rows
    if wanted.facility is not None:
        parents = {row.id: row.parent_id for row in rows}
        reach: set[UUID | None] = set()
        for row in rows:
            if wanted.facility in (row.place_facility, row.place_to):
                at: UUID | None = row.id
                while at is not None and at not in reach:
                    reach.add(at)
                    at = parents[at]
        rows = [row for row in rows if row.id in reach]
    if wanted.depth is not None:
        rows = [row for row in rows if tree.depths[row.id] <= wanted.depth]
    return rows


def _page(rows: list[Any], wanted: Branches) -> tuple[list[Any], str | None]:
    """The rows of a page, and the cursor of the next; custodies are never deleted, so that a cursor stays one."""
    cursors = [cursor_of([row.id]) for row in rows] if wanted.after is not None else []
    if wanted.after is not None and wanted.after not in cursors:
        raise Invalid(Code.MALFORMED, "after", wanted.after, N_("the `next` of an earlier page"))
    first = cursors.index(wanted.after) + 1 if wanted.after is not None else 0
    last = len(rows) if wanted.limit is None else first + wanted.limit
    more = last < len(rows)
    return rows[first:last], cursor_of([rows[last - 1].id]) if more and last > first else None
