"""How far the numbered messages of each gateway are committed, so that it can be told what it may forget."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from inventory.persistence.statements import insert_new
from inventory.persistence.tables import Gateway, MessageAhead, MessageStream
from inventory.services.messages import Message, Receipt


def advance(
    session: Session, messages: Sequence[Message], gateways: Mapping[str, Gateway], now: datetime
) -> list[Receipt]:
    """Note the messages as committed, and give the receipts that follow: one a stream, one a WHO transfer.

    A stream whose first message is missing has none yet, unless its sender says that it keeps that one no more.
    """
    receipts = [
        Receipt(message.gateway, message.shard, transfer_id=message.transfer_id)
        for message in messages
        if message.transfer_id is not None
    ]
    numbered: dict[tuple[str, str], set[int]] = defaultdict(set)
    firsts: dict[tuple[str, str], int] = defaultdict(lambda: 1)
    for message in messages:
        if message.boot is not None and message.seq is not None:
            stream = message.gateway, message.boot
            numbered[stream].add(message.seq)
            firsts[stream] = max(firsts[stream], min(message.first or 1, message.seq))
    for (code, boot), seqs in sorted(numbered.items()):
        gateway = gateways[code]
        committed = _advance_stream(session, gateway.id, boot, seqs, firsts[code, boot], now)
        if committed:
            receipts.append(Receipt(code, gateway.shard, boot=boot, seq=committed))
    return receipts


def _advance_stream(session: Session, gateway_id: UUID, boot: str, seqs: set[int], first: int, now: datetime) -> int:
    """The highest number up to which all of the boot is committed; numbers begin at 1.

    What is missing below `first` can never come: it is skipped, and counted, for a hole must not pass for data.
    """
    key = {"gateway_id": gateway_id, "boot": boot}
    insert_new(session, MessageStream, [{**key, "committed_seq": 0, "skipped": 0, "heard_at": now}])
    mine = (MessageStream.gateway_id == gateway_id) & (MessageStream.boot == boot)
    before = session.scalars(select(MessageStream.committed_seq).where(mine).with_for_update()).one()
    waiting = (MessageAhead.gateway_id == gateway_id) & (MessageAhead.boot == boot)
    ahead = set(session.scalars(select(MessageAhead.seq).where(waiting))) | {seq for seq in seqs if seq > before}
    committed = max(before, first - 1)
    skipped = committed - before - sum(seq <= committed for seq in ahead)
    while committed + 1 in ahead:
        committed += 1
    insert_new(session, MessageAhead, [{**key, "seq": seq} for seq in sorted(seqs) if seq > committed])
    session.execute(delete(MessageAhead).where(waiting, MessageAhead.seq <= committed))
    advanced = {"committed_seq": committed, "skipped": MessageStream.skipped + skipped, "heard_at": now}
    session.execute(update(MessageStream).where(mine).values(advanced))
    return committed
