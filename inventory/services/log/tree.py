"""The tree of the log in the database: tiles of 256 hashes, of the leaves and of each eighth level above them.

So a proof reads a few tiles, and whoever appends writes one node for each 256 leaves.
"""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.merkle import full_root
from inventory.persistence.statements import insert_rows
from inventory.persistence.tables import LogLeaf, LogNode

HEIGHT = 8
WIDTH = 1 << HEIGHT
"""Hashes in a tile."""

_KEPT = 64
"""How many tiles a reader remembers: half a megabyte."""


class Tree:
    """The log's tree as a session sees it; `subtree` is what inventory.domain.merkle asks for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tile = lru_cache(_KEPT)(self._read)

    def subtree(self, level: int, index: int) -> bytes:
        """The hash of a full subtree; IndexError where the log has not grown so far, or lacks a row."""
        below = level % HEIGHT
        first, count = index << below, 1 << below
        tile = self._tile(level - below, first // WIDTH)
        hashes = tile[first % WIDTH : first % WIDTH + count]
        if len(hashes) < count:
            raise IndexError(f"the log has no whole subtree {index} of level {level}")
        return full_root(hashes)

    def _read(self, level: int, tile: int) -> list[bytes]:
        return stored(self._session, level, tile * WIDTH, (tile + 1) * WIDTH)


def stored(session: Session, level: int, first: int, last: int) -> list[bytes]:
    """The hashes of a level from `first` until before `last`, as far as there are."""
    number, hashed = (LogNode.number, LogNode.hash) if level else (LogLeaf.number, LogLeaf.hash)
    query = select(hashed).where(number >= first, number < last).order_by(number)
    if level:
        query = query.where(LogNode.level == level)
    return list(session.scalars(query))


def grow(session: Session, first: int, hashes: Sequence[bytes]) -> None:
    """Store the nodes above new leaves, the first of which has the number `first`; theirs are stored already."""
    level, row = 0, list(hashes)
    while True:
        begun = first - first % WIDTH
        row = stored(session, level, begun, first) + row
        tiles = [row[at : at + WIDTH] for at in range(0, len(row) - WIDTH + 1, WIDTH)]
        if not tiles:
            return
        level, first = level + HEIGHT, begun // WIDTH
        row = [full_root(tile) for tile in tiles]
        insert_rows(
            session, LogNode, [{"level": level, "number": first + at, "hash": each} for at, each in enumerate(row)]
        )
