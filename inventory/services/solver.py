"""The best redistribution, as a mixed-integer program that HiGHS solves through SciPy (decision 0010)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any
from uuid import UUID

from inventory.domain.queues import Lot, Queue
from inventory.domain.redistribution import Problem, Surplus, Target, Transfer

WAYS_AT_ONCE = 300
"""With more ways than this a question is not asked as a whole: hardly ever would it be answered in time."""

SECONDS = 2.0
"""How long each of the two questions about the whole may take."""

WAYS_A_ROUND = 150
"""About so many ways are decided on in a round, which is mostly answered in some hundredths of a second."""

ROUNDS = 20
"""In so many rounds at most all lots are decided on, however many ways a round then has."""

SECONDS_A_ROUND = 0.25
"""How long each of the two questions of a round may take; longer where few rounds share the time of the whole."""


@dataclass(frozen=True)
class Solution:
    """The transfers to be made; `proven` unless time ran out before it was sure that none are better."""

    transfers: tuple[Transfer, ...]
    proven: bool


def solve(problem: Problem) -> Solution:
    """The transfers after which the fewest doses are late; of such the fewest trips, and then the fewest doses.

    What cannot be answered as a whole in time is answered in rounds, each of them about some of the lots.
    """
    ways = _ways(problem, problem.surplus)
    found = _Question(problem, ways).answer(SECONDS) if len(ways) <= WAYS_AT_ONCE else _NOTHING
    if not found.proven:
        found = max(found, replace(_in_rounds(problem), proven=False), key=lambda each: each.worth)
    return Solution(tuple(way.transfer for way in found.sent), found.proven)


@dataclass(frozen=True)
class _Way:
    """A surplus that could go to a target; how many doses may have their turn up to it if any go; the vials that do."""

    surplus: Surplus
    target: Target
    room: int
    sent: int = 0

    @property
    def most(self) -> int:
        """How many vials could go."""
        return min(self.surplus.vials, self.room // self.surplus.lot.doses_per_vial)

    @property
    def trip(self) -> tuple[str, str]:
        """From where to where."""
        return self.surplus.site, self.target.queue.facility

    @property
    def transfer(self) -> Transfer:
        """What is sent on it."""
        return Transfer(self.surplus, self.target, self.sent * self.surplus.lot.doses_per_vial)


@dataclass(frozen=True)
class _Answer:
    """The ways on which something is sent, the doses that this saves, and whether it is sure that none is better."""

    sent: tuple[_Way, ...]
    saved: int
    proven: bool

    @property
    def worth(self) -> tuple[int, int]:
        """The more doses are saved the better, and then the fewer trips are made."""
        return self.saved, -len({way.trip for way in self.sent})


_NOTHING = _Answer((), 0, proven=False)


def _ways(problem: Problem, surplus: Sequence[Surplus]) -> list[_Way]:
    """Every way that at least a vial could go."""
    found = (_Way(each, target, target.room(each.lot)) for target in problem.targets for each in surplus)
    return [way for way in found if way.most]


def _in_rounds(problem: Problem) -> _Answer:
    """The lots decided on some at a time, while what was decided on the others stands.

    First by their turn, for what is put into a queue delays only what is behind it; and then once more by urgency, for
    now it is known what the others leave.
    """
    best = _NOTHING
    size = max(WAYS_A_ROUND // max(len(problem.targets), 1), -(-len(problem.surplus) // ROUNDS), 1)
    seconds = max(SECONDS * size / max(len(problem.surplus), 1), SECONDS_A_ROUND)
    for lots in (problem.surplus, sorted(problem.surplus, key=lambda each: each.lot.due_at)):
        for first in range(0, len(lots), size):
            asked = lots[first : first + size]
            open_again = {each.lot.holding.custody_id for each in asked}
            stands = [way for way in best.sent if way.surplus.lot.holding.custody_id not in open_again]
            found = _Question(problem, [*stands, *_ways(problem, asked)]).answer(seconds)
            best = max(found, best, key=lambda each: each.worth)
    return best


class _Program:
    """Variables from nothing up to a bound, and rows: sums of them that have to lie between two values."""

    def __init__(self) -> None:
        self._whole: list[int] = []
        self._lower: list[int] = []
        self._upper: list[int] = []
        self._rows: list[tuple[Mapping[int, int], float, float]] = []

    def variable(self, upper: int, lower: int = 0, *, whole: bool = True) -> int:
        """A number between two bounds; its place. Where it is the sum of whole ones, it need not be made whole."""
        self._whole.append(int(whole))
        self._lower.append(lower)
        self._upper.append(upper)
        return len(self._upper) - 1

    def row(self, factors: Mapping[int, int], *, low: float = -inf, high: float = inf) -> None:
        """A sum that has to lie between two values."""
        self._rows.append((dict(factors), low, high))

    def minimise(self, costs: Mapping[int, int], seconds: float) -> tuple[list[int] | None, bool]:
        """The values that cost least, None where no time was left to find any; and whether none cost less."""
        # Loading SciPy takes half a second, which nobody else is to wait for.
        from scipy.optimize import Bounds, milp

        found: Any = milp(
            [costs.get(place, 0) for place in range(len(self._upper))],
            integrality=self._whole,
            bounds=Bounds(self._lower, self._upper),
            constraints=self._constraints(),
            options={"time_limit": seconds, "mip_rel_gap": 0},
        )
        return (None if found.x is None else [round(value) for value in found.x]), found.status == 0

    def _constraints(self) -> Any:
        from scipy.optimize import LinearConstraint
        from scipy.sparse import csr_array

        cells = [(place, at, value) for at, (row, _, _) in enumerate(self._rows) for place, value in row.items()]
        columns, rows, values = zip(*cells, strict=True)
        matrix = csr_array((values, (rows, columns)), shape=(len(self._rows), len(self._upper)), dtype=float)
        return LinearConstraint(matrix, [low for _, low, _ in self._rows], [high for _, _, high in self._rows])


class _Sum:
    """A running sum of doses, as a variable at each step: rows that name all that was added would be far too long."""

    def __init__(self, program: _Program) -> None:
        self._program = program
        self.so_far: dict[int, int] = {}
        self.most = 0

    def add(self, doses: Mapping[int, int], most: int) -> None:
        """Add some variables' doses; the sum will be `most` at most."""
        total = self._program.variable(most, whole=False)
        self._program.row({**self.so_far, **doses, total: -1}, low=0, high=0)
        self.so_far, self.most = {total: 1}, most


class _Question:
    """The problem in rows; what holds only after a yes is loosened by the most that it could be exceeded by.

    A way on which something has been sent is no longer a question: so much is sent, and it stays in time.
    """

    def __init__(self, problem: Problem, ways: Sequence[_Way]) -> None:
        self._program = _Program()
        self._ways = [(way, self._program.variable(way.sent or way.most, way.sent)) for way in ways]
        self._of: defaultdict[UUID, dict[int, int]] = defaultdict(dict)
        for way, vials in self._ways:
            self._of[way.surplus.lot.holding.custody_id][vials] = way.surplus.lot.doses_per_vial
        self._vials = {each.lot.holding.custody_id: each.vials for each in problem.surplus}
        for custody, doses in self._of.items():
            self._program.row(dict.fromkeys(doses, 1), high=self._vials[custody])
        for target in problem.targets:
            self._receives([each for each in self._ways if each[0].target is target])
        self._saved: dict[int, int] = {}
        for source in problem.sources:
            self._gives(source)

    def answer(self, seconds: float) -> _Answer:
        """What is best, or the best that is found where each of the two questions may take so long."""
        if not self._ways:
            return replace(_NOTHING, proven=True)
        saving, sure = self._program.minimise(self._saved, seconds)
        if saving is None:
            return _NOTHING
        saved = sum(saving[each] for each in self._saved)
        self._program.row(self._saved, high=-saved)
        fewest, sure_again = self._program.minimise(self._effort(), seconds)
        sent = fewest or saving
        found = [replace(way, sent=sent[vials]) for way, vials in self._ways if sent[vials]]
        return _Answer(tuple(found), saved, sure and sure_again)

    def _effort(self) -> dict[int, int]:
        """What it costs: each trip more than all doses, and each dose that is sent."""
        trips: dict[tuple[str, str], int] = {}
        doses: dict[int, int] = {}
        for way, vials in self._ways:
            if way.trip not in trips:
                trips[way.trip] = self._program.variable(1)
            self._program.row({vials: 1, trips[way.trip]: -way.most}, high=0)
            doses[vials] = way.surplus.lot.doses_per_vial
        return dict.fromkeys(trips.values(), 1 + sum(way.surplus.doses for way, _ in self._ways)) | doses

    def _receives(self, mine: Sequence[tuple[_Way, int]]) -> None:
        """What is sent to a site has to be done in time, and may not make doses late that are the site's own.

        Only where a lot's room is less than that of one whose turn is before, it matters whether any of it is sent.
        """
        program, come = self._program, _Sum(self._program)
        for way, vials in sorted(mine, key=lambda each: each[0].surplus.lot.holding.turn):
            doses = {vials: way.surplus.lot.doses_per_vial}
            if way.sent:
                come.add(doses, way.room)
                continue
            excess = come.most - way.room
            come.add(doses, max(come.most, way.room))
            if excess > 0:
                any_sent = program.variable(1)
                program.row({vials: 1, any_sent: -way.most}, high=0)
                program.row({**come.so_far, any_sent: excess}, high=come.most)

    def _gives(self, source: Queue) -> None:
        """Of each lot those doses are saved that leave, and those that come to be in time as what is ahead leaves."""
        gone = _Sum(self._program)
        for place, lot in enumerate(source.lots):
            mine, late = self._of.get(lot.holding.custody_id, {}), source.late[place]
            if late and (mine or gone.so_far):
                saved = self._program.variable(late)
                self._saved[saved] = -1
                moved_up = self._moved_up(source.before[place] - source.done_when_due(lot), lot, gone)
                self._program.row({saved: -1, **mine, **moved_up}, low=0)
            if mine:
                leaving = self._vials[lot.holding.custody_id] * lot.doses_per_vial
                gone.add(mine, gone.most + leaving)

    def _moved_up(self, excess: int, lot: Lot, gone: _Sum) -> Mapping[int, int]:
        """How many more of a lot's doses come to be in time, as what is ahead leaves: none before the excess has."""
        if excess <= 0 or gone.most <= excess:
            return gone.so_far if excess <= 0 else {}
        most = min(lot.holding.remaining, gone.most - excess)
        moved_up, any_in_time = self._program.variable(most), self._program.variable(1)
        self._program.row({moved_up: 1, any_in_time: -most}, high=0)
        self._program.row({**dict.fromkeys(gone.so_far, -1), moved_up: 1, any_in_time: excess}, high=0)
        return {moved_up: 1}
