"""Appending to the log: facts that were committed and are in no leaf, found by looking for them.

Whoever writes a fact does nothing for it and waits for nobody. A fact may be committed after others with later ids,
so "above the last" would skip it. New facts are looked for among the ids of the last minute each time, among those of
the last hour now and then, and among all at the start.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Conflict
from inventory.domain.leaves import FactKind, canonical
from inventory.domain.merkle import leaf_hash
from inventory.persistence.database import Database
from inventory.persistence.statements import insert_new, insert_rows, rows_with
from inventory.persistence.tables import LogLeaf, LogState
from inventory.services.ids import first_id_of_the_last
from inventory.services.log.facts import SOURCES, Fact, Key, Source
from inventory.services.log.tree import grow

PART = 2_000
"""Facts appended in a transaction."""

THE_ONE = 1
"""The id of the row of `log_state`."""

NOW_AND_THEN = timedelta(hours=1)
JUST_NOW = timedelta(minutes=1)


def append(database: Database, now: datetime, window: timedelta | None = None) -> int:
    """Append the facts written within a window before now that are in no leaf, or all; how many there were.

    Raises:
        Conflict: `log_differs` when the end of the log was changed.
    """
    return sum(_append_from(database, source, now, window) for source in SOURCES)


def size(session: Session) -> int:
    """How many leaves there are."""
    return session.scalar(select(LogState.size).where(LogState.id == THE_ONE)) or 0


def signed(session: Session) -> int:
    """How many leaves the newest checkpoint was signed for, 0 before the first."""
    return session.scalar(select(LogState.signed).where(LogState.id == THE_ONE)) or 0


def _append_from(database: Database, source: Source, now: datetime, window: timedelta | None) -> int:
    appended, after = 0, None
    query = _within(source, now, window)
    while True:
        found = _found(database, query, source, after)
        if found:
            appended += database.write(lambda session, found=found: _append(session, source, found))  # type: ignore[misc]
        if len(found) < PART:
            return appended
        after = found[-1].key


def _within(source: Source, now: datetime, window: timedelta | None) -> Any:
    """The facts to look among. Ids are of the machine's clock; versions of an old excursion have only their time."""
    query = source.without_leaf()
    if window is None:
        return query
    if source.kind is FactKind.EXCURSION_VERSION:
        return query.where(source.recorded_at >= now - window)
    return query.where(source.id >= first_id_of_the_last(window))


def _found(database: Database, query: Any, source: Source, after: Key | None) -> list[Fact]:
    """The next facts without a leaf; in a transaction of its own, which holds nobody up."""
    if after is not None:
        query = query.where(source.id >= after[0], tuple_(source.id, source.version) > tuple_(*after))
    with database.read() as session:
        return [Fact((row[0], row[1]), row[2]) for row in session.execute(query.limit(PART))]


def _append(session: Session, source: Source, found: Sequence[Fact]) -> int:
    """Append those that another sequencer has not appended meanwhile, whom the row of the state keeps out from now."""
    insert_new(session, LogState, [{"id": THE_ONE, "size": 0, "signed": 0}])
    first = session.execute(select(LogState.size).where(LogState.id == THE_ONE).with_for_update()).scalar_one()
    _require_whole(session, first)
    known = _known(session, [fact.key for fact in found])
    new = [fact for fact in found if fact.key not in known]
    if not new:
        return 0
    contents = source.read(session, [fact.key for fact in new])
    numbers = _stream_numbers(session, new)
    rows = []
    for at, (fact, number) in enumerate(zip(new, numbers, strict=True)):
        content = canonical(source.kind, fact.stream, number, contents[fact.key])
        rows.append(_row(first + at, source.kind, fact, number, content))
    insert_rows(session, LogLeaf, rows)
    grow(session, first, [row["hash"] for row in rows])
    session.execute(update(LogState).where(LogState.id == THE_ONE).values(size=first + len(rows)))
    return len(rows)


def _require_whole(session: Session, size: int) -> None:
    """On a log whose end was changed nothing is built."""
    last = session.scalar(select(func.max(LogLeaf.number)))
    if (0 if last is None else last + 1) != size:
        raise Conflict(Code.LOG_DIFFERS, "log", size, N_("the leaves that were appended; see `coldtrail verify log`"))


def _known(session: Session, keys: Sequence[Key]) -> set[Key]:
    """Those that have a leaf."""
    columns = [LogLeaf.fact_id, LogLeaf.version]
    return {(row.fact_id, row.version) for row in rows_with(session, select(*columns), columns, keys)}


def _row(number: int, kind: FactKind, fact: Fact, stream_number: int, content: bytes) -> dict[str, Any]:
    return {
        "number": number,
        "kind": kind,
        "fact_id": fact.key[0],
        "version": fact.key[1],
        "stream_id": fact.stream,
        "stream_number": stream_number,
        "hash": leaf_hash(content),
        "content": content.decode(),
    }


def _stream_numbers(session: Session, facts: Sequence[Fact]) -> Iterator[int]:
    """The number of each fact in its stream, on from what the log has of it."""
    last: dict[UUID, int] = {}
    for fact in facts:
        if fact.stream not in last:
            newest = select(func.max(LogLeaf.stream_number)).where(LogLeaf.stream_id == fact.stream)
            last[fact.stream] = session.scalar(newest) or 0
        last[fact.stream] += 1
        yield last[fact.stream]
