"""Doses are wasted, with a reason out of a closed list."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from inventory.domain.custody import Take
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.words import Chosen, End, EventKind, WasteReason
from inventory.persistence.database import Database
from inventory.services import ledger, packs, stock_orders
from inventory.services.posting import Posted, Request, post
from inventory.services.stock_orders import Scene, StockOrder


@dataclass(frozen=True, kw_only=True)
class WastageOrder(StockOrder):
    """Doses that are wasted, and why; `other` says it in words. `pack`: the one that they are of."""

    cause: WasteReason
    reason: str | None = None
    pack: str | None = None


def waste(database: Database, request: Request, order: WastageOrder) -> Posted:
    """Waste doses in storage, in quarantine or on their way.

    Raises:
        Invalid: `malformed` for `other` without words; `not_found` for the pack; else as `quarantine.hold`.
        Conflict: `pack_elsewhere`, `pack_opened`, `pack_differs`.
    """
    return post(database, request, order, _waste)


def _waste(session: Session, request: Request, order: WastageOrder) -> Posted:
    if order.cause is WasteReason.OTHER and order.reason is None:
        raise Invalid(Code.MALFORMED, "reason", None, N_("the reason in words, for the cause is other"))
    there = stock_orders.scene(session, request, EventKind.WASTE, order)
    takes, chosen = _takes(session, there, order)
    draft = there.draft(order, cause=order.cause, reason=order.reason)
    for take in takes:
        draft.end(take, chosen, End.WASTED)
    return Posted(ledger.record(session, request, [draft]))


def _takes(session: Session, there: Scene, order: WastageOrder) -> tuple[list[Take], Chosen]:
    """From a pack that was scanned, all of it unless a number is stated; or as most orders."""
    if order.pack is not None and order.packs:
        raise Invalid(Code.MALFORMED, "pack", order.pack, N_("one pack that the doses are of, or packs; not both"))
    if order.pack is None and not order.packs and order.doses is None:
        raise Invalid(Code.MALFORMED, "doses", None, N_("a number of doses, or packs"))
    if order.pack is None:
        return stock_orders.takes(session, there, order)
    wanted = stock_orders.wanted(session, there, order)
    if order.doses is None:
        return packs.scanned(session, wanted, [order.pack]), Chosen.SCANNED
    return packs.part_of(session, wanted, order.pack, order.doses), Chosen.SCANNED
