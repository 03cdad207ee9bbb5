"""The county of the demonstration: a city store, a county store and 28 sites with 57 stations, all invented.

The sizes are those of a real county in a vaccination campaign: about 17,000 doses a day.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from inventory.domain.products import check_digit

ZONE_NAME = "Asia/Shanghai"
ZONE = ZoneInfo(ZONE_NAME)

PROFILE = "strict-2-8"
PROGRAMME = "routine"
SESSION_ENDS = "17:45"
"""When the sites' sessions end; the last doses are given a quarter of an hour before."""

STATION_CAPACITY = 300
"""Doses that one station gives in a day of about nine hours, one every 108 seconds."""

INTERVAL_SECONDS = 60
"""How often every sensor measures."""

SiteKind = Literal["fixed-site", "temporary-site", "mobile-site"]


def _gtin(stem: str) -> str:
    """A GTIN-14 in the range 952, which GS1 keeps for demonstrations."""
    return stem + check_digit(stem)


@dataclass(frozen=True)
class Product:
    """A vaccine; `letter` begins its batch numbers."""

    gtin: str
    name: str
    doses_per_vial: int
    letter: str


SINGLE = Product(_gtin("0952000000001"), "Demonstration vaccine, inactivated, single-dose vial", 1, "A")
DOUBLE = Product(_gtin("0952000000002"), "Demonstration vaccine, inactivated, two-dose vial", 2, "B")
PRODUCTS = (SINGLE, DOUBLE)


@dataclass(frozen=True)
class Site:
    """A vaccination site."""

    code: str
    name: str
    kind: SiteKind
    stations: int
    fridges: int
    boxes: int

    @property
    def daily_capacity(self) -> int:
        """Doses that its stations give in a day."""
        return self.stations * STATION_CAPACITY

    def appliance(self, product: Product) -> str:
        """The fridge for a product: with two fridges, each product has its own."""
        return f"{self.code}-F{self.fridges if product is DOUBLE else 1}"

    @property
    def appliances(self) -> tuple[str, ...]:
        """Its fridges."""
        return tuple(f"{self.code}-F{number}" for number in range(1, self.fridges + 1))

    @property
    def loggers(self) -> tuple[str, ...]:
        """The loggers in the cold boxes of its trips."""
        return tuple(f"BOX-{self.code}-{number}" for number in range(1, self.boxes + 1))


@dataclass(frozen=True)
class Probe:
    """A sensor that is wired to a gateway and watches an appliance."""

    serial: str
    appliance: str
    gateway: str


SUPPLIER, CITY, COUNTY = "SUPPLIER", "CITY", "COUNTY"
STORES = (CITY, COUNTY)
COLD_ROOMS = {CITY: "CITY-CR1", COUNTY: "COUNTY-CR1"}
TRUCK_LOGGERS = ("BOX-COUNTY-1", "BOX-COUNTY-2")

_PLACES = (
    "Willow Bridge", "North Gate", "Stone Ford", "Plum Orchard", "East Market", "Old Kiln", "Reed Lake",
    "Pine Ridge", "Salt Lane", "West Terrace", "Mill Creek", "White Pagoda", "South Wharf", "Fox Hill",
    "Lotus Pond", "Tea Garden", "Long Dike", "Cedar Pass", "Bell Tower", "Red Cliff",
)  # fmt: skip
_HALLS = (
    "Sports Hall", "College Gymnasium", "Exhibition Hall", "Railway Club",
    "Cultural Palace", "Industrial Park", "Stadium",
)  # fmt: skip
_FIXED_STATIONS = (3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1)
_HALL_STATIONS = (3, 3, 3, 3, 3, 3, 2)


@dataclass(frozen=True)
class County:
    """Everything that is enrolled once: sites, sensors, gateways."""

    sites: tuple[Site, ...]

    @cached_property
    def facilities(self) -> tuple[str, ...]:
        """Those with a gateway: the stores and the sites."""
        return (*STORES, *(site.code for site in self.sites))

    @cached_property
    def probes(self) -> tuple[Probe, ...]:
        """Two sensors in each cold room, one in each fridge."""
        rooms = [
            Probe(f"T-{store}-{number}", COLD_ROOMS[store], gateway(store)) for store in STORES for number in (1, 2)
        ]
        fridges = [
            Probe(f"T-{appliance}", appliance, gateway(site.code))
            for site in self.sites
            for appliance in site.appliances
        ]
        return (*rooms, *fridges)

    @cached_property
    def loggers(self) -> tuple[str, ...]:
        """The loggers that travel; whoever receives a trip sends what they saw."""
        return (*TRUCK_LOGGERS, *(logger for site in self.sites for logger in site.loggers))

    def site(self, code: str) -> Site:
        """The site of a code."""
        return next(site for site in self.sites if site.code == code)


def gateway(facility: str) -> str:
    """The code of a facility's gateway."""
    return f"GW-{facility}"


def build_county() -> County:
    """The county, the same each time."""
    fixed = [
        ("fixed-site", f"{place} clinic", stations) for place, stations in zip(_PLACES, _FIXED_STATIONS, strict=True)
    ]
    halls = [("temporary-site", f"{hall} (temporary)", n) for hall, n in zip(_HALLS, _HALL_STATIONS, strict=True)]
    mobile = [("mobile-site", "Mobile team 1", 1)]
    described = enumerate([*fixed, *halls, *mobile], 1)
    return County(tuple(_site(number, kind, name, stations) for number, (kind, name, stations) in described))


def _site(number: int, kind: str, name: str, stations: int) -> Site:
    large = stations > 2
    return Site(f"S{number:02}", name, kind, stations, fridges=2 if large else 1, boxes=2 if large else 1)  # type: ignore[arg-type]
