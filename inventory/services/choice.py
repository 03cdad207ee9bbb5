"""Choosing the custodies that an order takes from: the one that was named, or those whose turn it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from inventory.domain.custody import Holding, Take, Vials, all_of, in_whole_vials, pick
from inventory.domain.deadlines import Deadline as Clock
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.handling import HANDLING, takes_from
from inventory.domain.instants import civil_day
from inventory.domain.words import Chosen, EventKind, LocationKind
from inventory.persistence.database import ATTEMPT
from inventory.persistence.tables import Appliance, Custody, Deadline, Facility, Location, Shipment
from inventory.services.lookups import KnownBatch


@dataclass(frozen=True)
class Within:
    """Where doses are looked for: in one kind of location of a facility or of one appliance; or in a shipment."""

    facility: Facility
    held: bool = False
    appliance_id: UUID | None = None
    shipment_id: UUID | None = None

    @property
    def kinds(self) -> tuple[LocationKind, ...]:
        """The kinds of location meant, where none is named."""
        if self.shipment_id is not None and not self.held:
            return (LocationKind.TRANSIT,)
        return (LocationKind.QUARANTINE,) if self.held else (LocationKind.STORAGE,)


@dataclass(frozen=True)
class Wanted:
    """Doses of a batch that an event wants at an instant, all there are unless a number is stated."""

    kind: EventKind
    known: KnownBatch
    doses: int | None
    within: Within
    at: datetime
    custody: UUID | None = None

    @property
    def vials(self) -> Vials:
        """Opened vials stay where they are used up."""
        return Vials.SEALED if HANDLING[self.kind].whole_vials else Vials.ANY


def choose(session: Session, wanted: Wanted) -> tuple[list[Take], Chosen]:
    """The custodies to take from.

    Raises:
        Conflict: `batch_recalled`, `batch_expired`, `not_enough_doses`, `time_before_custody`, `wrong_location`.
        Invalid: `wrong_custody` when the named one is not there, `not_whole_vials`.
    """
    refuse_batch(wanted.kind, wanted.known, wanted.at, wanted.within.facility.zone)
    for kind in wanted.within.kinds:
        takes_from(wanted.kind, kind, wanted.custody or wanted.known.batch.number)
    if wanted.custody is not None:
        there, chosen = [named(session, wanted)], Chosen.NAMED
    else:
        there, chosen = _usable(holdings(session, wanted), wanted), Chosen.PICKED
    takes = all_of(there) if wanted.doses is None else pick(there, wanted.doses)
    in_whole_vials(takes, wanted.known.product.doses_per_vial)
    return takes, chosen


def choose_on_board(session: Session, wanted: Wanted, doses: int) -> tuple[list[Take], Chosen]:
    """The custodies of a shipment to take from: the one that was named, else what travels freely before what is held.

    Raises:
        as `choose`, but that a recalled or expired batch is taken: it has to go somewhere.
    """
    if wanted.custody is not None:
        takes, chosen = pick([named(session, wanted)], doses), Chosen.NAMED
    else:
        takes, chosen = _on_board(session, wanted, doses), Chosen.PICKED
    in_whole_vials(takes, wanted.known.product.doses_per_vial)
    return takes, chosen


def _on_board(session: Session, wanted: Wanted, doses: int) -> list[Take]:
    aboard = [
        [each for each in holdings(session, replace(wanted, within=within)) if each.opened_at <= wanted.at]
        for within in (wanted.within, replace(wanted.within, held=True))
    ]
    free, held = aboard
    free_doses = sum(each.remaining for each in free)
    if free_doses >= doses:
        return pick(free, doses)
    if free_doses + sum(each.remaining for each in held) < doses:
        return pick([*free, *held], doses)  # which says how many there are
    return [*(all_of(free) if free else []), *pick(held, doses - free_doses)]


def refuse_batch(kind: EventKind, known: KnownBatch, at: datetime, zone: str) -> None:
    """Refuse a batch that was recalled, or whose label had expired on that day, where the event may not touch it.

    Raises:
        Conflict: `batch_recalled` or `batch_expired`.
    """
    rule, batch = HANDLING[kind], known.batch
    if known.recalled and not rule.recalled:
        raise Conflict(Code.BATCH_RECALLED, "batch", batch.number, N_("a batch that is not recalled"))
    if civil_day(at, zone) > batch.expiry and not rule.expired:
        expected = N_("a batch that had not expired on that day; it expired on %(expiry)s")
        raise Conflict(Code.BATCH_EXPIRED, "batch", batch.number, expected, expiry=batch.expiry)


def _usable(found: Iterable[Holding], wanted: Wanted) -> list[Holding]:
    """Those that were there already, whose vials fit and have not outlived their limit."""
    expired = HANDLING[wanted.kind].expired
    return [
        each
        for each in found
        if each.opened_at <= wanted.at and each.fits(wanted.vials) and (expired or not each.is_spent(wanted.at))
    ]


def holdings(session: Session, wanted: Wanted) -> list[Holding]:
    """What the batch's custodies in these locations hold, with their clocks."""
    if session.info.get(ATTEMPT):
        hold(session, wanted)
    there = Custody.location_id.in_(locations(wanted.within))
    query = _held(wanted.known).where(there, Custody.remaining > 0)
    return _grouped(session.execute(query).all(), wanted)


def locations(within: Within) -> Select[UUID]:
    """The locations meant, as a subquery."""
    query = select(Location.id).where(Location.kind.in_(within.kinds))
    if within.shipment_id is not None:
        return query.where(Location.shipment_id == within.shipment_id)
    if within.appliance_id is not None:
        return query.where(Location.appliance_id == within.appliance_id)
    return query.join(Appliance, Appliance.id == Location.appliance_id).where(
        Appliance.facility_id == within.facility.id
    )


def hold(session: Session, wanted: Wanted) -> None:
    """Keep others from what could be chosen, after they were faster before: waiting is dearer than choosing freely."""
    candidates = select(Custody.id).where(
        Custody.batch_id == wanted.known.batch.id,
        Custody.location_id.in_(locations(wanted.within)),
        Custody.remaining > 0,
    )
    session.execute(candidates.order_by(Custody.id).with_for_update(key_share=True)).all()


def _held(known: KnownBatch) -> Any:
    """Custodies of the batch, a row for each of their clocks."""
    return (
        select(
            Custody.id,
            Custody.remaining,
            Custody.opened_at,
            Custody.origin,
            Custody.location_id,
            Location.kind.label("location_kind"),
            Deadline.name,
            Deadline.rule_set,
            Deadline.opened_at.label("clock_opened_at"),
            Deadline.due_at,
        )
        .join(Location, Location.id == Custody.location_id)
        .outerjoin(Deadline, (Deadline.custody_id == Custody.id) & (Deadline.batch_id == Custody.batch_id))
        .where(Custody.batch_id == known.batch.id)
    )


def _grouped(rows: Sequence[Any], wanted: Wanted) -> list[Holding]:
    clocks: dict[UUID, list[Clock]] = {row.id: [] for row in rows}
    for row in rows:
        if row.name is not None:
            clocks[row.id].append(Clock(row.rule_set, row.name, row.clock_opened_at, row.due_at))
    first = {row.id: row for row in rows}
    return [
        Holding(
            row.id,
            row.remaining,
            wanted.known.batch.expiry,
            row.opened_at,
            tuple(clocks[row.id]),
            row.location_id,
            row.location_kind,
            row.origin,
        )
        for row in first.values()
    ]


def clock_of(row: Deadline) -> Clock:
    """A stored deadline as the domain knows it."""
    return Clock(row.rule_set, row.name, row.opened_at, row.due_at)


def named(session: Session, wanted: Wanted) -> Holding:
    """The custody that an order names, if the event may take from it.

    Raises:
        Invalid: `wrong_custody` where it is not of this batch at this place.
        Conflict: `wrong_location`, `time_before_custody`, `batch_expired` for a vial past its limit.
    """
    query = _held(wanted.known).where(Custody.id == wanted.custody, _of(wanted.within))
    found = _grouped(session.execute(query).all(), wanted)
    if not found:
        raise Invalid(Code.WRONG_CUSTODY, "custody", wanted.custody, N_("a custody of this batch at this place"))
    (holding,) = found
    takes_from(wanted.kind, holding.location_kind, wanted.custody)
    if not holding.fits(wanted.vials):
        raise Conflict(Code.WRONG_CUSTODY, "custody", wanted.custody, N_("vials that have not been opened"))
    if holding.opened_at > wanted.at:
        expected = N_("a time not before the custody's opening, %(opened)s")
        at, opened = wanted.at.isoformat(), holding.opened_at.isoformat()
        raise Conflict(Code.TIME_BEFORE_CUSTODY, "occurred_at", at, expected, opened=opened)
    if holding.is_spent(wanted.at) and not HANDLING[wanted.kind].expired:
        raise Conflict(
            Code.BATCH_EXPIRED, "custody", wanted.custody, N_("a vial within its limit after opening or thaw")
        )
    return holding


def _of(within: Within) -> Any:
    """A condition: in the appliance or the shipment that is meant, or anywhere at the facility or on its trips."""
    if within.shipment_id is not None:
        return Location.shipment_id == within.shipment_id
    if within.appliance_id is not None:
        return Location.appliance_id == within.appliance_id
    mine = within.facility.id
    return Location.appliance_id.in_(select(Appliance.id).where(Appliance.facility_id == mine)) | (
        Location.shipment_id.in_(
            select(Shipment.id).where((Shipment.from_facility_id == mine) | (Shipment.to_facility_id == mine))
        )
    )
