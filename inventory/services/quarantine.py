"""Doses are isolated, and given free again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain import deadlines
from inventory.domain.custody import Take
from inventory.domain.deadlines import Deadline
from inventory.domain.errors import N_, Code, Conflict
from inventory.domain.words import EventKind, LocationKind, Origin, Outcome, Paper
from inventory.persistence.database import Database
from inventory.persistence.tables import Batch, Custody, Location, StockEvent
from inventory.services import ledger, lookups, stock_orders
from inventory.services.posting import Posted, Request, post
from inventory.services.rules import deadline_rules
from inventory.services.stock_orders import Scene, StockOrder


@dataclass(frozen=True, kw_only=True)
class HoldOrder(StockOrder):
    """Doses to be isolated, in their appliance's quarantine or on their way, and why."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class ReleaseOrder(StockOrder):
    """Doses to be given free, why, and the papers that had been missing."""

    reason: str
    papers: tuple[Paper, ...] = ()
    held: bool = True


def hold(database: Database, request: Request, order: HoldOrder) -> Posted:
    """Isolate doses: they go into quarantine beside where they are, their clocks running on.

    Raises:
        Forbidden, Invalid: as `stock_orders.scene`; Conflict, Invalid: as `choice.choose`.
    """
    return post(database, request, order, _hold)


def release(database: Database, request: Request, order: ReleaseOrder) -> Posted:
    """Give doses free: they go back into storage, or on with their shipment.

    Raises:
        Conflict: `papers_incomplete` where papers are missing that a receipt waits for, `origin_unknown` for doses
            that no supplier's receipt explains, `batch_recalled`, and as for `hold`.
    """
    return post(database, request, order, _release)


def _hold(session: Session, request: Request, order: HoldOrder) -> Posted:
    there = stock_orders.scene(session, request, EventKind.HOLD, order)
    takes, chosen = stock_orders.takes(session, there, order)
    draft = there.draft(order, reason=order.reason)
    for take in takes:
        draft.pass_on(take, chosen, _beside(session, take, LocationKind.QUARANTINE), take.holding.clocks)
    return Posted(ledger.record(session, request, [draft]))


def _release(session: Session, request: Request, order: ReleaseOrder) -> Posted:
    there = _before_any_recall(session, stock_orders.scene(session, request, EventKind.RELEASE, order))
    takes, chosen = stock_orders.takes(session, there, order)
    draft = there.draft(order, reason=order.reason, details={"papers": list(order.papers)})
    for take in takes:
        _may_be_free(session, take, order)
        location = _free_location(session, take)
        draft.pass_on(take, chosen, location.id, _clocks(session, there, take, location))
    return Posted(ledger.record(session, request, [draft]))


def _before_any_recall(session: Session, there: Scene) -> Scene:
    """A recall that is being written leaves quarantine alone: the release waits for it, or it for the release."""
    batch = there.known.batch
    session.execute(select(Batch.id).where(Batch.id == batch.id).with_for_update(read=True)).all()
    return replace(there, known=there.known._replace(recalled=lookups.is_recalled(session, batch)))


def _beside(session: Session, take: Take, kind: LocationKind) -> UUID:
    assert take.holding.location_id is not None  # noqa: S101  (what was read from the database has one)
    return lookups.beside(session, take.holding.location_id, kind)


def _free_location(session: Session, take: Take) -> Location:
    here = session.get_one(Location, take.holding.location_id)
    kind = LocationKind.STORAGE if here.appliance_id else LocationKind.TRANSIT
    return session.get_one(Location, _beside(session, take, kind))


def _clocks(session: Session, there: Scene, take: Take, location: Location) -> Iterable[Deadline]:
    """Clocks run on; doses that were returned to a store and are given free begin to be delivered anew."""
    if location.shipment_id is not None:
        return take.holding.clocks
    facility = there.facility
    rules = deadline_rules(session, there.known.product.programme_code, facility, there.at)
    return deadlines.on_arrival(rules, facility.kind, facility.zone, there.at, take.holding.clocks)


def _may_be_free(session: Session, take: Take, order: ReleaseOrder) -> None:
    """Doses that were found have no past that anybody knows; doses held for papers wait for these."""
    root, opening = _held_since(session, take.custody_id)
    if root.origin is Origin.FOUND:
        expected = N_("doses that a receipt explains; correct the count, or record the receipt")
        raise Conflict(Code.ORIGIN_UNKNOWN, "custody", take.custody_id, expected)
    waited_for = (opening.details or {}).get("missing_papers", []) if _is_held_receipt(opening) else []
    missing = ", ".join(paper for paper in waited_for if paper not in order.papers)
    if missing:
        expected = N_("these papers: %(missing)s")
        raise Conflict(Code.PAPERS_INCOMPLETE, "papers", ", ".join(order.papers), expected, missing=missing)


def _is_held_receipt(event: StockEvent) -> bool:
    return event.kind is EventKind.RECEIVE and (event.details or {}).get("outcome") == Outcome.HOLD


def _held_since(session: Session, custody_id: UUID) -> tuple[Custody, StockEvent]:
    """The root of a custody, and the event that put it into quarantine, wherever it has been held since."""
    root = session.scalars(select(Custody).where(Custody.id == custody_id)).one()
    first, held = root, True
    while root.parent_id is not None:
        root = session.get_one(Custody, (root.parent_id, root.batch_id))
        held = held and session.get_one(Location, root.location_id).kind is LocationKind.QUARANTINE
        first = root if held else first
    return root, session.get_one(StockEvent, (first.event_id, first.batch_id))
