"""Facilities: making them known, and listing them."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from inventory.domain import gs1
from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.words import FacilityKind
from inventory.persistence.database import Database
from inventory.persistence.tables import Facility
from inventory.services import lookups
from inventory.services.ids import new_id
from inventory.services.paging import Page, page

_zones = cache(available_timezones)
"""Looked up once, for that reads the folders of the whole database of zones."""


@dataclass(frozen=True)
class FacilityRecord:
    """A supplier, a store or a site; `supplied_by` is the code of the store above it, `daily_capacity` in doses.

    `session_ends` is when a site's session ends each day, HH:MM on its own clock; `gln` its GS1 location number.
    """

    code: str
    name: str
    kind: FacilityKind
    zone: str
    supplied_by: str | None = None
    daily_capacity: int | None = None
    stations: int | None = None
    session_ends: str | None = None
    gln: str | None = None


def add_facility(database: Database, record: FacilityRecord) -> FacilityRecord:
    """Make a facility known.

    Raises:
        Invalid: `malformed` for a zone that is none, `not_found` or `wrong_facility_kind` for its supplier;
            `malformed` or `wrong_check_digit` for its GLN.
        Conflict: `already_exists`.
    """
    if record.zone not in _zones():
        raise Invalid(Code.MALFORMED, "zone", record.zone, N_("an IANA time zone, such as Asia/Shanghai"))
    number = None if record.gln is None else gs1.gln(record.gln)

    def work(session: Session) -> FacilityRecord:
        lookups.refuse_known(session, Facility.code, record.code, "code")
        if number is not None:
            lookups.refuse_known(session, Facility.gln, number, "gln")  # type: ignore[arg-type]
        above = None
        if record.supplied_by is not None:
            above = lookups.facility(session, record.supplied_by, "supplied_by")
            if not above.kind.is_store:
                raise Invalid(Code.WRONG_FACILITY_KIND, "supplied_by", above.code, N_("a city or county store"))
        session.add(
            Facility(
                id=new_id(),
                code=record.code,
                name=record.name,
                kind=record.kind,
                zone=record.zone,
                supplied_by_id=above.id if above else None,
                daily_capacity=record.daily_capacity,
                stations=record.stations,
                session_ends=record.session_ends,
                gln=number,
            )
        )
        return record

    return database.write(work)


def list_facilities(database: Database, after: str | None, limit: int) -> Page[FacilityRecord]:
    """Facilities by code."""
    above = aliased(Facility)
    query = select(Facility, above.code).outerjoin(above, above.id == Facility.supplied_by_id)
    with database.read() as session:
        return page(session, query, [Facility.code], after, limit).map(lambda row: _record(row[0], row[1]))


def _record(row: Facility, above: str | None) -> FacilityRecord:
    return FacilityRecord(
        row.code, row.name, row.kind, row.zone, above, row.daily_capacity, row.stations, row.session_ends, row.gln
    )
