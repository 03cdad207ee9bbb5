"""What to do about doses that will be late: which other sites of the same store could take them and be done in time."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.queues import Queue, Work
from inventory.domain.redistribution import Problem, Transfer, problem
from inventory.persistence.database import Database
from inventory.persistence.planning import by_index
from inventory.persistence.tables import Facility
from inventory.services import lookups
from inventory.services.shipments import Line
from inventory.services.solver import solve
from inventory.services.waiting import waiting


@dataclass(frozen=True)
class Expected:
    """Doses of a custody that are sent on: when they are due, and when they will have been given."""

    custody: UUID
    gtin: str
    batch: str
    doses: int
    due_at: datetime
    done_at: datetime | None


@dataclass(frozen=True)
class TransferOrder:
    """A dispatch as it can be ordered; only the time at which the doses leave is still to be stated."""

    from_facility: str
    to_facility: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Proposal:
    """One transfer between two sites."""

    from_facility: str
    to_facility: str
    lines: tuple[Expected, ...]

    @property
    def doses(self) -> int:
        """All its doses."""
        return sum(line.doses for line in self.lines)

    @property
    def dispatch(self) -> TransferOrder:
        """It as an order."""
        lines = (Line(line.gtin, line.batch, line.doses, line.custody) for line in self.lines)
        return TransferOrder(self.from_facility, self.to_facility, tuple(lines))


@dataclass(frozen=True)
class StillLate:
    """Doses of a custody that will be late all the same."""

    facility: str
    custody: UUID
    gtin: str
    batch: str
    due_at: datetime
    doses_late: int


@dataclass(frozen=True)
class Redistribution:
    """Transfers between the sites of a store, and what will be late without and with them."""

    facility: str
    at: datetime
    doses_late: int
    proven: bool
    proposals: tuple[Proposal, ...]
    still_late: tuple[StillLate, ...]

    @property
    def doses_late_after(self) -> int:
        """How many doses will be late once the proposals are carried out."""
        return sum(each.doses_late for each in self.still_late)


def propose(database: Database, facility: str, handling: timedelta, now: datetime) -> Redistribution:
    """The transfers after which the fewest doses are late at a store's sites; of such the fewest transfers and doses.

    What a site is sent has its old due time, for its clock goes along. What the site has itself keeps its priority:
    none of it becomes late by what comes. Nothing is written; each proposal is an order that a dispatch can be made of.

    Raises:
        Invalid: `not_found`; `wrong_facility_kind` for what is no store.
    """
    asked = problem(_queues(database, facility, now), now + handling)
    solution = solve(asked)
    return Redistribution(
        facility,
        now,
        asked.late,
        solution.proven,
        tuple(_proposals(solution.transfers)),
        tuple(_still_late(asked, solution.transfers)),
    )


def _queues(database: Database, code: str, now: datetime) -> list[Queue]:
    """What waits to be given at the sites that a store supplies."""
    with database.read() as session:
        by_index(session)
        store = lookups.facility(session, code)
        if not store.kind.is_store:
            raise Invalid(Code.WRONG_FACILITY_KIND, "facility", code, N_("a city or county store"))
        supplied = session.scalars(select(Facility).where(Facility.supplied_by_id == store.id).order_by(Facility.code))
        sites = [each for each in supplied if each.kind.is_site]
        queues = waiting(session, sites, now).queues
        return [queues[site.id, Work.GIVE] for site in sites]


def _proposals(transfers: Iterable[Transfer]) -> Iterable[Proposal]:
    trips: defaultdict[tuple[str, str], list[Expected]] = defaultdict(list)
    arrived: defaultdict[str, int] = defaultdict(int)
    for each in sorted(transfers, key=lambda each: each.surplus.lot.holding.turn):
        lot, target = each.surplus.lot, each.target.queue.facility
        arrived[target] += each.doses
        done_at = each.target.done_at(lot, arrived[target])
        line = Expected(lot.holding.custody_id, lot.gtin, lot.batch, each.doses, lot.due_at, done_at)
        trips[each.surplus.site, target].append(line)
    return [Proposal(*way, tuple(lines)) for way, lines in sorted(trips.items())]


def _still_late(asked: Problem, transfers: tuple[Transfer, ...]) -> Iterable[StillLate]:
    for queue in asked.left(transfers):
        for lot, late in zip(queue.lots, queue.late, strict=True):
            if late:
                yield StillLate(queue.facility, lot.holding.custody_id, lot.gtin, lot.batch, lot.due_at, late)
