"""Carrying out a ledger request once: one transaction, claimed by its Idempotency-Key."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from cattrs.preconf.json import make_converter
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Conflict
from inventory.domain.words import Chosen, End, EventKind
from inventory.persistence.database import Database
from inventory.persistence.statements import insert_new
from inventory.persistence.tables import IdempotencyKey
from inventory.services.access import Actor

Order = TypeVar("Order")

_converter = make_converter()
_converter.register_unstructure_hook(UUID, str)
_converter.register_structure_hook(UUID, lambda text, _: UUID(text))


@dataclass(frozen=True)
class Request:
    """Who asks, when, and the key by which a repeat is known."""

    actor: Actor
    now: datetime
    key: str


@dataclass(frozen=True)
class PostedMovement:
    """Doses that an event moved: from a custody (none for a receipt from a supplier) into another, or to an end."""

    from_custody: UUID | None
    to_custody: UUID | None
    end: End | None
    doses: int
    chosen: Chosen | None


@dataclass(frozen=True)
class PostedEvent:
    """A stock event as it was recorded."""

    id: UUID
    kind: EventKind
    facility: str
    gtin: str
    batch: str
    occurred_at: datetime
    recorded_at: datetime
    movements: tuple[PostedMovement, ...]


@dataclass(frozen=True)
class Posted:
    """What a request wrote: its events, and the shipment that it began or received."""

    events: tuple[PostedEvent, ...]
    shipment: UUID | None = None


def post(
    database: Database, request: Request, order: Order, work: Callable[[Session, Request, Order], Posted]
) -> Posted:
    """Carry out an order once, and answer a repeat of it with what was answered before.

    Raises:
        Conflict: `idempotency_key_reused` when the key came with another order.
        ColdtrailError: what `work` raises; nothing is written then, the key stays free.
    """
    digest = _digest(order)

    def once(session: Session) -> Posted:
        earlier = _claim(session, request, digest)
        if earlier is not None:
            return _converter.structure(earlier, Posted)
        posted = work(session, request, order)
        _keep(session, request, posted)
        return posted

    return database.write(once)


def _claim(session: Session, request: Request, digest: str) -> dict[str, Any] | None:
    """Claim the key, or find what was answered under it; a repeat at the same moment waits here for the first."""
    claim = {
        "actor_id": request.actor.id,
        "key": request.key,
        "digest": digest,
        "outcome": {},
        "recorded_at": request.now,
    }
    if insert_new(session, IdempotencyKey, [claim]):
        return None
    mine = (IdempotencyKey.actor_id == request.actor.id) & (IdempotencyKey.key == request.key)
    stored_digest, outcome = session.execute(select(IdempotencyKey.digest, IdempotencyKey.outcome).where(mine)).one()
    if stored_digest != digest:
        raise Conflict(Code.KEY_REUSED, "Idempotency-Key", request.key, N_("a new key for a new request"))
    found: dict[str, Any] = outcome
    return found


def _keep(session: Session, request: Request, posted: Posted) -> None:
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.actor_id == request.actor.id, IdempotencyKey.key == request.key)
        .values(outcome=_converter.unstructure(posted))
    )


def _digest(order: object) -> str:
    text = type(order).__name__ + _converter.dumps(order, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
