"""What a facility has in its storage, as its staff see it: which vial they take next."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from coldtrail.demo.steps import Lot


@dataclass
class Shelf:
    """The lots of a facility, each batch once; those that are used up stay, for they are counted in the evening."""

    lots: list[Lot] = field(default_factory=list)

    @classmethod
    def of(cls, lots: Iterable[Lot]) -> "Shelf":
        """A shelf with these lots."""
        shelf = cls()
        shelf.put(lots)
        return shelf

    @property
    def held(self) -> list[Lot]:
        """The lots with doses left."""
        return [lot for lot in self.lots if lot.doses]

    def put(self, lots: Iterable[Lot]) -> None:
        """Doses came."""
        for lot in lots:
            mine = self.find(lot)
            if mine is None:
                self.lots.append(lot)
            else:
                self._change(mine, lot.doses)

    def find(self, lot: Lot) -> Lot | None:
        """What there is of the same batch."""
        return next((each for each in self.lots if (each.gtin, each.batch) == (lot.gtin, lot.batch)), None)

    def take(self, choice: random.Random) -> Lot | None:
        """One dose, of what expires first; of two that expire alike, what there is more of comes oftener."""
        first = self._first_expiring()
        if not first:
            return None
        lot = choice.choices(first, [each.doses for each in first])[0]
        return self.withdraw(lot, 1)

    def withdraw(self, lot: Lot, doses: int) -> Lot:
        """So many doses of a lot that is here."""
        mine = self.find(lot)
        if mine is None or mine.doses < doses:
            raise ValueError(f"{doses} doses of {lot.batch} are not on the shelf")
        self._change(mine, -doses)
        return replace(lot, doses=doses)

    def withdraw_any(self, gtin: str, doses: int) -> list[Lot]:
        """Doses of a product, what expires first and came first; fewer where there are not so many."""
        taken: list[Lot] = []
        for lot in sorted(self.held, key=lambda each: (each.expiry, each.batch)):
            wanted = min(lot.doses, doses - sum(each.doses for each in taken))
            if lot.gtin == gtin and wanted:
                taken.append(self.withdraw(lot, wanted))
        return taken

    def _change(self, lot: Lot, by: int) -> None:
        changed = replace(lot, doses=lot.doses + by)
        self.lots = [changed if each is lot else each for each in self.lots]

    def _first_expiring(self) -> list[Lot]:
        earliest = min((lot.expiry for lot in self.held), default=date.max)
        return [lot for lot in self.held if lot.expiry == earliest]
