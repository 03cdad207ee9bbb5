"""The check before use: asked for itself, and by each administration; and a supervisor's override."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.custody import Holding, next_dose
from inventory.domain.deadlines import Deadline
from inventory.domain.errors import N_, Code, Conflict
from inventory.domain.handling import SITES, may_post
from inventory.domain.instants import CLOCK_SKEW, stated
from inventory.domain.products import gtin as valid_gtin
from inventory.domain.reasons import Reason, ReasonCode, Usable, asked, overridden, worst
from inventory.domain.usability import Doses, OverrideReason, Policies, Scanned, check
from inventory.domain.words import EventKind, Role
from inventory.persistence.database import Database
from inventory.persistence.tables import Batch, Custody
from inventory.persistence.tables import Deadline as DeadlineRow
from inventory.services import holdings, lookups, pack_places, pack_views, packs, scans, stock_orders
from inventory.services.doubts import Doubts
from inventory.services.holdings import Wanted, Within
from inventory.services.ledger import Draft, record
from inventory.services.lookups import KnownBatch
from inventory.services.posting import Posted, Request, post
from inventory.services.stock_orders import Scene, StockOrder


@dataclass(frozen=True)
class UsabilityQuery:
    """Who would give doses, when, and the GTIN of the person's earlier dose where the caller says which."""

    facility: str
    at: datetime | None = None
    previous_gtin: str | None = None


@dataclass(frozen=True)
class Usability:
    """Whether doses may be given by a facility at an instant, and every reason; `custody`: where they would be from."""

    usable: Usable
    facility: str
    gtin: str
    batch: str
    at: datetime
    pack: str | None
    custody: UUID | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True)
class OverrideOrder:
    """A supervisor's word for the doses of a batch at a facility and at those below it, and the reasons it covers."""

    facility: str
    gtin: str
    batch: str
    covers: tuple[ReasonCode, ...]
    occurred_at: datetime
    reason: str


def batch_usability(database: Database, gtin: str, number: str, query: UsabilityQuery, now: datetime) -> Usability:
    """Whether the dose of a batch that would be picked there may be given, as an administration of that time finds it.

    Raises:
        NotFound: `unknown_product` or `unknown_batch`.
        Invalid: `malformed`, `wrong_check_digit`, `not_found` for the facility, `naive_time`, `time_in_future`.
    """
    with database.read() as session:
        lookups.batch_at_address(session, gtin, number)
        question = _Question(session, lookups.batch(session, gtin, number), query, now)
        free, held = (question.stock(held=held) for held in (False, True))
        found = next_dose(free, question.at) or next_dose(held, question.at)
        return question.answer(found, held=found in held)


def pack_usability(database: Database, text: str, query: UsabilityQuery, now: datetime) -> Usability:
    """Whether a dose out of a pack, by whatever a scanner gives, may be given there.

    Raises:
        NotFound: `not_found` for the pack.
        Invalid: as `batch_usability`; Conflict: `pack_differs` for a label of another batch or expiry.
    """
    scan = scans.read(text)
    with database.read() as session:
        pack = pack_places.holder(session, scan.code)
        batch = session.get_one(Batch, pack.pack.batch_id)
        scan.agree("pack", batch.number, batch.expiry)
        question = _Question(session, lookups.batch(session, batch.gtin, batch.number), query, now)
        found = packs.whereabouts(session, pack, question.site.id)
        scanned = Scanned(scan.code, pack_views.left(session, pack), found.there, pack.pack.opened)
        if found.facility_id != question.site.id:
            return question.answer(None, scanned)
        holdings = question.those(found.custodies)
        return question.answer(next_dose(holdings, question.at) or holdings[0], scanned, held=found.held)


def override(database: Database, request: Request, order: OverrideOrder) -> Posted:
    """Answer for the doubts about a batch at a facility and those below it, from `occurred_at` on.

    It holds until it is corrected, for what could be known when it was given (see `domain.usability.Override`).

    Raises:
        Forbidden: `forbidden` for all but supervisors and admins; and as `stock_orders.scene`.
    """
    return post(database, request, order, _override)


def _override(session: Session, request: Request, order: OverrideOrder) -> Posted:
    about = StockOrder(facility=order.facility, gtin=order.gtin, batch=order.batch, occurred_at=order.occurred_at)
    there = stock_orders.scene(session, request, EventKind.OVERRIDE, about)
    draft = there.draft(about, reason=order.reason, details={"covers": sorted(set(order.covers))})
    return Posted(record(session, request, [draft]))


class _Question:
    """A batch, a facility and a time, and what is known of them."""

    def __init__(self, session: Session, known: KnownBatch, query: UsabilityQuery, now: datetime) -> None:
        self._session, self._known, self._query = session, known, query
        self.site = lookups.facility(session, query.facility)
        self.at = stated("at", query.at or now, now)
        self._doubts = Doubts(session, now + CLOCK_SKEW)

    def stock(self, *, held: bool) -> list[Holding]:
        """What the facility holds of the batch."""
        wanted = Wanted(EventKind.ADMINISTER, self._known, None, Within(self.site, held=held), self.at)
        return holdings.find(self._session, wanted)

    def those(self, custodies: Sequence[UUID]) -> list[Holding]:
        """These custodies, the emptied ones with them."""
        batch = self._known.batch
        rows = self._session.scalars(select(Custody).where(Custody.batch_id == batch.id, Custody.id.in_(custodies)))
        mine = (DeadlineRow.batch_id == batch.id) & DeadlineRow.custody_id.in_(custodies)
        clocks = [
            (row.custody_id, holdings.clock_of(row)) for row in self._session.scalars(select(DeadlineRow).where(mine))
        ]
        return [
            Holding(
                row.id, row.remaining, batch.expiry, row.opened_at, tuple(each for of, each in clocks if of == row.id)
            )
            for row in rows
        ]

    def answer(self, found: Holding | None, pack: Scanned | None = None, *, held: bool = False) -> Usability:
        """The check of what was found there, if anything was."""
        batch, product = self._known.batch, self._known.product
        here = found is not None and found.opened_at <= self.at
        doses = Doses(
            batch.gtin,
            batch.expiry,
            self.site.code,
            self.site.zone,
            self._known.recalled,
            self.site.kind in SITES,
            here,
            held,
            found.clocks if found and here else (),
            self._doubts.past(batch.id, [found.custody_id] if found and here else []),
            _valid(self._query.previous_gtin),
            pack,
        )
        reasons = self._doubts.reasons(doses, batch.id, product, self.site, self.at)
        return Usability(
            worst(reasons),
            self.site.code,
            batch.gtin,
            batch.number,
            self.at,
            pack.code if pack else None,
            found.custody_id if found and here else None,
            reasons,
        )


@dataclass(frozen=True)
class Asked:
    """What an administration asks of the check: its scene, who asks, the person's earlier dose, an override, a pack."""

    there: Scene
    role: Role
    previous_gtin: str | None = None
    override: OverrideReason | None = None
    pack: Scanned | None = None


class BeforeUse:
    """The check as one request of administrations runs it; each custody and each override is looked up once."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._doubts = Doubts(session, now + CLOCK_SKEW)
        self._sources: dict[UUID, UUID] = {}

    def look_ahead(self, custodies: Collection[tuple[UUID, UUID]]) -> None:
        """Ask at once for the ways of custodies that may be asked for, each after its batch."""
        self._doubts.look_ahead(custodies)

    def opened(self, custody: UUID, source: UUID) -> None:
        """A vial is opened in this request: its way is that of the custody it was in."""
        self._sources[custody] = source

    def of_pack(self, there: Scene, pack: Scanned, clocks: tuple[Deadline, ...], *, held: bool) -> None:
        """Refuse a pack that is held, used up or past the limit of its vial, before its doses are looked for.

        Raises:
            Conflict: `not_usable`.
        """
        facility, batch = there.facility, there.known.batch
        doses = Doses(batch.gtin, batch.expiry, facility.code, facility.zone, held=held, clocks=clocks, pack=pack)
        reasons = check(doses, there.at, Policies())
        if worst(reasons) is Usable.NO:
            raise _not_usable(batch, reasons)

    def overrides(self, order: Asked, custodies: Sequence[UUID], administration: Draft) -> list[Draft]:
        """The override that doses of these custodies need, if any; the administration names those that it relies on.

        Raises:
            Conflict: `not_usable`.
            Forbidden: `forbidden` for an override by one who may not.
        """
        if order.override is not None:
            may_post(EventKind.OVERRIDE, order.role)
        reasons = self._reasons(order, {self._sources.get(each, each) for each in custodies})
        event = _answered(order, reasons, administration)
        if event is not None:
            reasons = overridden(reasons, event.id)
        if worst(reasons) is not Usable.YES:
            raise _not_usable(order.there.known.batch, reasons)
        relied_on = sorted({str(reason.override) for reason in reasons if reason.override})
        if relied_on:
            administration.details = (administration.details or {}) | {"overrides": relied_on}
        return [event] if event else []

    def _reasons(self, order: Asked, custodies: set[UUID]) -> tuple[Reason, ...]:
        there = order.there
        batch, product, facility = there.known.batch, there.known.product, there.facility
        doses = Doses(
            batch.gtin,
            batch.expiry,
            facility.code,
            facility.zone,
            past=self._doubts.past(batch.id, custodies),
            previous_gtin=_valid(order.previous_gtin),
            pack=order.pack,
        )
        return self._doubts.reasons(doses, batch.id, product, facility, there.at)


def _answered(order: Asked, reasons: Sequence[Reason], administration: Draft) -> Draft | None:
    """The event by which a supervisor answers for this one administration, where anything asks."""
    covers = asked(reasons)
    if order.override is None or not covers:
        return None
    there = order.there
    details = {"covers": list(covers), "administration": str(administration.id)}
    return Draft(
        EventKind.OVERRIDE, there.known.batch, there.facility, there.at, reason=order.override.reason, details=details
    )


def _not_usable(batch: Batch, reasons: Sequence[Reason]) -> Conflict:
    against = [each.code for each in reasons if each.verdict is not Usable.YES and each.override is None]
    expected = N_("doses that nothing speaks against; against these speaks: %(reasons)s")
    return Conflict(Code.NOT_USABLE, "batch", batch.number, expected, reasons=", ".join(dict.fromkeys(against)))


def _valid(previous_gtin: str | None) -> str | None:
    return None if previous_gtin is None else valid_gtin(previous_gtin, "previous_gtin")
