"""Where custodies are held: the locations of a facility, and what a location is called."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.words import LocationKind
from inventory.persistence.tables import Appliance, Facility, Location


def storages(session: Session, facility: Facility) -> Sequence[UUID]:
    """The storage locations of a facility's appliances; quarantine is not stock that can be taken."""
    query = (
        select(Location.id)
        .join(Appliance, Appliance.id == Location.appliance_id)
        .where(Appliance.facility_id == facility.id, Location.kind == LocationKind.STORAGE)
    )
    return session.scalars(query).all()
