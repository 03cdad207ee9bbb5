"""What most orders about doses in one place have in common: whose doses, which, how many, from where."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.domain.custody import Take
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.handling import happens_at, may_post
from inventory.domain.instants import stated
from inventory.domain.words import Chosen, EventKind
from inventory.persistence.tables import Facility, Shipment
from inventory.services import ledger, lookups, packs
from inventory.services.holdings import Wanted, Within
from inventory.services.lookups import KnownBatch
from inventory.services.posting import Request


class About(Protocol):
    """What every order about a batch at a facility says."""

    @property
    def facility(self) -> str:
        """The code of the facility."""

    @property
    def gtin(self) -> str:
        """The product."""

    @property
    def batch(self) -> str:
        """The batch's number."""

    @property
    def occurred_at(self) -> datetime:
        """When it happened, as it is stated."""


@dataclass(frozen=True, kw_only=True)
class StockOrder:
    """Doses of a batch at a facility, all there are unless a number is stated.

    They are taken from storage, or with `held` from quarantine; from one appliance, one custody, or a shipment from
    or to the facility, where one is named. `packs` are those that were scanned, with all that is left in them; where
    more doses are stated, the rest is taken beside them.
    """

    facility: str
    gtin: str
    batch: str
    occurred_at: datetime
    doses: int | None = None
    appliance: str | None = None
    custody: UUID | None = None
    shipment: UUID | None = None
    held: bool = False
    packs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scene:
    """An order's facility, batch and time, once they were found to be in order."""

    kind: EventKind
    facility: Facility
    known: KnownBatch
    at: datetime

    def draft(self, order: StockOrder, **more: object) -> ledger.Draft:
        """The event, before it moves anything."""
        return ledger.Draft(self.kind, self.known.batch, self.facility, self.at, order.shipment, **more)  # type: ignore[arg-type]


def scene(session: Session, request: Request, kind: EventKind, order: About) -> Scene:
    """Find what an order is about, and refuse it to whom, and where, it may not be posted.

    Raises:
        Forbidden: `forbidden`, `not_your_facility`.
        Invalid: `naive_time`, `time_in_future`, `not_found`, `wrong_facility_kind`, `unknown_product`, `unknown_batch`.
    """
    may_post(kind, request.actor.role)
    at = stated("occurred_at", order.occurred_at, request.now)
    facility = lookups.facility(session, order.facility)
    request.actor.may_write_for(facility)
    happens_at(kind, facility.kind, order.facility)
    return Scene(kind, facility, lookups.batch(session, order.gtin, order.batch), at)


def takes(session: Session, there: Scene, order: StockOrder) -> tuple[list[Take], Chosen]:
    """The custodies that the order takes from; see `packs.takes`."""
    return packs.takes(session, wanted(session, there, order), order.packs)


def wanted(session: Session, there: Scene, order: StockOrder) -> Wanted:
    """What the order wants, and where it is looked for."""
    within = _within(session, there.facility, order)
    return Wanted(there.kind, there.known, order.doses, within, there.at, order.custody)


def _within(session: Session, facility: Facility, order: StockOrder) -> Within:
    appliance = lookups.appliance_of(session, order.appliance, facility).id if order.appliance else None
    if order.shipment is not None:
        _on_its_trip(lookups.shipment(session, order.shipment), facility)
    return Within(facility, order.held, appliance, order.shipment)


def _on_its_trip(shipment: Shipment, facility: Facility) -> None:
    if facility.id not in {shipment.from_facility_id, shipment.to_facility_id}:
        expected = N_("a shipment from or to %(facility)s")
        raise Invalid(Code.WRONG_CUSTODY, "shipment", shipment.id, expected, facility=facility.code)
