"""Which doses shared a vial, a fridge or a trip with a dose before an adverse event, and what became of each."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from inventory.domain.adverse_events import Shared
from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.fates import Fate
from inventory.domain.words import Chosen, EventKind
from inventory.persistence.database import Database
from inventory.persistence.planning import uncompiled
from inventory.persistence.tables import AdverseEvent, Batch, Custody, Location, Movement, Product, StockEvent
from inventory.services.adverse_event_history import unknown
from inventory.services.fates import Doses, Window
from inventory.services.paging import Page
from inventory.services.places import Place, place_of, with_place
from inventory.services.shared_doses import SharedDoses, page_of_doses


@dataclass(frozen=True)
class Stretch:
    """A time that the dose was in a place."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Sharing:
    """What shared one thing with the dose: the place of it, when the dose was there, and what became of the others.

    `attributed`: a custody on the way from there on was picked and not scanned, or several vials were opened as one:
    then the dose may have been another of its batch. `vials` is how many were opened together. The dose itself is left
    out of the sums; others that were given by the same administration are in them.
    """

    number: int
    shared: Shared
    place: Place
    stretches: tuple[Stretch, ...]
    attributed: bool
    vials: int | None
    same_batch: Fate
    other_batches: Fate


@dataclass(frozen=True)
class SharedCustody:
    """All that doses shared with the one before an adverse event, from the supplier's receipt on."""

    adverse_event: UUID
    administration: UUID
    gtin: str
    batch: str
    sharings: tuple[Sharing, ...]


class _Case(NamedTuple):
    """The dose before an adverse event: its administration, how many were given by that, and what reversed it."""

    adverse_event: UUID
    administration: UUID
    doses: int
    own_events: tuple[UUID, ...]
    batch: Batch
    doses_per_vial: int


@dataclass
class _Common:
    """One thing that is shared, with all that is needed to ask who shared it."""

    shared: Shared
    place: Place
    attributed: bool = False
    windows: list[Window] = field(default_factory=list)
    vial: Any = None

    def doses(self) -> Doses:
        """Those that shared it."""
        return Doses.there(self.windows) if self.vial is None else Doses.of(self.vial.id, self.vial.batch_id)


def shared_custody(database: Database, adverse_event: UUID) -> SharedCustody:
    """What became of the doses that shared the vial, a fridge or a trip of the dose, by the exact times it was there.

    Raises:
        NotFound: `not_found`.
    """
    with database.read() as session:
        uncompiled(session)
        found = _case(session, adverse_event)
        sharings = [_sharing(session, found, number, common) for number, common in enumerate(_commons(session, found))]
    return SharedCustody(adverse_event, found.administration, found.batch.gtin, found.batch.number, tuple(sharings))


def list_shared_doses(
    database: Database, adverse_event: UUID, number: int, same_batch: bool | None, after: str | None, limit: int
) -> Page[SharedDoses]:
    """The doses of one sharing, by when they ended or came where they are; of the same batch, of others, or all.

    An administration that gave the dose and others with it is listed with all of them: which one it was, nobody knows.

    Raises:
        NotFound: `not_found` for the adverse event or the number.
    """
    with database.read() as session:
        uncompiled(session)
        found = _case(session, adverse_event)
        commons = _commons(session, found)
        if number >= len(commons):
            raise NotFound(Code.NOT_FOUND, "number", number, N_("the number of a sharing"))
        doses = commons[number].doses()
        alone = found.own_events if found.doses == 1 else ()
        return page_of_doses(session, doses, found.batch.id, alone, same_batch, after, limit)


def _case(session: Session, adverse_event: UUID) -> _Case:
    given = select(func.sum(Movement.doses)).where(
        Movement.event_id == AdverseEvent.administration_id, Movement.batch_id == AdverseEvent.batch_id
    )
    query = (
        select(AdverseEvent.administration_id, Batch, Product.doses_per_vial, given.scalar_subquery().label("doses"))
        .join(Batch, Batch.id == AdverseEvent.batch_id)
        .join(Product, Product.gtin == Batch.gtin)
        .where(AdverseEvent.id == adverse_event, AdverseEvent.first_id == adverse_event)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise unknown(adverse_event)
    own = select(StockEvent.id).where(
        StockEvent.batch_id == row.Batch.id,
        or_(StockEvent.id == row.administration_id, StockEvent.reverses_id == row.administration_id),
    )
    events = tuple(session.scalars(own))
    return _Case(adverse_event, row.administration_id, int(row.doses), events, row.Batch, row.doses_per_vial)


def _commons(session: Session, found: _Case) -> list[_Common]:
    """The vial first, then fridges and trips as the dose came through them.

    One administration may have taken its doses from several custodies; what these have in common is one thing.
    """
    given = session.scalars(
        select(Movement)
        .where(Movement.event_id == found.administration, Movement.batch_id == found.batch.id)
        .order_by(Movement.id)
    ).all()
    vials: dict[UUID, _Common] = {}
    places: dict[tuple[UUID | None, UUID | None], _Common] = {}
    for line in given:
        for custody, window, attributed in _way(session, line):
            if custody.kind is EventKind.OPEN and custody.id not in vials:
                several = custody.doses > found.doses_per_vial
                vials[custody.id] = _Common(Shared.VIAL, place_of(custody), attributed or several, [window], custody)
            shared = Shared.FRIDGE if custody.shipment_id is None else Shared.TRIP
            common = places.setdefault(window[:2], _Common(shared, place_of(custody)))
            common.attributed |= attributed
            _extend(common.windows, window)
    return [*vials.values(), *sorted(places.values(), key=lambda each: min(one.since for one in each.windows))]


def _way(session: Session, line: Movement) -> Iterator[tuple[Any, Window, bool]]:
    """The custodies from the root to the one that doses were given from: each with its time, and if it was picked."""
    rows = _chain(session, line)
    lefts = [row.opened_at for row in rows[1:]] + [line.occurred_at]
    chosen = [row.chosen for row in rows[1:]] + [line.chosen]
    for place, (row, left) in enumerate(zip(rows, lefts, strict=True)):
        yield row, Window(row.appliance_id, row.shipment_id, row.opened_at, left), Chosen.PICKED in chosen[place:]


def _chain(session: Session, line: Movement) -> list[Any]:
    """A custody and those above it, root first, with their places and the events that opened them."""
    mine = Custody.batch_id == line.batch_id
    upward = (
        select(Custody.id, Custody.parent_id).where(Custody.id == line.from_custody_id, mine).cte("up", recursive=True)
    )
    upward = upward.union_all(select(Custody.id, Custody.parent_id).where(Custody.id == upward.c.parent_id, mine))
    query = with_place(
        select(
            Custody.id,
            Custody.batch_id,
            Custody.parent_id,
            Custody.opened_at,
            Custody.doses,
            Location.appliance_id,
            Location.shipment_id,
            StockEvent.kind,
            Movement.chosen,
        )
        .select_from(upward)
        .join(Custody, and_(Custody.id == upward.c.id, mine))
        .join(Location, Location.id == Custody.location_id)
        .join(StockEvent, and_(StockEvent.id == Custody.event_id, StockEvent.batch_id == Custody.batch_id))
        .join(
            Movement,
            and_(
                Movement.event_id == Custody.event_id,
                Movement.batch_id == Custody.batch_id,
                Movement.to_custody_id == Custody.id,
            ),
        )
    )
    by_id = {row.id: row for row in session.execute(query)}
    way = [by_id[line.from_custody_id]]
    while way[-1].parent_id is not None:
        way.append(by_id[way[-1].parent_id])
    return way[::-1]


def _extend(windows: list[Window], window: Window) -> None:
    """Add a time at a place; where it goes on from one that is known, that becomes longer."""
    if windows and windows[-1].until == window.since:
        windows[-1] = windows[-1]._replace(until=window.until)
    elif window not in windows:
        windows.append(window)


def _sharing(session: Session, found: _Case, number: int, common: _Common) -> Sharing:
    same, others = _fates(session, common.doses(), found)
    vials = None if common.vial is None else common.vial.doses // found.doses_per_vial
    stretches = tuple(Stretch(window.since, window.until) for window in common.windows)
    return Sharing(number, common.shared, common.place, stretches, common.attributed, vials, same, others)


def _fates(session: Session, doses: Doses, found: _Case) -> tuple[Fate, Fate]:
    """What became of the doses of the same batch, and of those of others, without the dose itself."""
    left: dict[int, Counter[Any]] = defaultdict(Counter)
    ended: dict[int, Counter[Any]] = defaultdict(Counter)
    same = _is_same(Custody.batch_id, found)
    query = doses.left(same, Location.kind, func.sum(Custody.remaining)).group_by(same, Location.kind)
    for mine, kind, sum_ in session.execute(query):
        left[mine][kind] = int(sum_)
    same = _is_same(Movement.batch_id, found)
    itself = case((Movement.event_id.in_(found.own_events), 1), else_=0).label("itself")
    query = doses.ends(same, itself, Movement.end_kind, func.sum(Movement.doses))
    for mine, own, end, sum_ in session.execute(query.group_by(same, itself, Movement.end_kind)):
        ended[mine][end] += max(int(sum_) - own, 0)
    return Fate(left[1], ended[1]), Fate(left[0], ended[0])


def _is_same(batch_id: Any, found: _Case) -> ColumnElement[int]:
    return case((batch_id == found.batch.id, 1), else_=0).label("same")
