"""Giving doses: which custodies they come from, which vials are opened for them, and whether they may be given."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.domain import custody
from inventory.domain.custody import Holding, Scan, Take
from inventory.domain.errors import ColdtrailError
from inventory.domain.handling import happens_at, may_post
from inventory.domain.instants import CLOCK_SKEW, stated
from inventory.domain.products import gtin as valid_gtin
from inventory.domain.recipients import opaque
from inventory.domain.usability import OverrideReason, Scanned
from inventory.domain.words import Chosen, End, EventKind
from inventory.persistence import arrays
from inventory.persistence.database import ATTEMPT
from inventory.persistence.tables import Facility, Product
from inventory.services import choice, holdings, lookups, openings, packs, settled, shelves
from inventory.services.access import Actor
from inventory.services.holdings import Wanted, Within
from inventory.services.ledger import Draft
from inventory.services.lookups import KnownBatch
from inventory.services.stock_orders import Scene
from inventory.services.usability import Asked, BeforeUse


@dataclass(frozen=True)
class AdministrationOrder:
    """Doses of a batch given at a site, taken from one of its appliances or custodies where one is named.

    `recipient` is an opaque reference to the person in another register; names and identity numbers are refused.
    `previous_gtin` is of that person's earlier dose, `pack` the one that was scanned. A supervisor may answer for what
    the check before use asks with an `override`.
    """

    facility: str
    gtin: str
    batch: str
    doses: int
    occurred_at: datetime
    appliance: str | None = None
    custody: UUID | None = None
    recipient: str | None = None
    previous_gtin: str | None = None
    override: OverrideReason | None = None
    pack: str | None = None


@dataclass(frozen=True)
class _Opening:
    """Vials that are opened for an administration: out of which custodies, into which, and the event."""

    takes: tuple[Take, ...] = ()
    opened: tuple[Holding, ...] = ()
    events: tuple[Draft, ...] = ()


@dataclass(frozen=True)
class _Pack:
    """A pack that was scanned, as the lines before have left it; the book has it in the first of its custodies.

    `opens` are the packs around it that its first dose opens.
    """

    code: str
    doses: int
    remaining: int
    custodies: tuple[UUID, ...]
    held: bool
    opens: tuple[str, ...]

    def scan(self, doses: int) -> Scan:
        """So many doses of it."""
        return Scan(self.code, self.custodies[0], doses, self.opens)

    def is_vial(self, product: Product) -> bool:
        """Whether it is one vial, which goes with its doses when it is opened; one of several vials stays."""
        return self.doses <= product.doses_per_vial

    def opened(self, opening: _Opening, product: Product) -> "_Pack":
        """The same with its opened vials; a vial's own opening has opened what was around it, too."""
        fresh = tuple(each.custody_id for each in opening.opened)
        if fresh and self.is_vial(product):
            return replace(self, custodies=fresh, opens=())
        return replace(self, custodies=(*self.custodies, *fresh))


class Shelves:
    """What sites have, as one transaction sees it: each administration finds what those before it have left."""

    def __init__(self, session: Session, now: datetime) -> None:
        """`now`: no administration is stated later, but for what clocks may differ."""
        self._session, self._now = session, now
        self._known: dict[tuple[str, str, str], tuple[Facility, KnownBatch]] = {}
        self._uncounted: dict[tuple[UUID, UUID], datetime] = {}
        self._held: dict[tuple[UUID, UUID], list[Holding]] = {}
        self._packs: dict[tuple[str, UUID], _Pack] = {}
        self._opened: set[str] = set()
        self._before_use = BeforeUse(session, now)

    def drafts(self, actor: Actor, order: AdministrationOrder) -> list[Draft]:
        """The events of one administration: vials that have to be opened, an override, and the doses given."""
        may_post(EventKind.ADMINISTER, actor.role)
        at = stated("occurred_at", order.occurred_at, self._now)
        recipient = opaque(order.recipient)
        there = self._scene(actor, order, at)
        choice.refuse_batch(there.kind, there.known, at, there.facility.zone)
        pack = None if order.pack is None else self._pack(there, order.pack)
        asked = Asked(there, actor.role, order.previous_gtin, order.override, self._book(there, pack) if pack else None)
        found, chosen = self._usable(there, order, pack)
        takes, opening = self._from_vials(there, found, chosen, order.doses, pack)
        draft = Draft(there.kind, there.known.batch, there.facility, at)
        if recipient is not None:
            draft.details = {"recipient": recipient}
        overrides = self._before_use.overrides(asked, [take.custody_id for take in takes], draft)
        for take in takes:
            draft.end(take, chosen, End.ADMINISTERED)
        self._refuse_before_a_count(there, draft)
        self._take(there, takes, opening, pack)
        return [*opening.events, *overrides, draft]

    def look_ahead(self, orders: Iterable[AdministrationOrder]) -> None:
        """Ask at once what the lines would ask one by one; who finds no answer here asks, and is told what is wrong."""
        if self._session.info.get(ATTEMPT) or not arrays.are_taken(self._session):
            return
        stated_at: dict[shelves.Name, datetime] = {}
        for order in orders:
            with suppress(ColdtrailError):
                stated_at[_name(order)] = stated("occurred_at", order.occurred_at, self._now)
        since = min(stated_at.values(), default=self._now) - CLOCK_SKEW
        next_doses: set[tuple[UUID, UUID]] = set()
        for name, found in shelves.look_at_several(self._session, stated_at, since).items():
            if found.known is not None:
                self._keep(name, found, found.known, since)
                dose = custody.next_dose(found.holdings, self._now)
                next_doses |= {(found.known.batch.id, dose.custody_id)} if dose else set()
        self._before_use.look_ahead(next_doses)

    def hold(self, actor: Actor, orders: Sequence[AdministrationOrder]) -> None:
        """Keep others from what the lines may take, by batch, whatever the order of the lines."""
        scenes: dict[tuple[UUID, UUID], Scene] = {}
        for order in orders:
            with suppress(ColdtrailError):  # the line itself is refused for it
                there = self._scene(actor, order, self._now)
                scenes[there.known.batch.id, there.facility.id] = there
        for key in sorted(scenes):
            self._shelf(scenes[key])

    def _scene(self, actor: Actor, order: AdministrationOrder, at: datetime) -> Scene:
        name = _name(order)
        if name not in self._known:
            since = at - CLOCK_SKEW  # the other lines' times are about the same
            found = shelves.look(self._session, *name, since)
            actor.may_write_for(found.facility)  # before its stock is told
            known = found.known or lookups.batch(self._session, order.gtin, order.batch)  # which says what is unknown
            self._keep(name, found, known, since)
        facility, known = self._known[name]
        actor.may_write_for(facility)
        happens_at(EventKind.ADMINISTER, facility.kind, order.facility)
        return Scene(EventKind.ADMINISTER, facility, known, at)

    def _keep(self, name: shelves.Name, found: shelves.Shelf, known: KnownBatch, since: datetime) -> None:
        """What a look at a shelf has told; what it holds only where others were not faster before."""
        self._known[name] = found.facility, known
        key = (found.facility.id, known.batch.id)
        if not found.counted:
            self._uncounted[key] = since
        if not self._session.info.get(ATTEMPT):
            self._held[key] = found.holdings

    def _shelf(self, there: Scene) -> list[Holding]:
        """What the site's storages hold of the batch, less what this transaction has taken."""
        key = (there.facility.id, there.known.batch.id)
        if key not in self._held:
            wanted = Wanted(there.kind, there.known, None, Within(there.facility), there.at)
            self._held[key] = holdings.find(self._session, wanted)
        return self._held[key]

    def _pack(self, there: Scene, code: str) -> _Pack:
        """A pack of the batch, which has to be at the site, and not to have been opened for what is in it."""
        (found,) = packs.of_batch(self._session, there.known.batch, [code])
        row, key = found.pack, (found.pack.code, there.facility.id)
        if row.opened or row.code in self._opened:
            raise packs.was_opened(row.code)
        if key not in self._packs:
            place = packs.whereabouts(self._session, found)
            if place.facility_id != there.facility.id:
                raise packs.elsewhere(row.code, there.facility)
            self._packs[key] = _Pack(row.code, row.doses, found.left, place.custodies, place.held, found.opens)
        return self._packs[key]

    def _book(self, there: Scene, pack: _Pack) -> Scanned:
        """What the book says of a pack, which is refused here where it is held, used up or past a vial's limit."""
        mine = [each for each in self._shelf(there) if each.custody_id in pack.custodies]
        found = custody.next_dose(mine, there.at)
        in_book = pack.remaining if pack.held else sum(each.remaining for each in mine)
        scanned = Scanned(pack.code, pack.remaining, in_book)
        self._before_use.of_pack(there, scanned, found.clocks if found else (), held=pack.held)
        return scanned

    def _usable(self, there: Scene, order: AdministrationOrder, pack: _Pack | None) -> tuple[list[Holding], Chosen]:
        """Where a pack is, the custody that is named, or those that were there and have not outlived their limit."""
        appliance = None
        if order.appliance is not None:
            appliance = lookups.appliance_of(self._session, order.appliance, there.facility)
        shelf = self._shelf(there)
        if order.custody is not None:
            within = Within(there.facility, appliance_id=appliance.id if appliance else None)
            wanted = Wanted(there.kind, there.known, order.doses, within, there.at, order.custody)
            named = choice.named(self._session, wanted)
            shelf = [each for each in shelf if each.custody_id == named.custody_id]
        location = lookups.location_of(self._session, appliance) if appliance else None
        mine = [each for each in shelf if each.opened_at <= there.at and location in {None, each.location_id}]
        chosen = Chosen.PICKED if order.custody is None else Chosen.NAMED
        if pack is not None:
            packs.refuse_more(pack.code, order.doses, pack.remaining)
            mine, chosen = [each for each in mine if each.custody_id in pack.custodies], Chosen.SCANNED
        return custody.unspent(mine, there.at, order.batch), chosen

    def _from_vials(
        self, there: Scene, found: list[Holding], chosen: Chosen, doses: int, pack: _Pack | None
    ) -> tuple[list[Take], _Opening]:
        """From opened vials first; where they do not suffice, vials are opened now."""
        opened, sealed = _apart(found)
        missing = doses - sum(each.remaining for each in opened)
        opening = _Opening()
        if there.known.product.doses_per_vial == 1 or missing > sum(each.remaining for each in sealed):
            takes = custody.pick(found, doses)
        elif missing <= 0:
            takes = custody.pick(opened, doses)
        else:
            opening = self._open(there, sealed, missing, chosen, pack)
            takes = custody.pick([*opened, *opening.opened], doses)
        if pack is not None:
            pack = pack.opened(opening, there.known.product)
            takes = [replace(each, scans=(pack.scan(each.doses),)) for each in takes]
        return takes, opening

    def _open(self, there: Scene, sealed: list[Holding], missing: int, chosen: Chosen, pack: _Pack | None) -> _Opening:
        product = there.known.product
        takes = openings.vials_to_open(sealed, missing, product.doses_per_vial)
        if pack is not None and pack.is_vial(product):
            takes = [replace(each, scans=(pack.scan(pack.remaining),)) for each in takes]
        event, fresh = openings.draft_of(there, takes, chosen)
        for take, vial in zip(takes, fresh, strict=True):
            self._before_use.opened(vial.custody_id, take.custody_id)
        return _Opening(tuple(takes), tuple(fresh), (event,))

    def _refuse_before_a_count(self, there: Scene, draft: Draft) -> None:
        """Only where there may be one: the statement that looked at the shelf has mostly told that there is none."""
        since = self._uncounted.get((there.facility.id, there.known.batch.id))
        if since is None or there.at < since:
            settled.refuse_before_a_count(self._session, [draft.touched])

    def _take(self, there: Scene, takes: list[Take], opening: _Opening, pack: _Pack | None) -> None:
        """The line is in order: those after it find what it leaves."""
        shelf = self._shelf(there)
        shelf[:] = custody.after([*shelf, *opening.opened], [*opening.takes, *takes])
        if pack is not None:
            left = pack.remaining - sum(take.doses for take in takes)
            self._opened |= set(pack.opens)
            self._packs[pack.code, there.facility.id] = replace(
                pack.opened(opening, there.known.product), remaining=left
            )


def _name(order: AdministrationOrder) -> shelves.Name:
    return order.facility, valid_gtin(order.gtin), order.batch


def _apart(found: list[Holding]) -> tuple[list[Holding], list[Holding]]:
    """The opened vials, and the others."""
    return [each for each in found if each.is_opened], [each for each in found if not each.is_opened]
