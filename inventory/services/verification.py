"""Proving by SQL that the ledger is whole: nothing here trusts a figure that it can compute."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.words import End, LocationKind, Origin
from inventory.persistence import guards
from inventory.persistence.database import Database
from inventory.persistence.tables import Batch, Custody, Deadline, Location, Movement, StockEvent
from inventory.services import batch_verification, link_verification, pack_verification, shipment_verification
from inventory.services.ledger import stands


@dataclass(frozen=True)
class BatchBalance:
    """Where the doses of a batch are; it balances when what was received or found is the sum of the rest."""

    gtin: str
    batch: str
    received: int
    found: int
    on_hand: int
    in_quarantine: int
    in_transit: int
    administered: int
    wasted: int
    returned: int
    missing: int

    @property
    def balances(self) -> bool:
        """Whether every dose that came in is somewhere, once."""
        held = self.on_hand + self.in_quarantine + self.in_transit
        ended = self.administered + self.wasted + self.returned + self.missing
        return self.received + self.found == held + ended


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
        return Verdict(tuple(_balances(session)), tuple(faults(session)))


def faults(session: Session) -> list[str]:
    """Each thing that is wrong, named, as one session sees it."""
    return [fault for check in _CHECKS for fault in check(session)]


def _balances(session: Session) -> list[BatchBalance]:
    began, ended, left = _roots(session), _ends(session), _left(session)
    batches = session.execute(select(Batch.id, Batch.gtin, Batch.number).order_by(Batch.gtin, Batch.number))
    return [
        BatchBalance(
            gtin,
            number,
            received=began.get((batch_id, Origin.SUPPLIED), 0),
            found=began.get((batch_id, Origin.FOUND), 0),
            on_hand=left.get((batch_id, LocationKind.STORAGE), 0),
            in_quarantine=left.get((batch_id, LocationKind.QUARANTINE), 0),
            in_transit=left.get((batch_id, LocationKind.TRANSIT), 0),
            administered=ended.get((batch_id, End.ADMINISTERED), 0),
            wasted=ended.get((batch_id, End.WASTED), 0),
            returned=ended.get((batch_id, End.RETURNED), 0),
            missing=ended.get((batch_id, End.MISSING), 0),
        )
        for batch_id, gtin, number in batches
    ]


def _roots(session: Session) -> dict[tuple[object, object], int]:
    """Doses that came from no other custody, by batch and origin."""
    query = (
        select(Movement.batch_id, Custody.origin, func.sum(Movement.doses))
        .join(Custody, and_(Custody.id == Movement.to_custody_id, Custody.batch_id == Movement.batch_id))
        .where(Movement.from_custody_id.is_(None))
        .group_by(Movement.batch_id, Custody.origin)
    )
    return {(batch_id, origin): int(doses) for batch_id, origin, doses in session.execute(query)}


def _ends(session: Session) -> dict[tuple[object, object], int]:
    """Doses that left the custodies for good, by batch and end."""
    query = (
        select(Movement.batch_id, Movement.end_kind, func.sum(Movement.doses))
        .where(Movement.end_kind.is_not(None))
        .group_by(Movement.batch_id, Movement.end_kind)
    )
    return {(batch_id, end): int(doses) for batch_id, end, doses in session.execute(query)}


def _left(session: Session) -> dict[tuple[object, object], int]:
    """Doses that custodies hold, by batch and kind of location."""
    query = (
        select(Custody.batch_id, Location.kind, func.sum(Custody.remaining))
        .join(Location, Location.id == Custody.location_id)
        .group_by(Custody.batch_id, Location.kind)
    )
    return {(batch_id, kind): int(doses) for batch_id, kind, doses in session.execute(query)}


def _wrong_remaining(session: Session) -> list[str]:
    out = (
        select(func.coalesce(func.sum(Movement.doses), 0))
        .where(Movement.from_custody_id == Custody.id, Movement.batch_id == Custody.batch_id)
        .scalar_subquery()
    )
    opened = case((stands(Custody.event_id, Custody.batch_id), Custody.doses), else_=0)
    query = select(Custody.id, Custody.remaining, (opened - out).label("computed")).where(
        Custody.remaining != opened - out
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
            Movement.reverses_id.is_(None),
            or_(
                Custody.event_id != Movement.event_id,
                func.coalesce(Custody.parent_id, Custody.id) != func.coalesce(Movement.from_custody_id, Custody.id),
            ),
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
            Movement.reverses_id.is_(None),
            or_(
                Movement.occurred_at != StockEvent.occurred_at,
                func.coalesce(Custody.opened_at, StockEvent.occurred_at) != StockEvent.occurred_at,
            ),
        )
    )
    return [f"movement {each}: its time is not that of its event" for each in session.scalars(query)]


def _wrong_reversals(session: Session) -> list[str]:
    """A correction's line is its original with the doses negative, at the same time, of the event that it reverses."""
    original, event = aliased(Movement), aliased(StockEvent)
    query = (
        select(Movement.id)
        .join(event, and_(event.id == Movement.event_id, event.batch_id == Movement.batch_id))
        .outerjoin(original, and_(original.id == Movement.reverses_id, original.batch_id == Movement.batch_id))
        .where(
            Movement.reverses_id.is_not(None),
            or_(
                original.id.is_(None),
                original.doses != -Movement.doses,
                original.occurred_at != Movement.occurred_at,
                original.event_id != event.reverses_id,
                original.from_custody_id.is_distinct_from(Movement.from_custody_id),
                original.to_custody_id.is_distinct_from(Movement.to_custody_id),
                original.end_kind.is_distinct_from(Movement.end_kind),
            ),
        )
    )
    return [f"movement {each}: not what it reverses" for each in session.scalars(query)]


def _half_reversed(session: Session) -> list[str]:
    """A correction reverses every line of its event."""
    undone = aliased(Movement)
    query = (
        select(Movement.id)
        .join(StockEvent, and_(StockEvent.reverses_id == Movement.event_id, StockEvent.batch_id == Movement.batch_id))
        .outerjoin(undone, and_(undone.reverses_id == Movement.id, undone.batch_id == Movement.batch_id))
        .where(undone.id.is_(None))
    )
    return [f"movement {each}: its event was corrected, it was not" for each in session.scalars(query)]


def _wrong_origin(session: Session) -> list[str]:
    query = select(Custody.id).where(Custody.parent_id.is_(None) != Custody.origin.is_not(None))
    return [f"custody {each}: a root without an origin, or an origin without a root" for each in session.scalars(query)]


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


def _missing_guards(session: Session) -> list[str]:
    return guards.missing(session.connection())


_CHECKS: tuple[Callable[[Session], list[str]], ...] = (
    _missing_guards,
    *link_verification.CHECKS,
    _wrong_remaining,
    _wrong_opening,
    _wrong_parent,
    _before_opening,
    _wrong_times,
    _wrong_reversals,
    _half_reversed,
    _wrong_origin,
    _wrong_clocks,
    *pack_verification.CHECKS,
    *shipment_verification.CHECKS,
    *batch_verification.CHECKS,
)


def report(verdict: Verdict) -> list[str]:
    """The verdict as lines of text: each batch's sum, each fault, and the conclusion."""
    lines = [
        f"{each.gtin} {each.batch}: received {each.received}{_and('found', each.found)} = on hand {each.on_hand}"
        f"{_and('in quarantine', each.in_quarantine)} + in transit {each.in_transit}"
        f" + administered {each.administered}{_and('wasted', each.wasted)}{_and('returned', each.returned)}"
        f"{_and('missing', each.missing)}{'' if each.balances else '   DOES NOT BALANCE'}"
        for each in verdict.balances
    ]
    lines += [f"FAULT {fault}" for fault in verdict.faults]
    lines.append(f"{len(verdict.balances)} batches: " + ("conserved" if verdict.holds else "NOT conserved"))
    return lines


def _and(what: str, doses: int) -> str:
    """A term of the sum, left out where it is nothing."""
    return f" + {what} {doses}" if doses else ""
