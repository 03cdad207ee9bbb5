"""Choosing the custodies that an order takes from: the one that was named, or those whose turn it is."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.custody import Holding, Take, after, all_of, in_whole_vials, past_limit, pick, pick_vials, unspent
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.handling import HANDLING, takes_from
from inventory.domain.instants import civil_day
from inventory.domain.words import Chosen, EventKind, LocationKind
from inventory.persistence.tables import Appliance, Custody, Location, Shipment
from inventory.services import holdings
from inventory.services.holdings import Wanted, Within
from inventory.services.lookups import KnownBatch


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
        there, chosen = _usable(holdings.find(session, wanted), wanted), Chosen.PICKED
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
        [each for each in holdings.find(session, replace(wanted, within=within)) if each.opened_at <= wanted.at]
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


def named(session: Session, wanted: Wanted) -> Holding:
    """The custody that an order names, if the event may take from it.

    Raises:
        Invalid: `wrong_custody` where it is not of this batch at this place.
        Conflict: `wrong_location`, `time_before_custody`, `batch_expired` for a vial past its limit.
    """
    query = holdings.ROWS.where(Custody.id == wanted.custody, _of(wanted.within))
    found = holdings.grouped(session.execute(query, {"batch": wanted.known.batch.id}), wanted.known.batch.expiry)
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
