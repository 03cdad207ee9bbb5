"""The impact of an excursion: which doses were there, and what became of each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from inventory.domain.fates import Fate
from inventory.domain.instants import FOREVER
from inventory.domain.words import End
from inventory.persistence.database import Database
from inventory.persistence.planning import uncompiled
from inventory.persistence.tables import Batch, Excursion, Facility, Movement, SensorAssignment, StockEvent
from inventory.services.evidence import ExcursionSummary, summary
from inventory.services.excursions import find
from inventory.services.fates import Doses, Followed, Window, follow
from inventory.services.ledger import stands
from inventory.services.paging import Page, page


@dataclass(frozen=True)
class Impact:
    """What an excursion touched: the sum, and each custody in which doses were there first."""

    excursion: ExcursionSummary
    fate: Fate
    custodies: tuple[Followed, ...]

    @property
    def doses(self) -> int:
        """How many doses were there."""
        return self.fate.doses


@dataclass(frozen=True)
class Given:
    """Doses that were there and were given, to be followed up; `recipient` is an opaque reference."""

    administration: UUID
    facility: str
    gtin: str
    batch: str
    occurred_at: datetime
    doses: int
    recipient: str | None


def excursion_impact(database: Database, excursion: UUID) -> Impact:
    """The doses that were where the sensor watched while its excursion lasted, and all that came of them.

    Raises:
        NotFound: `not_found`.
    """
    with database.read() as session:
        uncompiled(session)
        row, serial = find(session, excursion)
        windows = _windows(session, row)
        custodies = follow(session, Doses.there(windows)) if windows else ()
    return Impact(summary(row, serial), Fate.of(each.fate for each in custodies), custodies)


def list_given(database: Database, excursion: UUID, after: str | None, limit: int) -> Page[Given]:
    """The administrations that gave doses which were there, by time; corrected ones are left out.

    Raises:
        NotFound: `not_found`.
    """
    with database.read() as session:
        uncompiled(session)
        row, _ = find(session, excursion)
        windows = _windows(session, row)
        if not windows:
            return Page((), None)
        return page_of_given(session, Doses.there(windows), after, limit)


def page_of_given(session: Session, doses: Doses, after: str | None, limit: int) -> Page[Given]:
    """A page of the administrations of some doses; one that took them from several custodies has as many lines."""
    query = (
        doses.ends(
            Movement.event_id,
            Movement.doses,
            Movement.occurred_at,
            StockEvent.details,
            Facility.code.label("facility"),
            Batch.gtin,
            Batch.number,
        )
        .join(StockEvent, (StockEvent.id == Movement.event_id) & (StockEvent.batch_id == Movement.batch_id))
        .join(Facility, Facility.id == StockEvent.facility_id)
        .join(Batch, Batch.id == Movement.batch_id)
        .where(
            Movement.end_kind == End.ADMINISTERED,
            Movement.reverses_id.is_(None),
            stands(Movement.event_id, Movement.batch_id),
        )
    )
    return page(session, query, [Movement.occurred_at, Movement.id], after, limit).map(_given)


def _given(row: Any) -> Given:
    recipient = (row.details or {}).get("recipient")
    return Given(row.event_id, row.facility, row.gtin, row.number, row.occurred_at, row.doses, recipient)


def _windows(session: Session, excursion: Excursion) -> list[Window]:
    """Where the sensor watched, each for as long as the excursion lasted there."""
    start, end = excursion.started_at, excursion.ended_at or FOREVER
    query: Select[SensorAssignment] = select(SensorAssignment).where(
        SensorAssignment.sensor_id == excursion.sensor_id,
        SensorAssignment.since < end,
        or_(SensorAssignment.until.is_(None), SensorAssignment.until > start),
    )
    return [
        Window(watch.appliance_id, watch.shipment_id, max(start, watch.since), min(end, watch.until or FOREVER))
        for watch in session.scalars(query)
    ]
