"""How far a recall has come: what is held where, what is still free, and what had been given."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, literal_column, select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.words import End, EventKind, LocationKind
from inventory.persistence.database import Database
from inventory.persistence.tables import HOLDS, Appliance, Custody, Facility, Location, Movement, Shipment, StockEvent
from inventory.services.events import KEY, EventSummary, summaries, summary_of
from inventory.services.paging import Page, page
from inventory.services.places import Place, place_of, with_place


@dataclass(frozen=True)
class DosesAtPlace:
    """Doses of the batch that a place holds now."""

    place: Place
    doses: int


@dataclass(frozen=True)
class DosesAtFacility:
    """Doses of the batch that a facility has given."""

    facility: str
    doses: int


@dataclass(frozen=True)
class RecallProgress:
    """Where the doses of a recalled batch are now.

    Attributes:
        recall: who ordered it, when and why; where it does not stand, the batch may be free for good reasons.
        held: what lies in quarantine, by place.
        free: what does not, by place: there should be nothing; a correction may have given it back.
        given_by_facility: what had been given, or was given in spite of it before it was known.
        unexplained: of what is held or free, doses on shipments that have arrived without them.
    """

    recall: EventSummary
    held: tuple[DosesAtPlace, ...]
    free: tuple[DosesAtPlace, ...]
    given_by_facility: tuple[DosesAtFacility, ...]
    wasted: int
    returned: int
    missing: int
    unexplained: int

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


def list_recalls(database: Database, after: str | None, limit: int) -> Page[EventSummary]:
    """Recalls, the newest last; corrected ones among them."""
    with database.read() as session:
        return page(session, _recalls(), KEY, after, limit).map(summary_of)


def get_recall(database: Database, recall: UUID) -> RecallProgress:
    """How far one recall has come; NotFound `not_found`."""
    with database.read() as session:
        row = session.execute(_recalls().where(StockEvent.id == recall)).one_or_none()
        if row is None:
            raise NotFound(Code.NOT_FOUND, "recall", recall, N_("the id of a recall"))
        batch_id = row[0].batch_id
        left = _left(session, batch_id)
        gone = _gone(session, batch_id)
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
            unexplained=sum(line.remaining for line in left if line.arrived_at is not None),
        )


def _recalls() -> Any:
    """Recalls are rare and have a small index, which a query finds by its own words."""
    rare = StockEvent.kind.in_([literal_column("'recall'"), literal_column("'override'")])
    return summaries().where(StockEvent.kind == EventKind.RECALL, rare)


def _left(session: Session, batch_id: UUID) -> Sequence[Any]:
    """The custodies of a batch that hold doses, with their place and whether that is a shipment that has arrived."""
    query = with_place(
        select(Custody.remaining, Shipment.arrived_at).join(Location, Location.id == Custody.location_id)
    ).where(Custody.batch_id == batch_id, HOLDS)
    return session.execute(query).all()


def _by_place(lines: Any) -> tuple[DosesAtPlace, ...]:
    doses: Counter[Place] = Counter()
    for line in lines:
        doses[place_of(line)] += line.remaining
    return tuple(DosesAtPlace(place, doses[place]) for place in sorted(doses, key=_name))


def _name(place: Place) -> tuple[str, str, str, str]:
    return place.facility or "", place.appliance or "", str(place.shipment or ""), place.kind


def _gone(session: Session, batch_id: UUID) -> dict[tuple[End, str], int]:
    """The doses of a batch that left the custodies for good, by end and facility; those on their way have none."""
    where = func.coalesce(Facility.code, "").label("facility")
    query = (
        select(Movement.end_kind, where, func.sum(Movement.doses))
        .select_from(Custody)
        .join(Movement, and_(Movement.from_custody_id == Custody.id, Movement.batch_id == Custody.batch_id))
        .join(Location, Location.id == Custody.location_id)
        .outerjoin(Appliance, Appliance.id == Location.appliance_id)
        .outerjoin(Facility, Facility.id == Appliance.facility_id)
        .where(Custody.batch_id == batch_id, Movement.end_kind.is_not(None))
        .group_by(Movement.end_kind, Facility.code)
    )
    return {(end, facility): int(doses) for end, facility, doses in session.execute(query) if end is not None}


def _total(gone: dict[tuple[End, str], int], wanted: End) -> int:
    return sum(doses for (end, _), doses in gone.items() if end is wanted)
