"""Excursions, and their impact: which doses were there, and what became of each."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.instants import FOREVER
from inventory.domain.words import End, LocationKind
from inventory.persistence.database import Database
from inventory.persistence.tables import (
    Batch,
    Custody,
    Excursion,
    Location,
    Movement,
    Sensor,
    SensorAssignment,
)
from inventory.services import lookups
from inventory.services.evidence import ExcursionSummary, summary
from inventory.services.ledger import stands
from inventory.services.paging import Page, page
from inventory.services.places import Place, place_of, with_place


@dataclass(frozen=True)
class Whereabouts:
    """Doses of the subtree below an exposed custody that are at one place now."""

    place: Place
    custody: UUID
    doses: int


@dataclass(frozen=True)
class Given:
    """Doses of it that were given, to be followed up."""

    administration: UUID
    facility: str | None
    occurred_at: datetime
    doses: int


@dataclass(frozen=True)
class ExposedCustody:
    """A custody that was there: how many doses at most in the window, where they are now, and how the rest ended."""

    custody: UUID
    place: Place
    gtin: str
    batch: str
    doses: int
    left: tuple[Whereabouts, ...]
    given: tuple[Given, ...]
    ended: Mapping[End, int]


@dataclass(frozen=True)
class Impact:
    """What an excursion touched; the sums are over all its custodies."""

    excursion: ExcursionSummary
    doses: int
    on_hand: int
    in_quarantine: int
    in_transit: int
    administered: int
    wasted: int
    returned: int
    missing: int
    custodies: tuple[ExposedCustody, ...]


def list_excursions(
    database: Database, sensor: str | None, standing: bool, after: str | None, limit: int
) -> Page[ExcursionSummary]:
    """Excursions by their start; `standing` leaves out those that late readings took back."""
    query = select(Excursion, Sensor.serial).join(Sensor, Sensor.id == Excursion.sensor_id)
    if sensor is not None:
        query = query.where(Sensor.serial == sensor)
    if standing:
        query = query.where(Excursion.cancelled_at.is_(None))
    with database.read() as session:
        if sensor is not None:
            lookups.sensor(session, sensor)
        return page(session, query, [Excursion.started_at, Excursion.id], after, limit).map(
            lambda row: summary(row[0], row[1])
        )


def get_excursion(database: Database, excursion: UUID) -> ExcursionSummary:
    """One excursion; NotFound `not_found`."""
    with database.read() as session:
        return summary(*_find(session, excursion))


def excursion_impact(database: Database, excursion: UUID) -> Impact:
    """The custodies that were where the sensor watched during its excursion, and all that came of them.

    Doses that had left before it began were not there; doses that left during it were.

    Raises:
        NotFound: `not_found`.
    """
    with database.read() as session:
        row, serial = _find(session, excursion)
        there = _exposed(session, row)
    left, ended = Counter[LocationKind](), Counter[End]()
    for custody in there:
        ended.update(custody.ended)
        for part in custody.left:
            left[part.place.kind] += part.doses
    return Impact(
        excursion=summary(row, serial),
        doses=sum(custody.doses for custody in there),
        on_hand=left[LocationKind.STORAGE],
        in_quarantine=left[LocationKind.QUARANTINE],
        in_transit=left[LocationKind.TRANSIT],
        administered=ended[End.ADMINISTERED],
        wasted=ended[End.WASTED],
        returned=ended[End.RETURNED],
        missing=ended[End.MISSING],
        custodies=there,
    )


def _find(session: Session, excursion: UUID) -> tuple[Excursion, str]:
    found = session.execute(
        select(Excursion, Sensor.serial).join(Sensor, Sensor.id == Excursion.sensor_id).where(Excursion.id == excursion)
    ).one_or_none()
    if found is None:
        raise NotFound(Code.NOT_FOUND, "excursion", excursion, N_("the id of an excursion"))
    return found[0], found[1]


def _exposed(session: Session, excursion: Excursion) -> tuple[ExposedCustody, ...]:
    """The custodies in the watched place in the window, with the doses that were still there when it began.

    One that holds doses of another of them is left out: each dose counts once.
    """
    start, end = excursion.started_at, excursion.ended_at or FOREVER
    gone = (
        select(func.coalesce(func.sum(Movement.doses), 0))
        .where(
            Movement.from_custody_id == Custody.id,
            Movement.batch_id == Custody.batch_id,
            Movement.occurred_at <= start,
        )
        .scalar_subquery()
    )
    watched = exists().where(
        SensorAssignment.sensor_id == excursion.sensor_id,
        SensorAssignment.since < end,
        or_(SensorAssignment.until.is_(None), SensorAssignment.until > start),
        or_(
            SensorAssignment.appliance_id == Location.appliance_id,
            SensorAssignment.shipment_id == Location.shipment_id,
        ),
    )
    query = (
        with_place(
            select(Custody.id, Custody.batch_id, Batch.gtin, Batch.number, (Custody.doses - gone).label("there"))
            .join(Batch, Batch.id == Custody.batch_id)
            .join(Location, Location.id == Custody.location_id)
        )
        .where(watched, Custody.opened_at < end, Custody.doses > gone, stands(Custody.event_id, Custody.batch_id))
        .order_by(Custody.opened_at, Custody.id)
    )
    rows = session.execute(query).all()
    inner = {each for row in rows for each in session.scalars(select(_below(row, start).c.id))} if rows[1:] else set()
    return tuple(_follow(session, row, start) for row in rows if row.id not in inner)


def _below(row: Any, start: datetime) -> CTE:
    """The custodies that hold what a custody held at `start`: down its tree, leaving out what left before."""
    below = (
        select(Movement.to_custody_id.label("id"))
        .where(
            Movement.from_custody_id == row.id,
            Movement.batch_id == row.batch_id,
            Movement.occurred_at > start,
            Movement.to_custody_id.is_not(None),
        )
        .cte("below", recursive=True)
    )
    return below.union_all(select(Custody.id).where(Custody.parent_id == below.c.id, Custody.batch_id == row.batch_id))


def _follow(session: Session, row: Any, start: datetime) -> ExposedCustody:
    """What became of the doses that were in a custody at `start`."""
    inside = or_(Custody.id == row.id, Custody.id.in_(select(_below(row, start).c.id)))
    return ExposedCustody(
        custody=row.id,
        place=place_of(row),
        gtin=row.gtin,
        batch=row.number,
        doses=int(row.there),
        left=_left(session, row.batch_id, inside),
        given=_given(session, row, start, inside),
        ended=_ended(session, row, start, inside),
    )


def _left(session: Session, batch_id: UUID, inside: Any) -> tuple[Whereabouts, ...]:
    query = with_place(select(Custody.id, Custody.remaining).join(Location, Location.id == Custody.location_id)).where(
        inside, Custody.batch_id == batch_id, Custody.remaining > 0
    )
    return tuple(
        Whereabouts(place_of(row), row.id, row.remaining) for row in session.execute(query.order_by(Custody.id))
    )


def _given(session: Session, exposed: Any, start: datetime, inside: Any) -> tuple[Given, ...]:
    query = with_place(
        select(Movement.event_id, Movement.occurred_at, Movement.doses)
        .join(Custody, and_(Custody.id == Movement.from_custody_id, Custody.batch_id == Movement.batch_id))
        .join(Location, Location.id == Custody.location_id)
    ).where(
        inside,
        Custody.batch_id == exposed.batch_id,
        Movement.end_kind == End.ADMINISTERED,
        Movement.reverses_id.is_(None),
        stands(Movement.event_id, Movement.batch_id),
        or_(Custody.id != exposed.id, Movement.occurred_at > start),
    )
    rows = session.execute(query.order_by(Movement.occurred_at, Movement.id))
    return tuple(Given(row.event_id, row.place_facility, row.occurred_at, row.doses) for row in rows)


def _ended(session: Session, exposed: Any, start: datetime, inside: Any) -> dict[End, int]:
    query = (
        select(Movement.end_kind, func.sum(Movement.doses))
        .join(Custody, and_(Custody.id == Movement.from_custody_id, Custody.batch_id == Movement.batch_id))
        .where(
            inside,
            Custody.batch_id == exposed.batch_id,
            Movement.end_kind.is_not(None),
            or_(Custody.id != exposed.id, Movement.occurred_at > start),
        )
        .group_by(Movement.end_kind)
    )
    return {end: int(doses) for end, doses in session.execute(query) if end is not None}
