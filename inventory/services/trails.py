"""Trails: a dose followed to the warehouse it came from, and a batch to everywhere it went."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from inventory.domain.deadlines import RuleName
from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.exposure import Band
from inventory.domain.words import Chosen, End, EventKind, LocationKind
from inventory.persistence.database import Database
from inventory.persistence.tables import (
    Batch,
    Custody,
    Deadline,
    Facility,
    Location,
    Movement,
    Product,
    StockEvent,
    StorageProfile,
    Token,
)
from inventory.services import lookups
from inventory.services.evidence import Evidence, evidence
from inventory.services.places import Place, place_of, with_place


@dataclass(frozen=True)
class Step:
    """The event that opened a custody or ended one: what, when, known since when, and by whom."""

    event: UUID
    kind: EventKind
    occurred_at: datetime
    recorded_at: datetime
    actor: str


@dataclass(frozen=True)
class ClockLine:
    """A deadline that ran on a custody."""

    name: RuleName
    rule_set: str
    opened_at: datetime
    due_at: datetime


@dataclass(frozen=True)
class CustodyLine:
    """A custody in a trail: doses that a place held from `opened_by` on; `chosen` is how its source was found."""

    custody: UUID
    parent: UUID | None
    depth: int
    place: Place
    doses: int
    remaining: int
    chosen: Chosen | None
    opened_by: Step
    deadlines: tuple[ClockLine, ...]


@dataclass(frozen=True)
class Stage:
    """A custody on the way of a dose, until the dose left it, with what was seen of its place meanwhile."""

    custody: CustodyLine
    until: datetime
    evidence: Evidence


@dataclass(frozen=True)
class DoseTrail:
    """The chain of custody of administered doses, from the supplier's receipt to the administration.

    One administration may take doses from several custodies: then it has as many chains.
    """

    gtin: str
    batch: str
    administration: Step
    facility: str
    chains: tuple["Chain", ...]


@dataclass(frozen=True)
class Chain:
    """Doses with one way: how its last custody was chosen, and the stages from the root to the end."""

    doses: int
    chosen: Chosen | None
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class BatchTrail:
    """The tree of a batch: its custodies, root first and children behind their parent, and where its doses are."""

    gtin: str
    batch: str
    received: int
    on_hand: int
    in_quarantine: int
    in_transit: int
    administered: int
    custodies: tuple[CustodyLine, ...]


def administration_trail(database: Database, administration: UUID) -> DoseTrail:
    """The way of the doses that one administration gave.

    Raises:
        NotFound: `not_found`.
    """
    with database.read() as session:
        found = session.execute(
            select(StockEvent, Token.name, Batch, StorageProfile, Facility.code)
            .join(Token, Token.id == StockEvent.actor_id)
            .join(Batch, Batch.id == StockEvent.batch_id)
            .join(Product, Product.gtin == Batch.gtin)
            .join(StorageProfile, StorageProfile.code == Product.profile_code)
            .join(Facility, Facility.id == StockEvent.facility_id)
            .where(StockEvent.id == administration, StockEvent.kind == EventKind.ADMINISTER)
        ).one_or_none()
        if found is None:
            raise NotFound(Code.NOT_FOUND, "administration", administration, N_("the id of an administration"))
        event, actor, batch, profile, facility = found
        given = session.scalars(
            select(Movement).where(Movement.event_id == event.id, Movement.batch_id == batch.id).order_by(Movement.id)
        ).all()
        band = Band(profile.low, profile.high)
        chains = tuple(Chain(line.doses, line.chosen, _stages(session, line, band)) for line in given)
        step = Step(event.id, event.kind, event.occurred_at, event.recorded_at, actor)
        return DoseTrail(batch.gtin, batch.number, step, facility, chains)


def batch_trail(database: Database, gtin: str, number: str) -> BatchTrail:
    """The tree of a batch.

    Raises:
        NotFound: `unknown_product` or `unknown_batch`.
        Invalid: `malformed` or `wrong_check_digit` for the GTIN.
    """
    with database.read() as session:
        batch = lookups.batch_at_address(session, gtin, number)
        lines = _lines(session, batch.id, _in_tree_order(_custodies(session, batch.id)))
        ends = _ends(session, batch.id)
    left: Counter[LocationKind] = Counter()
    for line in lines:
        left[line.place.kind] += line.remaining
    return BatchTrail(
        gtin=batch.gtin,
        batch=batch.number,
        received=sum(line.doses for line in lines if line.parent is None),
        on_hand=left[LocationKind.STORAGE],
        in_quarantine=left[LocationKind.QUARANTINE],
        in_transit=left[LocationKind.TRANSIT],
        administered=ends.get(End.ADMINISTERED, 0),
        custodies=tuple(lines),
    )


def _stages(session: Session, given: Movement, band: Band) -> tuple[Stage, ...]:
    """Root to end: each custody lasted, for these doses, until the next one opened or they were given."""
    assert given.from_custody_id is not None  # noqa: S101  (an end takes from a custody, by the table's check)
    rows = _chain(session, given.batch_id, given.from_custody_id)
    lines = _lines(session, given.batch_id, rows)
    lefts = [line.opened_by.occurred_at for line in lines[1:]] + [given.occurred_at]
    locations = [row.location_id for row in rows]
    return tuple(
        Stage(line, left, evidence(session, location, line.opened_by.occurred_at, left, band))
        for line, left, location in zip(lines, lefts, locations, strict=True)
    )


def _custody_query() -> Any:
    """Custodies with their place, their opening event and how their source was chosen."""
    return (
        with_place(
            select(
                Custody.id,
                Custody.parent_id,
                Custody.location_id,
                Custody.doses,
                Custody.remaining,
                Movement.chosen,
                StockEvent.id.label("event_id"),
                StockEvent.kind,
                StockEvent.occurred_at,
                StockEvent.recorded_at,
                Token.name.label("actor"),
            ).join(Location, Location.id == Custody.location_id)
        )
        .join(StockEvent, and_(StockEvent.id == Custody.event_id, StockEvent.batch_id == Custody.batch_id))
        .join(Token, Token.id == StockEvent.actor_id)
        .join(
            Movement,
            and_(
                Movement.event_id == Custody.event_id,
                Movement.batch_id == Custody.batch_id,
                Movement.to_custody_id == Custody.id,
            ),
        )
    )


def _custodies(session: Session, batch_id: UUID) -> Sequence[Any]:
    """All custodies of a batch, by opening."""
    query = _custody_query().where(Custody.batch_id == batch_id).order_by(Custody.opened_at, Custody.id)
    return session.execute(query).all()


def _chain(session: Session, batch_id: UUID, custody_id: UUID) -> Sequence[Any]:
    """A custody and those above it, root first."""
    chain = (
        select(Custody.id, Custody.parent_id)
        .where(Custody.id == custody_id, Custody.batch_id == batch_id)
        .cte("chain", recursive=True)
    )
    chain = chain.union_all(
        select(Custody.id, Custody.parent_id).where(Custody.id == chain.c.parent_id, Custody.batch_id == batch_id)
    )
    query = _custody_query().join(chain, chain.c.id == Custody.id).where(Custody.batch_id == batch_id)
    by_id = {row.id: row for row in session.execute(query)}
    upward = [by_id[custody_id]]
    while upward[-1].parent_id is not None:
        upward.append(by_id[upward[-1].parent_id])
    return upward[::-1]


def _lines(session: Session, batch_id: UUID, rows: Sequence[Any]) -> list[CustodyLine]:
    """The lines of custodies that are ordered each behind its parent."""
    clocks: dict[UUID, list[ClockLine]] = defaultdict(list)
    for clock in session.scalars(select(Deadline).where(Deadline.batch_id == batch_id)):
        clocks[clock.custody_id].append(ClockLine(clock.name, clock.rule_set, clock.opened_at, clock.due_at))
    depths: dict[UUID | None, int] = {None: -1}
    for row in rows:
        depths[row.id] = depths[row.parent_id] + 1
    return [
        CustodyLine(
            custody=row.id,
            parent=row.parent_id,
            depth=depths[row.id],
            place=place_of(row),
            doses=row.doses,
            remaining=row.remaining,
            chosen=row.chosen,
            opened_by=Step(row.event_id, row.kind, row.occurred_at, row.recorded_at, row.actor),
            deadlines=tuple(clocks[row.id]),
        )
        for row in rows
    ]


def _in_tree_order(rows: Sequence[Any]) -> list[Any]:
    """Each custody behind its parent, siblings by opening: ids and times of two processes may contradict that."""
    children: dict[UUID | None, list[Any]] = defaultdict(list)
    for row in rows:
        children[row.parent_id].append(row)
    ordered = []
    waiting = children[None][::-1]
    while waiting:
        row = waiting.pop()
        ordered.append(row)
        waiting += children[row.id][::-1]
    return ordered


def _ends(session: Session, batch_id: UUID) -> dict[End, int]:
    query = (
        select(Movement.end_kind, func.sum(Movement.doses))
        .where(Movement.batch_id == batch_id, Movement.end_kind.is_not(None))
        .group_by(Movement.end_kind)
    )
    return {kind: int(doses) for kind, doses in session.execute(query) if kind is not None}
