"""Goods from the supplier reach the city store: accepted, held until their papers have come, or refused."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

from coldtrail.demo.county import CITY, COLD_ROOMS, COUNTY, PRODUCTS, SINGLE, SUPPLIER, TRUCK_LOGGERS, Product, gateway
from coldtrail.demo.steps import Lot, Trip
from coldtrail.demo.story import records
from coldtrail.demo.story.agenda import MINUTE, Agenda, about, line_of
from coldtrail.demo.supply import new_lot

_PAPERS = ["lot-release-certificate", "delivery-note", "temperature-record"]
_WITHOUT_RELEASE = ["delivery-note", "temperature-record"]
_DRIVE = timedelta(hours=4)
_TO_COUNTY = timedelta(minutes=11)

_HELD_DOSES = 60
_REFUSED_DOSES = 200


def plan_goods(agenda: Agenda, total: Mapping[Product, int]) -> None:
    """The day's vaccine comes at six and goes on at once; a smaller lot waits for its certificate."""
    lots = [new_lot(product, agenda.day, total[product]) for product in PRODUCTS if total[product]]
    agenda.plan(agenda.clock(6), partial(_accept, agenda, lots))
    if lots:
        agenda.plan(agenda.clock(6, 6), partial(to_county, agenda, "morning", lots))
    agenda.plan(agenda.clock(6, 2), partial(_hold, agenda))
    if agenda.trouble.refused_goods:
        agenda.plan(agenda.clock(6, 4), partial(_refuse, agenda))


def receive(agenda: Agenda, lot: Lot, at: datetime, **other: object) -> None:
    """A lot comes from the supplier; in order unless `other` says something else."""
    leaves = at - _DRIVE
    truck, logger = records.SUPPLIERS_TRUCK, "BOX-SUPPLIER"
    body = {
        **about(CITY, lot),
        "supplier": SUPPLIER,
        "appliance": COLD_ROOMS[CITY],
        "expiry": lot.expiry.isoformat(),
        "doses": lot.doses,
        "papers": _PAPERS,
        "transport": records.departure(truck, logger, leaves, at) | records.arrival(logger, at, CITY),
        **other,
    }
    agenda.send(f"receipt-{lot.batch}", at, "/receipts", body)


def to_county(agenda: Agenda, name: str, lots: Iterable[Lot], leaves: datetime) -> None:
    """Nothing stays at the city store: the truck to the county leaves at once."""
    comes, sent = leaves + _TO_COUNTY, list(lots)
    body = {
        "from_facility": CITY,
        "to_facility": COUNTY,
        "lines": [line_of(lot) for lot in sent],
        "sensors": list(TRUCK_LOGGERS),
        "transport": records.departure(records.CITY_TRUCK, TRUCK_LOGGERS[0], leaves, comes),
    }
    key = agenda.send(f"dispatch-{COUNTY}-{name}", leaves, "/shipments", body, holder=CITY)

    def arrive(at: datetime) -> None:
        arrival = {"appliance": COLD_ROOMS[COUNTY], "transport": records.arrival(TRUCK_LOGGERS[0], at, COUNTY)}
        trip = Trip(TRUCK_LOGGERS, leaves, at, gateway(COUNTY))
        path = "/shipments/{shipment}/receipts"
        agenda.send(f"arrival-{COUNTY}-{name}", at, path, arrival, holder=COUNTY, follows=key, trip=trip)
        agenda.shelves[COUNTY].put(sent)

    agenda.plan(comes, arrive)


def _accept(agenda: Agenda, lots: Iterable[Lot], at: datetime) -> None:
    for lot in lots:
        receive(agenda, lot, at)


def _hold(agenda: Agenda, at: datetime) -> None:
    """The certificate comes in the course of the morning."""
    lot = new_lot(SINGLE, agenda.day, _HELD_DOSES, "H")
    receive(agenda, lot, at, papers=_WITHOUT_RELEASE, outcome="hold", reason="the lot-release certificate is missing")

    def release(at: datetime) -> None:
        body = {**about(CITY, lot), "papers": _PAPERS[:1], "reason": "the lot-release certificate has come"}
        agenda.send(f"release-{lot.batch}", at, "/releases", body)
        agenda.plan(at + 5 * MINUTE, partial(to_county, agenda, "late", [lot]))

    agenda.plan(agenda.clock(10, 30), release)


def _refuse(agenda: Agenda, at: datetime) -> None:
    lot = new_lot(SINGLE, agenda.day, _REFUSED_DOSES, "X")
    reason = "no record of the temperature on the way; the goods went back with the truck"
    receive(agenda, lot, at, papers=_PAPERS[:2], transport=None, outcome="refuse", reason=reason)
