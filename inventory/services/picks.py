"""Where doses that were picked may have come from, and the worst that they may have gone through."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import FromClause, Integer, Select, and_, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.domain import doubt
from inventory.domain.doubt import Stand
from inventory.domain.words import Chosen
from inventory.persistence.asked import Asked
from inventory.persistence.tables import Appliance, Custody, Location, Movement
from inventory.services.evidence import Together
from inventory.services.ledger import stands
from inventory.services.watches import Stay


class Standing(NamedTuple):
    """A custody until doses left it."""

    custody: UUID
    until: datetime


@dataclass(frozen=True)
class BoundLine:
    """A figure at its worst, and the custody on that way that is not on the attributed one; that one's last if none.

    A duration, hundredths of a degree, or degrees of the mean kinetic temperature; None where nothing was seen.
    """

    value: timedelta | int | float | None
    custody: UUID


@dataclass(frozen=True)
class Doubt:
    """What doses that were picked went through at worst, over all ways from a supplier that they may have gone.

    `custodies` are those that they may have been in beside the attributed ones.
    """

    custodies: tuple[UUID, ...]
    above: BoundLine
    below: BoundLine
    unseen: BoundLine
    uncertain: BoundLine
    lowest: BoundLine
    highest: BoundLine
    mean_kinetic: BoundLine


@dataclass
class Ways:
    """The custodies that doses may have been in, with the sources of each, and the last of their ways."""

    batch_id: UUID
    stays: dict[Standing, Stay] = field(default_factory=dict)
    sources: dict[Standing, tuple[Standing, ...]] = field(default_factory=dict)
    ends: tuple[Standing, ...] = ()


_ABOVE = -1
"""In place of the number of a link: a custody that is above others."""


def _beside(asked: FromClause, *columns: Any) -> Select[*tuple[Any, ...]]:
    """Custodies that a pick may have meant for another of the batch: where it is, with doses right before an instant.

    A pick looks through all storages of a facility, or all its quarantines; a trip has one of each. What has any left
    had some at any time; of others, and only of them, it takes a look at all that left them.
    """
    there = Custody.__table__.alias("there")
    here, cold, beside = aliased(Location), aliased(Appliance), aliased(Appliance)
    gone = (
        select(func.coalesce(func.sum(Movement.doses), 0))
        .where(
            Movement.from_custody_id == Custody.id,
            Movement.batch_id == Custody.batch_id,
            Movement.occurred_at < asked.c.at,
        )
        .correlate(Custody, asked)
        .scalar_subquery()
    )
    same = and_(Custody.batch_id == there.c.batch_id, Custody.location_id == Location.id)
    in_it = and_(Location.appliance_id == beside.id, Location.kind == here.kind)
    around = or_(in_it, and_(here.appliance_id.is_(None), Location.id == here.id))
    had_some = or_(Custody.remaining > literal_column("0"), Custody.doses > gone)
    possible = and_(Custody.opened_at < asked.c.at, had_some, stands(Custody.event_id, Custody.batch_id))
    return (
        select(asked.c.link, *columns)
        .select_from(asked)
        .join(there, and_(there.c.id == asked.c.custody, there.c.batch_id == asked.c.batch_id))
        .join(here, here.id == there.c.location_id)
        .outerjoin(cold, cold.id == here.appliance_id)
        .outerjoin(beside, beside.facility_id == cold.facility_id)
        .join(Location, around)
        .join(Custody, same)
        .where((Custody.id == asked.c.custody) | possible)
    )


def _origins(asked: FromClause) -> Select[*tuple[Any, ...]]:
    """The same, each with the number of its link, and all those above them."""
    columns = (Custody.id, Custody.batch_id, Custody.event_id, Custody.parent_id)
    shown = (Custody.location_id, Custody.opened_at)
    upward = _beside(asked, *columns, *shown).cte("upward", recursive=True)
    parent = and_(Custody.id == upward.c.parent_id, Custody.batch_id == upward.c.batch_id)
    above = literal_column(str(_ABOVE), Integer())
    upward = upward.union(select(above, *columns, *shown).select_from(upward).join(Custody, parent))
    opening = and_(
        Movement.event_id == upward.c.event_id,
        Movement.batch_id == upward.c.batch_id,
        Movement.to_custody_id == upward.c.id,
    )
    of = upward.c
    return (
        select(of.link, of.id, of.parent_id, of.location_id, of.opened_at, Movement.chosen)
        .select_from(upward)
        .join(Movement, opening)
        .order_by(of.link, of.opened_at, of.id)
    )


_LINK = {"link": Integer(), "batch_id": Custody.batch_id.type, "custody": Custody.id.type, "at": Custody.opened_at.type}
_ORIGINS = Asked(_LINK, _origins, named=False)


class _Known(NamedTuple):
    """A custody, and how the doses in it were found."""

    id: UUID
    parent_id: UUID | None
    location_id: UUID
    opened_at: datetime
    chosen: Chosen | None


class _Link(NamedTuple):
    """Doses left a custody at an instant; which one was known, or picked. `into` are where they went."""

    into: Standing | None
    custody: UUID
    at: datetime
    picked: bool


def ways(session: Session, batch_id: UUID, chain: Sequence[Any], at: datetime, chosen: Chosen | None) -> Ways:
    """All ways that doses may have come which left the last custody of a chain at an instant."""
    known = {row.id: _Known(row.id, row.parent_id, row.location_id, row.occurred_at, row.chosen) for row in chain}
    found = Ways(batch_id)
    links = [_Link(None, chain[-1].id, at, chosen is Chosen.PICKED)]
    while links:
        origins: list[_Link] = []
        for link, rows in zip(links, _sources(session, batch_id, links, known), strict=True):
            keys = tuple(Standing(row.id, link.at) for row in rows)
            if link.into is None:
                found.ends = keys
            else:
                found.sources[link.into] = keys
            origins += [_origin(key, row) for key, row in zip(keys, rows, strict=True) if _is_new(found, key, row)]
        links = origins
    return found


def _is_new(found: Ways, key: Standing, row: _Known) -> bool:
    if key in found.stays:
        return False
    found.stays[key] = Stay(row.location_id, row.opened_at, max(row.opened_at, key.until))
    found.sources[key] = ()
    return row.parent_id is not None


def _origin(key: Standing, row: _Known) -> _Link:
    assert row.parent_id is not None  # noqa: S101  (only those with a parent have an origin)
    return _Link(key, row.parent_id, row.opened_at, row.chosen is Chosen.PICKED)


def _sources(session: Session, batch_id: UUID, links: Sequence[_Link], known: dict[UUID, _Known]) -> list[list[_Known]]:
    """The custodies that each link may have come from; those above a new one are made known along with it."""
    picked = [(number, batch_id, link.custody, link.at) for number, link in enumerate(links) if link.picked]
    beside: defaultdict[int, list[_Known]] = defaultdict(list)
    for number, *row in _ORIGINS.rows(session, picked):
        found = _Known(*row)
        known.setdefault(found.id, found)
        if number != _ABOVE:
            beside[number].append(found)
    return [beside[number] if link.picked else [known[link.custody]] for number, link in enumerate(links)]


def doubt_of(found: Ways, seen: Sequence[Together], chain: Sequence[UUID]) -> Doubt:
    """The worst over ways that doses may have come, of which `chain` is the attributed one; `seen` is of each stay."""
    numbers = {key: number for number, key in enumerate(found.stays)}
    stood = {
        number: _stand(seen[number], tuple(numbers[each] for each in found.sources[key]))
        for key, number in numbers.items()
    }
    worst = doubt.worst(stood, [numbers[key] for key in found.ends])
    custodies = [key.custody for key in found.stays]
    others = tuple(dict.fromkeys(custody for custody in custodies if custody not in chain))
    return Doubt(
        custodies=others,
        above=_time(worst.above, custodies, chain),
        below=_time(worst.below, custodies, chain),
        unseen=_time(worst.unseen, custodies, chain),
        uncertain=_time(worst.uncertain, custodies, chain),
        lowest=_line(worst.lowest, custodies, chain),
        highest=_line(worst.highest, custodies, chain),
        mean_kinetic=_line(worst.mean_kinetic, custodies, chain),
    )


def _stand(told: Together, sources: tuple[int, ...]) -> Stand[int]:
    seen = told.worst
    return Stand(
        above=seen.times[0],
        below=seen.times[1],
        unseen=(told.unseen - told.archived) // timedelta(microseconds=1),
        uncertain=seen.unknown + seen.undecided,
        lowest=seen.lowest,
        highest=seen.highest,
        seen=seen.seen,
        kinetic=seen.kinetic,
        sources=sources,
    )


def _time(bound: doubt.Bound[int], custodies: Sequence[UUID], chain: Sequence[UUID]) -> BoundLine:
    line = _line(bound, custodies, chain)
    return BoundLine(timedelta(microseconds=int(bound.value or 0)), line.custody)


def _line(bound: doubt.Bound[int], custodies: Sequence[UUID], chain: Sequence[UUID]) -> BoundLine:
    way = [custodies[number] for number in bound.way]
    other = [custody for custody in way if custody not in chain]
    return BoundLine(bound.value, other[-1] if other else way[-1])
