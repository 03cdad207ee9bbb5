"""The events that took doses out of a pack by its code, and when nothing was left of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.words import End
from inventory.persistence.tables import Custody, Movement, StockEvent, Token
from inventory.services.chains import Step
from inventory.services.ledger import stands
from inventory.services.pack_places import Held


@dataclass(frozen=True)
class PackUse:
    """Doses of a pack that were given or wasted by an event, which was not corrected."""

    step: Step
    end: End
    doses: int


def uses_of(session: Session, held: Held, way: Sequence[UUID]) -> tuple[PackUse, ...]:
    """The uses of a pack, by time, out of the custodies on its `way` or opened beside them; no other is looked through.

    A vial that is opened out of a pack stays beside it in a custody of its own.
    """
    pack = held.pack
    if pack.remaining == pack.doses or not way:
        return ()
    around = aliased(Custody)
    beside = exists().where(
        around.id == Custody.parent_id, around.batch_id == Custody.batch_id, around.location_id == Custody.location_id
    )
    query = (
        select(StockEvent, Token.name, Movement.end_kind)
        .join(Movement, and_(Movement.event_id == StockEvent.id, Movement.batch_id == StockEvent.batch_id))
        .join(Custody, and_(Custody.id == Movement.from_custody_id, Custody.batch_id == Movement.batch_id))
        .join(Token, Token.id == StockEvent.actor_id)
        .where(
            Custody.batch_id == pack.batch_id,
            or_(Custody.id.in_(way), and_(Custody.parent_id.in_(way), beside)),
            Movement.end_kind.is_not(None),
            Movement.reverses_id.is_(None),
            stands(StockEvent.id, StockEvent.batch_id),
        )
        .order_by(StockEvent.occurred_at, StockEvent.id)
    )
    found: dict[object, PackUse] = {}
    for event, actor, end in session.execute(query):
        doses = (event.details or {}).get("packs", {}).get(pack.code)
        if doses is not None and end is not None:
            step = Step(event.id, event.kind, event.occurred_at, event.recorded_at, actor)
            found[event.id] = PackUse(step, end, doses)
    return tuple(found.values())


def gone_of(session: Session, held: Held, way: Sequence[UUID], there: int) -> tuple[datetime, End] | None:
    """When the last doses of a pack left the ledger, and how; None while there are any.

    By its own code, by that of a sealed pack around it, or with all that its custody held, of which `there` are left:
    then nobody knows which doses left last, and the last of all is taken.
    """
    for place, row in enumerate(held.way):
        if not row.remaining and not row.opened:
            uses = uses_of(session, Held(held.way[place:]), way)
            return (uses[-1].step.occurred_at, uses[-1].end) if uses else None
    return None if there or not way else _emptied(session, held.pack.batch_id, way[-1])


def _emptied(session: Session, batch_id: UUID, custody: UUID) -> tuple[datetime, End] | None:
    query = (
        select(Movement.occurred_at, Movement.end_kind)
        .where(Movement.from_custody_id == custody, Movement.batch_id == batch_id, Movement.doses > 0)
        .where(Movement.end_kind.is_not(None), stands(Movement.event_id, Movement.batch_id))
        .order_by(Movement.occurred_at.desc(), Movement.id.desc())
    )
    row = session.execute(query.limit(1)).one_or_none()
    return None if row is None or row.end_kind is None else (row.occurred_at, row.end_kind)
