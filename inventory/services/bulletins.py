"""The bulletin that a county sends to its sites at noon and in the evening: who used how much, and what is at risk."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.compliance import Figures, Window, ranks
from inventory.domain.deadlines import RuleName
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.instants import civil_day, end_of_day, stated
from inventory.domain.words import EventKind, FacilityKind
from inventory.persistence.database import Database
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import HOLDS, Appliance, Custody, Deadline, Facility, Location, Movement, StockEvent
from inventory.services import ledger, lookups
from inventory.services.compliance import tally

AT_RISK = timedelta(hours=12)
"""From a bulletin to the next: from noon to the end of the day, from the evening to the next morning."""


@dataclass(frozen=True)
class Held:
    """Doses that a site holds, in storage and in quarantine.

    Attributes:
        doses: all of them.
        overdue: whose clock of use had ended.
        at_risk: whose clock of use ends within `AT_RISK`.
    """

    doses: int = 0
    overdue: int = 0
    at_risk: int = 0

    def __sub__(self, other: "Held") -> "Held":
        """What is left without the other."""
        return Held(self.doses - other.doses, self.overdue - other.overdue, self.at_risk - other.at_risk)


@dataclass(frozen=True)
class BulletinLine:
    """One site's day until the bulletin, in doses; all sites together where none is said.

    Attributes:
        rank: by doses used, the most first; equals share it.
        opening: what it held when its civil day began.
        received: what has come in since.
        used: given to people since.
        used_late: of these, after their clock of use had ended.
        delivered_late: of what came in, after its clock of delivery had ended.
        wasted: for any reason, since.
        sent: handed on to another site, or back up the line, since.
        found: came to light since, and waits in quarantine: a count above the book, a receipt above what was sent.
        missing: a count has found less than the book, since.
        held: still there, free or in quarantine: opening, received and found, less used, wasted, sent and missing. Only
            what was wasted on its way, and is in `wasted`, was never there.
        overdue: still there, though their clock of use has ended.
        at_risk: still there, and their clock of use ends within twelve hours, before the next bulletin.
    """

    opening: int
    received: int
    used: int
    used_late: int
    delivered_late: int
    wasted: int
    sent: int
    found: int
    missing: int
    held: int
    overdue: int
    at_risk: int
    daily_capacity: int | None = None
    rank: int | None = None
    facility: str | None = None
    name: str | None = None
    day: date | None = None

    @property
    def available(self) -> int:
        """What there was to use."""
        return self.opening + self.received

    @property
    def completion(self) -> float | None:
        """The part of what there was to use that was used; None where there was nothing."""
        return round(self.used / self.available, 4) if self.available else None

    @property
    def capacity_used(self) -> float | None:
        """Doses used as a part of a day's capacity; None where none is stated."""
        return round(self.used / self.daily_capacity, 4) if self.daily_capacity else None


@dataclass(frozen=True)
class Bulletin:
    """The sites that a store supplies, ranked, as they stood at an instant."""

    facility: str
    name: str
    at: datetime
    items: Sequence[BulletinLine]
    totals: BulletinLine


def bulletin(database: Database, facility: str, at: datetime | None, now: datetime) -> Bulletin:
    """The bulletin of a store as of an instant, by all that is recorded by now.

    Each site's day is that of its own zone. An older bulletin reads what has happened since, and nothing before.

    Raises:
        Invalid: `not_found`; `wrong_facility_kind` for what is no store; `time_in_future`, `time_too_old`.
    """
    at = now if at is None else stated("at", at, now)
    with database.read() as session:
        store = lookups.facility(session, facility)
        if not store.kind.is_store:
            raise Invalid(Code.WRONG_FACILITY_KIND, "facility", facility, N_("a city or county store"))
        mine = and_(Facility.supplied_by_id == store.id, Facility.kind.in_(_SITES))
        sites = session.scalars(select(Facility).where(mine).order_by(Facility.code)).all()
        lines = _lines(session, sites, at)
    return Bulletin(store.code, store.name, at, lines, _total(lines))


_SITES = [kind for kind in FacilityKind if kind.is_site]


def _lines(session: Session, sites: Sequence[Facility], at: datetime) -> list[BulletinLine]:
    until = at + datetime.resolution  # what happened at that very instant is in it
    figures = tally(session, sites, lambda zone: [_today(zone, at, until)])
    held = _held(session, sites, at)
    since = _changes(session, sites, lambda _: until, at)
    today = _changes(session, sites, lambda zone: _today(zone, at, until).since, at)
    places = ranks([_of(figures, site, at).administered for site in sites])
    found = [
        _line(site, rank, _of(figures, site, at), tuple(each.get(site.id, Held()) for each in (held, since, today)), at)
        for rank, site in zip(places, sites, strict=True)
    ]
    return sorted(found, key=lambda line: (line.rank, line.facility))


def _today(zone: str, at: datetime, until: datetime) -> Window:
    """The part of the civil day in a zone that is over."""
    day = civil_day(at, zone)
    return Window(day, end_of_day(day - timedelta(days=1), zone), until)


def _of(figures: dict[tuple[UUID, date], Figures], site: Facility, at: datetime) -> Figures:
    return figures.get((site.id, civil_day(at, site.zone)), Figures())


def _line(site: Facility, rank: int, figures: Figures, stock: tuple[Held, ...], at: datetime) -> BulletinLine:
    """One site's line, by what it holds now, and what has come less what has gone since `at` and since its morning."""
    held, since, today = stock
    then = held - since
    return BulletinLine(
        opening=(held - today).doses,
        received=figures.received,
        used=figures.administered,
        used_late=figures.used.late,
        delivered_late=figures.delivered.late,
        wasted=figures.wasted,
        sent=figures.transferred + figures.returned,
        found=figures.found,
        missing=figures.missing,
        held=then.doses,
        overdue=then.overdue,
        at_risk=then.at_risk,
        daily_capacity=site.daily_capacity,
        rank=rank,
        facility=site.code,
        name=site.name,
        day=civil_day(at, site.zone),
    )


def _total(lines: Sequence[BulletinLine]) -> BulletinLine:
    summed = (
        "opening", "received", "used", "used_late", "delivered_late", "wasted", "sent", "found", "missing", "held",
        "overdue", "at_risk",
    )  # fmt: skip
    capacities = [line.daily_capacity for line in lines]
    known = [each for each in capacities if each is not None]
    return BulletinLine(
        **{name: sum(getattr(line, name) for line in lines) for name in summed},
        daily_capacity=sum(known) if known and len(known) == len(capacities) else None,
    )


def _sums(doses: ColumnElement[int], at: datetime) -> tuple[Any, ...]:
    """Doses: all, those whose clock of use had ended at an instant, and those whose clock ends soon after it."""
    overdue = Deadline.due_at < at
    soon = and_(Deadline.due_at >= at, Deadline.due_at < at + AT_RISK)
    return (
        func.sum(doses).label("doses"),
        func.sum(case((overdue, doses), else_=0)).label("overdue"),
        func.sum(case((soon, doses), else_=0)).label("at_risk"),
    )


def _read(rows: Iterable[Any]) -> dict[UUID, Held]:
    return {row.id: Held(int(row.doses), int(row.overdue), int(row.at_risk)) for row in rows}


def _held(session: Session, sites: Sequence[Facility], at: datetime) -> dict[UUID, Held]:
    """What each site holds now."""
    clock = and_(
        Deadline.custody_id == Custody.id, Deadline.batch_id == Custody.batch_id, Deadline.name == RuleName.USE
    )
    query = (
        select(Appliance.facility_id.label("id"), *_sums(Custody.remaining, at))  # type: ignore[arg-type]
        .join(Location, Location.appliance_id == Appliance.id)
        .join(Custody, Custody.location_id == Location.id)
        .outerjoin(Deadline, clock)
        .where(HOLDS)
        .group_by(Appliance.facility_id)
    )
    return _read(rows_in(session, query, Appliance.facility_id, [site.id for site in sites]))


def _changes(
    session: Session, sites: Sequence[Facility], since: Callable[[str], datetime], at: datetime
) -> dict[UUID, Held]:
    """What came into each site since an instant, less what left it; doses that moved inside it did neither."""
    found: dict[UUID, Held] = {}
    for zone in {site.zone for site in sites}:
        mine = [site.id for site in sites if site.zone == zone]
        query = _change(at).where(StockEvent.occurred_at >= since(zone))
        found |= _read(rows_in(session, query, StockEvent.facility_id, mine))
    return found


def _change(at: datetime) -> Any:
    source, target = aliased(Custody), aliased(Custody)
    from_here, to_here = aliased(Location), aliased(Location)
    came, went = to_here.appliance_id.is_not(None), from_here.appliance_id.is_not(None)
    doses = case((and_(came, ~went), Movement.doses), (and_(went, ~came), -Movement.doses), else_=0)
    clock = and_(
        Deadline.custody_id == case((came, Movement.to_custody_id), else_=Movement.from_custody_id),
        Deadline.batch_id == Movement.batch_id,
        Deadline.name == RuleName.USE,
    )
    return (
        select(StockEvent.facility_id.label("id"), *_sums(doses, at))
        .join(Movement, and_(Movement.event_id == StockEvent.id, Movement.batch_id == StockEvent.batch_id))
        .outerjoin(source, and_(source.id == Movement.from_custody_id, source.batch_id == Movement.batch_id))
        .outerjoin(from_here, from_here.id == source.location_id)
        .outerjoin(target, and_(target.id == Movement.to_custody_id, target.batch_id == Movement.batch_id))
        .outerjoin(to_here, to_here.id == target.location_id)
        .outerjoin(Deadline, clock)
        .where(StockEvent.kind != EventKind.CORRECT, ledger.stands(StockEvent.id, StockEvent.batch_id))
        .group_by(StockEvent.facility_id)
    )
