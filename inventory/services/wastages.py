"""Doses are wasted, with a reason out of a closed list."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.words import End, EventKind, WasteReason
from inventory.persistence.database import Database
from inventory.services import ledger, stock_orders
from inventory.services.posting import Posted, Request, post
from inventory.services.stock_orders import StockOrder


@dataclass(frozen=True, kw_only=True)
class WastageOrder(StockOrder):
    """Doses that are wasted, and why; `other` says it in words."""

    cause: WasteReason
    reason: str | None = None


def waste(database: Database, request: Request, order: WastageOrder) -> Posted:
    """Waste doses in storage, in quarantine or on their way.

    Raises:
        Invalid: `malformed` for `other` without words; else as `quarantine.hold`.
    """
    return post(database, request, order, _waste)


def _waste(session: Session, request: Request, order: WastageOrder) -> Posted:
    if order.cause is WasteReason.OTHER and order.reason is None:
        raise Invalid(Code.MALFORMED, "reason", None, N_("the reason in words, for the cause is other"))
    there = stock_orders.scene(session, request, EventKind.WASTE, order)
    takes, chosen = stock_orders.takes(session, there, order)
    draft = there.draft(order, cause=order.cause, reason=order.reason)
    for take in takes:
        draft.end(take, chosen, End.WASTED)
    return Posted(ledger.record(session, request, [draft]))
