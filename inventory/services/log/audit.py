"""Auditing a file of proofs, with no database: what it says was signed, is all there, and contradicts nothing.

A file is lines: a head in JSON with the signed checkpoint, then the whole tree from left to right, where a leaf that
is part of the trail stands as its bytes and what lies between as the level and hash of a subtree. So one pass proves
every leaf, with memory for one path; and a file with all leaves is nothing special.
"""

import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from inventory import strict_json
from inventory.domain.checkpoints import BadNote, Note, VerifierKey
from inventory.domain.merkle import HASH_BYTES, Frontier, is_consistent, leaf_hash
from inventory.domain.trail_audit import TrailAudit
from inventory.services.log import keys

FORMAT = "coldtrail-proof-1"
BATCH, ADMINISTRATION, LOG = "batch", "administration", "log"
"""What a file is of."""

_LONGEST = 1 << 24
"""The longest line that is read, in bytes."""

_LEVEL = re.compile(rb"[0-5]?[0-9]")
"""No log has more leaves than a subtree of level 59; a number without an end would take all memory."""

_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
"""What reading raises where a file is not what it should be."""

_read = json.JSONDecoder().decode


class BadFile(ValueError):
    """A file that is no file of proofs; the message says where."""


@dataclass(frozen=True)
class Head:
    """The first line of a file."""

    subject: dict[str, Any]
    note: Note
    consistency: tuple[int, list[bytes]] | None

    @property
    def of(self) -> str:
        """What the file is of."""
        return str(self.subject["of"])

    def strangers(self, names: set[str]) -> Iterator[str]:
        """What is wrong where a file of a batch has leaves of another, or none."""
        mine = f"batch {self.subject.get('gtin')} {self.subject.get('batch')}"
        if self.of == BATCH and names != {mine}:
            yield f"the file says that it is of {mine}, its leaves are of {', '.join(sorted(names)) or 'nothing'}"


@dataclass(frozen=True)
class Finding:
    """What an audit found: the checkpoint, by whose key it is signed, how many leaves, what they say, and faults."""

    head: Head
    key: VerifierKey | None
    leaves: int
    audit: TrailAudit
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def audit(file: Path, known: Sequence[VerifierKey], old: Note | None = None) -> Finding:
    """Audit a file against the log's public keys, and against an older checkpoint if there is one.

    Raises:
        BadFile: it is no file of proofs.
    """
    with file.open("rb") as lines:
        head = _head(lines)
        key = next((each for each in known if head.note.is_signed_by(each, keys.verify)), None)
        trail = TrailAudit(head.note.checkpoint.at, head.subject["id"] if head.of == ADMINISTRATION else None)
        faults = [] if key else ["the checkpoint is not signed by any of the given keys"]
        wanted = old.checkpoint.size if old else 0
        leaves, tree, old_root = _through(lines, head, trail, wanted)
    if trail.looks_back:
        _look_back(file, trail)
    trail.close()
    if (tree.size, tree.root()) != (head.note.checkpoint.size, head.note.checkpoint.root):
        faults.append("the leaves and hashes do not give the root of the checkpoint")
    if head.of == LOG and leaves != head.note.checkpoint.size:
        faults.append(f"the file is of the whole log and has {leaves} of its {head.note.checkpoint.size} leaves")
    faults += head.strangers({each.name for each in trail.streams.values()})
    if old is not None:
        faults += _against(head, old, known, old_root)
    return Finding(head, key, leaves, trail, (*faults, *trail.faults))


def _head(lines: IO[bytes]) -> Head:
    try:
        head: Any = strict_json.loads(lines.readline(_LONGEST), _LONGEST)
        proof = head.get("consistency")
        consistency = (_size(proof["from"]), [b64decode(each) for each in proof["hashes"]]) if proof else None
        return Head(_subject(head), Note.parse(head["checkpoint"]), consistency)
    except BadNote as error:
        raise BadFile(str(error)) from error
    except _UNREADABLE as error:
        raise BadFile(f"the first line is no head of a file of the format {FORMAT}") from error


def _size(number: Any) -> int:
    """A number of leaves; to make one of a long fraction would take for ever."""
    if type(number) is not int or not 0 <= number < 1 << 60:
        raise ValueError(number)
    return number


def _subject(head: dict[str, Any]) -> dict[str, Any]:
    subject: dict[str, Any] = head["subject"]
    if head["format"] != FORMAT or subject["of"] not in {BATCH, ADMINISTRATION, LOG}:
        raise ValueError(subject["of"])
    return subject | ({"id": str(UUID(subject["id"]))} if subject["of"] == ADMINISTRATION else {})


def _through(lines: IO[bytes], head: Head, trail: TrailAudit, wanted: int) -> tuple[int, Frontier, bytes | None]:
    """Go through the tree: how many leaves the file has, the tree, and the root at an older size if it was met."""
    tree, leaves, old_root = Frontier(), 0, None
    for content in _lines(lines):
        try:
            if content.startswith(b"{"):
                trail.add(tree.size, _read(content.decode()))
                leaves += 1
                tree.add(0, leaf_hash(content))
            else:
                tree.add(*_subtree(content))
        except _UNREADABLE as error:
            raise BadFile(f"at leaf {tree.size}: {type(error).__name__} {error}") from error
        if tree.size == wanted:
            old_root = tree.root()
        if tree.size > head.note.checkpoint.size:
            raise BadFile(f"more than the {head.note.checkpoint.size} leaves of the checkpoint")
    return leaves, tree, old_root


def _subtree(content: bytes) -> tuple[int, bytes]:
    """The level and the hash in a line; ValueError for anything else."""
    level, _, text = content.partition(b" ")
    found = b64decode(text, validate=True)
    if not _LEVEL.fullmatch(level) or len(found) != HASH_BYTES:
        raise ValueError("no level and hash of a subtree")
    return int(level), found


def _lines(lines: IO[bytes]) -> Iterator[bytes]:
    while line := lines.readline(_LONGEST):
        if not line.endswith(b"\n"):
            raise BadFile("a line is cut off, or too long")
        yield line[:-1]


def _look_back(file: Path, trail: TrailAudit) -> None:
    """Go through the leaves again, for the originals of corrections."""
    with file.open("rb") as lines:
        lines.readline(_LONGEST)
        for content in _lines(lines):
            if content.startswith(b"{"):
                try:
                    trail.look_back(content, _reader(content))
                except _UNREADABLE as error:
                    raise BadFile(f"{type(error).__name__} {error}") from error


def _reader(content: bytes) -> Callable[[], Any]:
    return lambda: _read(content.decode())


def _against(head: Head, old: Note, known: Sequence[VerifierKey], old_root: bytes | None) -> Iterator[str]:
    """What is wrong about an older checkpoint: the log has to begin with what was signed then."""
    new, before = head.note.checkpoint, old.checkpoint
    if not any(old.is_signed_by(each, keys.verify) for each in known):
        yield "the older checkpoint is not signed by any of the given keys"
    if before.origin != new.origin:
        yield f"the older checkpoint is of {before.origin}, the file of {new.origin}"
    elif old_root is not None:
        if old_root != before.root:
            yield f"the log does not begin with the {before.size} leaves of the older checkpoint: it was rewritten"
    elif head.consistency is None or head.consistency[0] != before.size:
        yield f"the file has no proof from {before.size} leaves on; export it with --since the older checkpoint"
    elif not is_consistent(before.size, new.size, before.root, new.root, head.consistency[1]):
        yield f"the log does not begin with the {before.size} leaves of the older checkpoint: it was rewritten"
