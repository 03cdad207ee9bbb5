"""How far the numbered messages of each gateway are committed, so that it can be told what it may forget."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from inventory.persistence.bulk import Row, update_where
from inventory.persistence.database import LostRace
from inventory.persistence.statements import insert_new, rows_with
from inventory.persistence.tables import MessageAhead, MessageStream
from inventory.services.known import Enrolled
from inventory.services.messages import Message, Receipt

Key = tuple[UUID, str]
"""A stream: a gateway and a boot of it."""

_KEY = ("gateway_id", "boot")
_MOST = 100_000


@dataclass
class _Heard:
    """The numbers of a stream that came in a chunk; `first` is the lowest that its sender still keeps."""

    gateway: Enrolled
    boot: str
    seqs: set[int] = field(default_factory=set)
    first: int = 1


class Streams:
    """What an ingest worker remembers of streams without a hole: how far each is committed.

    Who goes on from there in order need not look what is stored; the update holds only where nobody else has gone on.
    """

    def __init__(self) -> None:
        self._committed: dict[Key, int] = {}

    def forget(self) -> None:
        """Remember nothing."""
        self._committed.clear()

    def learn(self, told: Mapping[Key, int]) -> None:
        """Remember what was committed."""
        if len(self._committed) > _MOST:
            self._committed.clear()
        self._committed.update(told)

    def advance(
        self, session: Session, messages: Sequence[Message], gateways: Mapping[str, Enrolled], now: datetime
    ) -> tuple[list[Receipt], dict[Key, int]]:
        """Note the messages as committed; the receipts that follow, and what may be remembered of it after the commit.

        One receipt a stream, one a WHO transfer. A stream whose first message is missing has none yet, unless its
        sender says that it keeps that one no more.

        Raises:
            LostRace: somebody else has gone on with a stream that is remembered.
        """
        heard = _heard(messages, gateways)
        in_order = {key: last for key, stream in heard.items() if (last := self._next(key, stream)) is not None}
        rows = [(*key, self._committed[key], last, now) for key, last in in_order.items()]
        if update_where(session, MessageStream, [*_KEY, "committed_seq"], ["committed_seq", "heard_at"], rows) < len(
            rows
        ):
            raise LostRace
        others = {key: stream for key, stream in heard.items() if key not in in_order}
        committed, whole = _looked_up(session, others, now) if others else ({}, {})
        receipts = [_receipt(heard[key], seq) for key, seq in (in_order | committed).items() if seq]
        return _transfers(messages) + receipts, in_order | whole

    def _next(self, key: Key, stream: _Heard) -> int | None:
        """How far a stream that is remembered is committed with what came, if that follows without a hole."""
        before = self._committed.get(key)
        if before is None or stream.first > before + 1:
            return None
        last = max(stream.seqs)
        return last if last - before == len(stream.seqs) and min(stream.seqs) == before + 1 else None


def _transfers(messages: Sequence[Message]) -> list[Receipt]:
    return [
        Receipt(message.gateway, message.shard, transfer_id=message.transfer_id)
        for message in messages
        if message.transfer_id is not None
    ]


def _receipt(stream: _Heard, seq: int) -> Receipt:
    return Receipt(stream.gateway.code, stream.gateway.shard, boot=stream.boot, seq=seq)


def _looked_up(session: Session, heard: Mapping[Key, _Heard], now: datetime) -> tuple[dict[Key, int], dict[Key, int]]:
    """How far streams are committed with what came, by what is stored of them; and those of them without a hole."""
    before = _locked(session, heard, now)
    ahead = _ahead(session, heard)
    rows: list[Row] = []
    whole: dict[Key, int] = {}
    for key, stream in sorted(heard.items()):
        waiting = ahead.get(key, set())
        committed, skipped = _advanced(before[key][0], waiting | stream.seqs, stream.first)
        _keep_ahead(session, key, stream.seqs - waiting, waiting, committed)
        rows.append((*key, committed, before[key][1] + skipped, now))
        if committed >= max(waiting | stream.seqs):
            whole[key] = committed
    update_where(session, MessageStream, _KEY, ["committed_seq", "skipped", "heard_at"], rows)
    return {(gateway, boot): committed for gateway, boot, committed, *_ in rows}, whole


def _heard(messages: Iterable[Message], gateways: Mapping[str, Enrolled]) -> dict[Key, _Heard]:
    found: dict[Key, _Heard] = {}
    for message in messages:
        if message.boot is None or message.seq is None:
            continue
        gateway = gateways[message.gateway]
        key = gateway.id, message.boot
        stream = found.get(key)
        if stream is None:
            stream = found[key] = _Heard(gateway, message.boot)
        stream.seqs.add(message.seq)
        if message.first is not None:
            stream.first = max(stream.first, min(message.first, message.seq))
    return found


def _locked(session: Session, heard: Mapping[Key, _Heard], now: datetime) -> dict[Key, tuple[int, int]]:
    """What was committed and skipped of the streams before; nobody else advances them until the transaction ends."""
    query = (
        select(MessageStream.gateway_id, MessageStream.boot, MessageStream.committed_seq, MessageStream.skipped)
        .order_by(MessageStream.gateway_id, MessageStream.boot)
        .with_for_update()
    )
    key = MessageStream.gateway_id, MessageStream.boot
    found = {(row[0], row[1]): (row[2], row[3]) for row in rows_with(session, query, key, sorted(heard))}
    new = sorted(heard.keys() - found.keys())
    if new:
        fresh = {"committed_seq": 0, "skipped": 0, "heard_at": now}
        insert_new(session, MessageStream, [{"gateway_id": each[0], "boot": each[1], **fresh} for each in new])
        found |= {(row[0], row[1]): (row[2], row[3]) for row in rows_with(session, query, key, new)}
    return found


def _ahead(session: Session, heard: Iterable[Key]) -> dict[Key, set[int]]:
    """The numbers above a hole that came before."""
    query = select(MessageAhead.gateway_id, MessageAhead.boot, MessageAhead.seq)
    found: dict[Key, set[int]] = {}
    for row in rows_with(session, query, (MessageAhead.gateway_id, MessageAhead.boot), sorted(heard)):
        found.setdefault((row[0], row[1]), set()).add(row[2])
    return found


def _advanced(before: int, came: set[int], first: int) -> tuple[int, int]:
    """The number up to which all of a boot is committed, numbers beginning at 1, and how many were skipped for it.

    What is missing below `first` can never come: it is skipped, and counted, for a hole must not pass for data.
    """
    committed = max(before, first - 1)
    skipped = committed - before - sum(before < seq <= committed for seq in came)
    while committed + 1 in came:
        committed += 1
    return committed, skipped


def _keep_ahead(session: Session, key: Key, came: set[int], waiting: set[int], committed: int) -> None:
    """Remember what lies above a hole, and forget what a filled one has let through."""
    new: list[dict[str, Any]] = [
        {"gateway_id": key[0], "boot": key[1], "seq": seq} for seq in sorted(came) if seq > committed
    ]
    insert_new(session, MessageAhead, new)
    if waiting and min(waiting) <= committed:
        mine = and_(MessageAhead.gateway_id == key[0], MessageAhead.boot == key[1], MessageAhead.seq <= committed)
        session.execute(delete(MessageAhead).where(mine))
