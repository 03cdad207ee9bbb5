"""Vaccination programmes: making them known, and listing them."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.words import Policy
from inventory.persistence.database import Database
from inventory.persistence.tables import Programme
from inventory.services import lookups
from inventory.services.paging import Page, page


@dataclass(frozen=True)
class ProgrammeRecord:
    """A programme, and what it makes of doses that missed a deadline or were exposed: it shows it, or it asks.

    Missing the rule does not make a dose unsafe, an exposure may: hence what holds where nothing is stated.
    """

    code: str
    name: str
    on_missed: Policy = Policy.FLAG
    on_exposure: Policy = Policy.ASK


def add_programme(database: Database, record: ProgrammeRecord) -> ProgrammeRecord:
    """Make a programme known; Conflict `already_exists`."""

    def work(session: Session) -> ProgrammeRecord:
        lookups.refuse_known(session, Programme.code, record.code, "code")
        session.add(
            Programme(code=record.code, name=record.name, on_missed=record.on_missed, on_exposure=record.on_exposure)
        )
        return record

    return database.write(work)


def list_programmes(database: Database, after: str | None, limit: int) -> Page[ProgrammeRecord]:
    """Programmes by code."""
    with database.read() as session:
        return page(session, select(Programme), [Programme.code], after, limit).map(
            lambda row: ProgrammeRecord(row[0].code, row[0].name, row[0].on_missed, row[0].on_exposure)
        )
