"""Custodies with what opened them: upward as the chain of one, or all those of a batch."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from inventory.domain.deadlines import RuleName
from inventory.domain.words import Chosen, EventKind, Origin
from inventory.persistence.tables import Custody, Deadline, Location, Movement, StockEvent, Token
from inventory.services.ledger import stands
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
    """A custody in a trail: doses that a place held from `opened_by` on; `chosen` is how its source was found.

    A root has an origin: found doses have no past that anybody knows. `corrected`: what opened it was reversed.
    """

    custody: UUID
    parent: UUID | None
    depth: int
    place: Place
    doses: int
    remaining: int
    origin: Origin | None
    corrected: bool
    chosen: Chosen | None
    opened_by: Step
    deadlines: tuple[ClockLine, ...]


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
                Custody.origin,
                (~stands(Custody.event_id, Custody.batch_id)).label("corrected"),
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


def custodies(session: Session, batch_id: UUID) -> Sequence[Any]:
    """All custodies of a batch, by opening."""
    query = _custody_query().where(Custody.batch_id == batch_id).order_by(Custody.opened_at, Custody.id)
    return session.execute(query).all()


def chain(session: Session, batch_id: UUID, custody_id: UUID) -> Sequence[Any]:
    """A custody and those above it, root first."""
    upward = (
        select(Custody.id, Custody.parent_id)
        .where(Custody.id == custody_id, Custody.batch_id == batch_id)
        .cte("upward", recursive=True)
    )
    upward = upward.union_all(
        select(Custody.id, Custody.parent_id).where(Custody.id == upward.c.parent_id, Custody.batch_id == batch_id)
    )
    query = _custody_query().join(upward, upward.c.id == Custody.id).where(Custody.batch_id == batch_id)
    by_id = {row.id: row for row in session.execute(query)}
    way = [by_id[custody_id]]
    while way[-1].parent_id is not None:
        way.append(by_id[way[-1].parent_id])
    return way[::-1]


def lines(session: Session, batch_id: UUID, rows: Sequence[Any]) -> list[CustodyLine]:
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
            origin=row.origin,
            corrected=row.corrected,
            chosen=row.chosen,
            opened_by=Step(row.event_id, row.kind, row.occurred_at, row.recorded_at, row.actor),
            deadlines=tuple(clocks[row.id]),
        )
        for row in rows
    ]
