"""Files of proofs: the leaves of a trail with what proves them, for inventory.services.log.audit."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Conflict, NotFound
from inventory.domain.merkle import cover
from inventory.domain.words import EventKind
from inventory.persistence.database import Database
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Custody, LogLeaf, Movement, StockEvent
from inventory.services import lookups
from inventory.services.log.audit import ADMINISTRATION, BATCH, FORMAT, LOG
from inventory.services.log.checkpoints import required
from inventory.services.log.proofs import consistency
from inventory.services.log.tree import Tree

PART = 2_000


@dataclass(frozen=True)
class Wanted:
    """What a file is to be of: a batch, the chain of an administration, or, with neither, the whole log.

    `since` is the size of an older checkpoint, from which on it is to be proved that nothing was rewritten.
    """

    batch: tuple[str, str] | None = None
    administration: UUID | None = None
    since: int | None = None


def lines(database: Database, wanted: Wanted) -> Iterator[bytes]:
    """The lines of a file of proofs, all of one state of the database.

    Raises:
        NotFound: `not_found` for an administration that is none, for what is in no checkpoint yet, and before the first
            one; `unknown_product`, `unknown_batch`.
        Invalid: `malformed` for a size that the log never had.
        Conflict: `log_differs` when the log lacks leaves.
    """
    with database.read() as session:
        checkpoint = required(session)
        subject, condition, events = _subject(session, wanted)
        _require_signed(session, wanted, condition, checkpoint.size)
        head: dict[str, Any] = {"format": FORMAT, "subject": subject, "checkpoint": checkpoint.note}
        if wanted.since is not None:
            proof = consistency(session, wanted.since, checkpoint.size).hashes
            head["consistency"] = {"from": wanted.since, "hashes": [b64encode(each).decode() for each in proof]}
        yield json.dumps(head, ensure_ascii=False).encode() + b"\n"
        size = checkpoint.size
        found = _leaves(session, condition, size) if events is None else _few(session, events, size)
        try:
            yield from _tree(session, found, size)
        except IndexError as error:
            expected = N_("a log that is whole; see `coldtrail verify log`")
            raise Conflict(Code.LOG_DIFFERS, "log", checkpoint.size, expected) from error


Leaf = tuple[int, str]


def _tree(session: Session, found: Iterator[Leaf], size: int) -> Iterator[bytes]:
    """The tree from left to right: wanted leaves as they are, and what lies between as subtrees."""
    tree, contents = Tree(session), []

    def numbers() -> Iterator[int]:
        for number, content in found:
            contents.append(content)
            yield number

    for part in cover(numbers(), size):
        if isinstance(part, int):
            yield contents.pop().encode() + b"\n"
        else:
            level, index = part
            yield f"{level} {b64encode(tree.subtree(level, index)).decode()}\n".encode()


def _subject(session: Session, wanted: Wanted) -> tuple[dict[str, Any], ColumnElement[bool] | None, list[UUID] | None]:
    """What the file says that it is of; a condition on its leaves, or the few events that they are of."""
    if wanted.administration is not None:
        events = _chain(session, wanted.administration)
        return {"of": ADMINISTRATION, "id": str(wanted.administration)}, None, events
    if wanted.batch is not None:
        batch = lookups.batch_at_address(session, *wanted.batch)
        return {"of": BATCH, "gtin": batch.gtin, "batch": batch.number}, LogLeaf.stream_id == batch.id, None
    return {"of": LOG}, None, None


def _require_signed(session: Session, wanted: Wanted, condition: ColumnElement[bool] | None, size: int) -> None:
    """Of what has no leaf in the checkpoint nothing could be proved."""
    if wanted.administration is not None:
        condition = (LogLeaf.fact_id == wanted.administration) & (LogLeaf.version == 0)
    mine = select(LogLeaf.number).where(LogLeaf.number < size)
    found = mine if condition is None else mine.where(condition)
    if session.scalars(found.limit(1)).first() is None:
        what = wanted.administration or " ".join(wanted.batch or ())
        raise NotFound(Code.NOT_FOUND, "fact", what, N_("a fact of before the newest checkpoint"))


def _leaves(session: Session, condition: ColumnElement[bool] | None, size: int) -> Iterator[Leaf]:
    """The leaves of a checkpoint that meet a condition, in parts."""
    query = select(LogLeaf.number, LogLeaf.content).order_by(LogLeaf.number).limit(PART)
    if condition is not None:
        query = query.where(condition)
    after = -1
    while part := session.execute(query.where(LogLeaf.number > after, LogLeaf.number < size)).all():
        yield from ((row.number, row.content) for row in part)
        after = part[-1].number


def _few(session: Session, events: list[UUID], size: int) -> Iterator[Leaf]:
    """The leaves of some events."""
    query = select(LogLeaf.number, LogLeaf.content).where(LogLeaf.number < size, LogLeaf.version == 0)
    yield from sorted((row.number, row.content) for row in rows_in(session, query, LogLeaf.fact_id, events))


def _chain(session: Session, administration: UUID) -> list[UUID]:
    """The administration, the events that opened each custody on its way, and its correction."""
    event = session.scalars(
        select(StockEvent).where(StockEvent.id == administration, StockEvent.kind == EventKind.ADMINISTER)
    ).one_or_none()
    if event is None:
        raise NotFound(Code.NOT_FOUND, "administration", administration, N_("the id of an administration"))
    mine = Movement.batch_id == event.batch_id
    above = set(session.scalars(select(Movement.from_custody_id).where(Movement.event_id == event.id, mine)))
    seen: set[UUID | None] = {None}
    opened_by: set[UUID] = set()
    while above := above - seen:
        rows = rows_in(session, select(Custody.parent_id, Custody.event_id), Custody.id, above)
        seen |= above
        above = {row.parent_id for row in rows}
        opened_by |= {row.event_id for row in rows}
    corrected_by = select(StockEvent.id).where(
        StockEvent.reverses_id == event.id, StockEvent.batch_id == event.batch_id
    )
    return [event.id, *opened_by, *session.scalars(corrected_by)]
