"""Doses are counted, and the book is brought to what is there."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.domain import deadlines
from inventory.domain.custody import pick_vials
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.words import Chosen, End, EventKind, LocationKind, Origin
from inventory.persistence.database import Database
from inventory.persistence.tables import Custody, Facility, Movement
from inventory.services import holdings, ledger, lookups, settled, stock_orders
from inventory.services.holdings import Wanted, Within
from inventory.services.lookups import KnownBatch
from inventory.services.posting import Posted, Request, post
from inventory.services.rules import deadline_rules


@dataclass(frozen=True)
class CountOrder:
    """How many doses of a batch somebody counted in an appliance, in its storage or, `held`, in its quarantine."""

    facility: str
    appliance: str
    gtin: str
    batch: str
    counted: int
    occurred_at: datetime
    held: bool = False
    reason: str | None = None


def count(database: Database, request: Request, order: CountOrder) -> Posted:
    """Record a count. Doses that are not there are missing; doses that no custody explains are found, and isolated.

    The book is taken as it stood at the time of the count, whatever was recorded of later times.

    Raises:
        Invalid: `malformed` for a difference without a reason; else as `stock_orders.scene`.
        Conflict: `time_before_count`; `not_enough_doses` when what is missing was moved on in the book meanwhile.
    """
    return post(database, request, order, _count)


def _count(session: Session, request: Request, order: CountOrder) -> Posted:
    there = stock_orders.scene(session, request, EventKind.COUNT, order)
    facility, known, at = there.facility, there.known, there.at
    appliance = lookups.appliance_of(session, order.appliance, facility)
    wanted = Wanted(EventKind.COUNT, known, None, Within(facility, order.held, appliance.id), at)
    kept = holdings.hold(session, wanted)
    settled.keep_out(session, appliance.code, held=order.held)
    _refuse_after_a_later_count(session, facility, known, order, at)
    book = _book(session, wanted)
    if book != order.counted and order.reason is None:
        raise Invalid(Code.MALFORMED, "reason", None, N_("why the count differs from the book, %(book)d"), book=book)
    details = {"appliance": appliance.code, "held": order.held, "counted": order.counted, "book": book}
    draft = ledger.Draft(EventKind.COUNT, known.batch, facility, at, reason=order.reason, details=details)
    if order.counted < book:
        _missing(session, draft, wanted, (book, order.counted), kept)
    elif order.counted > book:
        rules = deadline_rules(session, known.product.programme_code, facility, at)
        clocks = deadlines.on_arrival(rules, facility.kind, facility.zone, at, ())
        isolated = lookups.location_of(session, appliance, LocationKind.QUARANTINE)
        draft.open_root(isolated, order.counted - book, Origin.FOUND, clocks)
    return Posted(ledger.record(session, request, [draft]))


def _refuse_after_a_later_count(
    session: Session, facility: Facility, known: KnownBatch, order: CountOrder, at: datetime
) -> None:
    """A count corrects the book from its time on; an older one would correct once more what a later one has settled."""
    for later in settled.counts_after(session, [(known.batch.id, facility.id)], at):
        if later.is_of(order.appliance, held=order.held):
            expected = N_("a time not before the last count there, %(counted)s")
            shown = later.at.isoformat()
            raise Conflict(Code.TIME_BEFORE_COUNT, "occurred_at", at.isoformat(), expected, counted=shown)


def _book(session: Session, wanted: Wanted) -> int:
    """What the custodies there held at the time of the count."""
    gone = (
        select(func.coalesce(func.sum(Movement.doses), 0))
        .where(
            Movement.from_custody_id == Custody.id,
            Movement.batch_id == Custody.batch_id,
            Movement.occurred_at <= wanted.at,
        )
        .correlate(Custody)
        .scalar_subquery()
    )
    there = select(func.coalesce(func.sum(Custody.doses - gone), 0)).where(
        Custody.batch_id == wanted.known.batch.id,
        Custody.location_id.in_(holdings.locations(wanted.within)),
        Custody.opened_at <= wanted.at,
        ledger.stands(Custody.event_id, Custody.batch_id),
    )
    return int(session.scalars(there).one())


def _missing(
    session: Session, draft: ledger.Draft, wanted: Wanted, found: tuple[int, int], kept: Container[UUID]
) -> None:
    """What the book had and nobody counted."""
    book, counted = found
    there = [each for each in holdings.find(session, wanted, kept) if each.opened_at <= wanted.at]
    per_vial = wanted.known.product.doses_per_vial
    try:
        takes = pick_vials(there, book - counted, per_vial)
    except Invalid as refused:  # told by what was counted, which is all that the order says
        expected = N_("whole vials of %(per_vial)d doses, unless one was opened: record that first")
        raise Invalid(refused.code, "counted", counted, expected, per_vial=per_vial) from refused
    for take in takes:
        draft.end(take, Chosen.PICKED, End.MISSING)
