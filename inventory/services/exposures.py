"""What was seen of places while doses stood in them, for many stays at once, at the cost of hours and not of readings.

Whole hours come from the roll-ups, which stay when a month's readings are archived; the two parts of hours at the edges
of a stay, the hour that a sensor is in now, and hours that their roll-up cannot decide come from the readings. Of those
that lie in an archived month it is said that they are uncertain.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import FromClause, Integer, Select, and_, bindparam, select
from sqlalchemy.orm import Session

from inventory.domain.budgets import Measures
from inventory.domain.instants import counted, instant
from inventory.domain.readings import Stretch, covered
from inventory.domain.rollup import HOUR_MICROSECONDS
from inventory.domain.seen import Interval, Point, Seen, cuts, nothing, summed
from inventory.persistence import months
from inventory.persistence.asked import Asked
from inventory.persistence.seconds import whole_microseconds
from inventory.persistence.tables import ArchivedMonth, Reading
from inventory.services.hours_seen import HoursSeen, full_hours, hours_seen
from inventory.services.watches import Stay, Watch, watches


class Part(NamedTuple):
    """What one sensor saw of a stay, in the part of it in which it watched the place."""

    watch: Watch
    seen: Seen

    @property
    def since(self) -> datetime:
        """When this part begins."""
        return instant(self.watch.since)

    @property
    def until(self) -> datetime:
        """When it ends."""
        return instant(self.watch.until)


class Exposed(NamedTuple):
    """What was seen of a stay: by each sensor, and how long by none; `archived` is what of that lies in files."""

    parts: tuple[Part, ...]
    unseen: timedelta
    archived: timedelta


class _Piece(NamedTuple):
    """A time of a watch, by its number, that readings have to tell; `known` is what a roll-up tells of it."""

    watch: int
    since: int
    until: int
    known: Seen | None = None


@dataclass
class _Found:
    """What is found of a watch: its sum, and of a place with several sensors the times that it saw or cannot tell."""

    seen: Seen
    times: list[tuple[int, int]] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)


def exposures(session: Session, stays: Sequence[Stay], measures: Measures) -> list[Exposed]:
    """What was seen of each stay, against the band and the budgets of the product that was there."""
    intervals = measures.intervals
    found = watches(session, stays)
    shared = _shared(found)
    hours = hours_seen(session, found, shared, intervals)
    sums = [_Found(hours[number].seen if number in hours else nothing(len(intervals))) for number in range(len(found))]
    pieces = [piece for number, watch in enumerate(found) for piece in _pieces(number, watch, hours.get(number))]
    sure, lost = _archived(session, found, pieces)
    _read(session, found, sure, sums, intervals, shared)
    for piece in lost:
        _lose(sums[piece.watch], piece, len(intervals))
    for number, full in full_hours(session, found, sorted(shared)).items():
        sums[number].times += [(hour, hour + HOUR_MICROSECONDS) for hour in full]
    return _told(stays, found, sums, shared)


def _shared(found: Sequence[Watch]) -> set[int]:
    """The watches that share time with another of the same stay."""
    by_stay: defaultdict[int, list[int]] = defaultdict(list)
    for number, watch in enumerate(found):
        by_stay[watch.stay].append(number)
    return {
        one
        for numbers in by_stay.values()
        for one in numbers
        for other in numbers
        if one != other and found[one].since < found[other].until and found[other].since < found[one].until
    }


def _pieces(number: int, watch: Watch, hours: HoursSeen | None) -> list[_Piece]:
    """The edges of a watch, and its hours that are undecided."""
    first, last = watch.whole_hours()
    if first >= last:
        return [_Piece(number, watch.since, watch.until)] if watch.since < watch.until else []
    edges = [_Piece(number, watch.since, first), _Piece(number, last, watch.until)]
    undecided = hours.undecided if hours else []
    return [edge for edge in edges if edge.since < edge.until] + [
        _Piece(number, each.hour, each.hour + HOUR_MICROSECONDS, each.seen) for each in undecided
    ]


_ARCHIVED = select(ArchivedMonth.month).where(ArchivedMonth.restored_at.is_(None))


def _archived(session: Session, found: Sequence[Watch], pieces: Sequence[_Piece]) -> tuple[list[_Piece], list[_Piece]]:
    """The pieces whose readings are here, and those in archived months; one that reaches into one is cut.

    The last reading of such a month may stand beyond it, so that what lies right behind is not sure either.
    """
    if not any(watch.archived for watch in found):
        return list(pieces), []
    archived = [months.month_of(row.month) for row in session.connection().execute(_ARCHIVED)]
    spans = [(counted(since), counted(until)) for since, until in months.spans(archived)]
    sure, lost = [], []
    for piece in pieces:
        reached, hold = piece.since, found[piece.watch].hold
        for gone, end in spans:
            back = end + hold
            if gone < piece.until and back > reached:
                if reached < gone:
                    sure.append(piece._replace(since=reached, until=gone))
                lost.append(piece._replace(since=max(gone, reached), until=min(back, piece.until)))
                reached = min(back, piece.until)
        if reached < piece.until:
            sure.append(piece._replace(since=reached))
    return sure, lost


def _lose(found: _Found, piece: _Piece, intervals: int) -> None:
    """Of a piece whose readings are in files, say what the roll-up can: of an hour all but the side it was on."""
    known = piece.known
    if known is None:
        found.seen = found.seen.joined(nothing(intervals)._replace(unknown=piece.until - piece.since))
    else:
        found.seen = found.seen.joined(known)
    found.unknown.append((piece.since, piece.until))


def _build(asked: FromClause) -> Select[*tuple[Any, ...]]:
    """Beside the times of each piece those of all, for by these PostgreSQL leaves out other months when it begins."""
    mine = and_(
        Reading.sensor_id == asked.c.sensor_id,
        Reading.measured_at >= asked.c.since,
        Reading.measured_at < asked.c.until,
        Reading.measured_at >= bindparam("first", type_=Reading.measured_at.type),
        Reading.measured_at < bindparam("last", type_=Reading.measured_at.type),
    )
    columns = (asked.c.piece, whole_microseconds(Reading.measured_at), Reading.temperature)
    return select(*columns).select_from(asked).join(Reading, mine)


_READINGS = Asked(
    {
        "piece": Integer(),
        "sensor_id": Reading.sensor_id.type,
        "since": Reading.measured_at.type,
        "until": Reading.measured_at.type,
    },
    _build,
    named=False,
)


def _read(
    session: Session,
    found: Sequence[Watch],
    pieces: Sequence[_Piece],
    sums: Sequence[_Found],
    intervals: Sequence[Interval],
    shared: set[int],
) -> None:
    """Add what the readings say of pieces, and of `shared` watches when that was."""
    asked = []
    for number, piece in enumerate(pieces):
        watch = found[piece.watch]
        since = max(piece.since - watch.hold, watch.begun)
        asked.append((number, watch.sensor_id, instant(since), instant(piece.until)))
    if not asked:
        return
    first, last = min(row[2] for row in asked), max(row[3] for row in asked)
    readings: defaultdict[int, list[Point]] = defaultdict(list)
    for number, at, temperature in _READINGS.rows(session, asked, first=first, last=last):
        readings[number].append((at, temperature))
    for number, points in readings.items():
        piece, hold = pieces[number], found[pieces[number].watch].hold
        points.sort()
        of = sums[piece.watch]
        of.seen = of.seen.joined(summed(points, hold, piece.since, piece.until, intervals))
        if piece.watch in shared:
            of.times += [(start, stop) for start, stop, _ in cuts(points, hold, piece.since, piece.until)]


def _told(stays: Sequence[Stay], found: Sequence[Watch], sums: Sequence[_Found], shared: set[int]) -> list[Exposed]:
    by_stay: defaultdict[int, list[int]] = defaultdict(list)
    for number, watch in enumerate(found):
        by_stay[watch.stay].append(number)
    told = []
    for place, stay in enumerate(stays):
        numbers = by_stay[place]
        parts = tuple(Part(found[number], sums[number].seen) for number in numbers)
        together = [number for number in numbers if number in shared]
        alone = [sums[number].seen for number in numbers if number not in shared]
        seen = timedelta(microseconds=sum(each.seen for each in alone)) + _covered(sums, together)
        known = timedelta(microseconds=sum(each.seen + each.unknown for each in alone))
        known += _covered(sums, together, unknown=True)
        told.append(Exposed(parts, stay.until - stay.since - seen, known - seen))
    return told


def _covered(sums: Sequence[_Found], numbers: Sequence[int], *, unknown: bool = False) -> timedelta:
    """How much time any of some watches saw, or may have seen."""
    if not numbers:
        return timedelta()
    times = [span for number in numbers for span in sums[number].times]
    if unknown:
        times += [span for number in numbers for span in sums[number].unknown]
    return covered(Stretch(instant(since), instant(until), 0) for since, until in times)
