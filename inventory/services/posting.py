"""Carrying out a ledger request once: one transaction, claimed by its Idempotency-Key."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from cattrs.preconf.json import make_converter
from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, ColdtrailError, Conflict, Unavailable
from inventory.domain.words import Chosen, End, EventKind
from inventory.persistence.database import ATTEMPT, Database
from inventory.persistence.statements import insert_unless_there
from inventory.persistence.tables import IdempotencyKey
from inventory.services.access import Actor

Order = TypeVar("Order")

_converter = make_converter()
_converter.register_unstructure_hook(UUID, str)
_converter.register_structure_hook(UUID, lambda text, _: UUID(text))


def _posted_or_fault(found: dict[str, Any], _: object) -> "Posted | Fault":
    shape: type[Posted | Fault] = Posted if "events" in found else Fault
    return _converter.structure(found, shape)


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
    reason: str | None = None


@dataclass(frozen=True)
class Posted:
    """What a request wrote: its events, the shipment that it began or received, and the one that goes back."""

    events: tuple[PostedEvent, ...]
    shipment: UUID | None = None
    return_shipment: UUID | None = None


@dataclass(frozen=True)
class Fault:
    """Why one line of a list was refused: the parts of the error."""

    kind: str
    code: Code
    field: str
    value: str
    expected: str
    facts: dict[str, str | int]

    @staticmethod
    def of(error: ColdtrailError) -> "Fault":
        """The parts of an error, as they can be kept; of lines of a file those of the first."""
        facts = {name: fact if isinstance(fact, int) else str(fact) for name, fact in error.facts.items()}
        kind = next(each for each in type(error).__mro__ if ColdtrailError in each.__bases__)
        return Fault(kind.__name__, error.code, error.field, str(error.value), error.expected, facts)


@dataclass(frozen=True)
class PostedList:
    """What each line of a list wrote, or why it was refused."""

    results: tuple[Posted | Fault, ...]


@dataclass(frozen=True)
class PostedStatement:
    """A statement that was written beside the ledger: what it is about, and which one of it this is."""

    about: UUID
    version: int
    recorded_at: datetime


_converter.register_structure_hook_func(lambda kind: kind == (Posted | Fault), _posted_or_fault)
Outcome = TypeVar("Outcome", Posted, PostedList, PostedStatement)
"""What is answered to a request."""


def post(
    database: Database, request: Request, order: Order, work: Callable[[Session, Request, Order], Posted]
) -> Posted:
    """Carry out an order once, and answer a repeat of it with what was answered before.

    Raises:
        Conflict: `idempotency_key_reused` when the key came with another order.
        ColdtrailError: what `work` raises; nothing is written then, the key stays free.
    """
    return _once(database, request, order, work, Posted)


def post_list(
    database: Database, request: Request, order: Order, work: Callable[[Session, Request, Order], PostedList]
) -> PostedList:
    """Carry out a list of orders once; as `post`."""
    return _once(database, request, order, work, PostedList)


def post_statement(
    database: Database, request: Request, order: Order, work: Callable[[Session, Request, Order], PostedStatement]
) -> PostedStatement:
    """Write a statement once; as `post`."""
    return _once(database, request, order, work, PostedStatement)


def post_together(
    database: Database,
    entries: Sequence[tuple[Request, Order]],
    work: Callable[[Session, Sequence[tuple[Request, Order]]], Sequence[Posted | None]],
) -> Sequence[Posted | None]:
    """Carry out the orders of several requests in one transaction; None for one that is refused, and writes nothing.

    It is tried once: where anything is in the way of one of them, all are to go by themselves.
    """
    digests = [_digest(order) for _, order in entries]

    def once(session: Session) -> Sequence[Posted | None]:
        if session.info[ATTEMPT]:
            raise _Apart
        outcomes = work(session, entries)
        mine = zip(entries, digests, outcomes, strict=True)
        rows = [_key_row(request, digest, posted) for (request, _), digest, posted in mine if posted]
        if insert_unless_there(session, IdempotencyKey, rows) < len(rows):
            raise _Apart
        return outcomes

    return database.write(once)


class _Apart(Exception):
    """The orders cannot be carried out together."""


class _AnsweredBefore(Exception):
    """The key is taken: what this transaction has written is to be forgotten."""


def _once(
    database: Database,
    request: Request,
    order: Order,
    work: Callable[[Session, Request, Order], Outcome],
    shape: type[Outcome],
) -> Outcome:
    """Carry out the order and write its key with the outcome, last of all; who finds the key taken answers from it.

    A repeat may be refused for what its first time has changed, so a refusal looks for the key, too.
    """
    digest = _digest(order)

    def once(session: Session) -> Outcome:
        outcome = work(session, request, order)
        _keep(session, request, digest, outcome)
        return outcome

    try:
        return database.write(once)
    except Unavailable:
        raise
    except (_AnsweredBefore, ColdtrailError):
        earlier = _earlier(database, request, digest)
        if earlier is None:
            raise
        return _converter.structure(earlier, shape)


def _keep(session: Session, request: Request, digest: str, outcome: Posted | PostedList | PostedStatement) -> None:
    """Write the key; where another transaction is writing it at this moment, this waits for it and gives way."""
    if not insert_unless_there(session, IdempotencyKey, [_key_row(request, digest, outcome)]):
        raise _AnsweredBefore


def _key_row(request: Request, digest: str, outcome: Posted | PostedList | PostedStatement) -> dict[str, Any]:
    return {
        "actor_id": request.actor.id,
        "key": request.key,
        "digest": digest,
        "outcome": _converter.unstructure(outcome),
        "recorded_at": request.now,
    }


def _earlier(database: Database, request: Request, digest: str) -> dict[str, Any] | None:
    """What was answered under the key before.

    Raises:
        Conflict: `idempotency_key_reused` when that was another order.
    """
    mine = (IdempotencyKey.actor_id == request.actor.id) & (IdempotencyKey.key == request.key)
    with database.read() as session:
        found = session.execute(select(IdempotencyKey.digest, IdempotencyKey.outcome).where(mine)).one_or_none()
    if found is None:
        return None
    if found.digest != digest:
        raise Conflict(Code.KEY_REUSED, "Idempotency-Key", request.key, N_("a new key for a new request"))
    outcome: dict[str, Any] = found.outcome
    return outcome


def _digest(order: object) -> str:
    text = type(order).__name__ + _converter.dumps(order, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
