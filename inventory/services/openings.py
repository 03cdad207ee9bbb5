"""Vials of several doses are opened: from then on their own clock runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from inventory.domain.custody import Holding, Take, pick
from inventory.domain.deadlines import Deadline, on_opening
from inventory.domain.errors import N_, Code, Conflict
from inventory.domain.words import Chosen, EventKind
from inventory.persistence.database import Database
from inventory.services import ledger, stock_orders, vials
from inventory.services.posting import Posted, Request, post
from inventory.services.stock_orders import Scene, StockOrder


@dataclass(frozen=True, kw_only=True)
class OpeningOrder(StockOrder):
    """Vials to be opened; one unless packs, or another number of doses, in whole vials, are stated."""


def open_vials(database: Database, request: Request, order: OpeningOrder) -> Posted:
    """Open vials: their doses become a custody of their own in the same appliance, with the open-vial clock.

    Raises:
        Conflict: `vial_not_multi_dose`; else as `quarantine.hold`.
    """
    return post(database, request, order, _open)


def _open(session: Session, request: Request, order: OpeningOrder) -> Posted:
    there = stock_orders.scene(session, request, EventKind.OPEN, order)
    product = there.known.product
    if product.doses_per_vial == 1:
        expected = N_("a product with several doses in a vial")
        raise Conflict(Code.VIAL_NOT_MULTI_DOSE, "gtin", order.gtin, expected)
    doses = product.doses_per_vial if order.doses is None and not order.packs else order.doses
    takes, chosen = stock_orders.takes(session, there, replace(order, doses=doses))
    draft, _ = draft_of(there, takes, chosen)
    return Posted(ledger.record(session, request, [draft]))


def draft_of(there: Scene, takes: Sequence[Take], chosen: Chosen) -> tuple[ledger.Draft, list[Holding]]:
    """The event that opens vials, and what it makes of them: holdings of opened vials."""
    draft = ledger.Draft(EventKind.OPEN, there.known.batch, there.facility, there.at)
    opened = []
    for take in takes:
        clocks = clocks_of(there, take.holding)
        assert take.holding.location_id is not None  # noqa: S101  (what was read from the database has one)
        custody = draft.pass_on(take, chosen, take.holding.location_id, clocks)
        opened.append(
            replace(take.holding, custody_id=custody, remaining=take.doses, opened_at=there.at, clocks=tuple(clocks))
        )
    return draft, opened


def clocks_of(there: Scene, holding: Holding) -> list[Deadline]:
    """The clocks that run on, with that of the opened vial."""
    facility = there.facility
    clock = on_opening(vials.limits_of(there.known.product), there.at, facility.zone, facility.session_ends)
    return [*holding.clocks, *([clock] if clock else [])]


def whole_vials_for(doses: int, doses_per_vial: int) -> int:
    """The doses of as many vials as have to be opened to give so many."""
    return -(-doses // doses_per_vial) * doses_per_vial


def vials_to_open(sealed: Sequence[Holding], missing: int, doses_per_vial: int) -> list[Take]:
    """The vials whose turn it is, enough for what opened vials do not give; as `pick` where there are too few."""
    there = sum(each.remaining for each in sealed)
    wanted = whole_vials_for(missing, doses_per_vial)
    return pick(sealed, wanted if there >= wanted else missing)
