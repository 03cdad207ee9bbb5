"""Choosing the custodies that an order takes from: the one that was named, or those whose turn it is."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, literal_column, select
from sqlalchemy.orm import Session

from inventory.domain.custody import (
    Holding,
    Take,
    Vials,
    after,
    all_of,
    in_whole_vials,
    past_limit,
    pick,
    pick_vials,
    unspent,
)
from inventory.domain.deadlines import Deadline as Clock
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.handling import HANDLING, takes_from
from inventory.domain.instants import civil_day
from inventory.domain.words import Chosen, EventKind, LocationKind
from inventory.persistence.database import ATTEMPT
from inventory.persistence.tables import HOLDS, Appliance, Custody, Deadline, Facility, Location, Shipment
from inventory.services.lookups import KnownBatch


class Of(StrEnum):
    """Whose locations are meant."""

    FACILITY = "facility"
    APPLIANCE = "appliance"
    SHIPMENT = "shipment"


@dataclass(frozen=True)
class Within:
    """Where doses are looked for: in one kind of location of a facility or of one appliance; or in a shipment."""

    facility: Facility
    held: bool = False
    appliance_id: UUID | None = None
    shipment_id: UUID | None = None

    @property
    def kind(self) -> LocationKind:
        """The kind of location meant, where none is named."""
        if self.held:
            return LocationKind.QUARANTINE
        return LocationKind.STORAGE if self.shipment_id is None else LocationKind.TRANSIT

    @property
    def place(self) -> tuple[Of, UUID]:
        """Whose locations are meant, and its id."""
        if self.shipment_id is not None:
            return Of.SHIPMENT, self.shipment_id
        return (Of.FACILITY, self.facility.id) if self.appliance_id is None else (Of.APPLIANCE, self.appliance_id)


@dataclass(frozen=True)
class Wanted:
    """Doses of a batch that an event wants at an instant, all there are unless a number is stated.

    `beside` is what it takes already, from the same place.
    """

    kind: EventKind
    known: KnownBatch
    doses: int | None
    within: Within
    at: datetime
    custody: UUID | None = None
    beside: tuple[Take, ...] = ()

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
    takes_from(wanted.kind, wanted.within.kind, wanted.custody or wanted.known.batch.number)
    if wanted.custody is not None:
        there, chosen = [named(session, wanted)], Chosen.NAMED
    else:
        there, chosen = _usable(holdings(session, wanted), wanted), Chosen.PICKED
    if wanted.doses is None:
        return all_of(there), chosen
    return pick_vials(there, wanted.doses, wanted.known.product.doses_per_vial), chosen


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
    there = [each for each in found if each.opened_at <= wanted.at and each.fits(wanted.vials)]
    return there if HANDLING[wanted.kind].expired else unspent(there, wanted.at, wanted.known.batch.number)


def holdings(session: Session, wanted: Wanted, kept: Container[UUID] | None = None) -> list[Holding]:
    """What the batch's custodies in these locations hold, with their clocks; of those that are `kept`, where some are.

    What has come there since is left alone: to ask for it now could be out of turn.
    """
    if kept is None and session.info.get(ATTEMPT):
        kept = hold(session, wanted)
    of, place = wanted.within.place
    asked = {"batch": wanted.known.batch.id, "place": place}
    found = session.execute(_holding(of, wanted.within.kind), asked)
    rows = [row for row in found if kept is None or row.id in kept]
    return after(grouped(rows, wanted.known.batch.expiry), wanted.beside)


def locations(within: Within) -> Select[UUID]:
    """The locations meant, as a subquery."""
    of, place = within.place
    return _LOCATIONS[of].params(kind=within.kind, place=place)


_mine: BindParameter[UUID] = bindparam("place")
_of_kind = select(Location.id).where(Location.kind == bindparam("kind"))
_LOCATIONS = {
    Of.SHIPMENT: _of_kind.where(Location.shipment_id == _mine),
    Of.APPLIANCE: _of_kind.where(Location.appliance_id == _mine),
    Of.FACILITY: _of_kind.join(Appliance, Appliance.id == Location.appliance_id).where(Appliance.facility_id == _mine),
}


def hold(session: Session, wanted: Wanted) -> frozenset[UUID]:
    """Keep others from what could be chosen, after they were faster before: waiting is dearer than choosing freely."""
    candidates = select(Custody.id).where(
        Custody.batch_id == wanted.known.batch.id,
        Custody.location_id.in_(locations(wanted.within)),
        HOLDS,
    )
    return frozenset(session.scalars(candidates.order_by(Custody.id).with_for_update(key_share=True)))


HELD = (
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
"""What `grouped` needs of a custody, a row for each of its clocks."""

_HELD: Select[*tuple[Any, ...]] = (
    select(*HELD)
    .join(Location, Location.id == Custody.location_id)
    .outerjoin(Deadline, (Deadline.custody_id == Custody.id) & (Deadline.batch_id == Custody.batch_id))
    .where(Custody.batch_id == bindparam("batch"))
)


@cache
def _holding(of: Of, kind: LocationKind) -> Select[*tuple[Any, ...]]:
    """Joined, not looked up in `_LOCATIONS`: a statement whose plan is not kept is dearer to plan than to carry out."""
    there = _HELD.where(HOLDS, of_kind(kind))
    if of is Of.SHIPMENT:
        return there.where(Location.shipment_id == _mine)
    if of is Of.APPLIANCE:
        return there.where(Location.appliance_id == _mine)
    return there.join(Appliance, Appliance.id == Location.appliance_id).where(Appliance.facility_id == _mine)


def of_kind(kind: LocationKind) -> ColumnElement[bool]:
    """A condition, with the word itself: nearly all locations are shipments', which a planner has to know."""
    return Location.kind == literal_column(f"'{kind}'")


def grouped(rows: Iterable[Any], expiry: date) -> list[Holding]:
    """The holdings that rows with the columns of `HELD` tell of."""
    clocks: dict[UUID, list[Clock]] = {}
    first: dict[UUID, Any] = {}
    for row in rows:
        first.setdefault(row.id, row)
        mine = clocks.setdefault(row.id, [])
        if row.name is not None:
            mine.append(Clock(row.rule_set, row.name, row.clock_opened_at, row.due_at))
    return [
        Holding(
            row.id,
            row.remaining,
            expiry,
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
    query = _HELD.where(Custody.id == wanted.custody, _of(wanted.within))
    found = grouped(session.execute(query, {"batch": wanted.known.batch.id}), wanted.known.batch.expiry)
    if not found:
        raise Invalid(Code.WRONG_CUSTODY, "custody", wanted.custody, N_("a custody of this batch at this place"))
    (holding,) = after(found, wanted.beside)
    takes_from(wanted.kind, holding.location_kind, wanted.custody, aboard=_is_aboard(session, holding))
    if not holding.fits(wanted.vials):
        raise Conflict(Code.WRONG_CUSTODY, "custody", wanted.custody, N_("vials that have not been opened"))
    if holding.opened_at > wanted.at:
        expected = N_("a time not before the custody's opening, %(opened)s")
        at, opened = wanted.at.isoformat(), holding.opened_at.isoformat()
        raise Conflict(Code.TIME_BEFORE_CUSTODY, "occurred_at", at, expected, opened=opened)
    if holding.is_spent(wanted.at) and not HANDLING[wanted.kind].expired:
        raise past_limit("custody", wanted.custody)
    return holding


def _is_aboard(session: Session, holding: Holding) -> bool:
    """Whether doses are on their way; those that are held there lie in a quarantine like any other."""
    if holding.location_kind is not LocationKind.QUARANTINE:
        return holding.location_kind is LocationKind.TRANSIT
    return session.get_one(Location, holding.location_id).shipment_id is not None


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
