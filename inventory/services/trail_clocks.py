"""What became of the clocks of custodies in a trail, by the law of `domain.outcomes`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from inventory.domain.deadlines import RuleName, status
from inventory.domain.outcomes import Exit, Outcome, exit_of, outcome
from inventory.services.chains import ClockLine, Ended

Counts = Counter[Outcome]


def tree_clocks(
    clocks: Mapping[UUID, Sequence[Any]],
    ends: Mapping[UUID, Sequence[Ended]],
    children: Mapping[UUID | None, Sequence[Any]],
    carried: Mapping[UUID, Sequence[Any]],
) -> dict[tuple[UUID, RuleName], Counts]:
    """The outcomes of every clock of custodies, by custody and name; `carried` are the clocks of their children."""
    found: defaultdict[tuple[UUID, RuleName], Counts] = defaultdict(Counter)
    for custody, mine in clocks.items():
        for clock in mine:
            counts = found[custody, clock.name]
            for doses, way, at in _handed_on(clock, children.get(custody, ()), carried):
                counts[outcome(clock.name, way, at, clock.due_at)] += doses
            for ended in ends.get(custody, ()):
                late, way = ended.late[clock.name], exit_of(ended.end, into_shipment=False)
                counts[Outcome.LATE] += late
                counts[outcome(clock.name, way, clock.due_at, clock.due_at)] += ended.doses - late
    return found


def _handed_on(
    clock: Any, children: Iterable[Any], carried: Mapping[UUID, Sequence[Any]]
) -> Iterator[tuple[int, Exit, datetime]]:
    """The doses that went on to other custodies without the clock: how many, which way, and when."""
    for child in children:
        if not child.corrected and all(each.name != clock.name for each in carried.get(child.id, ())):
            way = exit_of(None, into_shipment=child.place_shipment is not None)
            yield child.doses, way, child.occurred_at


def told(clock: Any, left: int, counts: Counts, now: datetime) -> ClockLine:
    """A clock with its outcomes, and where it stands at an instant."""
    met, late, ended = counts[Outcome.MET], counts[Outcome.LATE], counts[Outcome.ENDED]
    has_one = left or late or met
    return ClockLine(
        name=clock.name,
        rule_set=clock.rule_set,
        opened_at=clock.opened_at,
        due_at=clock.due_at,
        status=status(clock.due_at, left, late, now) if has_one else None,
        doses_left=left,
        doses_met=met,
        doses_late=late,
        doses_ended=ended,
    )


def of_doses(clock: Any, doses: int, way: Exit | None, at: datetime, *, goes_on: bool) -> ClockLine:
    """A clock as some doses left it at an instant; they took it along, or are under it still where there is no way."""
    if way is None:
        return told(clock, doses, Counter(), at)
    return told(clock, 0, Counter() if goes_on else Counter({outcome(clock.name, way, at, clock.due_at): doses}), at)
