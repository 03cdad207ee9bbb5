"""Proving by SQL that the ledger is whole: nothing here trusts a figure that it can compute."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.words import LocationKind
from inventory.persistence.database import Database
from inventory.persistence.tables import Batch, Custody, Deadline, Location, Movement, StockEvent


@dataclass(frozen=True)
class BatchBalance:
    """Where the doses of a batch are; it balances when received is the sum of the rest."""

    gtin: str
    batch: str
    received: int
    on_hand: int
    in_transit: int
    administered: int

    @property
    def balances(self) -> bool:
        """Whether every dose that came in is somewhere, once."""
        return self.received == self.on_hand + self.in_transit + self.administered


@dataclass(frozen=True)
class Verdict:
    """The balance of each batch, and each thing found wrong, named."""

    balances: tuple[BatchBalance, ...]
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults and all(each.balances for each in self.balances)


def verify(database: Database) -> Verdict:
    """Recompute the ledger from its movements, in one consistent view."""
    with database.read() as session:
        faults = [fault for check in _CHECKS for fault in check(session)]
        return Verdict(tuple(_balances(session)), tuple(faults))


def _balances(session: Session) -> list[BatchBalance]:
    received = _sums(session, and_(Movement.from_custody_id.is_(None)))
    administered = _sums(session, Movement.end_kind.is_not(None))
    transit = _left(session, Location.kind == LocationKind.TRANSIT)
    stored = _left(session, Location.kind != LocationKind.TRANSIT)
    batches = session.execute(select(Batch.id, Batch.gtin, Batch.number).order_by(Batch.gtin, Batch.number))
    return [
        BatchBalance(
            gtin,
            number,
            received.get(batch_id, 0),
            stored.get(batch_id, 0),
            transit.get(batch_id, 0),
            administered.get(batch_id, 0),
        )
        for batch_id, gtin, number in batches
    ]


def _sums(session: Session, condition: object) -> dict[object, int]:
    query = select(Movement.batch_id, func.sum(Movement.doses)).where(condition).group_by(Movement.batch_id)  # type: ignore[arg-type]
    return {batch_id: int(doses) for batch_id, doses in session.execute(query)}


def _left(session: Session, condition: object) -> dict[object, int]:
    query = (
        select(Custody.batch_id, func.sum(Custody.remaining))
        .join(Location, Location.id == Custody.location_id)
        .where(condition)  # type: ignore[arg-type]
        .group_by(Custody.batch_id)
    )
    return {batch_id: int(doses) for batch_id, doses in session.execute(query)}


def _wrong_remaining(session: Session) -> list[str]:
    out = (
        select(func.coalesce(func.sum(Movement.doses), 0))
        .where(Movement.from_custody_id == Custody.id, Movement.batch_id == Custody.batch_id)
        .scalar_subquery()
    )
    query = select(Custody.id, Custody.remaining, (Custody.doses - out).label("computed")).where(
        Custody.remaining != Custody.doses - out
    )
    return [
        f"custody {row.id}: {row.remaining} doses remain, its movements leave {row.computed}"
        for row in session.execute(query)
    ]


def _wrong_opening(session: Session) -> list[str]:
    into = (
        select(func.coalesce(func.sum(Movement.doses), 0))
        .where(
            Movement.event_id == Custody.event_id,
            Movement.batch_id == Custody.batch_id,
            Movement.to_custody_id == Custody.id,
        )
        .scalar_subquery()
    )
    query = select(Custody.id, Custody.doses, into.label("moved")).where(Custody.doses != into)
    return [
        f"custody {row.id}: opened with {row.doses} doses, {row.moved} were moved in" for row in session.execute(query)
    ]


def _wrong_parent(session: Session) -> list[str]:
    query = (
        select(Movement.id)
        .join(Custody, and_(Custody.id == Movement.to_custody_id, Custody.batch_id == Movement.batch_id))
        .where(
            or_(
                Custody.event_id != Movement.event_id,
                func.coalesce(Custody.parent_id, Custody.id) != func.coalesce(Movement.from_custody_id, Custody.id),
            )
        )
    )
    return [f"movement {each}: the custody that it opened names another source" for each in session.scalars(query)]


def _before_opening(session: Session) -> list[str]:
    query = (
        select(Movement.id)
        .join(Custody, and_(Custody.id == Movement.from_custody_id, Custody.batch_id == Movement.batch_id))
        .where(Movement.occurred_at < Custody.opened_at)
    )
    return [f"movement {each}: took doses before its custody was opened" for each in session.scalars(query)]


def _wrong_times(session: Session) -> list[str]:
    query = (
        select(Movement.id)
        .join(StockEvent, and_(StockEvent.id == Movement.event_id, StockEvent.batch_id == Movement.batch_id))
        .outerjoin(Custody, and_(Custody.id == Movement.to_custody_id, Custody.batch_id == Movement.batch_id))
        .where(
            or_(
                Movement.occurred_at != StockEvent.occurred_at,
                func.coalesce(Custody.opened_at, StockEvent.occurred_at) != StockEvent.occurred_at,
            )
        )
    )
    return [f"movement {each}: its time is not that of its event" for each in session.scalars(query)]


def _wrong_clocks(session: Session) -> list[str]:
    """A clock goes on unchanged from a custody to those that its doses go on to."""
    theirs = aliased(Deadline)
    query = (
        select(Deadline.custody_id)
        .join(Custody, and_(Custody.id == Deadline.custody_id, Custody.batch_id == Deadline.batch_id))
        .join(
            theirs,
            and_(
                theirs.custody_id == Custody.parent_id,
                theirs.batch_id == Custody.batch_id,
                theirs.name == Deadline.name,
            ),
        )
        .where(or_(theirs.due_at != Deadline.due_at, theirs.opened_at != Deadline.opened_at))
    )
    return [f"custody {each}: its deadline is not the one that its doses came with" for each in session.scalars(query)]


_CHECKS: tuple[Callable[[Session], list[str]], ...] = (
    _wrong_remaining,
    _wrong_opening,
    _wrong_parent,
    _before_opening,
    _wrong_times,
    _wrong_clocks,
)


def report(verdict: Verdict) -> list[str]:
    """The verdict as lines of text: each batch's sum, each fault, and the conclusion."""
    lines = [
        f"{each.gtin} {each.batch}: received {each.received} = on hand {each.on_hand} + in transit {each.in_transit}"
        f" + administered {each.administered}{'' if each.balances else '   DOES NOT BALANCE'}"
        for each in verdict.balances
    ]
    lines += [f"FAULT {fault}" for fault in verdict.faults]
    lines.append(f"{len(verdict.balances)} batches: " + ("conserved" if verdict.holds else "NOT conserved"))
    return lines
