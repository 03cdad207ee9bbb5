"""Doses given to people at a site."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.instants import civil_day, stated
from inventory.domain.words import End, EventKind
from inventory.persistence.database import Database
from inventory.services import ledger, lookups
from inventory.services.places import storages
from inventory.services.posting import Posted, Request, post


@dataclass(frozen=True)
class AdministrationOrder:
    """Doses of a batch given at a site, taken from one of its appliances or custodies where one is named."""

    facility: str
    gtin: str
    batch: str
    doses: int
    occurred_at: datetime
    appliance: str | None = None
    custody: UUID | None = None


def administer(database: Database, request: Request, order: AdministrationOrder) -> Posted:
    """Give doses; the event's id is the administration's.

    Raises:
        Forbidden: `not_your_facility`.
        Invalid: `not_found`, `unknown_product`, `unknown_batch`, `naive_time`, `time_in_future`,
            `wrong_facility_kind`, `wrong_appliance`, `wrong_custody`.
        Conflict: `batch_expired`, `not_enough_doses`, `time_before_custody`, `idempotency_key_reused`.
    """
    return post(database, request, order, _administer)


def _administer(session: Session, request: Request, order: AdministrationOrder) -> Posted:
    at = stated("occurred_at", order.occurred_at, request.now)
    site = lookups.facility(session, order.facility)
    request.actor.may_write_for(site)
    if not site.kind.is_site:
        raise Invalid(Code.WRONG_FACILITY_KIND, "facility", order.facility, N_("a vaccination site"))
    batch, _ = lookups.batch(session, order.gtin, order.batch)
    if civil_day(at, site.zone) > batch.expiry:
        expected = N_("a batch that had not expired on that day; it expired on %(expiry)s")
        raise Conflict(Code.BATCH_EXPIRED, "batch", order.batch, expected, expiry=batch.expiry)
    if order.appliance is None:
        places = storages(session, site)
    else:
        places = [lookups.storage_of(session, lookups.appliance_of(session, order.appliance, site))]
    takes, chosen = ledger.choose(session, ledger.Wanted(batch, order.doses, places, at, order.custody))
    draft = ledger.Draft(EventKind.ADMINISTER, batch, site, at)
    for take in takes:
        draft.move(take.custody_id, take.doses, chosen, end=End.ADMINISTERED)
    return Posted(ledger.record(session, request, [draft]))
