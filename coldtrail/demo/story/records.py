"""The papers of a transport: the sender's half of its record and the receiver's, with invented names."""

import random
from dataclasses import dataclass
from datetime import datetime

from coldtrail.demo import thermal
from coldtrail.demo.county import ZONE

Record = dict[str, object]

_FAMILY_NAMES = ("Chen", "Deng", "Fang", "Gao", "He", "Jiang", "Lin", "Luo", "Mei", "Qin", "Shen", "Tang", "Xu", "Yao")


@dataclass(frozen=True)
class Vehicle:
    """What carries vaccine, and how it is kept cold."""

    plate: str
    cooling: str


SUPPLIERS_TRUCK = Vehicle("DEMO-M-1", "refrigerated-truck")
CITY_TRUCK = Vehicle("DEMO-C-1", "refrigerated-truck")


def van(number: int) -> Vehicle:
    """One of the county's vans, with cold boxes."""
    return Vehicle(f"DEMO-V-{number % 9 + 1}", "cold-box-passive")


def departure(vehicle: Vehicle, logger: str, leaves: datetime, comes: datetime) -> Record:
    """What the sender states."""
    minutes = (comes - leaves).total_seconds() / 60
    return {
        "vehicle": vehicle.plate,
        "cooling": vehicle.cooling,
        "departed_at": leaves.isoformat(),
        "departure_celsius": thermal.cold_box(logger, leaves) / 100,
        "departure_ambient_celsius": _ambient(leaves),
        "distance_km": max(1, round(minutes * 2 / 3)),
        "handed_over_by": _person("Keeper", vehicle.plate),
    }


def arrival(logger: str, comes: datetime, place: str) -> Record:
    """What the receiver states."""
    return {
        "arrived_at": comes.isoformat(),
        "arrival_celsius": thermal.cold_box(logger, comes) / 100,
        "arrival_ambient_celsius": _ambient(comes),
        "taken_by": _person("Nurse" if place.startswith("S") else "Keeper", place),
    }


def _ambient(at: datetime) -> float:
    """A mild day, warmest at two in the afternoon."""
    return 24.0 - 0.75 * abs(at.astimezone(ZONE).hour - 14)


def _person(office: str, of: str) -> str:
    return f"{office} {random.Random(of).choice(_FAMILY_NAMES)}"  # noqa: S311  (a story, not a secret)
