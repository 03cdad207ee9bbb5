"""The record of one transport with all that is known of it: what the rules ask for, and what its sensors saw."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.budgets import Measures
from inventory.domain.exposure import Band
from inventory.domain.words import EventKind, LocationKind, Outcome
from inventory.persistence.database import Database
from inventory.persistence.tables import Batch, Facility, Location, Product, StockEvent, StorageProfile
from inventory.services.evidence import Evidence, evidences
from inventory.services.ledger import stands
from inventory.services.trail_sheets import Anchor, Unit, anchor
from inventory.services.transit import ShipmentLine, ShipmentView, view_shipment
from inventory.services.watches import Stay


@dataclass(frozen=True)
class SheetLine:
    """A batch on board; `suppliers` are those that it was received from, with the names of who makes or sells it."""

    line: ShipmentLine
    product: str
    doses_per_vial: int
    expiry: date
    suppliers: tuple[str, ...]


@dataclass(frozen=True)
class Watched:
    """What was seen of the trip, against a band of temperatures, and of which batches that is the band."""

    band: Band
    batches: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True)
class TransportSheet:
    """A transport on one sheet; `until` is its arrival, or for one that is under way the instant it is asked for.

    Batches of which all that was sent was corrected are not on it.
    """

    shipment: ShipmentView
    sender: Unit
    receiver: Unit
    lines: tuple[SheetLine, ...]
    until: datetime
    watched: tuple[Watched, ...]
    anchor: Anchor | None


def get_transport_sheet(database: Database, shipment: UUID, now: datetime) -> TransportSheet:
    """A transport on one sheet; NotFound `not_found`."""
    with database.read() as session:
        view = view_shipment(session, shipment, now)
        batches = _batches(session, view.lines)
        until = view.arrived_at or now
        return TransportSheet(
            view,
            _unit(session, view.from_facility),
            _unit(session, view.to_facility),
            _lines(session, view.lines, batches),
            until,
            _watched(session, view, until, batches.values()),
            anchor(session),
        )


Known = tuple[Batch, Product, StorageProfile]


def _unit(session: Session, code: str) -> Unit:
    found = session.scalars(select(Facility).where(Facility.code == code)).one()
    return Unit(found.code, found.name, found.zone)


def _batches(session: Session, lines: Sequence[ShipmentLine]) -> dict[tuple[str, str], Known]:
    query = (
        select(Batch, Product, StorageProfile)
        .join(Product, Product.gtin == Batch.gtin)
        .join(StorageProfile, StorageProfile.code == Product.profile_code)
        .where(Batch.number.in_({line.batch for line in lines}))
    )
    return {(row[0].gtin, row[0].number): (row[0], row[1], row[2]) for row in session.execute(query)}


def _lines(
    session: Session, lines: Sequence[ShipmentLine], batches: dict[tuple[str, str], Known]
) -> tuple[SheetLine, ...]:
    found = [(line, *batches[line.gtin, line.batch]) for line in lines if line.sent]
    suppliers = _suppliers(session, [batch.id for _, batch, _, _ in found])
    return tuple(
        SheetLine(line, product.name, product.doses_per_vial, batch.expiry, tuple(sorted(suppliers[batch.id])))
        for line, batch, product, _ in found
    )


def _suppliers(session: Session, batches: Sequence[UUID]) -> dict[UUID, set[str]]:
    """Whom the receipts of a batch that stand name as its supplier."""
    receipts = select(StockEvent.batch_id, StockEvent.details).where(
        StockEvent.batch_id.in_(batches),
        StockEvent.kind == EventKind.RECEIVE,
        StockEvent.shipment_id.is_(None),
        stands(StockEvent.id, StockEvent.batch_id),
    )
    codes: defaultdict[UUID, set[str]] = defaultdict(set)
    for batch_id, details in session.execute(receipts):
        if details and details.get("outcome") != Outcome.REFUSE:
            codes[batch_id].add(details["supplier"])
    wanted = set().union(*codes.values())
    named = select(Facility.code, Facility.name).where(Facility.code.in_(wanted))
    names: dict[str, str] = {row.code: row.name for row in session.execute(named)}
    return defaultdict(set, {batch_id: {names[code] for code in mine} for batch_id, mine in codes.items()})


def _watched(session: Session, view: ShipmentView, until: datetime, batches: Iterable[Known]) -> tuple[Watched, ...]:
    """The trip against each band on board: most trips have one."""
    mine = {(line.gtin, line.batch) for line in view.lines if line.sent}
    bands: defaultdict[Band, list[str]] = defaultdict(list)
    for batch, _, profile in batches:
        if (batch.gtin, batch.number) in mine:
            bands[Band(profile.low, profile.high)].append(batch.number)
    location = select(Location.id).where(Location.shipment_id == view.id, Location.kind == LocationKind.TRANSIT)
    stay = Stay(session.scalars(location).one(), view.dispatched_at, until)
    return tuple(
        Watched(band, tuple(sorted(numbers)), evidences(session, [stay], Measures(band))[0])
        for band, numbers in bands.items()
    )
