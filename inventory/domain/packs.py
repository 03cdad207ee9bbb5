"""The tree of packs that a maker gives for a batch: which vial is in which carton, and which carton in which case."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inventory.domain.errors import N_, Code, ColdtrailError, Invalid

DEEPEST = 8
"""Levels of packaging: vial, carton, case, pallet, and as many again."""

MOST_DOSES = 100_000_000
"""Doses of one pack with all that is in it; no database could store any sum."""


@dataclass(frozen=True)
class PackLine:
    """A pack as somebody states it: its code, the one that it is in, and its doses, where these are said."""

    code: str
    doses: int | None = None
    parent: str | None = None


@dataclass(frozen=True)
class NewPack:
    """A pack of a tree that was checked; `level` 1 holds no other, each other is one above the highest in it."""

    code: str
    parent: str | None
    level: int
    doses: int


def written(packs: Iterable[NewPack]) -> str:
    """Packs as text that can be kept and hashed: JSON, a list for each pack, by their codes."""
    lines = sorted([pack.code, pack.parent, pack.level, pack.doses] for pack in packs)
    return json.dumps(lines, separators=(",", ":"), ensure_ascii=False)


def digest_of(text: str) -> str:
    """The SHA-256 of packs as text, which stands for them in the log."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_back(text: str) -> list[NewPack]:
    """The packs in a text; ValueError where it holds none."""
    try:
        return [NewPack(*line) for line in json.loads(text)]
    except TypeError as error:
        raise ValueError("no packs") from error


class BadLines(Invalid):
    """Lines of a file that cannot be, each by its number, from 1, and why; it is told with the first of them."""

    def __init__(self, faults: Sequence[tuple[int, ColdtrailError]]) -> None:
        self.faults = tuple(faults)
        first = faults[0][1]
        super().__init__(first.code, first.field, first.value, first.expected, **first.facts)


def tree(lines: Sequence[PackLine], doses_per_vial: int) -> list[NewPack]:
    """The packs of a tree, each before those that are in it.

    A pack that holds no other is one vial unless its doses are stated; one that holds others has their doses.

    Raises:
        BadLines: a code on two lines (`repeated_line`), a pack in itself or too deep, in one that no line names, with
            other doses than what is in it, or with parts of vials.
    """
    made = _Tree(lines, doses_per_vial)
    if made.faults:
        raise BadLines(sorted(made.faults, key=lambda fault: fault[0]))
    return sorted(made.packs, key=lambda pack: -pack.level)


class _Tree:
    """A tree while it is looked at, with all that is wrong with it."""

    def __init__(self, lines: Sequence[PackLine], doses_per_vial: int) -> None:
        self.faults: list[tuple[int, ColdtrailError]] = []
        self.packs: list[NewPack] = []
        self._per_vial = doses_per_vial
        self._lines: dict[str, tuple[int, PackLine]] = {}
        self._inside: defaultdict[str, list[str]] = defaultdict(list)
        for number, line in enumerate(lines, 1):
            self._take(number, line)
        self._refuse_strangers()
        order = self._from_the_top()
        if not self.faults:
            self._fill(reversed(order))

    def _take(self, number: int, line: PackLine) -> None:
        if line.code in self._lines:
            self._fault(number, Invalid(Code.REPEATED_LINE, "code", line.code, N_("each pack once, in one parent")))
            return
        self._lines[line.code] = number, line
        if line.parent is not None:
            self._inside[line.parent].append(line.code)

    def _refuse_strangers(self) -> None:
        for number, line in self._lines.values():
            if line.parent is not None and line.parent not in self._lines:
                self._fault(number, Invalid(Code.NOT_FOUND, "parent", line.parent, N_("the code of a pack on a line")))

    def _from_the_top(self) -> list[str]:
        """Each pack behind the one that it is in; those that no way from the top leads to are in themselves."""
        order, seen = [], set()
        row, depth = [code for code, (_, line) in self._lines.items() if line.parent not in self._lines], 0
        while row and depth < DEEPEST:
            order += row
            seen |= set(row)
            row, depth = [inner for code in row for inner in self._inside.get(code, ())], depth + 1
        for code, (number, line) in self._lines.items():
            if code not in seen:
                expected = N_("a parent that is not in the pack itself, at most %(levels)d levels above it")
                self._fault(number, Invalid(Code.MALFORMED, "parent", line.parent, expected, levels=DEEPEST))
        return order

    def _fill(self, order: Iterable[str]) -> None:
        """Levels and doses, from the innermost packs on."""
        found: dict[str, NewPack] = {}
        for code in order:
            number, line = self._lines[code]
            inner = [found[each] for each in self._inside.get(code, ())]
            doses = sum(each.doses for each in inner) if inner else line.doses or self._per_vial
            found[code] = NewPack(code, line.parent, 1 + max((each.level for each in inner), default=0), doses)
            self._check(number, line, doses, holds_others=bool(inner))
        self.packs = list(found.values())

    def _check(self, number: int, line: PackLine, doses: int, *, holds_others: bool) -> None:
        if holds_others and line.doses not in {None, doses}:
            expected = N_("%(doses)d doses, as the packs in it hold")
            self._fault(number, Invalid(Code.MALFORMED, "doses", line.doses, expected, doses=doses))
        elif doses > MOST_DOSES:
            expected = N_("at most %(most)d doses in a pack")
            self._fault(number, Invalid(Code.MALFORMED, "doses", doses, expected, most=MOST_DOSES))
        elif doses % self._per_vial:
            expected = N_("a multiple of %(per_vial)d doses, whole vials")
            self._fault(number, Invalid(Code.NOT_WHOLE_VIALS, "doses", doses, expected, per_vial=self._per_vial))

    def _fault(self, number: int, error: ColdtrailError) -> None:
        self.faults.append((number, error))
