"""What custodies hold, in the places where an order looks for doses."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, literal_column, select
from sqlalchemy.orm import Session

from inventory.domain.custody import Holding, Take, Vials, after
from inventory.domain.deadlines import Deadline as Clock
from inventory.domain.handling import HANDLING
from inventory.domain.words import EventKind, LocationKind
from inventory.persistence.database import ATTEMPT
from inventory.persistence.tables import HOLDS, Appliance, Custody, Deadline, Facility, Location
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


def find(session: Session, wanted: Wanted, kept: Container[UUID] | None = None) -> list[Holding]:
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

ROWS: Select[*tuple[Any, ...]] = (
    select(*HELD)
    .join(Location, Location.id == Custody.location_id)
    .outerjoin(Deadline, (Deadline.custody_id == Custody.id) & (Deadline.batch_id == Custody.batch_id))
    .where(Custody.batch_id == bindparam("batch"))
)


@cache
def _holding(of: Of, kind: LocationKind) -> Select[*tuple[Any, ...]]:
    """Joined, not looked up in `_LOCATIONS`: a statement whose plan is not kept is dearer to plan than to carry out."""
    there = ROWS.where(HOLDS, of_kind(kind))
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
