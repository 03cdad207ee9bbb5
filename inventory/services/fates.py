"""Which doses were in some places at some time, and what became of each: one question, whoever asks it.

A dose is followed from the first custody in which it was there, down the tree, to where it is now or to its end. So it
counts once, however often it came back; and what is there now or ended is the sum of what was there.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from inventory.domain.fates import Fate
from inventory.domain.words import End, LocationKind
from inventory.persistence.columns import Instant
from inventory.persistence.tables import Batch, Custody, Location, Movement
from inventory.services.ledger import stands
from inventory.services.places import Place, place_of, with_place


class Window(NamedTuple):
    """A time at a place: an appliance, with all that is in it, or a shipment.

    Doses that had left when it began were not there; those that left during it were.
    """

    appliance_id: UUID | None
    shipment_id: UUID | None
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Whereabouts:
    """Doses that are at one place now."""

    place: Place
    custody: UUID
    doses: int


@dataclass(frozen=True)
class Followed:
    """A custody that was there and whose doses were not there before in another: what became of them."""

    custody: UUID
    batch_id: UUID
    place: Place
    gtin: str
    batch: str
    doses: int
    left: tuple[Whereabouts, ...]
    fate: Fate


class Doses:
    """The doses that were in some windows, as tables of a statement."""

    def __init__(self, tops: CTE) -> None:
        """`tops`: custodies (id, batch_id) with what was there in them (doses), followed from an instant (since) on."""
        self.tops = tops
        self.inside = _down(tops)

    @staticmethod
    def there(windows: Sequence[Window]) -> "Doses":
        """Those in any of some windows."""
        seen = _seen(windows)
        below = _below(seen)
        outer = ~select(below.c.id).where(below.c.id == seen.c.id, below.c.batch_id == seen.c.batch_id).exists()
        return Doses(select(seen.c.id, seen.c.batch_id, seen.c.since, seen.c.doses).where(outer).cte("tops"))

    @staticmethod
    def of(custody: UUID, batch_id: UUID) -> "Doses":
        """All that one custody ever held."""
        mine = select(
            Custody.id, Custody.batch_id, literal(None, Instant()).label("since"), Custody.doses.label("doses")
        ).where(Custody.id == custody, Custody.batch_id == batch_id)
        return Doses(mine.cte("tops"))

    def moved(self) -> ColumnElement[bool]:
        """A condition on movements joined to `inside`: those of these doses, for the top itself since its instant."""
        inside = self.inside.c
        return or_(inside.since.is_(None), Movement.occurred_at > inside.since)

    def ends(self, *columns: Any) -> Select[*tuple[Any, ...]]:
        """Movements by which these doses ended, with any columns, and the custody that each left."""
        inside = self.inside.c
        return (
            select(*columns)
            .select_from(self.inside)
            .join(Movement, and_(Movement.from_custody_id == inside.id, Movement.batch_id == inside.batch_id))
            .where(Movement.end_kind.is_not(None), self.moved())
        )

    def left(self, *columns: Any) -> Select[*tuple[Any, ...]]:
        """Custodies that hold these doses now, with any columns; joined with their location."""
        inside = self.inside.c
        return (
            select(*columns)
            .select_from(self.inside)
            .join(Custody, and_(Custody.id == inside.id, Custody.batch_id == inside.batch_id))
            .join(Location, Location.id == Custody.location_id)
            .where(Custody.remaining > 0)
        )


def follow(session: Session, doses: Doses) -> tuple[Followed, ...]:
    """What became of the doses, by the custody in which they were there first."""
    tops = doses.tops.c
    rows = session.execute(
        with_place(
            select(Custody.id, Custody.batch_id, Batch.gtin, Batch.number, tops.doses)
            .join(doses.tops, and_(tops.id == Custody.id, tops.batch_id == Custody.batch_id))
            .join(Batch, Batch.id == Custody.batch_id)
            .join(Location, Location.id == Custody.location_id)
        ).order_by(Custody.opened_at, Custody.id)
    ).all()
    left = _left(session, doses) if rows else {}
    ended = _ended(session, doses) if rows else {}
    return tuple(
        Followed(
            row.id,
            row.batch_id,
            place_of(row),
            row.gtin,
            row.number,
            int(row.doses),
            tuple(left.get(row.id, ())),
            Fate(_by_kind(left.get(row.id, ())), ended.get(row.id, {})),
        )
        for row in rows
    )


def _seen(windows: Sequence[Window]) -> CTE:
    """The custodies that were in any window with doses in them, each since the first window in which it was so."""
    parts = [_seen_in(window) for window in windows]
    every = union_all(*parts).subquery("every") if len(parts) > 1 else parts[0].subquery("every")
    query = select(
        every.c.id,
        every.c.batch_id,
        type_coerce(func.min(every.c.since), Instant()).label("since"),
        func.max(every.c.doses).label("doses"),  # what was there at the first of them, for it only falls
    ).group_by(every.c.id, every.c.batch_id)
    return query.cte("seen")


def _seen_in(window: Window) -> Select[*tuple[Any, ...]]:
    gone = (
        select(func.coalesce(func.sum(Movement.doses), 0))
        .where(
            Movement.from_custody_id == Custody.id,
            Movement.batch_id == Custody.batch_id,
            Movement.occurred_at <= window.since,
        )
        .correlate(Custody)
        .scalar_subquery()
    )
    here = (
        Location.appliance_id == window.appliance_id
        if window.appliance_id is not None
        else Location.shipment_id == window.shipment_id
    )
    return (
        select(
            Custody.id,
            Custody.batch_id,
            literal(window.since, Instant()).label("since"),
            (Custody.doses - gone).label("doses"),
        )
        .join(Location, Location.id == Custody.location_id)
        .where(
            here,
            Custody.opened_at < window.until,
            Custody.doses > gone,
            stands(Custody.event_id, Custody.batch_id),
        )
    )


def _below(seen: CTE) -> CTE:
    """The custodies that hold doses which were seen above them already."""
    child, further = aliased(Custody), aliased(Custody)
    below = (
        select(child.id, child.batch_id)
        .join(seen, and_(child.parent_id == seen.c.id, child.batch_id == seen.c.batch_id))
        .where(child.opened_at > seen.c.since)
        .cte("below", recursive=True)
    )
    return below.union(
        select(further.id, further.batch_id).join(
            below, and_(further.parent_id == below.c.id, further.batch_id == below.c.batch_id)
        )
    )


def _down(tops: CTE) -> CTE:
    """The tops and all below them that doses went to since, each with its top; no custody is below two of them."""
    child = aliased(Custody)
    inside = select(
        tops.c.id.label("top"), tops.c.id.label("id"), tops.c.batch_id.label("batch_id"), tops.c.since.label("since")
    ).cte("inside", recursive=True)
    return inside.union_all(
        select(inside.c.top, child.id, child.batch_id, literal(None, Instant()))
        .join(inside, and_(child.parent_id == inside.c.id, child.batch_id == inside.c.batch_id))
        .where(or_(inside.c.since.is_(None), child.opened_at > inside.c.since))
    )


def _left(session: Session, doses: Doses) -> dict[UUID, list[Whereabouts]]:
    query = with_place(doses.left(doses.inside.c.top, Custody.id, Custody.remaining)).order_by(Custody.id)
    found: dict[UUID, list[Whereabouts]] = {}
    for row in session.execute(query):
        found.setdefault(row.top, []).append(Whereabouts(place_of(row), row.id, row.remaining))
    return found


def _by_kind(left: Iterable[Whereabouts]) -> Mapping[LocationKind, int]:
    kinds: Counter[LocationKind] = Counter()
    for each in left:
        kinds[each.place.kind] += each.doses
    return kinds


def _ended(session: Session, doses: Doses) -> dict[UUID, dict[End, int]]:
    top = doses.inside.c.top
    query = doses.ends(top, Movement.end_kind, func.sum(Movement.doses)).group_by(top, Movement.end_kind)
    found: dict[UUID, dict[End, int]] = {}
    for custody, end, sum_ in session.execute(query):
        if sum_:
            found.setdefault(custody, {})[end] = int(sum_)
    return found
