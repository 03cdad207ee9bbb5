"""What has left a clock, counted in SQL by the law of `domain.outcomes`.

A correction's lines are its original's with negative doses, at the same time and into the same place, so they fall
under the same outcome and every sum is what it would be had the original not happened.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, case, func, or_, select, type_coerce
from sqlalchemy.orm import Session, aliased

from inventory.domain.deadlines import RuleName
from inventory.domain.outcomes import MEETS, Exit, Outcome
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Custody, Deadline, Location, Movement

Key = tuple[UUID, RuleName]
"""A clock: the custody that it runs on, and its name."""


@dataclass(frozen=True)
class Tally:
    """Doses that left a clock: in time as it asks, after it was due, and in time but otherwise."""

    met: int = 0
    late: int = 0
    ended: int = 0


_carried = aliased(Deadline)
_child = aliased(Custody)
_place = aliased(Location)

_WAY = case(
    (Movement.end_kind.is_not(None), type_coerce(Movement.end_kind, String)),
    (_place.shipment_id.is_not(None), Exit.DEPARTED.value),
    else_=Exit.ARRIVED.value,
)
_MEETS = or_(*(and_(Deadline.name == name, _WAY.in_([way.value for way in ways])) for name, ways in MEETS.items()))
_IN_TIME = Movement.occurred_at <= Deadline.due_at
_OUTCOMES: dict[Outcome, ColumnElement[bool]] = {
    Outcome.MET: and_(_IN_TIME, _MEETS),
    Outcome.LATE: Movement.occurred_at > Deadline.due_at,
    Outcome.ENDED: and_(_IN_TIME, ~_MEETS),
}
"""`domain.outcomes.outcome` in SQL."""


_LEAVES = and_(Movement.from_custody_id == Deadline.custody_id, Movement.batch_id == Deadline.batch_id)


def _without_the_clock(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """A query of clocks and movements out of their custodies, less those that take the clock along."""
    goes_on = and_(
        _carried.custody_id == Movement.to_custody_id,
        _carried.batch_id == Movement.batch_id,
        _carried.name == Deadline.name,
    )
    into = and_(_child.id == Movement.to_custody_id, _child.batch_id == Movement.batch_id)
    return (
        query.outerjoin(_carried, goes_on)
        .outerjoin(_child, into)
        .outerjoin(_place, _place.id == _child.location_id)
        .where(_carried.custody_id.is_(None))
    )


def doses_of(outcome: Outcome) -> ColumnElement[int]:
    """How many doses of the clock of a query had an outcome."""
    query = select(func.coalesce(func.sum(Movement.doses), 0)).select_from(Movement)
    return _without_the_clock(query).where(_LEAVES, _OUTCOMES[outcome]).correlate(Deadline).scalar_subquery()


def tallies(session: Session, custodies: Collection[UUID]) -> dict[Key, Tally]:
    """What has left each clock of some custodies; those that nothing has left are not among them."""
    sums = [
        func.coalesce(func.sum(case((_OUTCOMES[each], Movement.doses), else_=0)), 0).label(each.value)
        for each in (Outcome.MET, Outcome.LATE, Outcome.ENDED)
    ]
    query = select(Deadline.custody_id, Deadline.name, *sums).join(Movement, _LEAVES)
    grouped = _without_the_clock(query).group_by(Deadline.custody_id, Deadline.batch_id, Deadline.name)
    return {
        (row.custody_id, row.name): Tally(int(row.met), int(row.late), int(row.ended))
        for row in rows_in(session, grouped, Movement.from_custody_id, custodies)
    }
