"""Holding the log against the facts, against itself and against what was signed; what was changed is named."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.domain.checkpoints import BadNote, Note, VerifierKey
from inventory.domain.leaves import canonical, differences
from inventory.domain.merkle import Frontier, full_root, leaf_hash
from inventory.persistence import guards
from inventory.persistence.database import Database
from inventory.persistence.tables import LogCheckpoint, LogLeaf, LogNode
from inventory.services.log import keys, sequencer, tree
from inventory.services.log.facts import SOURCES, source

PART = 2_000

LATE = timedelta(hours=1)
"""How long after it was recorded a fact may be committed and come into the log, and not be held against it."""

SKEW = timedelta(minutes=5)
"""How far the clocks of an installation's processes may differ."""


@dataclass(frozen=True)
class Checked:
    """How much there was to check."""

    leaves: int
    checkpoints: int
    waiting: int


@dataclass(frozen=True)
class Signed:
    """A checkpoint to hold the log against: what it said, and where it was."""

    where: str
    size: int
    root: bytes
    at: datetime


def verify_log(database: Database, known: Sequence[VerifierKey], held: Sequence[Note] = ()) -> Iterator[str | Checked]:
    """Check the whole log: each fault in words, and at last how much there was.

    `known` are the log's public keys; without one no signature is checked. `held` are checkpoints that were kept
    elsewhere: the only ones of which whoever owns this database knows nothing.
    """
    with database.read() as session:
        yield from findings(session, known, held)


def findings(session: Session, known: Sequence[VerifierKey], held: Sequence[Note] = ()) -> Iterator[str | Checked]:
    """The same in a session; see `verify_log`."""
    yield from guards.missing(session.connection())
    signed: list[Signed] = []
    yield from _checkpoints(session, known, signed)
    kept = len(signed)
    yield from _held(known, held, signed)
    walk = _Walk(session, sorted(signed, key=lambda each: each.size))
    yield from walk.leaves()
    yield from walk.end()
    if known and walk.count and not kept:
        yield f"log_checkpoint: no checkpoint is there, of {walk.count} leaves"
    newest = max((each.at for each in signed), default=None)
    yield from _without_leaf(session, newest)
    yield Checked(walk.count, kept, _waiting(session))


def _checkpoints(session: Session, known: Sequence[VerifierKey], signed: list[Signed]) -> Iterator[str]:
    """What is wrong about the checkpoints by themselves; the good ones go to `signed`."""
    before: datetime | None = None
    last = 0
    for row in session.scalars(select(LogCheckpoint).order_by(LogCheckpoint.size)):
        name = f"log_checkpoint {row.size}"
        try:
            note = Note.parse(row.note)
        except BadNote as error:
            yield f"{name}: {error}"
            last = row.size
            continue
        found = note.checkpoint
        if known and not any(note.is_signed_by(key, keys.verify) for key in known):
            yield f"{name}: not signed by any of the given keys"
        elif (found.size, found.root, found.at) != (row.size, row.root, row.signed_at):
            yield f"{name}: its columns are not what was signed"
        if before is not None and found.at < before - SKEW:
            yield f"{name}: signed before the checkpoint of fewer leaves"
        yield from _behind(last, name, found.after)
        before, last = found.at, row.size
        signed.append(Signed(name, found.size, found.root, found.at))

    newest = sequencer.signed(session)
    if newest > last:
        yield f"log_checkpoint {newest}: is gone, and was the newest"
    elif newest < last:
        yield f"log_checkpoint {last}: the newest that was signed is of {newest} leaves"


def _behind(last: int, name: str, after: int | None) -> Iterator[str]:
    """A checkpoint says which one it comes after, 0 for none."""
    if after is not None and after > last:
        yield f"log_checkpoint {after}: is gone, and {name} was signed after it"
    elif after is not None and after < last:
        yield f"log_checkpoint {last}: {name} was signed after that of {after} leaves, and not after this"


def _held(known: Sequence[VerifierKey], held: Sequence[Note], signed: list[Signed]) -> Iterator[str]:
    there = {each.size for each in signed}
    for note in held:
        name = f"the checkpoint of {note.checkpoint.size} leaves that was kept elsewhere"
        if not any(note.is_signed_by(key, keys.verify) for key in known):
            yield f"{name}: not signed by any of the given keys"
            continue
        if note.checkpoint.size not in there:
            yield f"{name}: is gone from log_checkpoint"
        signed.append(Signed(name, note.checkpoint.size, note.checkpoint.root, note.checkpoint.at))


class _Walk:
    """One way through all leaves."""

    def __init__(self, session: Session, signed: Sequence[Signed]) -> None:
        self.count = 0
        self._session, self._signed, self._passed = session, signed, 0
        self._tree, self._next, self._good, self._broken = Frontier(), 0, 0, False
        self._rows: defaultdict[int, list[bytes]] = defaultdict(list)
        self._numbers: defaultdict[int, int] = defaultdict(int)
        self._streams: dict[Any, int] = {}
        self._unsigned: datetime | None = None
        self._newest: datetime | None = None

    def leaves(self) -> Iterator[str]:
        """What is wrong of each leaf, of the nodes above it, and of the checkpoints on the way."""
        while part := self._part():
            for kind, alike in groupby(part, key=lambda leaf: leaf.kind):
                yield from self._facts(list(alike), source(kind))
            for leaf in part:
                yield from self._leaf(leaf)
            self._session.expunge_all()

    def end(self) -> Iterator[str]:
        """What is signed of leaves that are not there, and what the state and the nodes say of their number."""
        for each in self._signed[self._passed :]:
            yield f"{each.where}: the log has only {self.count} leaves"
        if self._signed and self._unsigned and self._newest and self._newest - self._unsigned > LATE:
            span = f"recorded from {self._unsigned.isoformat()} to {self._newest.isoformat()}"
            yield f"log_checkpoint: none is there of the newest leaves, {span}"
        if sequencer.size(self._session) != self._next:
            yield f"log_state: says {sequencer.size(self._session)} leaves, the log ends with {self._next}"
        stored = self._session.execute(select(LogNode.level, func.count()).group_by(LogNode.level)).all()
        for level, nodes in stored:
            if nodes != self._numbers[level]:
                yield f"log_node level {level}: {nodes} nodes, its leaves make {self._numbers[level]}"

    def _part(self) -> Sequence[LogLeaf]:
        query = select(LogLeaf).where(LogLeaf.number >= self._next).order_by(LogLeaf.number).limit(PART)
        return self._session.scalars(query).all()

    def _facts(self, leaves: Sequence[LogLeaf], of: Any) -> Iterator[str]:
        """What differs between the leaves and what the tables say now."""
        found = of.read(self._session, [(leaf.fact_id, leaf.version) for leaf in leaves])
        for leaf in leaves:
            name = f"leaf {leaf.number}, {leaf.kind} {leaf.fact_id}"
            facts = found.get((leaf.fact_id, leaf.version))
            if facts is None:
                yield f"{name}: the fact is gone"
                continue
            now = canonical(leaf.kind, leaf.stream_id, leaf.stream_number, facts)
            if now != leaf.content.encode():
                yield f"{name}: " + "; ".join(_told_differences(leaf.content.encode(), now))

    def _leaf(self, leaf: LogLeaf) -> Iterator[str]:
        if leaf.number != self._next:
            yield f"leaves {self._next} to {leaf.number - 1} are gone from the log"
        if leaf_hash(leaf.content.encode()) != leaf.hash:
            yield f"leaf {leaf.number}: its content is not what its hash was made of"
        last = self._streams.get(leaf.stream_id, 0)
        if leaf.stream_number != last + 1:
            yield f"leaf {leaf.number}: it is number {leaf.stream_number} of its batch or sensor, behind number {last}"
        self._streams[leaf.stream_id] = leaf.stream_number
        yield from self._span(leaf)
        self._next, self.count = leaf.number + 1, self.count + 1
        self._tree.add(0, leaf.hash)
        yield from self._node(0, leaf.hash)
        yield from self._checkpoint()

    def _span(self, leaf: LogLeaf) -> Iterator[str]:
        """A leaf between two checkpoints was recorded between them, but for a late commit and for clocks."""
        recorded = _recorded_at(leaf.content)
        if recorded is not None:
            self._unsigned = min(recorded, self._unsigned or recorded)
            self._newest = max(recorded, self._newest or recorded)
        before = self._signed[self._passed - 1] if self._passed else None
        after = self._signed[self._passed] if self._passed < len(self._signed) else None
        if recorded is None:
            yield f"leaf {leaf.number}: it says not when it was recorded"
        elif before is not None and recorded < before.at - LATE:
            told = f"recorded at {recorded.isoformat()}, and came into the log after {before.at.isoformat()}"
            yield f"leaf {leaf.number}, {leaf.kind} {leaf.fact_id}: {told}"
        elif after is not None and recorded > after.at + SKEW:
            told = f"recorded at {recorded.isoformat()}, and was in the log by {after.at.isoformat()}"
            yield f"leaf {leaf.number}, {leaf.kind} {leaf.fact_id}: {told}"

    def _checkpoint(self) -> Iterator[str]:
        while self._passed < len(self._signed) and self._signed[self._passed].size <= self.count:
            each = self._signed[self._passed]
            self._passed += 1
            self._unsigned = None
            if each.size == self.count and each.root == self._tree.root():
                self._good = each.size
            elif not self._broken:
                self._broken = True
                span = f"leaves {self._good} to {each.size - 1}, or their order,"
                yield f"{each.where}: {span} are not what was signed, nor can later checkpoints be"

    def _node(self, level: int, mine: bytes) -> Iterator[str]:
        """Hold the stored node above each full tile against its leaves."""
        row = self._rows[level]
        row.append(mine)
        if len(row) < tree.WIDTH:
            return
        above, number = level + tree.HEIGHT, self._numbers[level + tree.HEIGHT]
        self._numbers[above] += 1
        computed = full_root(row)
        row.clear()
        stored = self._session.scalar(select(LogNode.hash).where(LogNode.level == above, LogNode.number == number))
        if stored != computed:
            first = number << above
            yield f"log_node {above}/{number}: not the hash of leaves {first} to {first + (1 << above) - 1}"
        yield from self._node(above, computed)


def _told_differences(then: bytes, now: bytes) -> list[str]:
    try:
        return list(differences(then, now)) or ["its bytes are not those of the fact"]
    except ValueError:
        return ["its content is no JSON"]


def _recorded_at(content: str) -> datetime | None:
    """When the fact of a leaf was recorded; it stands once in it, but for free texts, which come later."""
    _, found, rest = content.partition('"recorded_at":"')
    try:
        return datetime.fromisoformat(rest[: rest.index('"')]) if found else None
    except ValueError:
        return None


def _without_leaf(session: Session, newest: datetime | None) -> Iterator[str]:
    """Facts that were there long before the newest checkpoint, and were not found then."""
    if newest is None:
        return
    for each in SOURCES:
        for row in session.execute(each.without_leaf().where(each.recorded_at < newest - LATE)):
            told = f"is in no leaf, though it says that it was recorded long before {newest.isoformat()}"
            yield f"{each.kind} {row[0]}: {told}"


def _waiting(session: Session) -> int:
    """Facts that are in no leaf."""
    return sum(
        session.scalar(select(func.count()).select_from(each.without_leaf().order_by(None).subquery())) or 0
        for each in SOURCES
    )
