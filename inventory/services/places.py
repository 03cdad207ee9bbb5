"""Where custodies are held: the locations of a facility, and what a location is called."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import aliased

from inventory.domain.words import LocationKind
from inventory.persistence.tables import Appliance, Facility, Location, Shipment

_here = aliased(Facility)
_sender = aliased(Facility)
_receiver = aliased(Facility)


@dataclass(frozen=True)
class Place:
    """A location by the names that people use: an appliance at a facility, or a shipment between two."""

    kind: LocationKind
    facility: str | None
    appliance: str | None
    shipment: UUID | None
    from_facility: str | None
    to_facility: str | None


PLACE = (
    Location.kind.label("place_kind"),
    _here.code.label("place_facility"),
    Appliance.code.label("place_appliance"),
    Location.shipment_id.label("place_shipment"),
    _sender.code.label("place_from"),
    _receiver.code.label("place_to"),
)
"""The columns of a place, for a query that `with_place` has joined."""


def with_place(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Join what a place's columns need to a query that has `Location`."""
    return (
        query.add_columns(*PLACE)
        .outerjoin(Appliance, Appliance.id == Location.appliance_id)
        .outerjoin(_here, _here.id == Appliance.facility_id)
        .outerjoin(Shipment, Shipment.id == Location.shipment_id)
        .outerjoin(_sender, _sender.id == Shipment.from_facility_id)
        .outerjoin(_receiver, _receiver.id == Shipment.to_facility_id)
    )


def at_facility(code: str) -> Any:
    """A condition on a joined query: held by the facility, or on its way from or to it."""
    return (_here.code == code) | (_sender.code == code) | (_receiver.code == code)


def place_of(row: Any) -> Place:
    """The place in a row of a query that `with_place` has joined."""
    return Place(
        row.place_kind, row.place_facility, row.place_appliance, row.place_shipment, row.place_from, row.place_to
    )
