"""Doses that were sent and did not arrive are explained: found, lost, or gone to somebody else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.domain import deadlines
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.words import End, EventKind, Explanation, LocationKind, WasteReason
from inventory.persistence.database import Database
from inventory.persistence.tables import Facility, Shipment
from inventory.services import choice, ledger, lookups, stock_orders, tidings, vials
from inventory.services.holdings import Wanted, Within
from inventory.services.posting import Posted, Request, post
from inventory.services.rules import deadline_rules
from inventory.services.stock_orders import Scene, StockOrder


@dataclass(frozen=True)
class ExplanationOrder:
    """What became of doses that are still in transit after their shipment arrived, and who says so.

    `found`: the sender or the receiver has them; `mis_shipped`: another facility has; both in quarantine of an
    appliance of theirs. `lost`: nobody has, the sender or the receiver says so.
    """

    shipment: UUID
    facility: str
    gtin: str
    batch: str
    doses: int
    explanation: Explanation
    occurred_at: datetime
    reason: str
    appliance: str | None = None


def explain(database: Database, request: Request, order: ExplanationOrder) -> Posted:
    """Explain a shortfall, or a part of it.

    Raises:
        NotFound: `not_found` for the shipment.
        Conflict: `no_shortfall` while the shipment has not arrived, `not_enough_doses` for more than is missing.
        Invalid: `malformed` without an appliance for doses that are somewhere, `wrong_facility_kind` when the one who
            explains has no part in it, `time_before_shipment` for a time before the shipment's arrival.
    """
    return post(database, request, order, _explain)


def _explain(session: Session, request: Request, order: ExplanationOrder) -> Posted:
    shipment = lookups.shipment(session, order.shipment)
    lost = order.explanation is Explanation.LOST
    wanted = StockOrder(
        facility=order.facility, gtin=order.gtin, batch=order.batch, occurred_at=order.occurred_at, doses=order.doses,
        shipment=order.shipment,
    )  # fmt: skip
    there = stock_orders.scene(session, request, EventKind.WASTE if lost else EventKind.RECEIVE, wanted)
    _refuse_outsiders(shipment, there.facility, order)
    if shipment.arrived_at is None:
        raise Conflict(Code.NO_SHORTFALL, "shipment", shipment.id, N_("a shipment that has arrived"))
    _refuse_early(shipment.arrived_at, there.at)
    draft = there.draft(
        wanted,
        reason=order.reason,
        cause=WasteReason.LOST if lost else None,
        details={"explanation": order.explanation},
    )
    aboard = Wanted(there.kind, there.known, order.doses, Within(there.facility, shipment_id=shipment.id), there.at)
    takes, chosen = choice.choose_on_board(session, aboard, order.doses)
    for take in takes:
        if lost:
            draft.end(take, chosen, End.WASTED)
        else:
            location, clocks = _into_quarantine(session, there, order, take.holding.clocks)
            draft.pass_on(take, chosen, location, clocks)
    events = ledger.record(session, request, [draft])
    if order.explanation is Explanation.MIS_SHIPPED:
        tidings.tell_mis_shipped(session, shipment, events[0], order.doses, request.now)
    return Posted(events, shipment.id)


def _refuse_early(arrived_at: datetime, at: datetime) -> None:
    """Until the rest had arrived, nothing was missing."""
    if at < arrived_at:
        expected = N_("a time not before the shipment's arrival, %(arrived)s")
        arrived = arrived_at.isoformat()
        raise Invalid(Code.TIME_BEFORE_SHIPMENT, "occurred_at", at.isoformat(), expected, arrived=arrived)


def _refuse_outsiders(shipment: Shipment, facility: Facility, order: ExplanationOrder) -> None:
    mine = facility.id in {shipment.from_facility_id, shipment.to_facility_id}
    if mine == (order.explanation is Explanation.MIS_SHIPPED):
        expected = N_("the sender or the receiver; or for mis-shipped doses another facility, which has them")
        raise Invalid(Code.WRONG_FACILITY_KIND, "facility", facility.code, expected)


def _into_quarantine(
    session: Session, there: Scene, order: ExplanationOrder, running: tuple[deadlines.Deadline, ...]
) -> tuple[UUID, list[deadlines.Deadline]]:
    """Nobody watched the doses meanwhile, so they are looked at before they are free."""
    if order.appliance is None:
        raise Invalid(Code.MALFORMED, "appliance", None, N_("the appliance that the doses were put into"))
    facility = there.facility
    appliance = lookups.appliance_of(session, order.appliance, facility)
    rules = deadline_rules(session, there.known.product.programme_code, facility, there.at)
    clocks = deadlines.on_arrival(rules, facility.kind, facility.zone, there.at, running)
    clocks = vials.put_into(appliance.kind, there.known.product, there.at, clocks)
    return lookups.location_of(session, appliance, LocationKind.QUARANTINE), clocks
