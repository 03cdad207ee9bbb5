"""Signing what the log is, when there is something new, and only if it still is what was signed before."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inventory.domain.checkpoints import Checkpoint
from inventory.domain.errors import N_, Code, Conflict, NotFound
from inventory.domain.merkle import root
from inventory.domain.notices import NoticeKind, key
from inventory.persistence.database import Database
from inventory.persistence.statements import insert_unless_there
from inventory.persistence.tables import LogCheckpoint, LogState
from inventory.services import outbox
from inventory.services.log import sequencer
from inventory.services.log.keys import SigningKey
from inventory.services.log.tree import Tree


def sign(database: Database, signing: SigningKey, now: datetime, tell_every: timedelta | None = None) -> str | None:
    """Sign the log as it is; None where nothing is new since the newest checkpoint.

    The first checkpoint in each span of `tell_every` is put into the outbox too: what has left this machine, nobody
    here can change.

    Raises:
        Conflict: `log_differs` when the leaves of before no longer give the root that was signed. It is not signed.
    """
    return database.write(lambda session: _sign(session, signing, now, tell_every))


def newest(session: Session) -> LogCheckpoint | None:
    """The newest checkpoint."""
    return session.scalars(select(LogCheckpoint).order_by(LogCheckpoint.size.desc()).limit(1)).one_or_none()


def required(session: Session) -> LogCheckpoint:
    """The newest checkpoint.

    Raises:
        NotFound: `not_found` before the first.
    """
    found = newest(session)
    if found is None:
        expected = N_("a log that was signed; `coldtrail log run` does it, with a key")
        raise NotFound(Code.NOT_FOUND, "checkpoint", "none", expected)
    return found


def newest_note(database: Database) -> str:
    """The newest checkpoint as it was signed.

    Raises:
        NotFound: `not_found` before the first.
    """
    with database.read() as session:
        return required(session).note


def _sign(session: Session, signing: SigningKey, now: datetime, tell_every: timedelta | None) -> str | None:
    mine = LogState.id == sequencer.THE_ONE
    held = select(LogState.size, LogState.signed).where(mine).with_for_update()  # one signs at a time, behind the last
    size, before = session.execute(held).one_or_none() or (0, 0)
    if size == before:
        return None
    last, tree = newest(session), Tree(session)
    if last is not None:
        _require_as_signed(tree, last, size)
    checkpoint = Checkpoint(signing.verifier.name, size, root(size, tree.subtree), now, before)
    note = checkpoint.signed(signing.verifier, signing.sign)
    row = {"size": size, "root": checkpoint.root, "signed_at": now, "note": note}
    if not insert_unless_there(session, LogCheckpoint, [row]):
        return None
    session.execute(update(LogState).where(mine).values(signed=size))
    if tell_every is not None:
        _tell(session, checkpoint, note, tell_every)
    return note


def _require_as_signed(tree: Tree, last: LogCheckpoint, size: int) -> None:
    """A log that was rewritten is not to be given a good signature again."""
    try:
        as_signed = size > last.size and root(last.size, tree.subtree) == last.root
    except IndexError:
        as_signed = False
    if not as_signed:
        expected = N_("the leaves that checkpoint %(checkpoint)s was signed for; see `coldtrail verify log`")
        raise Conflict(Code.LOG_DIFFERS, "log", size, expected, checkpoint=last.size)


def _tell(session: Session, checkpoint: Checkpoint, note: str, every: timedelta) -> None:
    """Put it into the outbox, where it is the first of its span."""
    span = int(checkpoint.at.timestamp() // every.total_seconds())
    facts = {"origin": checkpoint.origin, "size": checkpoint.size, "signed_at": checkpoint.at, "checkpoint": note}
    name = key(NoticeKind.CHECKPOINT, int(every.total_seconds()), span)
    outbox.put(session, NoticeKind.CHECKPOINT, name, outbox.NOWHERE, facts, checkpoint.at)
