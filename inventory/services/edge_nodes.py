"""What is remembered of Sparkplug edge nodes, so that an ingest worker that begins anew knows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inventory.persistence.database import Database
from inventory.persistence.statements import insert_new
from inventory.persistence.tables import EdgeNode, Gateway
from inventory.services.messages import EdgeNote


def note(session: Session, notes: Mapping[UUID, Sequence[EdgeNote]], now: datetime) -> None:
    """Remember what the messages of a chunk taught of each edge node, by its gateway's id."""
    for gateway_id, taught in sorted(notes.items()):
        row = {"gateway_id": gateway_id, "births": {}, "missed": 0, "unread": 0, "heard_at": now}
        insert_new(session, EdgeNode, [row])
        session.execute(
            update(EdgeNode)
            .where(EdgeNode.gateway_id == gateway_id)
            .values(
                births=dict(taught[-1].births),
                missed=EdgeNode.missed + sum(each.missed for each in taught),
                unread=EdgeNode.unread + sum(each.unread for each in taught),
                heard_at=now,
            )
        )


def remembered(database: Database) -> list[tuple[str, str, dict[str, Any]]]:
    """Shard, gateway code and what its births said, of each edge node."""
    query = select(Gateway.shard, Gateway.code, EdgeNode.births).join(EdgeNode, EdgeNode.gateway_id == Gateway.id)
    with database.read() as session:
        return [(row.shard, row.code, row.births) for row in session.execute(query.order_by(Gateway.code))]
