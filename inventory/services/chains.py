"""Custodies with what opened them: upward as the chain of one, or all those of a batch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    FromClause,
    Select,
    Subquery,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import Session, aliased

from inventory.domain.deadlines import RuleName, Status
from inventory.domain.words import Chosen, End, EventKind, Origin
from inventory.persistence.asked import Asked
from inventory.persistence.prepared import Prepared
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Custody, Deadline, Location, Movement, Shipment, StockEvent, Token
from inventory.services.as_of import NOW, AsOf
from inventory.services.evidence import Evidence
from inventory.services.places import Place, place_of, with_place


@dataclass(frozen=True)
class Step:
    """The event that opened a custody or ended one: what, when, known since when, and by whom."""

    event: UUID
    kind: EventKind
    occurred_at: datetime
    recorded_at: datetime
    actor: str


@dataclass(frozen=True)
class ClockLine:
    """A deadline that ran on doses of a custody, and what became of it.

    `doses_met` left it as it asks while it was not due, `doses_late` after that, `doses_ended` in time but otherwise;
    doses that took it along are counted where they went. Without any of these, and with none left, it has no status.
    """

    name: RuleName
    rule_set: str
    opened_at: datetime
    due_at: datetime
    status: Status | None
    doses_left: int
    doses_met: int
    doses_late: int
    doses_ended: int


@dataclass(frozen=True)
class CustodyLine:
    """A custody in a trail: doses that a place held from `opened_by` on; `chosen` is how its source was found.

    A root has an origin: found doses have no past that anybody knows. `corrected`: what opened it was reversed. `ended`
    are the doses that left the ledger from here, `emptied_at` is when the last left it; `evidence` is what was seen of
    its place while it held any. A stage of one dose has its own evidence, and neither of the other two.
    """

    custody: UUID
    parent: UUID | None
    depth: int
    place: Place
    doses: int
    remaining: int
    origin: Origin | None
    corrected: bool
    chosen: Chosen | None
    opened_by: Step
    deadlines: tuple[ClockLine, ...]
    ended: tuple[tuple[End, int], ...] = ()
    emptied_at: datetime | None = None
    evidence: Evidence | None = None


def _told(query: Select[*tuple[Any, ...]], as_of: AsOf) -> Select[*tuple[Any, ...]]:
    """The custodies of a query with their place, their opening event and how their source was chosen.

    What picks the custodies comes first: PostgreSQL joins so many tables in the order in which they are written.
    """
    return (
        with_place(
            query.add_columns(
                Custody.id,
                Custody.parent_id,
                Custody.location_id,
                Custody.doses,
                Custody.remaining,
                Custody.origin,
                (~as_of.stands(Custody.event_id, Custody.batch_id)).label("corrected"),
                Movement.chosen,
                StockEvent.id.label("event_id"),
                StockEvent.kind,
                StockEvent.occurred_at,
                StockEvent.recorded_at,
                Token.name.label("actor"),
            ).join(Location, Location.id == Custody.location_id)
        )
        .add_columns(Shipment.arrived_at)
        .join(StockEvent, and_(StockEvent.id == Custody.event_id, StockEvent.batch_id == Custody.batch_id))
        .join(Token, Token.id == StockEvent.actor_id)
        .join(
            Movement,
            and_(
                Movement.event_id == Custody.event_id,
                Movement.batch_id == Custody.batch_id,
                Movement.to_custody_id == Custody.id,
            ),
        )
    )


def custodies(session: Session, batch_id: UUID, as_of: AsOf = NOW) -> Sequence[Any]:
    """All custodies of a batch that had been opened, by opening."""
    query = _told(select().select_from(Custody), as_of).where(Custody.batch_id == batch_id, as_of.told())
    return session.connection().execute(query.order_by(Custody.opened_at, Custody.id)).all()


def _upward() -> Select[*tuple[Any, ...]]:
    """The batch goes along from row to row: told once and for all, the planner would read all custodies of it."""
    upward = (
        select(Custody.id, Custody.batch_id, Custody.parent_id)
        .where(Custody.id == bindparam("custody", type_=Uuid()), Custody.batch_id == bindparam("batch", type_=Uuid()))
        .cte("upward", recursive=True)
    )
    parent = and_(Custody.id == upward.c.parent_id, Custody.batch_id == upward.c.batch_id)
    upward = upward.union_all(select(Custody.id, Custody.batch_id, Custody.parent_id).join(upward, parent))
    here = and_(Custody.id == upward.c.id, Custody.batch_id == upward.c.batch_id)
    running = and_(Deadline.custody_id == Custody.id, Deadline.batch_id == Custody.batch_id)
    clock = (Deadline.name, Deadline.rule_set, Deadline.opened_at, Deadline.due_at)
    query = _told(select().select_from(upward).join(Custody, here), NOW)
    return query.outerjoin(Deadline, running).add_columns(*clock).order_by(Deadline.due_at)


_UPWARD = Prepared(_upward())


def chain(session: Session, batch_id: UUID, custody_id: UUID) -> list[list[Any]]:
    """A custody and those above it, root first: of each a row for each of its clocks, or one that has none."""
    by_id: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in _UPWARD.rows(session, batch=batch_id, custody=custody_id):
        by_id[row.id].append(row)
    way = [by_id[custody_id]]
    while (parent := way[-1][0].parent_id) is not None:
        way.append(by_id[parent])
    return way[::-1]


def _running(asked: FromClause) -> Select[*tuple[Any, ...]]:
    of = Deadline
    columns = (of.custody_id, of.name, of.rule_set, of.opened_at, of.due_at)
    mine = and_(of.custody_id == asked.c.custody, of.batch_id == asked.c.batch)
    return select(*columns).select_from(asked).join(of, mine).order_by(of.due_at)


_CLOCKS = Asked({"custody": Custody.id.type, "batch": Custody.batch_id.type}, _running)


def clocks(session: Session, batch_id: UUID, custodies: Iterable[UUID]) -> dict[UUID, list[Any]]:
    """The deadlines of custodies of a batch, by custody, the first that is due first."""
    found: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in _CLOCKS.rows(session, [(custody, batch_id) for custody in custodies]):
        found[row.custody_id].append(row)
    return found


_NONE = literal_column("0", BigInteger())


@dataclass(frozen=True)
class Ended:
    """Doses that left the ledger from a custody in one way, the last time that any did, and how many were late."""

    end: End
    doses: int
    last: datetime
    late: Mapping[RuleName, int]


def ends(
    session: Session, batch_id: UUID, clocks: Mapping[UUID, Sequence[Any]], as_of: AsOf = NOW
) -> dict[UUID, list[Ended]]:
    """How doses left the ledger from each custody of a batch, and how many after each clock there was due.

    What was corrected is in no sum, and is not the last. The planner is told of tables and not of parameters: of a
    batch that is most of the table it reads that once, and of any other by index. Each movement is joined once, to all
    clocks of its custody.
    """
    names = sorted({clock.name for mine in clocks.values() for clock in mine})
    due = _due(batch_id, names)
    late = [func.sum(case((Movement.occurred_at > due.c[name], Movement.doses), else_=_NONE)) for name in names]
    key = (Movement.from_custody_id, Movement.end_kind)
    query = (
        select(*key, func.sum(Movement.doses), func.max(Movement.occurred_at), func.min(Movement.doses), *late)
        .join(due, due.c.id == Movement.from_custody_id)
        .where(Movement.batch_id == batch_id, Movement.end_kind.is_not(None), as_of.counts())
        .group_by(*key)
    )
    rows = session.connection().execute(query).all()
    standing = _last_standing(session, batch_id, {row[0] for row in rows if row[4] < 0}, as_of)
    found: defaultdict[UUID, list[Ended]] = defaultdict(list)
    for custody, end, doses, last, _, *beyond in rows:
        if doses:
            late_ones = dict(zip(names, map(int, beyond), strict=True))
            found[custody].append(Ended(end, int(doses), standing.get((custody, end), last), late_ones))
    return found


def _last_standing(
    session: Session, batch_id: UUID, custodies: Iterable[UUID], as_of: AsOf
) -> dict[tuple[UUID, End], datetime]:
    """When doses last left custodies of which lines were corrected, by lines that were not."""
    mirror = aliased(Movement)
    undone = exists().where(
        mirror.reverses_id == Movement.id, mirror.batch_id == Movement.batch_id, as_of.counts(mirror)
    )
    query = (
        select(Movement.from_custody_id, Movement.end_kind, func.max(Movement.occurred_at))
        .where(Movement.batch_id == batch_id, Movement.end_kind.is_not(None), Movement.doses > 0)
        .where(as_of.counts(), ~undone)
        .group_by(Movement.from_custody_id, Movement.end_kind)
    )
    return {(custody, end): last for custody, end, last in rows_in(session, query, Movement.from_custody_id, custodies)}


def _due(batch_id: UUID, names: Iterable[RuleName]) -> Subquery:
    """The custodies of a batch with the time at which each of their clocks is due."""
    mine = and_(Deadline.custody_id == Custody.id, Deadline.batch_id == Custody.batch_id)
    times = (func.max(case((Deadline.name == name, Deadline.due_at))).label(name) for name in names)
    query = select(Custody.id, *times).outerjoin(Deadline, mine).where(Custody.batch_id == batch_id)
    return query.group_by(Custody.id).subquery("due")


def line(row: Any, depth: int, deadlines: Sequence[ClockLine], remaining: int, **more: Any) -> CustodyLine:
    """A custody as a trail tells it, with what `more` a tree knows of it."""
    return CustodyLine(
        custody=row.id,
        parent=row.parent_id,
        depth=depth,
        place=place_of(row),
        doses=row.doses,
        remaining=remaining,
        origin=row.origin,
        corrected=row.corrected,
        chosen=row.chosen,
        opened_by=Step(row.event_id, row.kind, row.occurred_at, row.recorded_at, row.actor),
        deadlines=tuple(deadlines),
        **more,
    )
