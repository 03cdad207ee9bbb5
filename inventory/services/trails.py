"""Trails: a dose followed to the warehouse it came from, and a batch to everywhere it went."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.exposure import Band
from inventory.domain.words import Chosen, End, EventKind, LocationKind, Origin
from inventory.persistence.database import Database
from inventory.persistence.tables import (
    Batch,
    Facility,
    Movement,
    Product,
    StockEvent,
    StorageProfile,
    Token,
)
from inventory.services import chains, lookups
from inventory.services.chains import CustodyLine, Step
from inventory.services.evidence import Evidence, evidence
from inventory.services.ledger import stands


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
    corrected: bool
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
    found: int
    on_hand: int
    in_quarantine: int
    in_transit: int
    administered: int
    wasted: int
    returned: int
    missing: int
    custodies: tuple[CustodyLine, ...]


def administration_trail(database: Database, administration: UUID) -> DoseTrail:
    """The way of the doses that one administration gave.

    Raises:
        NotFound: `not_found`.
    """
    with database.read() as session:
        found = session.execute(
            select(StockEvent, Token.name, Batch, StorageProfile, Facility.code, ~stands(StockEvent.id, Batch.id))
            .join(Token, Token.id == StockEvent.actor_id)
            .join(Batch, Batch.id == StockEvent.batch_id)
            .join(Product, Product.gtin == Batch.gtin)
            .join(StorageProfile, StorageProfile.code == Product.profile_code)
            .join(Facility, Facility.id == StockEvent.facility_id)
            .where(StockEvent.id == administration, StockEvent.kind == EventKind.ADMINISTER)
        ).one_or_none()
        if found is None:
            raise NotFound(Code.NOT_FOUND, "administration", administration, N_("the id of an administration"))
        event, actor, batch, profile, facility, corrected = found
        given = session.scalars(
            select(Movement).where(Movement.event_id == event.id, Movement.batch_id == batch.id).order_by(Movement.id)
        ).all()
        band = Band(profile.low, profile.high)
        chains = tuple(Chain(line.doses, line.chosen, _stages(session, line, band)) for line in given)
        step = Step(event.id, event.kind, event.occurred_at, event.recorded_at, actor)
        return DoseTrail(batch.gtin, batch.number, step, facility, corrected, chains)


def batch_trail(database: Database, gtin: str, number: str) -> BatchTrail:
    """The tree of a batch.

    Raises:
        NotFound: `unknown_product` or `unknown_batch`.
        Invalid: `malformed` or `wrong_check_digit` for the GTIN.
    """
    with database.read() as session:
        batch = lookups.batch_at_address(session, gtin, number)
        lines = chains.lines(session, batch.id, _in_tree_order(chains.custodies(session, batch.id)))
        ends = _ends(session, batch.id)
    left: Counter[LocationKind] = Counter()
    for line in lines:
        left[line.place.kind] += line.remaining
    return BatchTrail(
        gtin=batch.gtin,
        batch=batch.number,
        received=_began(lines, Origin.SUPPLIED),
        found=_began(lines, Origin.FOUND),
        on_hand=left[LocationKind.STORAGE],
        in_quarantine=left[LocationKind.QUARANTINE],
        in_transit=left[LocationKind.TRANSIT],
        administered=ends.get(End.ADMINISTERED, 0),
        wasted=ends.get(End.WASTED, 0),
        returned=ends.get(End.RETURNED, 0),
        missing=ends.get(End.MISSING, 0),
        custodies=tuple(lines),
    )


def _began(lines: Sequence[CustodyLine], origin: Origin) -> int:
    return sum(line.doses for line in lines if line.origin is origin and not line.corrected)


def _stages(session: Session, given: Movement, band: Band) -> tuple[Stage, ...]:
    """Root to end: each custody lasted, for these doses, until the next one opened or they were given."""
    assert given.from_custody_id is not None  # noqa: S101  (an end takes from a custody, by the table's check)
    rows = chains.chain(session, given.batch_id, given.from_custody_id)
    lines = chains.lines(session, given.batch_id, rows)
    lefts = [line.opened_by.occurred_at for line in lines[1:]] + [given.occurred_at]
    locations = [row.location_id for row in rows]
    return tuple(
        Stage(line, left, evidence(session, location, line.opened_by.occurred_at, left, band))
        for line, left, location in zip(lines, lefts, locations, strict=True)
    )


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
