"""Storage profiles: how something is to be kept, and when it was not."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.excursions import ExcursionRule
from inventory.persistence import tables
from inventory.persistence.database import Database
from inventory.persistence.tables import StorageProfile
from inventory.services.paging import Page, page
from inventory.services.rules import limit_of


@dataclass(frozen=True)
class ProfileRecord:
    """A band in hundredths of a degree, both ends included, and the limits beyond which there is an excursion."""

    code: str
    low: int
    high: int
    limits: tuple[ExcursionRule, ...]


def list_profiles(database: Database, after: str | None, limit: int) -> Page[ProfileRecord]:
    """Storage profiles by code."""
    with database.read() as session:
        found = page(session, select(StorageProfile), [StorageProfile.code], after, limit).map(lambda row: row[0])
        limits = _limits(session, [profile.code for profile in found.items])
        return found.map(lambda row: ProfileRecord(row.code, row.low, row.high, tuple(limits[row.code])))


def _limits(session: Session, codes: Sequence[str]) -> dict[str, list[ExcursionRule]]:
    table = tables.ExcursionRule
    limits: defaultdict[str, list[ExcursionRule]] = defaultdict(list)
    for row in session.scalars(select(table).where(table.profile_code.in_(codes)).order_by(table.name)):
        limits[row.profile_code].append(limit_of(row))
    return limits
