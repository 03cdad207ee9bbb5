"""What stock events moved, with the places on both sides."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.epcis.facts import Line, Party, Spot
from inventory.domain.words import Chosen
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Appliance, Custody, Location, Movement, StockEvent

Lines = Mapping[UUID, tuple[Line, ...]]


def lines_of(session: Session, events: Sequence[StockEvent], parties: Mapping[UUID, Party]) -> Lines:
    """The movements of each event, in the order in which they were written."""
    source, target = aliased(Custody), aliased(Custody)
    query = (
        select(
            Movement.event_id,
            Movement.doses,
            Movement.end_kind,
            Movement.chosen,
            Movement.to_custody_id,
            source.location_id.label("source"),
            target.location_id.label("target"),
            target.origin,
        )
        .outerjoin(source, and_(source.id == Movement.from_custody_id, source.batch_id == Movement.batch_id))
        .outerjoin(target, and_(target.id == Movement.to_custody_id, target.batch_id == Movement.batch_id))
        .order_by(Movement.id)
    )
    rows = rows_in(session, query, Movement.event_id, [event.id for event in events])
    spots = _spots(session, {place for row in rows for place in (row.source, row.target) if place}, parties)
    packs = {event.id: (event.details or {}).get("pack_places") or {} for event in events}
    found: defaultdict[UUID, list[Line]] = defaultdict(list)
    for row in rows:
        found[row.event_id].append(_line(row, spots, packs[row.event_id].get(str(row.to_custody_id), ())))
    return {event: tuple(each) for event, each in found.items()}


def shipments(lines: Lines) -> Iterator[UUID]:
    """The shipments that doses went on, or were on."""
    spots = (spot for each in lines.values() for line in each for spot in (line.source, line.target))
    return (spot.shipment for spot in spots if spot is not None and spot.shipment is not None)


def _line(row: Any, spots: Mapping[UUID, Spot], packs: Sequence[str]) -> Line:
    source, target = spots.get(row.source), spots.get(row.target)
    return Line(row.doses, source, target, row.end_kind, row.origin, row.chosen is Chosen.SCANNED, tuple(packs))


def _spots(session: Session, places: set[UUID], parties: Mapping[UUID, Party]) -> dict[UUID, Spot]:
    query = select(Location.id, Location.kind, Location.shipment_id, Appliance.code, Appliance.facility_id).outerjoin(
        Appliance, Appliance.id == Location.appliance_id
    )
    return {
        row.id: Spot(row.kind, parties.get(row.facility_id), row.code, row.shipment_id)
        for row in rows_in(session, query, Location.id, places)
    }
