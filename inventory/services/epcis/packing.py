"""Which packs came in which, as their maker's association file says."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.words import EventKind
from inventory.persistence.statements import rows_with
from inventory.persistence.tables import Pack, StockEvent

Tree = Mapping[str, tuple[str, ...]]


def aggregations(session: Session, events: Sequence[StockEvent]) -> Mapping[UUID, Tree]:
    """For each receipt from a supplier, the packs that came with it and hold others, each with those in it."""
    tops = {
        event.id: [(code, event.batch_id) for code in (event.details or {}).get("packs") or {}]
        for event in events
        if event.kind is EventKind.RECEIVE and event.shipment_id is None
    }
    inside = _inside(session, [pack for packs in tops.values() for pack in packs])
    return {event: dict(_below(inside, packs)) for event, packs in tops.items() if packs}


def _inside(
    session: Session, packs: Sequence[tuple[str, UUID]]
) -> Mapping[tuple[str, UUID], Sequence[tuple[str, UUID]]]:
    """The packs in each of some packs, level by level down to the vials."""
    found: dict[tuple[str, UUID], list[tuple[str, UUID]]] = {}
    query = select(Pack.code, Pack.batch_id, Pack.parent_code).order_by(Pack.code)
    while packs:
        below: defaultdict[tuple[str, UUID], list[tuple[str, UUID]]] = defaultdict(list)
        for row in rows_with(session, query, [Pack.parent_code, Pack.batch_id], packs):
            below[row.parent_code, row.batch_id].append((row.code, row.batch_id))
        found |= below
        packs = [pack for children in below.values() for pack in children]
    return found


def _below(
    inside: Mapping[tuple[str, UUID], Sequence[tuple[str, UUID]]], packs: Sequence[tuple[str, UUID]]
) -> Sequence[tuple[str, tuple[str, ...]]]:
    told = []
    for pack in packs:
        if children := inside.get(pack):
            told.append((pack[0], tuple(code for code, _ in children)))
            told += _below(inside, children)
    return told
