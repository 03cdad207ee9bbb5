"""Trails with the names of things beside their codes, as they are put on paper."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.exposure import Band
from inventory.persistence.database import Database
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Batch, Facility, Product, Shipment, StorageProfile
from inventory.services import trails
from inventory.services.arrivals_known import arrivals
from inventory.services.as_of import AsOf
from inventory.services.chains import CustodyLine
from inventory.services.log import checkpoints
from inventory.services.places import Place
from inventory.services.trails import BatchTrail, Branches, DoseTrail


@dataclass(frozen=True)
class Unit:
    """A facility as it is named on paper, with the zone of its clock."""

    code: str
    name: str
    zone: str


@dataclass(frozen=True)
class Anchor:
    """The newest checkpoint of the log: so many leaves, their root as the checkpoint writes it, and when it was signed.

    Whoever holds that checkpoint, or a later one, can tell whether the log was changed since.
    """

    leaves: int
    root: str
    signed_at: datetime


@dataclass(frozen=True)
class Subject:
    """What a trail is of, with the facilities on it by their codes; `anchor` is None before the first checkpoint."""

    product: str
    gtin: str
    batch: str
    expiry: date
    doses_per_vial: int
    band: Band
    units: dict[str, Unit]
    anchor: Anchor | None

    def zone_of(self, place: Place) -> str:
        """The zone of a place's clock; on the way that of the sender."""
        return self.units[place.facility or place.from_facility or ""].zone


@dataclass(frozen=True)
class BatchSheet:
    """A batch's trail on paper; `whereabouts` are the doses that places hold, most first.

    `short` are the shipments that had arrived without all their doses: those that they hold are unexplained.
    """

    subject: Subject
    trail: BatchTrail
    whereabouts: tuple[tuple[Place, int], ...]
    short: frozenset[UUID]

    @property
    def zone(self) -> str:
        """The clock that the sheet itself goes by: that of where the batch began."""
        return self.subject.zone_of(self.trail.custodies[0].place) if self.trail.custodies else "UTC"


@dataclass(frozen=True)
class DoseSheet:
    """The trail of given doses on paper."""

    subject: Subject
    trail: DoseTrail

    @property
    def zone(self) -> str:
        """The clock of where they were given."""
        return self.subject.units[self.trail.facility].zone


def batch_sheet(database: Database, gtin: str, number: str, now: datetime, wanted: Branches) -> BatchSheet:
    """The trail of a batch, or some of its branches; the names are read after it, for they do not change with it.

    Raises:
        as `trails.batch_trail`.
    """
    trail = trails.batch_trail(database, gtin, number, now, wanted)
    with database.read() as session:
        subject = _subject(session, trail.gtin, trail.batch, _codes(trail.custodies))
        whereabouts = _whereabouts(trail.custodies)
        return BatchSheet(subject, trail, whereabouts, _short(session, whereabouts, wanted.as_of))


def dose_sheet(database: Database, administration: UUID) -> DoseSheet:
    """The trail of the doses that one administration gave; NotFound `not_found`."""
    trail = trails.administration_trail(database, administration)
    stages = [stage.custody for chain in trail.chains for stage in chain.stages]
    with database.read() as session:
        return DoseSheet(_subject(session, trail.gtin, trail.batch, {*_codes(stages), trail.facility}), trail)


def _whereabouts(custodies: Sequence[CustodyLine]) -> tuple[tuple[Place, int], ...]:
    left: Counter[Place] = Counter()
    for each in custodies:
        if each.remaining:
            left[each.place] += each.remaining
    return tuple(left.most_common())


def _short(session: Session, whereabouts: Iterable[tuple[Place, int]], as_of: AsOf) -> frozenset[UUID]:
    """The shipments that hold doses and had arrived."""
    wanted = {place.shipment for place, _ in whereabouts if place.shipment is not None}
    query = select(Shipment.id.label("place_shipment"), Shipment.arrived_at)
    return frozenset(arrivals(session, rows_in(session, query, Shipment.id, wanted), as_of))


def _codes(custodies: Iterable[CustodyLine]) -> set[str]:
    places = [each.place for each in custodies]
    codes = {code for place in places for code in (place.facility, place.from_facility, place.to_facility)}
    return {code for code in codes if code}


def _subject(session: Session, gtin: str, number: str, codes: Iterable[str]) -> Subject:
    batch, product, profile = session.execute(
        select(Batch, Product, StorageProfile)
        .join(Product, Product.gtin == Batch.gtin)
        .join(StorageProfile, StorageProfile.code == Product.profile_code)
        .where(Batch.gtin == gtin, Batch.number == number)
    ).one()
    named = rows_in(session, select(Facility.code, Facility.name, Facility.zone), Facility.code, sorted(codes))
    band = Band(profile.low, profile.high)
    units = {row.code: Unit(row.code, row.name, row.zone) for row in named}
    return Subject(product.name, gtin, number, batch.expiry, product.doses_per_vial, band, units, anchor(session))


def anchor(session: Session) -> Anchor | None:
    """The newest checkpoint of the log; None before the first."""
    newest = checkpoints.newest(session)
    if newest is None:
        return None
    return Anchor(newest.size, b64encode(newest.root).decode(), newest.signed_at)
