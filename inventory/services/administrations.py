"""Doses given to people at a site, one by one or as a list with a result for each line."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.domain import custody
from inventory.domain.custody import Holding, Take
from inventory.domain.errors import ColdtrailError
from inventory.domain.handling import happens_at, may_post
from inventory.domain.instants import stated
from inventory.domain.recipients import opaque
from inventory.domain.words import Chosen, End, EventKind
from inventory.persistence.database import Database
from inventory.persistence.tables import Facility
from inventory.services import choice, ledger, lookups, openings
from inventory.services.choice import Wanted, Within
from inventory.services.ledger import Draft
from inventory.services.lookups import KnownBatch
from inventory.services.posting import Fault, Posted, PostedList, Request, post, post_list
from inventory.services.stock_orders import Scene


@dataclass(frozen=True)
class AdministrationOrder:
    """Doses of a batch given at a site, taken from one of its appliances or custodies where one is named.

    `recipient` is an opaque reference to the person in another register; names and identity numbers are refused.
    """

    facility: str
    gtin: str
    batch: str
    doses: int
    occurred_at: datetime
    appliance: str | None = None
    custody: UUID | None = None
    recipient: str | None = None


@dataclass(frozen=True)
class AdministrationList:
    """Up to a thousand administrations, in the order in which they are to be carried out."""

    administrations: tuple[AdministrationOrder, ...]


def administer(database: Database, request: Request, order: AdministrationOrder) -> Posted:
    """Give doses; the last event's id is the administration's, for a vial may have to be opened first.

    Raises:
        Forbidden: `forbidden`, `not_your_facility`.
        Invalid: `not_found`, `unknown_product`, `unknown_batch`, `naive_time`, `time_in_future`,
            `wrong_facility_kind`, `wrong_appliance`, `wrong_custody`, `named_person`.
        Conflict: `batch_expired`, `batch_recalled`, `not_usable`, `not_enough_doses`, `time_before_custody`,
            `idempotency_key_reused`.
    """
    return post(database, request, order, _administer)


def administer_list(database: Database, request: Request, order: AdministrationList) -> PostedList:
    """Give doses line by line in one transaction; a line that is refused leaves the others as they are."""
    return post_list(database, request, order, _administer_list)


def _administer(session: Session, request: Request, order: AdministrationOrder) -> Posted:
    may_post(EventKind.ADMINISTER, request.actor.role)
    drafts = _Shelves(session, request).drafts(order)
    return Posted(ledger.record(session, request, drafts))


def _administer_list(session: Session, request: Request, order: AdministrationList) -> PostedList:
    may_post(EventKind.ADMINISTER, request.actor.role)
    rounds = _Shelves(session, request)
    drafts: list[list[Draft] | ColdtrailError] = []
    for line in order.administrations:
        try:
            drafts.append(rounds.drafts(line))
        except ColdtrailError as refused:
            drafts.append(refused)
    good = [draft for line in drafts if not isinstance(line, ColdtrailError) for draft in line]
    posted = iter(ledger.record(session, request, good) if good else ())
    return PostedList(
        tuple(
            Fault.of(line) if isinstance(line, ColdtrailError) else Posted(tuple(next(posted) for _ in line))
            for line in drafts
        )
    )


class _Shelves:
    """What sites have, as one request sees it: each line finds what those before it have left."""

    def __init__(self, session: Session, request: Request) -> None:
        self._session, self._request = session, request
        self._sites: dict[str, Facility] = {}
        self._batches: dict[tuple[str, str], KnownBatch] = {}
        self._held: dict[tuple[UUID, UUID], list[Holding]] = {}

    def drafts(self, order: AdministrationOrder) -> list[Draft]:
        """The events of one administration: vials that have to be opened, and the doses given."""
        at = stated("occurred_at", order.occurred_at, self._request.now)
        recipient = opaque(order.recipient)
        there = Scene(EventKind.ADMINISTER, self._site(order.facility), self._batch(order.gtin, order.batch), at)
        choice.refuse_batch(there.kind, there.known, at, there.facility.zone)
        found, chosen = self._usable(there, order)
        takes, opening = self._from_vials(there, found, chosen, order.doses)
        draft = Draft(there.kind, there.known.batch, there.facility, at)
        if recipient is not None:
            draft.details = {"recipient": recipient}
        for take in takes:
            draft.end(take, chosen, End.ADMINISTERED)
        shelf = self._shelf(there)
        shelf[:] = custody.after(shelf, takes)
        return [*opening, draft]

    def _site(self, code: str) -> Facility:
        if code not in self._sites:
            site = lookups.facility(self._session, code)
            self._request.actor.may_write_for(site)
            happens_at(EventKind.ADMINISTER, site.kind, code)
            self._sites[code] = site
        return self._sites[code]

    def _batch(self, gtin: str, number: str) -> KnownBatch:
        if (gtin, number) not in self._batches:
            self._batches[gtin, number] = lookups.batch(self._session, gtin, number)
        return self._batches[gtin, number]

    def _shelf(self, there: Scene) -> list[Holding]:
        """What the site's storages hold of the batch, less what this request has taken."""
        key = (there.facility.id, there.known.batch.id)
        if key not in self._held:
            wanted = Wanted(there.kind, there.known, None, Within(there.facility), there.at)
            self._held[key] = choice.holdings(self._session, wanted)
        return self._held[key]

    def _usable(self, there: Scene, order: AdministrationOrder) -> tuple[list[Holding], Chosen]:
        """The custody that is named, or those that were there and have not outlived their limit."""
        appliance = None
        if order.appliance is not None:
            appliance = lookups.appliance_of(self._session, order.appliance, there.facility)
        shelf = self._shelf(there)
        if order.custody is not None:
            within = Within(there.facility, appliance_id=appliance.id if appliance else None)
            wanted = Wanted(there.kind, there.known, order.doses, within, there.at, order.custody)
            named = choice.named(self._session, wanted)
            return [each for each in shelf if each.custody_id == named.custody_id], Chosen.NAMED
        location = lookups.location_of(self._session, appliance) if appliance else None
        usable = [each for each in shelf if each.opened_at <= there.at and not each.is_spent(there.at)]
        return [each for each in usable if location in {None, each.location_id}], Chosen.PICKED

    def _from_vials(
        self, there: Scene, found: list[Holding], chosen: Chosen, doses: int
    ) -> tuple[list[Take], list[Draft]]:
        """From opened vials first; where they do not suffice, vials are opened now."""
        per_vial = there.known.product.doses_per_vial
        opened = [each for each in found if each.is_opened]
        missing = doses - sum(each.remaining for each in opened)
        sealed = [each for each in found if not each.is_opened]
        if per_vial == 1 or missing <= 0 or missing > sum(each.remaining for each in sealed):
            return custody.pick(found, doses), []
        opening = openings.vials_to_open(sealed, missing, per_vial)
        draft, fresh = openings.draft_of(there, opening, chosen)
        shelf = self._shelf(there)
        shelf[:] = [*custody.after(shelf, opening), *fresh]
        return custody.pick([*opened, *fresh], doses), [draft]
