"""What watches saw in whole hours, from the roll-ups: summed by the database, but for the hours that it cannot decide.

A roll-up says how long it was outside the band of its sensor. Another interval's time can be told of it only where the
lowest and the highest temperature of the hour prove that all of it was inside, or none.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.orm import Session

from inventory.domain.instants import counted, instant
from inventory.domain.rollup import HOUR_MICROSECONDS
from inventory.domain.seen import Interval, Seen
from inventory.persistence.asked import Asked
from inventory.persistence.tables import ReadingHour
from inventory.services.watches import Watch

_WORD = 1 << 31
"""As in inventory.services.points: many hot hours are more than 64 bits hold."""

_KINDS = {
    "watch": Integer(),
    "sensor_id": ReadingHour.sensor_id.type,
    "first": ReadingHour.hour.type,
    "last": ReadingHour.hour.type,
    "low": Integer(),
    "high": Integer(),
    "shared": Integer(),
}


@dataclass(frozen=True)
class Undecided:
    """An hour, by its first microsecond, of which the readings have to be asked; `seen` is what is known without."""

    hour: int
    seen: Seen


@dataclass
class HoursSeen:
    """What a watch saw in its whole hours, less those that are undecided."""

    seen: Seen
    undecided: list[Undecided] = field(default_factory=list)


def hours_seen(
    session: Session, watches: Sequence[Watch], shared: set[int], intervals: Sequence[Interval]
) -> dict[int, HoursSeen]:
    """What each watch saw, by its number; nothing of those with no hour that anything was seen in.

    Of the `shared` ones, which watch a place beside others, the hours are undecided that were seen in part: which part
    of them nobody saw depends on when each did.
    """
    asked = []
    for number, watch in enumerate(watches):
        first, last = watch.whole_hours()
        if first < last:
            band = (watch.band.low, watch.band.high, int(number in shared))
            asked.append((number, watch.sensor_id, instant(first), instant(last), *band))
    bounds = _bounds(intervals)
    found: dict[int, HoursSeen] = {}
    open_ones = []
    for number, left, *sums in _summed(len(intervals)).rows(session, asked, **bounds):
        found[number] = HoursSeen(_seen(sums))
        if left:
            open_ones.append(number)
    of = {row[0]: row for row in asked}
    hours = _listed(len(intervals)).rows(session, [of[number] for number in open_ones], **bounds)
    listed: defaultdict[int, list[Undecided]] = defaultdict(list)
    for number, hour, lowest, highest, seen, kinetic, *times in hours:
        known = Seen(seen, lowest, highest, kinetic, tuple(each or 0 for each in times))
        unclear = seen if any(each is None for each in times) else 0
        listed[number].append(Undecided(counted(hour), known._replace(undecided=unclear)))
    for number, undecided in listed.items():
        found[number].undecided = undecided
    return found


def full_hours(session: Session, watches: Sequence[Watch], numbers: Sequence[int]) -> dict[int, list[int]]:
    """The hours of some watches that were seen from beginning to end."""
    asked = []
    for number in numbers:
        first, last = watches[number].whole_hours()
        if first < last:
            asked.append((number, watches[number].sensor_id, instant(first), instant(last), 0, 0, 0))
    found: defaultdict[int, list[int]] = defaultdict(list)
    for number, hour in _FULL.rows(session, asked):
        found[number].append(counted(hour))
    return found


def _bounds(intervals: Sequence[Interval]) -> dict[str, int]:
    lows = {f"low_{number}": interval.low for number, interval in enumerate(intervals)}
    return lows | {f"high_{number}": interval.high for number, interval in enumerate(intervals)}


def _seen(sums: Sequence[Any]) -> Seen:
    lowest, highest, seen, upper, lower, *times = sums
    kinetic = int(upper or 0) * _WORD + int(lower or 0)
    return Seen(int(seen or 0), lowest, highest, kinetic, tuple(int(each or 0) for each in times))


def _plain(number: int) -> ColumnElement[Any]:
    """A number in the statement itself: the driver remembers no statement of more than fifty parameters or 4,096 signs.

    One that it does not remember it reads again each time.
    """
    return literal_column(str(number), BigInteger())


def _time(number: int, asked: FromClause) -> ColumnElement[Any]:
    """How long an hour was in an interval; NULL where that cannot be told."""
    of = ReadingHour
    low, high = (bindparam(f"{name}_{number}", type_=Integer()) for name in ("low", "high"))
    return case(
        (or_(of.highest < low, of.lowest > high), _plain(0)),
        (and_(of.lowest >= low, of.highest <= high), of.seen),
        (and_(asked.c.high == low - _plain(1), of.highest <= high), of.above),
        (and_(asked.c.low == high + _plain(1), of.lowest >= low), of.below),
        else_=null(),
    )


def _hours(asked: FromClause) -> ColumnElement[bool]:
    of = ReadingHour
    return and_(of.sensor_id == asked.c.sensor_id, of.hour >= asked.c.first, of.hour < asked.c.last)


def _each(count: int, asked: FromClause) -> Any:
    """The hours of watches with the time in each interval, and whether they are decided."""
    of = ReadingHour
    times = [_time(number, asked) for number in range(count)]
    whole = or_(asked.c.shared == _plain(0), of.seen == _plain(HOUR_MICROSECONDS))
    return times, and_(whole, *(each.is_not(None) for each in times))


@cache
def _summed(count: int) -> Asked:
    def build(asked: FromClause) -> Select[*tuple[Any, ...]]:
        times, decided = _each(count, asked)
        of = ReadingHour
        named = [each.label(f"time_{number}") for number, each in enumerate(times)]
        hours = (
            select(asked.c.watch, of.lowest, of.highest, of.seen, of.kinetic, decided.label("decided"), *named)
            .select_from(asked)
            .join(of, _hours(asked))
            .offset(literal_column("0"))  # or else PostgreSQL decides each hour anew for each sum
            .subquery("hours")
        )
        of_hour = hours.c
        figures = (of_hour.seen, of_hour.kinetic // _plain(_WORD), of_hour.kinetic % _plain(_WORD))
        sums = [*figures, *(of_hour[each.name] for each in named)]
        return select(
            of_hour.watch,
            func.sum(case((of_hour.decided, _plain(0)), else_=_plain(1))),
            func.min(case((of_hour.decided, of_hour.lowest))),
            func.max(case((of_hour.decided, of_hour.highest))),
            *(func.sum(case((of_hour.decided, each))) for each in sums),
        ).group_by(of_hour.watch)

    return Asked(_KINDS, build, named=False)


@cache
def _listed(count: int) -> Asked:
    def build(asked: FromClause) -> Select[*tuple[Any, ...]]:
        times, decided = _each(count, asked)
        of = ReadingHour
        columns = (asked.c.watch, of.hour, of.lowest, of.highest, of.seen, of.kinetic)
        return select(*columns, *times).select_from(asked).join(of, _hours(asked)).where(~decided).order_by(of.hour)

    return Asked(_KINDS, build, named=False)


def _build_full(asked: FromClause) -> Select[*tuple[Any, ...]]:
    of = ReadingHour
    full = and_(_hours(asked), of.seen == HOUR_MICROSECONDS)
    return select(asked.c.watch, of.hour).select_from(asked).join(of, full).order_by(of.hour)


_FULL = Asked(_KINDS, _build_full, named=False)
