"""What the ledger knows of one stock event, as the mapping to EPCIS needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from inventory.domain.words import End, EventKind, LocationKind, Origin, Purpose, WasteReason


@dataclass(frozen=True)
class Party:
    """A facility: its code here, its GLN if it has one, and its IANA zone."""

    code: str
    gln: str | None
    zone: str


@dataclass(frozen=True)
class Trip:
    """A shipment and its two ends."""

    id: UUID
    sender: Party
    receiver: Party
    purpose: Purpose


@dataclass(frozen=True)
class Spot:
    """A location: the facility and appliance where it is, or the shipment."""

    kind: LocationKind
    facility: Party | None = None
    appliance: str | None = None
    shipment: UUID | None = None


@dataclass(frozen=True)
class Line:
    """One movement: doses from a spot (none for a root) to a spot or an end; `packs` went along with them."""

    doses: int
    source: Spot | None
    target: Spot | None
    end: End | None = None
    origin: Origin | None = None
    scanned: bool = False
    packs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """What a sensor saw of a trip, temperatures in hundredths of a degree Celsius.

    `mean` is that of the readings, None where they are in an archive and only their roll-ups are here. `alarmed`: an
    excursion was found.
    """

    serial: str
    giai: str | None
    since: datetime
    until: datetime
    lowest: int
    highest: int
    mean: int | None
    alarmed: bool


@dataclass(frozen=True)
class Declared:
    """That an event did not happen as it was recorded: when this was said, and why."""

    at: datetime
    reason: str | None


@dataclass(frozen=True)
class Fact:
    """A stock event with all that is told of it.

    `aggregations` are packs that hold others, by their codes. `error` is set where a correction reversed it.
    """

    id: UUID
    kind: EventKind
    gtin: str
    batch: str
    expiry: date
    doses_per_vial: int
    facility: Party
    occurred_at: datetime
    recorded_at: datetime
    lines: tuple[Line, ...]
    cause: WasteReason | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    trips: Mapping[UUID, Trip] = field(default_factory=dict)
    shipment: UUID | None = None
    counterpart: Party | None = None
    measured: tuple[Measured, ...] = ()
    aggregations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error: Declared | None = None

    @property
    def trip(self) -> Trip | None:
        """The shipment that it is about."""
        return None if self.shipment is None else self.trips[self.shipment]

    @property
    def packs(self) -> Mapping[str, int]:
        """The packs that were scanned, with the doses of each."""
        found: Mapping[str, int] = self.details.get("packs") or {}
        return found

    @property
    def opened(self) -> Sequence[str]:
        """The packs that were opened, for others were taken out of them."""
        return self.details.get("opened_packs") or ()
