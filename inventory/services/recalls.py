"""A batch is recalled: what is anywhere in stock or on its way is held, what was given is listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.custody import Holding, Take
from inventory.domain.handling import HANDLING
from inventory.domain.words import Chosen, EventKind, LocationKind
from inventory.persistence.database import ATTEMPT, Database, LostRace
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Batch, Custody, Deadline, Location
from inventory.services import ledger, lookups, stock_orders, tidings
from inventory.services.holdings import clock_of
from inventory.services.lookups import KnownBatch
from inventory.services.posting import Posted, Request, post


@dataclass(frozen=True)
class RecallOrder:
    """A batch that is recalled, the store that orders it, and why."""

    facility: str
    gtin: str
    batch: str
    occurred_at: datetime
    reason: str


def recall(database: Database, request: Request, order: RecallOrder) -> Posted:
    """Hold every dose of a batch, wherever it is; from then on none is dispatched, released or given.

    A second recall holds what has come free since. Doses that were given are read at the recall (`recalled`).

    Raises:
        Forbidden: `forbidden` for all but supervisors and admins, `not_your_facility`.
        Invalid: as `stock_orders.scene`.
    """
    return post(database, request, order, _recall)


def _recall(session: Session, request: Request, order: RecallOrder) -> Posted:
    there = stock_orders.scene(session, request, EventKind.RECALL, order)
    facility, known, at = there.facility, there.known, there.at
    _wait_for_receipts(session, known.batch)
    kept = _keep(session, known) if session.info.get(ATTEMPT) else None
    found = _everywhere(session, known)
    if kept is not None and any(holding.custody_id not in kept for holding in found):
        raise LostRace  # to wait for these now could be out of turn
    latest = max([at, *(holding.opened_at for holding in found)])  # doses cannot be held before they are there
    draft = ledger.Draft(EventKind.RECALL, known.batch, facility, latest, reason=order.reason)
    beside = _quarantines(session, found)
    for holding in found:
        quarantine = beside[holding.location_id]
        draft.pass_on(Take(holding, holding.remaining), Chosen.NAMED, quarantine, holding.clocks)
    events = ledger.record_together(session, [(request, draft)])  # whatever was counted: it takes what is there now
    tidings.tell_recall(session, known.batch, facility, events[0], request.now)
    return Posted(events)


def _wait_for_receipts(session: Session, batch: Batch) -> None:
    """Receipts and releases that are being written keep the batch's row; those that come later see the recall.

    All others take doses out of what the recall takes, too: one of the two begins anew. They must not wait for this
    row, which each event's foreign key asks for when it holds custodies already.
    """
    session.execute(select(Batch.id).where(Batch.id == batch.id).with_for_update(key_share=True)).all()


def _keep(session: Session, known: KnownBatch) -> frozenset[UUID]:
    """Keep others from what they were faster to take before; where it is now is looked up once they are waited for."""
    mine = select(Custody.id).where(Custody.batch_id == known.batch.id, Custody.remaining > 0)
    return frozenset(session.scalars(mine.order_by(Custody.id).with_for_update(key_share=True)))


def _everywhere(session: Session, known: KnownBatch) -> list[Holding]:
    sources = HANDLING[EventKind.RECALL].sources
    rows = session.execute(
        select(Custody, Location.kind)
        .join(Location, Location.id == Custody.location_id)
        .where(Custody.batch_id == known.batch.id, Custody.remaining > 0, Location.kind.in_(sources))
        .order_by(Custody.id)
    ).all()
    clocks: dict[Any, list[Any]] = {}
    query = select(Deadline).where(Deadline.batch_id == known.batch.id)
    for (clock,) in rows_in(session, query, Deadline.custody_id, [custody.id for custody, _ in rows]):
        clocks.setdefault(clock.custody_id, []).append(clock_of(clock))
    return [
        Holding(
            each.id, each.remaining, known.batch.expiry, each.opened_at, tuple(clocks.get(each.id, ())),
            each.location_id, kind, each.origin,
        )
        for each, kind in rows
    ]  # fmt: skip


def _quarantines(session: Session, holdings: Sequence[Holding]) -> dict[Any, Any]:
    """The quarantine beside each location."""
    places = {holding.location_id for holding in holdings}
    return {place: lookups.beside(session, place, LocationKind.QUARANTINE) for place in places if place}
