"""A site's shelf as its staff see it: which vial they take next."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from coldtrail.demo.steps import Lot


@dataclass
class Shelf:
    """The lots of a site."""

    lots: list[Lot]

    def put(self, lots: Iterable[Lot]) -> None:
        """Doses came."""
        self.lots += lots

    def take(self, choice: random.Random) -> Lot | None:
        """One dose, of what expires first; of two that expire alike, what there is more of comes oftener."""
        first = self._first_expiring()
        if not first:
            return None
        lot = choice.choices(first, [each.doses for each in first])[0]
        left = replace(lot, doses=lot.doses - 1)
        self.lots = [left if each is lot else each for each in self.lots]
        return replace(lot, doses=1)

    def _first_expiring(self) -> list[Lot]:
        there = [lot for lot in self.lots if lot.doses]
        earliest = min((lot.expiry for lot in there), default=date.max)
        return [lot for lot in there if lot.expiry == earliest]
