"""The countdown board: every clock that runs on doses, computed from the facts and now."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, func, literal, or_, select, true, type_coerce
from sqlalchemy.orm import Session, aliased

from inventory.domain.adverse_events import REPORTING_RULES, AdverseEventKind, ReportClock, Reporting
from inventory.domain.deadlines import SOON, RuleName, Status, status
from inventory.domain.forecast import Forecast
from inventory.domain.outcomes import Outcome
from inventory.persistence.database import Database
from inventory.persistence.planning import by_index
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import (
    HOLDS,
    AdverseEvent,
    Appliance,
    Batch,
    Custody,
    Deadline,
    Facility,
    Location,
    Shipment,
)
from inventory.services import lookups, reporting_clocks
from inventory.services.paging import Column, Page, merged, page
from inventory.services.places import Place, place_of, with_place
from inventory.services.tallies import Tally, doses_of, tallies
from inventory.services.waiting import Waiting, waiting


@dataclass(frozen=True)
class DueReport:
    """What the clock of a report is about: an adverse event, what it is, and the facility that has to report it on."""

    adverse_event: UUID
    kind: AdverseEventKind
    facility: str


@dataclass(frozen=True)
class DeadlineLine:
    """One clock: how many doses are under it, when it is due, where it stands, and what is to be expected.

    `time_left` is negative once it is missed. `doses_left` are under it; `doses_met` met it, `doses_late` left it after
    it was due, `doses_ended` left it in time but otherwise than it asks. Doses that went on to another custody took the
    clock with them and are counted there. Without doses left there is nothing to forecast. The clock of a report
    (`report`) runs on no doses and in no place: its batch is that of the dose before the adverse event.
    """

    custody: UUID | None
    name: RuleName | ReportClock
    rule_set: str
    place: Place | None
    gtin: str
    batch: str
    opened_at: datetime
    due_at: datetime
    time_left: timedelta
    doses_left: int
    doses_met: int
    doses_late: int
    doses_ended: int
    status: Status
    forecast: Forecast | None
    report: DueReport | None = None


MET, LATE = doses_of(Outcome.MET), doses_of(Outcome.LATE)

_RUNNING: dict[Status | None, Callable[[datetime], ColumnElement[bool]]] = {
    None: lambda _: true(),
    Status.OPEN: lambda now: and_(Deadline.due_at >= now + SOON, LATE == 0),
    Status.DUE_SOON: lambda now: and_(Deadline.due_at < now + SOON, Deadline.due_at >= now, LATE == 0),
}
"""`domain.deadlines.status` in SQL, of clocks with doses left; without a status, all of them."""

_PAST: dict[Status | None, Callable[[datetime], ColumnElement[bool]]] = {
    Status.MISSED: lambda now: or_(and_(Custody.remaining > 0, Deadline.due_at < now), LATE > 0),
    Status.MET: lambda _: and_(Custody.remaining == 0, LATE == 0, MET > 0),
}
"""The same of all clocks that ever were; one whose doses have all gone on with it, or left it otherwise than it asks,
has no status of its own."""


def list_deadlines(
    database: Database, facility: str | None, wanted: Status | None, now: datetime, after: str | None, limit: int
) -> Page[DeadlineLine]:
    """Clocks by when they are due; without a wanted status, those with doses left under them."""
    with database.read() as session:
        by_index(session)
        query, custody, due_at = _past() if wanted in _PAST else _running()
        query = query.where((_RUNNING | _PAST)[wanted](now))
        where = None if facility is None else lookups.facility(session, facility)
        if where is not None:
            query = query.where(_at(custody, where))
        # One custody may have several clocks that are due together: no two lines may share a key.
        key = (due_at, Deadline.custody_id, Deadline.batch_id, type_coerce(Deadline.name, String).label("clock"))
        found = page(session, query, key, after, limit)
        reports = reporting_clocks.list_clocks(session, where, wanted, now, after, limit)
        found = merged(found, reports, len(key), limit)
        doses = _Told(session, [row for row in found.items if not _is_report(row)], now)
        return found.map(lambda row: _report_line(row, now) if _is_report(row) else doses.line(row))


def _is_report(row: Any) -> bool:
    return isinstance(row[0], AdverseEvent)


def _report_line(row: Any, now: datetime) -> DeadlineLine:
    """The line of a report's clock, which runs on no doses."""
    said: AdverseEvent = row[0]
    clock = Reporting(said.clock_opened_at, said.due_at, said.met_at)
    return DeadlineLine(
        custody=None,
        name=ReportClock.REPORT,
        rule_set=REPORTING_RULES,
        place=None,
        gtin=row.gtin,
        batch=row.number,
        opened_at=clock.opened_at,
        due_at=clock.due_at,
        time_left=clock.due_at - now,
        doses_left=0,
        doses_met=0,
        doses_late=0,
        doses_ended=0,
        status=clock.status(now),
        forecast=None,
        report=DueReport(said.first_id, said.kind, row.facility),
    )


Clocks = tuple[Select[*tuple[Any, ...]], type[Custody], Column]
"""A query of clocks, the custodies in it, and its due time, by which they are put in order."""


def _running() -> Clocks:
    """Clocks with doses left: custodies that have any are few, and clocks are as many as there have ever been.

    So those custodies are found first and their clocks then put in order; a due time in words that no index knows keeps
    the database from doing it the other way round.
    """
    custody = aliased(Custody, select(Custody).where(HOLDS).cte("held").prefix_with("MATERIALIZED"))
    return _clocks(custody), custody, func.coalesce(Deadline.due_at, Deadline.due_at).label("urgency")


def _past() -> Clocks:
    """All clocks, read in the order of the index of due times."""
    return _clocks(Custody), Custody, Deadline.due_at


def _clocks(custody: type[Custody]) -> Select[*tuple[Any, ...]]:
    on = and_(Deadline.custody_id == custody.id, Deadline.batch_id == custody.batch_id)
    return select(Deadline, custody.remaining, custody.location_id).select_from(custody).join(Deadline, on)


def _at(custody: type[Custody], facility: Facility) -> ColumnElement[bool]:
    """A condition on custodies: held by the facility, or on their way from or to it."""
    here = (
        select(Location.id)
        .join(Appliance, Appliance.id == Location.appliance_id)
        .where(Appliance.facility_id == facility.id)
    )
    on_its_way = (
        select(literal(1))
        .select_from(Location)
        .join(Shipment, Shipment.id == Location.shipment_id)
        .where(
            Location.id == custody.location_id,
            or_(Shipment.from_facility_id == facility.id, Shipment.to_facility_id == facility.id),
        )
        .correlate(custody)
        .scalar_subquery()
    )
    return or_(custody.location_id.in_(here), on_its_way == 1)


class _Told:
    """What is to be told of the clocks of a page, each kind of it asked for once."""

    def __init__(self, session: Session, rows: Iterable[Any], now: datetime) -> None:
        clocks = list(rows)
        self._now = now
        self._places = _places(session, {row.location_id for row in clocks})
        self._batches = _batches(session, {row.Deadline.batch_id for row in clocks})
        self._tallies = tallies(session, {row.Deadline.custody_id for row in clocks})
        self._waiting = _waiting(session, self._places.values(), now)

    def line(self, row: Any) -> DeadlineLine:
        """One line of the board."""
        clock: Deadline = row.Deadline
        batch = self._batches[clock.batch_id]
        tally = self._tallies.get((clock.custody_id, clock.name), Tally())
        forecast = self._waiting.forecast(clock, row.location_id, row.remaining) if row.remaining else None
        return DeadlineLine(
            custody=clock.custody_id,
            name=clock.name,
            rule_set=clock.rule_set,
            place=self._places[row.location_id],
            gtin=batch.gtin,
            batch=batch.number,
            opened_at=clock.opened_at,
            due_at=clock.due_at,
            time_left=clock.due_at - self._now,
            doses_left=row.remaining,
            doses_met=tally.met,
            doses_late=tally.late,
            doses_ended=tally.ended,
            status=status(clock.due_at, row.remaining, tally.late, self._now),
            forecast=forecast,
        )


def _places(session: Session, location_ids: Iterable[UUID]) -> dict[UUID, Place]:
    query = with_place(select(Location.id))
    return {row.id: place_of(row) for row in rows_in(session, query, Location.id, location_ids)}


def _batches(session: Session, batch_ids: Iterable[UUID]) -> dict[UUID, Any]:
    query = select(Batch.id, Batch.gtin, Batch.number)
    return {row.id: row for row in rows_in(session, query, Batch.id, batch_ids)}


def _waiting(session: Session, places: Iterable[Place], now: datetime) -> Waiting:
    """What waits at all facilities that have a part in some places."""
    codes = {code for place in places for code in (place.facility, place.from_facility, place.to_facility) if code}
    found = rows_in(session, select(Facility), Facility.code, codes)
    return waiting(session, [row.Facility for row in found], now)
