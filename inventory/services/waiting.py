"""The queues in which doses wait at facilities, and how fast each is worked off, as they stand in the database."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from inventory.domain.custody import Holding
from inventory.domain.deadlines import Deadline as Clock
from inventory.domain.deadlines import RuleName
from inventory.domain.forecast import Forecast, unknown
from inventory.domain.queues import WORK, Lot, Queue, Work
from inventory.domain.words import LocationKind, Purpose
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import (
    HOLDS,
    Appliance,
    Batch,
    Custody,
    Deadline,
    Facility,
    Location,
    Product,
    Shipment,
)
from inventory.services import paces


@dataclass(frozen=True)
class Waiting:
    """The queues of some facilities, by facility and work; and which facility works off what is at a location."""

    queues: Mapping[tuple[UUID, Work], Queue]
    workers: Mapping[UUID, UUID]
    now: datetime

    def forecast(self, clock: Deadline, location_id: UUID, left: int) -> Forecast:
        """What is to be expected of the doses left under a clock; unknown where they are held, or did not arrive."""
        facility_id = self.workers.get(location_id)
        queue = self.queues.get((facility_id, WORK[clock.name])) if facility_id else None
        if queue is None:
            return unknown(left, clock.due_at, self.now)
        return queue.forecast(clock.custody_id, left, clock.due_at)


def waiting(session: Session, facilities: Sequence[Facility], now: datetime) -> Waiting:
    """What waits at some facilities: to be given at sites; at stores to be sent on, and to arrive where it is sent."""
    workers = _workers(session, [each.id for each in facilities])
    lots: defaultdict[UUID, list[Lot]] = defaultdict(list)
    for location_id, lot in _lots(session, workers):
        lots[workers[location_id].facility_id].append(lot)
    rates = paces.workers(session, facilities, now)
    queues = {
        (facility.id, work): Queue.of(
            facility.code,
            rates[facility.id, work],
            work,
            [lot for lot in lots[facility.id] if _waits(lot, work) and lot.usable(now, facility.zone)],
        )
        for facility in facilities
        for work in paces.works_of(facility)
    }
    return Waiting(queues, {location_id: each.facility_id for location_id, each in workers.items()}, now)


@dataclass(frozen=True)
class _Worker:
    facility_id: UUID
    under_way: bool


def _workers(session: Session, facility_ids: Collection[UUID]) -> dict[UUID, _Worker]:
    """The locations whose doses some facilities work off.

    A site gives what is in its storages, and what another site has sent it; a store works off what is in its own, and
    what it has sent out. What is still in transit after its shipment arrived is missing, and waits nowhere.
    """
    stored = (
        select(Location.id, Appliance.facility_id)
        .join(Appliance, Appliance.id == Location.appliance_id)
        .where(Location.kind == LocationKind.STORAGE)
    )
    supplied = and_(Shipment.purpose == Purpose.SUPPLY, Shipment.from_facility_id.in_(facility_ids))
    handed_on = and_(Shipment.purpose == Purpose.TRANSFER, Shipment.to_facility_id.in_(facility_ids))
    sent = (
        select(Location.id, Shipment.purpose, Shipment.from_facility_id, Shipment.to_facility_id)
        .join(Shipment, Shipment.id == Location.shipment_id)
        .where(Shipment.arrived_at.is_(None), Location.kind == LocationKind.TRANSIT, or_(supplied, handed_on))
    )
    found = {
        row.id: _Worker(row.facility_id, False) for row in rows_in(session, stored, Appliance.facility_id, facility_ids)
    }
    for row in session.execute(sent):
        supply = row.purpose is Purpose.SUPPLY
        found[row.id] = _Worker(row.from_facility_id if supply else row.to_facility_id, under_way=True)
    return found


def _waits(lot: Lot, work: Work) -> bool:
    """Whether a lot is worked off by a work of its facility."""
    if work is Work.ARRIVE:
        return any(clock.name is RuleName.DELIVER for clock in lot.holding.clocks)
    return work is Work.GIVE or not lot.under_way


def _lots(session: Session, workers: Mapping[UUID, _Worker]) -> Iterable[tuple[UUID, Lot]]:
    """What the open custodies at some locations hold."""
    query: Select[*tuple[Any, ...]] = (
        select(Custody.id, Custody.location_id, Custody.remaining, Custody.opened_at, Batch.gtin, Batch.number,
               Batch.expiry, Product.doses_per_vial, Deadline.name, Deadline.rule_set,
               Deadline.opened_at.label("clock_opened_at"), Deadline.due_at)
        .join(Batch, Batch.id == Custody.batch_id)
        .join(Product, Product.gtin == Batch.gtin)
        .outerjoin(Deadline, and_(Deadline.custody_id == Custody.id, Deadline.batch_id == Custody.batch_id))
        .where(HOLDS)
    )  # fmt: skip
    clocks: defaultdict[UUID, list[Clock]] = defaultdict(list)
    first: dict[UUID, Any] = {}
    for row in rows_in(session, query, Custody.location_id, workers):
        first[row.id] = row
        if row.name is not None:
            clocks[row.id].append(Clock(row.rule_set, row.name, row.clock_opened_at, row.due_at))
    for row in first.values():
        holding = Holding(row.id, row.remaining, row.expiry, row.opened_at, tuple(clocks[row.id]), row.location_id)
        yield (
            row.location_id,
            Lot(holding, row.gtin, row.number, row.doses_per_vial, workers[row.location_id].under_way),
        )
