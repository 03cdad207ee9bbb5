"""What a stock event gives people to be told, put into the outbox with it: shortfalls, refusals, recalls."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.domain.notices import NoticeKind, key
from inventory.persistence.tables import Batch, Custody, Facility, Location, Shipment
from inventory.services.outbox import Post, post_of, put, with_post
from inventory.services.posting import PostedEvent

Lines = Sequence[dict[str, Any]]
"""Doses by batch, as a notice names them."""


def tell_arrival(
    session: Session, shipment: Shipment, receipt: PostedEvent, way_back: UUID | None, now: datetime
) -> None:
    """Tell the sender of what a receipt left missing, and of what it refused."""
    sender = _sender(session, shipment)
    if missing := _on_board(session, shipment.id):
        _put(session, NoticeKind.SHORTFALL, receipt, sender, {"lines": missing}, now)
    if way_back is not None:
        facts = {"lines": _on_board(session, way_back), "return_shipment": way_back, "reason": receipt.reason}
        _put(session, NoticeKind.REFUSED_GOODS, receipt, sender, facts, now)


def tell_mis_shipped(session: Session, shipment: Shipment, explanation: PostedEvent, doses: int, now: datetime) -> None:
    """Tell the sender that another facility has doses that it sent elsewhere."""
    lines = [{"gtin": explanation.gtin, "batch": explanation.batch, "doses": doses}]
    facts = {"lines": lines, "found_at": explanation.facility, "reason": explanation.reason}
    _put(session, NoticeKind.SHORTFALL, explanation, _sender(session, shipment), facts, now)


def tell_refused_receipt(
    session: Session, store: Facility, supplier: str, receipt: PostedEvent, doses: int, now: datetime
) -> None:
    """Tell that a store has refused what a supplier brought."""
    lines = [{"gtin": receipt.gtin, "batch": receipt.batch, "doses": doses}]
    facts = {"supplier": supplier, "lines": lines, "reason": receipt.reason}
    _put(session, NoticeKind.REFUSED_GOODS, receipt, Post(store.id, store.code, store.zone), facts, now)


def tell_recall(session: Session, batch: Batch, ordered_by: Facility, recall: PostedEvent, now: datetime) -> None:
    """Tell each facility that holds doses of the batch or has sent them on their way, and the one that recalls it."""
    query = with_post(select(Custody.remaining).join(Location, Location.id == Custody.location_id), Location)
    held = Counter({Post(ordered_by.id, ordered_by.code, ordered_by.zone): 0})
    for row in session.execute(query.where(Custody.batch_id == batch.id, Custody.remaining > 0)):
        there = post_of(row)
        held[Post(there.facility_id, there.facility, there.zone)] += row.remaining
    known = {"ordered_by": ordered_by.code, "gtin": recall.gtin, "batch": recall.batch, "reason": recall.reason}
    for there, doses in held.items():
        _put(session, NoticeKind.RECALL, recall, there, known | {"doses": doses}, now)


def _put(
    session: Session, kind: NoticeKind, event: PostedEvent, post: Post, facts: dict[str, Any], now: datetime
) -> None:
    put(session, kind, key(kind, event.id, post.facility_id), post, {"event": event.id, **facts}, now)


def _sender(session: Session, shipment: Shipment) -> Post:
    sender = session.get_one(Facility, shipment.from_facility_id)
    receiver = session.get_one(Facility, shipment.to_facility_id)
    return Post(sender.id, sender.code, sender.zone, shipment=shipment.id, to_facility=receiver.code)


def _on_board(session: Session, shipment: UUID) -> Lines:
    query = (
        select(Batch.gtin, Batch.number, func.sum(Custody.remaining).label("doses"))
        .join(Custody, Custody.batch_id == Batch.id)
        .join(Location, Location.id == Custody.location_id)
        .where(Location.shipment_id == shipment, Custody.remaining > 0)
        .group_by(Batch.gtin, Batch.number)
        .order_by(Batch.gtin, Batch.number)
    )
    return [{"gtin": row.gtin, "batch": row.number, "doses": int(row.doses)} for row in session.execute(query)]
