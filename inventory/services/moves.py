"""Doses are put from one appliance of a facility into another."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.words import EventKind
from inventory.persistence.database import Database
from inventory.services import ledger, lookups, stock_orders, vials
from inventory.services.posting import Posted, Request, post
from inventory.services.stock_orders import StockOrder


@dataclass(frozen=True, kw_only=True)
class MoveOrder(StockOrder):
    """Doses to be put into another appliance; what was in quarantine goes into quarantine."""

    to_appliance: str


def move(database: Database, request: Request, order: MoveOrder) -> Posted:
    """Move doses inside a facility, their clocks running on; frozen vaccine begins to thaw outside a freezer.

    Raises:
        Invalid: `same_appliance`, `wrong_appliance`; else as `quarantine.hold`.
    """
    return post(database, request, order, _move)


def _move(session: Session, request: Request, order: MoveOrder) -> Posted:
    there = stock_orders.scene(session, request, EventKind.MOVE, order)
    target = lookups.appliance_of(session, order.to_appliance, there.facility)
    takes, chosen = stock_orders.takes(session, there, order)
    draft = there.draft(order)
    for take in takes:
        location = lookups.location_of(session, target, take.holding.location_kind)
        if location == take.holding.location_id:
            expected = N_("another appliance than the one where the doses are")
            raise Invalid(Code.SAME_APPLIANCE, "to_appliance", order.to_appliance, expected)
        clocks = vials.put_into(target.kind, there.known.product, there.at, take.holding.clocks)
        draft.pass_on(take, chosen, location, clocks)
    return Posted(ledger.record(session, request, [draft]))
