"""The record of a transport, as the Chinese storage and transport rules list it."""

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.words import Cooling


@dataclass(frozen=True)
class TransportRecord:
    """What each side states of a transport: the sender its departure, the receiver its arrival.

    Temperatures are of the vaccine and around it, in hundredths of a degree Celsius; the distance is in kilometres.
    Source: 疫苗储存和运输管理规范, the transport record; batch, expiry, doses and use stand in the ledger.
    """

    vehicle: str | None = None
    cooling: Cooling | None = None
    departed_at: datetime | None = None
    departure_temperature: int | None = None
    departure_ambient: int | None = None
    arrived_at: datetime | None = None
    arrival_temperature: int | None = None
    arrival_ambient: int | None = None
    distance_km: int | None = None
    handed_over_by: str | None = None
    taken_by: str | None = None

    def __post_init__(self) -> None:
        if self.departed_at and self.arrived_at and self.arrived_at < self.departed_at:
            expected = N_("a time not before the departure, %(departed)s")
            arrived, departed = self.arrived_at.isoformat(), self.departed_at.isoformat()
            raise Invalid(Code.MALFORMED, "arrived_at", arrived, expected, departed=departed)
