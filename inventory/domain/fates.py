"""What became of doses: each is somewhere now, or has ended in one of the ways in which doses end."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from inventory.domain.words import End, LocationKind


@dataclass(frozen=True)
class Fate:
    """What became of doses: where they are now, by kind of place, and how the others ended."""

    left: Mapping[LocationKind, int] = field(default_factory=dict)
    ended: Mapping[End, int] = field(default_factory=dict)

    @property
    def doses(self) -> int:
        """All of them."""
        return sum(self.left.values()) + sum(self.ended.values())

    @property
    def on_hand(self) -> int:
        """In a storage."""
        return self.left.get(LocationKind.STORAGE, 0)

    @property
    def in_quarantine(self) -> int:
        """Held."""
        return self.left.get(LocationKind.QUARANTINE, 0)

    @property
    def in_transit(self) -> int:
        """On their way."""
        return self.left.get(LocationKind.TRANSIT, 0)

    @property
    def administered(self) -> int:
        """Given."""
        return self.ended.get(End.ADMINISTERED, 0)

    @property
    def wasted(self) -> int:
        """Wasted."""
        return self.ended.get(End.WASTED, 0)

    @property
    def returned(self) -> int:
        """Gone back to a supplier."""
        return self.ended.get(End.RETURNED, 0)

    @property
    def missing(self) -> int:
        """Not there at a count."""
        return self.ended.get(End.MISSING, 0)

    @staticmethod
    def of(fates: Iterable["Fate"]) -> "Fate":
        """The sum of several."""
        left, ended = Counter[LocationKind](), Counter[End]()
        for fate in fates:
            left.update(fate.left)
            ended.update(fate.ended)
        return Fate(left, ended)
