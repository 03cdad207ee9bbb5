"""The compliance table: what became of doses, and whether in time, by facility and civil day.

The ledger is read by facility and span of time, so that what an answer costs grows with what is asked for and not with
the history. `Figures` says what each figure means.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from inventory.domain import compliance
from inventory.domain.compliance import By, Figures, Moved, Timeliness, Window, figures_of
from inventory.domain.deadlines import RuleName
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.words import EventKind, FacilityKind
from inventory.persistence.database import Database
from inventory.persistence.seconds import whole_seconds
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import HOLDS, Custody, Deadline, Facility, Location, Movement, Shipment, StockEvent
from inventory.services import ledger, lookups

MOST_ROWS = 20_000
"""Facilities times days, where each is a row of its own."""

_KINDS = (
    EventKind.RECEIVE,
    EventKind.DISPATCH,
    EventKind.ADMINISTER,
    EventKind.WASTE,
    EventKind.COUNT,
    EventKind.RETURN,
)
"""What changes how many doses a facility has; the other kinds move them about inside it."""

Cells = dict[tuple[UUID, date], Figures]
"""Figures by facility and civil day."""


@dataclass(frozen=True, kw_only=True)
class ComplianceLine(Figures):
    """The figures of a facility on a day; of all of its days, or of all facilities, where one of them is not said."""

    facility: str | None = None
    name: str | None = None
    day: date | None = None


@dataclass(frozen=True)
class ComplianceReport:
    """The figures of some civil days; what nothing happened to has no line."""

    first: date
    last: date
    by: By
    items: Sequence[ComplianceLine]
    totals: Figures


def report(
    database: Database, first: date, last: date, by: By, facility: str | None, supplied_by: str | None, now: datetime
) -> ComplianceReport:
    """The figures from a civil day to another, both included, each in the facility's own zone.

    Of one facility, of those that a store supplies, or of all. What is late in coming is in it once it is recorded.

    Raises:
        Invalid: `not_found` for the facility or the store; as `domain.compliance.span`; `malformed` when facilities
            times days are more than `MOST_ROWS` lines.
    """
    days = compliance.span(first, last, now)
    with database.read() as session:
        chosen = session.scalars(select(Facility).where(_chosen(session, facility, supplied_by))).all()
        if by is By.FACILITY_DAY and len(chosen) * len(days) > MOST_ROWS:
            expected = N_("fewer days, or the facilities of one store: at most %(rows)d facilities times days")
            raise Invalid(Code.MALFORMED, "to", last, expected, rows=MOST_ROWS)
        cells = tally(session, chosen, lambda zone: _windows(days, zone, by))
    items = list(_lines(cells, {each.id: each for each in chosen}, by))
    return ComplianceReport(first, last, by, items, sum(cells.values(), Figures()))


def _chosen(session: Session, facility: str | None, supplied_by: str | None) -> ColumnElement[bool]:
    """A condition: the facilities that are asked for; suppliers keep no stock here."""
    conditions = [Facility.kind != FacilityKind.SUPPLIER]
    if facility is not None:
        conditions.append(Facility.id == lookups.facility(session, facility).id)
    if supplied_by is not None:
        conditions.append(Facility.supplied_by_id == lookups.facility(session, supplied_by, "supplied_by").id)
    return and_(*conditions)


def _lines(cells: Cells, known: dict[UUID, Facility], by: By) -> Iterator[ComplianceLine]:
    """The cells summed as asked for, by facility code and then by day."""
    sums: defaultdict[tuple[str, date], Figures] = defaultdict(Figures)
    names = {each.code: each.name for each in known.values()}
    for (facility, day), figures in cells.items():
        key = ("" if by is By.DAY else known[facility].code, date.min if by is By.FACILITY else day)
        sums[key] += figures
    for (code, day), figures in sorted(sums.items(), key=lambda each: each[0]):
        whose = {"facility": code or None, "name": names.get(code), "day": None if by is By.FACILITY else day}
        yield ComplianceLine(**dict(figures.parts()), **whose)  # type: ignore[arg-type]


def _windows(days: Sequence[date], zone: str, by: By) -> Sequence[Window]:
    """The civil days in a zone; one window for all of them where nobody asks for the day."""
    windows = compliance.windows(days, zone)
    return [Window(days[0], windows[0].since, windows[-1].until)] if by is By.FACILITY else windows


def tally(session: Session, facilities: Sequence[Facility], windows_in: Callable[[str], Sequence[Window]]) -> Cells:
    """The figures of facilities within the windows of their zones, by the windows' days; only where there are any.

    A statement asks for one window: for several at once, both databases would rather read the whole ledger.
    """
    cells: defaultdict[tuple[UUID, date], Figures] = defaultdict(Figures)
    zones: defaultdict[str, list[UUID]] = defaultdict(list)
    for each in facilities:
        zones[each.zone].append(each.id)
    for zone, mine in zones.items():
        for window in windows_in(zone):
            for row in rows_in(session, _moved(window), StockEvent.facility_id, mine):
                cells[row.facility_id, window.day] += figures_of(row.facility_kind, _group(row))
            for facility, doses in _unexplained(session, mine, window):
                cells[facility, window.day] += Figures(unexplained=doses)
    return dict(cells)


def _group(row: Any) -> Moved:
    clock = Timeliness(int(row.in_time), int(row.late), int(row.worst), int(row.seconds))
    return Moved(row.kind, int(row.doses), bool(row.arrived), row.origin, row.cause, clock)


def _within(window: Window) -> ColumnElement[bool]:
    """A condition: in the window; with the facilities beside it, the index on both bounds what is read."""
    return and_(StockEvent.occurred_at >= window.since, StockEvent.occurred_at < window.until)


def _moved(window: Window) -> Any:
    """Doses by facility and all that tells one figure from another; corrected events never were."""
    late, in_time = Movement.occurred_at > Deadline.due_at, Movement.occurred_at <= Deadline.due_at
    lateness = whole_seconds(Movement.occurred_at) - whole_seconds(Deadline.due_at)
    arrived = Location.appliance_id.is_not(None)
    group = (
        StockEvent.facility_id,
        Facility.kind.label("facility_kind"),
        StockEvent.kind,
        StockEvent.cause,
        Custody.origin,
        arrived.label("arrived"),
    )
    return (
        select(
            *group,
            func.sum(Movement.doses).label("doses"),
            func.sum(case((in_time, Movement.doses), else_=0)).label("in_time"),
            func.sum(case((late, Movement.doses), else_=0)).label("late"),
            func.max(case((late, lateness), else_=0)).label("worst"),
            func.sum(case((late, Movement.doses * lateness), else_=0)).label("seconds"),
        )
        .select_from(StockEvent)
        .join(Facility, Facility.id == StockEvent.facility_id)
        .join(Movement, and_(Movement.event_id == StockEvent.id, Movement.batch_id == StockEvent.batch_id))
        .outerjoin(Custody, and_(Custody.id == Movement.to_custody_id, Custody.batch_id == Movement.batch_id))
        .outerjoin(Location, Location.id == Custody.location_id)
        .outerjoin(Deadline, _clock())
        .where(_within(window), StockEvent.kind.in_(_KINDS), ledger.stands(StockEvent.id, StockEvent.batch_id))
        .group_by(*group)
    )


def _clock() -> ColumnElement[bool]:
    """A condition: the deadline that such an event meets, on the custody that the doses come out of."""
    name = case(
        (StockEvent.kind == EventKind.RECEIVE, RuleName.DELIVER),
        (Facility.kind.in_([kind for kind in FacilityKind if kind.is_site]), RuleName.USE),
        else_=RuleName.FORWARD,
    )
    return and_(
        Deadline.custody_id == Movement.from_custody_id,
        Deadline.batch_id == Movement.batch_id,
        Deadline.name == name,
    )


def _unexplained(session: Session, facilities: Sequence[UUID], window: Window) -> Iterator[tuple[UUID, int]]:
    """Doses still in transit to a facility, of shipments that arrived there in the window."""
    received = select(StockEvent.facility_id, StockEvent.shipment_id).distinct()
    found = rows_in(
        session,
        received.where(_within(window), StockEvent.kind == EventKind.RECEIVE),
        StockEvent.facility_id,
        facilities,
    )
    receivers = {(row.shipment_id, row.facility_id) for row in found if row.shipment_id}
    left = (
        select(Shipment.id, Shipment.to_facility_id, func.sum(Custody.remaining).label("doses"))
        .join(Location, Location.shipment_id == Shipment.id)
        .join(Custody, Custody.location_id == Location.id)
        .where(HOLDS, Shipment.arrived_at >= window.since, Shipment.arrived_at < window.until)
        .group_by(Shipment.id, Shipment.to_facility_id)
    )
    for row in rows_in(session, left, Shipment.id, {shipment for shipment, _ in receivers}):
        if (row.id, row.to_facility_id) in receivers:
            yield row.to_facility_id, int(row.doses)
