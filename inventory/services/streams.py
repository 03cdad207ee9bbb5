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

    A stream whose first message is missing has none yet.
    """
    receipts = [
        Receipt(message.gateway, message.shard, transfer_id=message.transfer_id)
        for message in messages
        if message.transfer_id is not None
    ]
    numbered: dict[tuple[str, str], set[int]] = defaultdict(set)
    for message in messages:
        if message.boot is not None and message.seq is not None:
            numbered[message.gateway, message.boot].add(message.seq)
    for (code, boot), seqs in sorted(numbered.items()):
        gateway = gateways[code]
        committed = _advance_stream(session, gateway.id, boot, seqs, now)
        if committed:
            receipts.append(Receipt(code, gateway.shard, boot=boot, seq=committed))
    return receipts


def _advance_stream(session: Session, gateway_id: UUID, boot: str, seqs: set[int], now: datetime) -> int:
    """The highest number up to which all of the boot is committed; numbers begin at 1."""
    key = {"gateway_id": gateway_id, "boot": boot}
    insert_new(session, MessageStream, [{**key, "committed_seq": 0, "heard_at": now}])
    mine = (MessageStream.gateway_id == gateway_id) & (MessageStream.boot == boot)
    before = session.scalars(select(MessageStream.committed_seq).where(mine).with_for_update()).one()
    waiting = (MessageAhead.gateway_id == gateway_id) & (MessageAhead.boot == boot)
    ahead = set(session.scalars(select(MessageAhead.seq).where(waiting))) | {seq for seq in seqs if seq > before}
    committed = before
    while committed + 1 in ahead:
        committed += 1
    insert_new(session, MessageAhead, [{**key, "seq": seq} for seq in sorted(seqs) if seq > committed])
    session.execute(delete(MessageAhead).where(waiting, MessageAhead.seq <= committed))
    session.execute(update(MessageStream).where(mine).values(committed_seq=committed, heard_at=now))
    return committed
