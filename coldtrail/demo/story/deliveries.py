"""Trips from the county to the sites: each comes whole, in part, with broken vials, or with some that are refused."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from coldtrail.demo.county import COLD_ROOMS, COUNTY, PRODUCTS, SINGLE, Product, Site, gateway
from coldtrail.demo.steps import Lot, Trip
from coldtrail.demo.story import records
from coldtrail.demo.story.agenda import MINUTE, Agenda, about, line_of
from coldtrail.demo.story.errands import Errands
from coldtrail.demo.story.shortfalls import plan_explanations

UNPACKING = 5 * MINUTE

_TRIP_MINUTES = (20, 45)
_BROKEN, _REFUSED = 3, 20


@dataclass(frozen=True)
class Leg:
    """A trip to a site: when it leaves and comes, and its number, which says how far it is and which van drives."""

    name: str
    site: Site
    number: int
    leaves: datetime
    comes: datetime


@dataclass
class Load:
    """What became of one lot of a trip."""

    sent: Lot
    came: int
    broken: int = 0
    refused: int = 0

    @property
    def missing(self) -> Lot:
        """What did not come."""
        return replace(self.sent, doses=self.sent.doses - self.came - self.broken - self.refused)

    @property
    def good(self) -> Lot:
        """What can be used."""
        return replace(self.sent, doses=self.came)


def plan_deliveries(agenda: Agenda, errands: Errands, needs: Mapping[str, Mapping[Product, int]]) -> None:
    """A trip to each site a minute, the nearest first; and at noon one with what the county still has."""
    for number, site in enumerate(agenda.county.sites):
        leg = _leg(agenda, "morning", site, number, agenda.clock(7, 10) + number * MINUTE)
        _plan_trip(agenda, errands, leg, partial(_allotted, agenda, needs[site.code]))
    noon = agenda.county.site(errands.noon)
    leg = _leg(agenda, "noon", noon, 0, agenda.clock(11, 30))
    _plan_trip(agenda, errands, leg, partial(_all_there_is, agenda))


def _leg(agenda: Agenda, name: str, site: Site, number: int, leaves: datetime) -> Leg:
    distance = random.Random(f"trip {site.code} {agenda.day}")  # noqa: S311  (a story, not a secret)
    shortest, longest = _TRIP_MINUTES
    under_way = distance.randint(shortest, shortest + number * (longest - shortest) // 27)
    late = agenda.trouble.late.get(site.code, timedelta()) if name == "morning" else timedelta()
    return Leg(name, site, number, leaves, leaves + timedelta(minutes=under_way) + late)


def _allotted(agenda: Agenda, need: Mapping[Product, int]) -> list[Lot]:
    county = agenda.shelves[COUNTY]
    return [lot for product in PRODUCTS for lot in county.withdraw_any(product.gtin, need[product])]


def _all_there_is(agenda: Agenda) -> list[Lot]:
    county = agenda.shelves[COUNTY]
    return [county.withdraw(lot, lot.doses) for lot in county.held]


def _plan_trip(agenda: Agenda, errands: Errands, leg: Leg, load: Callable[[], list[Lot]]) -> None:
    def leave(at: datetime) -> None:
        lots = load()
        if lots:
            _leave(agenda, errands, leg, lots, at)

    agenda.plan(leg.leaves, leave)


def _leave(agenda: Agenda, errands: Errands, leg: Leg, lots: Sequence[Lot], at: datetime) -> None:
    code, loggers = leg.site.code, leg.site.loggers
    body = {
        "from_facility": COUNTY,
        "to_facility": code,
        "lines": [line_of(lot) for lot in lots],
        "sensors": list(loggers),
        "transport": records.departure(records.van(leg.number), loggers[0], at, leg.comes),
    }
    key = agenda.send(f"dispatch-{code}-{leg.name}", at, "/shipments", body, holder=COUNTY)
    loads = _what_becomes(agenda, errands, leg, lots)
    agenda.plan(leg.comes, partial(_come, agenda, errands, leg, key, loads))


def _what_becomes(agenda: Agenda, errands: Errands, leg: Leg, lots: Iterable[Lot]) -> list[Load]:
    """Vials travel whole, so what comes in part is even."""
    percent = agenda.trouble.short.get(leg.site.code, 100) if leg.name == "morning" else 100
    loads = [Load(lot, lot.doses * percent // 200 * 2 if percent < 100 else lot.doses) for lot in lots]
    first = next((load for load in loads if load.sent.gtin == SINGLE.gtin and load.came > _BROKEN + _REFUSED), None)
    if first and leg.name == "morning":
        first.broken = _BROKEN if leg.site.code == errands.breaks else 0
        first.refused = _REFUSED if leg.site.code == errands.refuses else 0
        first.came -= first.broken + first.refused
    return loads


def _come(agenda: Agenda, errands: Errands, leg: Leg, key: str, loads: Sequence[Load], at: datetime) -> None:
    """Each product goes into its own fridge, so each has a receipt of its own."""
    trip: Trip | None = Trip(leg.site.loggers, leg.leaves, at, gateway(leg.site.code))
    for product in PRODUCTS:
        mine = [load for load in loads if load.sent.gtin == product.gtin and load.sent.doses > load.missing.doses]
        if mine:
            _receive(agenda, leg, key, product, mine, trip, at)
            trip = None
    missing = [load.missing for load in loads if load.missing.doses]
    plan_explanations(agenda, errands, leg.site, key, missing)
    good = [load.good for load in loads]
    agenda.plan(at + UNPACKING, lambda _: agenda.shelves[leg.site.code].put(good))


def _receive(
    agenda: Agenda, leg: Leg, key: str, product: Product, loads: Sequence[Load], trip: Trip | None, at: datetime
) -> None:
    code = leg.site.code
    body = {
        "appliance": agenda.fridge(leg.site, product, at),
        "lines": [_line(load) for load in loads],
        "reason": _reason(loads),
        "transport": records.arrival(leg.site.loggers[0], at, code),
    }
    name, path = f"arrival-{code}-{leg.name}-{product.letter}", "/shipments/{shipment}/receipts"
    arrival = agenda.send(name, at, path, body, holder="sites", follows=key, trip=trip)
    for load in loads:
        if load.broken:
            agenda.plan(at + timedelta(hours=2), partial(_waste_broken, agenda, code, load))
        if load.refused:
            agenda.plan(at + timedelta(hours=1), partial(_back, agenda, code, load, arrival))


def _line(load: Load) -> dict[str, object]:
    parts = {"doses": load.came, "damaged": load.broken, "refused": load.refused}
    return line_of(load.sent) | {name: doses for name, doses in parts.items() if doses or name == "doses"}


def _reason(loads: Sequence[Load]) -> str | None:
    if any(load.refused for load in loads):
        return "a carton is wet and its labels cannot be read; it goes back with the van"
    if any(load.broken for load in loads):
        return "a tray was dropped at the door"
    return None


def _waste_broken(agenda: Agenda, code: str, load: Load, at: datetime) -> None:
    body = {**about(code, load.sent), "doses": load.broken, "held": True, "cause": "broken"}
    agenda.send(f"waste-{code}-broken", at, "/wastages", body)


def _back(agenda: Agenda, code: str, load: Load, arrival: str, at: datetime) -> None:
    """What was refused comes back to the county's quarantine, and is free again after a look at it."""
    body = {"appliance": COLD_ROOMS[COUNTY]}
    path = "/shipments/{way_back}/receipts"
    agenda.send(f"arrival-{COUNTY}-from-{code}", at, path, body, holder=COUNTY, follows=arrival)

    def release(at: datetime) -> None:
        body = {**about(COUNTY, load.sent), "doses": load.refused, "reason": "only the carton was wet; relabelled"}
        agenda.send(f"release-{COUNTY}-from-{code}", at, "/releases", body)
        agenda.shelves[COUNTY].put([replace(load.sent, doses=load.refused)])

    agenda.plan(at + 30 * MINUTE, release)
