"""Which custodies a movement takes from, when staff name a batch and not a custody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from inventory.domain.deadlines import LIMITS, Deadline, RuleName
from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.instants import FOREVER
from inventory.domain.words import LocationKind, Origin


class Vials(StrEnum):
    """Which vials a movement may take from."""

    ANY = "any"
    SEALED = "sealed"
    OPENED = "opened"


@dataclass(frozen=True)
class Holding:
    """What one custody can give: `remaining` doses of a batch, with what decides its turn."""

    custody_id: UUID
    remaining: int
    expiry: date
    opened_at: datetime
    clocks: tuple[Deadline, ...] = ()
    location_id: UUID | None = None
    location_kind: LocationKind = LocationKind.STORAGE
    origin: Origin | None = None

    @property
    def turn(self) -> tuple[date, datetime, datetime, UUID]:
        """Earliest expiry, then earliest deadline, then oldest opening (art. 18 of the 2017 storage rules: FEFO)."""
        due_at = min((clock.due_at for clock in self.clocks), default=FOREVER)
        return (self.expiry, due_at, self.opened_at, self.custody_id)

    @property
    def is_opened(self) -> bool:
        """Whether these are doses of vials that have been opened."""
        return any(clock.name is RuleName.OPEN_VIAL for clock in self.clocks)

    def is_spent(self, at: datetime) -> bool:
        """Whether an opened or thawed vial has outlived its limit."""
        return any(clock.name in LIMITS and clock.due_at < at for clock in self.clocks)

    def fits(self, vials: Vials) -> bool:
        """Whether its vials are of the kind that is wanted."""
        return vials is Vials.ANY or self.is_opened == (vials is Vials.OPENED)


@dataclass(frozen=True)
class Scan:
    """A pack that somebody scanned: so many doses of it are taken; the book has it in a custody.

    `opens` are the packs around it that are opened by that, the outermost first.
    """

    code: str
    custody_id: UUID
    doses: int
    opens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Take:
    """Doses to be taken out of one custody, with the packs that were scanned for it."""

    holding: Holding
    doses: int
    scans: tuple[Scan, ...] = ()

    @property
    def custody_id(self) -> UUID:
        """The custody."""
        return self.holding.custody_id

    @property
    def takes_all(self) -> bool:
        """Whether nothing is left in the custody."""
        return self.doses == self.holding.remaining


def pick(holdings: Iterable[Holding], doses: int) -> list[Take]:
    """Whole doses from as few custodies as their turn allows.

    Raises:
        Invalid: `malformed` for less than one dose.
        Conflict: `not_enough_doses`; nothing is taken then.
    """
    if doses < 1:
        raise Invalid(Code.MALFORMED, "doses", doses, N_("at least one dose"))
    takes = _in_turn(holdings, doses)
    there = sum(take.doses for take in takes)
    if there < doses:
        raise Conflict(Code.NOT_ENOUGH_DOSES, "doses", doses, N_("at most %(there)d doses"), there=there)
    return takes


def pick_vials(holdings: Iterable[Holding], doses: int, doses_per_vial: int) -> list[Take]:
    """Doses in their turn; where that would break a sealed vial, the most of sealed ones, and the rest of opened ones.

    Raises:
        Invalid: `not_whole_vials` where that cannot be; and as `pick`.
        Conflict: as `pick`.
    """
    there = list(holdings)
    takes = pick(there, doses)
    if _broken(takes, doses_per_vial) is not None:
        sealed = _unbroken([each for each in there if not each.is_opened], doses, doses_per_vial)
        rest = doses - sum(take.doses for take in sealed)
        opened = _in_turn([each for each in there if each.is_opened], rest)
        if sum(take.doses for take in opened) < rest:
            raise _not_whole_vials(doses, doses_per_vial)
        takes = [*sealed, *opened]
    return takes


def _unbroken(sealed: Iterable[Holding], doses: int, doses_per_vial: int) -> list[Take]:
    """Of sealed vials, the most up to so many doses: whole ones, and all of a custody that does not hold whole ones."""
    in_turn = sorted(sealed, key=lambda each: each.turn)
    vials = sum(each.remaining // doses_per_vial for each in in_turn)
    ways = {odd: way for odd, way in _emptied(in_turn, doses_per_vial).items() if _doses(way) <= doses}
    best = max(sorted(ways), key=lambda odd: odd + doses_per_vial * min(vials, (doses - odd) // doses_per_vial))
    left = doses - _doses(ways[best])
    takes = [Take(each, each.remaining) for each in ways[best]]
    for holding in in_turn:
        whole = min(left, holding.remaining) // doses_per_vial * doses_per_vial
        if whole and holding not in ways[best]:
            takes.append(Take(holding, whole))
            left -= whole
    return sorted(takes, key=lambda take: take.holding.turn)


def _emptied(in_turn: Iterable[Holding], doses_per_vial: int) -> dict[int, tuple[Holding, ...]]:
    """How custodies can be emptied, by the doses beyond whole vials that this gives: with as few doses as it can be.

    Whatever is in whole vials may come from anywhere; so the ways do not grow with the doses, as all sums would.
    """
    ways: dict[int, tuple[Holding, ...]] = {0: ()}
    for holding in in_turn:
        odd = holding.remaining % doses_per_vial
        for before, way in list(ways.items()) if odd else ():
            together, known = (*way, holding), ways.get(before + odd)
            if known is None or _doses(together) < _doses(known):
                ways[before + odd] = together
    return ways


def _doses(holdings: Iterable[Holding]) -> int:
    return sum(each.remaining for each in holdings)


def _in_turn(holdings: Iterable[Holding], doses: int) -> list[Take]:
    """Up to so many doses."""
    takes: list[Take] = []
    for holding in sorted(holdings, key=lambda each: each.turn):
        taken = min(doses, holding.remaining)
        if taken:
            takes.append(Take(holding, taken))
            doses -= taken
    return takes


def unspent(holdings: Iterable[Holding], at: datetime, batch: str) -> list[Holding]:
    """Those of a batch whose opened or thawed vials are within their limit.

    Raises:
        Conflict: `batch_expired` where there are doses and all have outlived it.
    """
    there = [each for each in holdings if each.remaining]
    fresh = [each for each in there if not each.is_spent(at)]
    if there and not fresh:
        raise past_limit("batch", batch)
    return fresh


def past_limit(field: str, value: object) -> Conflict:
    """The refusal of opened or thawed vials that have outlived their limit."""
    return Conflict(Code.BATCH_EXPIRED, field, value, N_("a vial within its limit after opening or thaw"))


def next_dose(holdings: Iterable[Holding], at: datetime) -> Holding | None:
    """Where the next dose would come from: an opened vial before a sealed one, and what is past its limit last."""
    there = [each for each in holdings if each.remaining and each.opened_at <= at]
    return min(there, key=lambda each: (each.is_spent(at), not each.is_opened, each.turn), default=None)


def all_of(holdings: Iterable[Holding]) -> list[Take]:
    """Everything that is left, each custody in its turn.

    Raises:
        Conflict: `not_enough_doses` where nothing is left.
    """
    takes = [Take(each, each.remaining) for each in sorted(holdings, key=lambda each: each.turn) if each.remaining]
    if not takes:
        raise Conflict(Code.NOT_ENOUGH_DOSES, "doses", 0, N_("a place that holds doses of this batch"))
    return takes


def divided(takes: Iterable[Take], parts: Sequence[int]) -> list[list[Take]]:
    """The takes cut into parts of so many doses each, in their order."""
    waiting = list(takes)
    found: list[list[Take]] = []
    for part in parts:
        mine: list[Take] = []
        while part:
            first = waiting.pop(0)
            taken = min(part, first.doses)
            mine.append(Take(first.holding, taken))
            part -= taken  # noqa: PLW2901  (what is still missing of this part)
            if taken < first.doses:
                waiting.insert(0, Take(first.holding, first.doses - taken))
        found.append(mine)
    return found


def after(holdings: Iterable[Holding], takes: Iterable[Take]) -> list[Holding]:
    """The holdings once the doses were taken."""
    gone: dict[UUID, int] = {}
    for take in takes:
        gone[take.custody_id] = gone.get(take.custody_id, 0) + take.doses
    return [replace(each, remaining=each.remaining - gone.get(each.custody_id, 0)) for each in holdings]


def in_whole_vials(takes: Iterable[Take], doses_per_vial: int) -> None:
    """Refuse to take a part of a vial that nobody has opened.

    Raises:
        Invalid: `not_whole_vials`.
    """
    broken = _broken(takes, doses_per_vial)
    if broken is not None:
        raise _not_whole_vials(broken.doses, doses_per_vial)


def _not_whole_vials(doses: int, doses_per_vial: int) -> Invalid:
    expected = N_("whole vials of %(per_vial)d doses, as they lie there")
    return Invalid(Code.NOT_WHOLE_VIALS, "doses", doses, expected, per_vial=doses_per_vial)


def _broken(takes: Iterable[Take], doses_per_vial: int) -> Take | None:
    """The first that takes a part of a sealed vial."""
    return next(
        (t for t in takes if not t.holding.is_opened and not t.takes_all and t.doses % doses_per_vial),
        None,
    )
