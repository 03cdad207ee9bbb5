"""Proving that a batch expires when its receipts say."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.words import EventKind
from inventory.persistence.tables import Batch, Custody, StockEvent
from inventory.services.ledger import stands


def wrong_expiries(session: Session) -> list[str]:
    """Batches whose expiry is another than that of goods that came and were not refused; not all receipts state one."""
    stated = StockEvent.details["expiry"].as_string()
    query = (
        select(Batch.gtin, Batch.number, Batch.expiry, stated.label("stated"))
        .select_from(StockEvent)
        .distinct()
        .join(Batch, Batch.id == StockEvent.batch_id)
        .join(Custody, (Custody.event_id == StockEvent.id) & (Custody.batch_id == StockEvent.batch_id))
        .where(StockEvent.kind == EventKind.RECEIVE, stated.is_not(None), stands(StockEvent.id, StockEvent.batch_id))
    )
    return sorted(
        f"batch {row.gtin} {row.number}: it expires on {row.expiry}, and was received as one of {row.stated}"
        for row in session.execute(query)
        if row.stated != row.expiry.isoformat()
    )


CHECKS: tuple[Callable[[Session], list[str]], ...] = (wrong_expiries,)
