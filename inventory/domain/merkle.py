"""The Merkle tree of RFC 9162 (and RFC 6962): hashes, proofs, and how both are checked.

A tree of `size` leaves is told by a function from (level, index) to the hash of that full subtree, whose leaves are
`index << level` up to `(index + 1) << level`. So the same code serves leaves in memory and tiles in a database.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY = sha256(b"").digest()
"""The root of a log without leaves."""

Subtree = Callable[[int, int], bytes]
"""The hash of the full subtree of a level and an index in it."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf; its first byte keeps it apart from that of a node."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return sha256(b"\x01" + left + right).digest()


def full_root(hashes: Sequence[bytes]) -> bytes:
    """The root of a full subtree: of so many hashes as a power of two."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


class Frontier:
    """The right edge of a tree that grows: as many hashes as its size has bits, whatever was added before."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []

    def add(self, level: int, subtree: bytes) -> None:
        """Add a full subtree behind what is there; ValueError where none of its level can stand."""
        if self.size & ((1 << level) - 1):
            raise ValueError(f"a subtree of level {level} cannot begin at leaf {self.size}")
        self.size += 1 << level
        while self._peaks and self._peaks[-1][0] == level:
            subtree = node_hash(self._peaks.pop()[1], subtree)
            level += 1
        self._peaks.append((level, subtree))

    def root(self) -> bytes:
        """The root of what was added."""
        if not self._peaks:
            return EMPTY
        *others, (_, root) = self._peaks
        for _, peak in reversed(others):
            root = node_hash(peak, root)
        return root


def subtrees(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The fewest full subtrees that hold exactly the leaves from `first` until before `last`, from left to right."""
    while first < last:
        level = (last - first).bit_length() - 1
        if first:
            level = min(level, (first & -first).bit_length() - 1)
        yield level, first >> level
        first += 1 << level


def root(size: int, subtree: Subtree) -> bytes:
    """The root of the first `size` leaves."""
    return _hash(0, size, subtree) if size else EMPTY


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """What shows that a leaf is in the tree of `size` leaves (RFC 9162, 2.1.3.1)."""
    found: list[bytes] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            found.append(_hash(middle, last, subtree))
            last = middle
        else:
            found.append(_hash(first, middle, subtree))
            first = middle
    return found[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """What shows that the tree of `new` leaves begins with that of `old` (RFC 9162, 2.1.4.1)."""
    if not 0 < old < new:
        return []
    found: list[bytes] = []
    first, last, whole = 0, new, True
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            found.append(_hash(middle, last, subtree))
            last = middle
        else:
            found.append(_hash(first, middle, subtree))
            first, whole = middle, False
    if not whole:
        found.append(_hash(first, last, subtree))
    return found[::-1]


def is_included(index: int, size: int, leaf: bytes, proof: Sequence[bytes], tree: bytes) -> bool:
    """Whether a proof shows that the leaf of this hash is in the tree of this root (RFC 9162, 2.1.3.2)."""
    steps = _steps(index, size - 1, proof) if 0 <= index < size else None
    if steps is None:
        return False
    for each, is_left in steps:
        leaf = node_hash(each, leaf) if is_left else node_hash(leaf, each)
    return leaf == tree


def is_consistent(old: int, new: int, old_tree: bytes, new_tree: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the tree of one root begins with that of the other (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old in {0, new}:
        return not proof and old_tree == (new_tree if old else EMPTY)
    path = [*proof] if old & (old - 1) else [old_tree, *proof]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    steps = _steps(at, last, path[1:]) if path else None
    if steps is None:
        return False
    found_old = found_new = path[0]
    for each, is_left in steps:
        found_old = node_hash(each, found_old) if is_left else found_old
        found_new = node_hash(each, found_new) if is_left else node_hash(found_new, each)
    return (found_old, found_new) == (old_tree, new_tree)


def _steps(at: int, last: int, proof: Sequence[bytes]) -> list[tuple[bytes, bool]] | None:
    """The hashes of a proof, and whether each stands on the left of what is known; None if it is too long or short."""
    steps = []
    for each in proof:
        if not last:
            return None
        is_left = bool(at & 1) or at == last
        steps.append((each, is_left))
        while is_left and at and not at & 1:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    return None if last else steps


def cover(indexes: Iterable[int], size: int) -> Iterator[tuple[int, int] | int]:
    """A tree of `size` leaves from left to right: the wanted leaves by their index, and subtrees for what is between.

    `indexes` rise. The hashes of all these parts, in this order, give the root, and prove all leaves at once.
    """
    after = 0
    for index in indexes:
        yield from subtrees(after, index)
        yield index
        after = index + 1
    yield from subtrees(after, size)


def _split(size: int) -> int:
    """The largest power of two that is smaller."""
    return 1 << ((size - 1).bit_length() - 1)


def _hash(first: int, last: int, subtree: Subtree) -> bytes:
    """The hash of a range of leaves that begins where a subtree does."""
    parts = [subtree(level, index) for level, index in subtrees(first, last)]
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found
