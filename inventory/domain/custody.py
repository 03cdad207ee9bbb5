"""Which custodies a movement takes from, when staff name a batch and not a custody."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from inventory.domain.errors import N_, Code, Conflict, Invalid
from inventory.domain.instants import FOREVER


@dataclass(frozen=True)
class Holding:
    """What one custody can give: `remaining` doses of a batch, with what decides its turn."""

    custody_id: UUID
    remaining: int
    expiry: date
    due_at: datetime | None
    opened_at: datetime

    @property
    def turn(self) -> tuple[date, datetime, datetime, UUID]:
        """Earliest expiry, then earliest deadline, then oldest opening (art. 18 of the 2017 storage rules: FEFO)."""
        return (self.expiry, self.due_at or FOREVER, self.opened_at, self.custody_id)


@dataclass(frozen=True)
class Take:
    """Doses to be taken out of one custody."""

    custody_id: UUID
    doses: int


def pick(holdings: Iterable[Holding], doses: int) -> list[Take]:
    """Whole doses from as few custodies as their turn allows.

    Raises:
        Invalid: `malformed` for less than one dose.
        Conflict: `not_enough_doses`; nothing is taken then.
    """
    if doses < 1:
        raise Invalid(Code.MALFORMED, "doses", doses, N_("at least one dose"))
    takes: list[Take] = []
    missing = doses
    for holding in sorted(holdings, key=lambda each: each.turn):
        taken = min(missing, holding.remaining)
        if taken:
            takes.append(Take(holding.custody_id, taken))
            missing -= taken
    if missing:
        raise Conflict(Code.NOT_ENOUGH_DOSES, "doses", doses, N_("at most %(there)d doses"), there=doses - missing)
    return takes
