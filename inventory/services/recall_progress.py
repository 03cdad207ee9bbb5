"""How far a recall has come: what is held where, what is still free, and what had been given."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, literal_column, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.words import End, EventKind, LocationKind, Origin
from inventory.persistence.database import Database
from inventory.persistence.planning import uncompiled
from inventory.persistence.tables import HOLDS, Appliance, Custody, Facility, Location, Movement, Shipment, StockEvent
from inventory.services.arrivals_known import is_arrival
from inventory.services.as_of import NOW, AsOf
from inventory.services.events import KEY, Event, EventFilter, EventSummary, page_of_events, summaries, summary_of
from inventory.services.paging import Page, page
from inventory.services.places import Place, place_of, with_place


@dataclass(frozen=True)
class DosesAtPlace:
    """Doses of the batch that a place holds."""

    place: Place
    doses: int


@dataclass(frozen=True)
class DosesAtFacility:
    """Doses of the batch that a facility has given."""

    facility: str
    doses: int


@dataclass(frozen=True)
class RecallProgress:
    """Where the doses of a recalled batch are, or were.

    Attributes:
        recall: who ordered it, when and why; where it does not stand, the batch may be free for good reasons.
        held: what lies in quarantine, by place.
        free: what does not, by place: there should be nothing; a correction may have given it back.
        given_by_facility: what had been given, or was given in spite of it before it was known.
        found: of all doses, those that no receipt explains.
        unexplained: of what is held or free, doses on shipments that have arrived without them.
        unexplained_held: of these, those that count as held there.
    """

    recall: EventSummary
    held: tuple[DosesAtPlace, ...]
    free: tuple[DosesAtPlace, ...]
    given_by_facility: tuple[DosesAtFacility, ...]
    wasted: int
    returned: int
    missing: int
    found: int
    unexplained: int
    unexplained_held: int

    @property
    def doses(self) -> int:
        """All that there ever were of the batch."""
        gone = self.doses_given + self.wasted + self.returned + self.missing
        return self.doses_held + self.doses_free + gone

    @property
    def doses_held(self) -> int:
        """All that is held."""
        return sum(each.doses for each in self.held)

    @property
    def doses_held_in_transit(self) -> int:
        """Of what is held, what was on its way."""
        return sum(each.doses for each in self.held if each.place.shipment is not None)

    @property
    def doses_free(self) -> int:
        """All that is not held."""
        return sum(each.doses for each in self.free)

    @property
    def doses_given(self) -> int:
        """All that was given."""
        return sum(each.doses for each in self.given_by_facility)

    @property
    def located(self) -> int:
        """Held or free where the book says: without those on shipments that arrived without them."""
        return self.doses_held + self.doses_free - self.unexplained

    @property
    def not_accounted_for(self) -> int:
        """Missing at a count, or on a shipment that arrived without them: nobody knows where they are."""
        return self.missing + self.unexplained

    @property
    def completeness(self) -> float:
        """The part of the doses, 0 to 1, that a recall has nothing more to do about: held, gone back, wasted or given.

        To four places, never rounded up: 1 is all of them.
        """
        left = self.not_accounted_for + self.doses_free - (self.unexplained - self.unexplained_held)
        return (self.doses - left) * 10_000 // self.doses / 10_000 if self.doses else 1.0


def list_recalls(database: Database, after: str | None, limit: int) -> Page[EventSummary]:
    """Recalls, the newest last; corrected ones among them."""
    with database.read() as session:
        return page(session, _recalls(), KEY, after, limit).map(summary_of)


def get_recall(database: Database, recall: UUID, as_of: AsOf = NOW) -> RecallProgress:
    """How far one recall has come, or had come at an instant; NotFound `not_found`."""
    with database.read() as session:
        uncompiled(session)
        row = _find(session, recall)
        batch_id = row[0].batch_id
        left = _left(session, batch_id, as_of)
        gone = _gone(session, batch_id, as_of)
        lost = [line for line in left if line.arrived]
        return RecallProgress(
            summary_of(row),
            held=_by_place(line for line in left if line.place_kind is LocationKind.QUARANTINE),
            free=_by_place(line for line in left if line.place_kind is not LocationKind.QUARANTINE),
            given_by_facility=tuple(
                DosesAtFacility(facility, doses)
                for (end, facility), doses in sorted(gone.items())
                if end is End.ADMINISTERED and doses
            ),
            wasted=_total(gone, End.WASTED),
            returned=_total(gone, End.RETURNED),
            missing=_total(gone, End.MISSING),
            found=_found(session, batch_id, as_of),
            unexplained=sum(line.left for line in lost),
            unexplained_held=sum(line.left for line in lost if line.place_kind is LocationKind.QUARANTINE),
        )


def list_given(database: Database, recall: UUID, after: str | None, limit: int) -> Page[Event]:
    """The administrations of a recalled batch, by time, without corrected ones; NotFound `not_found`."""
    with database.read() as session:
        found = summary_of(_find(session, recall))
        wanted = EventFilter(gtin=found.gtin, batch=found.batch, kind=EventKind.ADMINISTER, corrected=False)
        return page_of_events(session, wanted, after, limit)


def _find(session: Session, recall: UUID) -> Any:
    row = session.execute(_recalls().where(StockEvent.id == recall)).one_or_none()
    if row is None:
        raise NotFound(Code.NOT_FOUND, "recall", recall, N_("the id of a recall"))
    return row


def _recalls() -> Any:
    """Recalls are rare and have a small index, which a query finds by its own words."""
    rare = StockEvent.kind.in_([literal_column("'recall'"), literal_column("'override'")])
    return summaries().where(StockEvent.kind == EventKind.RECALL, rare)


def _left(session: Session, batch_id: UUID, as_of: AsOf) -> Sequence[Any]:
    """The custodies of a batch that hold doses, with their place and whether that is a shipment that has arrived."""
    left = as_of.remaining()
    query = with_place(
        select(left.label("left"), _arrived(as_of).label("arrived")).join(Location, Location.id == Custody.location_id)
    ).where(Custody.batch_id == batch_id, HOLDS if as_of.is_now else and_(as_of.opened(), left > 0))
    return session.execute(query).all()


def _arrived(as_of: AsOf) -> ColumnElement[bool]:
    """Whether the shipment of a query has arrived; at another time, by the receipts that were known then."""
    if as_of.is_now:
        return Shipment.arrived_at.is_not(None)
    receipt = aliased(StockEvent)
    return exists().where(
        is_arrival(receipt, Shipment), as_of.told(receipt), as_of.stands(receipt.id, receipt.batch_id)
    )


def _found(session: Session, batch_id: UUID, as_of: AsOf) -> int:
    """How many doses of a batch have no known origin."""
    query = select(func.coalesce(func.sum(Custody.doses), 0)).where(
        Custody.batch_id == batch_id,
        Custody.origin == Origin.FOUND,
        as_of.opened(),
        as_of.stands(Custody.event_id, Custody.batch_id),
    )
    return int(session.scalars(query).one())


def _by_place(lines: Any) -> tuple[DosesAtPlace, ...]:
    doses: Counter[Place] = Counter()
    for line in lines:
        doses[place_of(line)] += line.left
    return tuple(DosesAtPlace(place, doses[place]) for place in sorted(doses, key=_name))


def _name(place: Place) -> tuple[str, str, str, str]:
    return place.facility or "", place.appliance or "", str(place.shipment or ""), place.kind


def _gone(session: Session, batch_id: UUID, as_of: AsOf) -> dict[tuple[End, str], int]:
    """The doses of a batch that left the custodies for good, by end and facility; those on their way have none."""
    where = func.coalesce(Facility.code, "").label("facility")
    query = (
        select(Movement.end_kind, where, func.sum(Movement.doses))
        .select_from(Custody)
        .join(Movement, and_(Movement.from_custody_id == Custody.id, Movement.batch_id == Custody.batch_id))
        .join(Location, Location.id == Custody.location_id)
        .outerjoin(Appliance, Appliance.id == Location.appliance_id)
        .outerjoin(Facility, Facility.id == Appliance.facility_id)
        .where(Custody.batch_id == batch_id, Movement.end_kind.is_not(None), as_of.counts())
        .group_by(Movement.end_kind, Facility.code)
    )
    return {(end, facility): int(doses) for end, facility, doses in session.execute(query) if end is not None}


def _total(gone: dict[tuple[End, str], int], wanted: End) -> int:
    return sum(doses for (end, _), doses in gone.items() if end is wanted)
