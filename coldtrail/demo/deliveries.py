"""The morning of a day: from the supplier to the city, to the county, and from there to each site."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from coldtrail.demo.county import (
    CITY,
    COLD_ROOMS,
    COUNTY,
    PRODUCTS,
    SUPPLIER,
    TRUCK_LOGGERS,
    ZONE,
    Product,
    Site,
    gateway,
)
from coldtrail.demo.steps import Step, Trip
from coldtrail.demo.supply import SHELF_LIFE, batch_of
from coldtrail.demo.trouble import Trouble

Doses = Mapping[Product, int]

_RECEIPTS = "/api/v1/receipts"
_SHIPMENTS = "/api/v1/shipments"
_ARRIVALS = "/api/v1/shipments/{shipment}/receipts"

_SUPPLIER_COMES, _TRUCK_LEAVES, _TRUCK_COMES = time(6), time(6, 6), time(6, 17)
_FIRST_TRIP, _TRIP_EVERY = time(7, 10), timedelta(minutes=1)
_TRIP_MINUTES = (20, 45)


@dataclass(frozen=True)
class Delivery:
    """A trip to a site: what it was sent, and what of it comes."""

    site: Site
    leaves: datetime
    comes: datetime
    sent: Doses
    received: Doses


def at_time(day: date, clock_time: time) -> datetime:
    """A local time of a day."""
    return datetime.combine(day, clock_time, ZONE)


def delivery_to(site: Site, number: int, day: date, sent: Doses, trouble: Trouble) -> Delivery:
    """The trip to the site that is loaded as the `number`th: the nearest is first."""
    leaves = at_time(day, _FIRST_TRIP) + number * _TRIP_EVERY
    shortest, longest = _TRIP_MINUTES
    distance = random.Random(f"trip {site.code} {day}")  # noqa: S311  (a story, not a secret)
    under_way = distance.randint(shortest, shortest + number * (longest - shortest) // 27)
    comes = leaves + timedelta(minutes=under_way) + trouble.late.get(site.code, timedelta())
    percent = trouble.short.get(site.code, 100)
    received = {product: doses * percent // 200 * 2 if percent < 100 else doses for product, doses in sent.items()}
    return Delivery(site, leaves, comes, sent, received)


def morning(day: date, deliveries: Iterable[Delivery]) -> Iterator[Step]:
    """The steps that bring the day's vaccine to the sites."""
    trips = list(deliveries)
    total: Counter[Product] = Counter()
    for trip in trips:
        total.update(trip.sent)
    yield from _goods_in(day, total)
    yield from _truck(day, total)
    for trip in trips:
        yield from _trip(day, trip)


def _goods_in(day: date, total: Doses) -> Iterator[Step]:
    at = at_time(day, _SUPPLIER_COMES)
    for product in PRODUCTS:
        body = {
            "facility": CITY,
            "supplier": SUPPLIER,
            "appliance": COLD_ROOMS[CITY],
            "expiry": (day + SHELF_LIFE).isoformat(),
            "papers": ["lot-release-certificate", "delivery-note", "temperature-record"],
            "transport": {"arrival_celsius": 4.5},
            "occurred_at": at.isoformat(),
            **_line(product, day, total[product]),
        }
        yield Step(at, f"{day}-receipt-{product.letter}", CITY, _RECEIPTS, body)


def _truck(day: date, total: Doses) -> Iterator[Step]:
    """Nothing stays at the city store: the truck to the county leaves at once."""
    leaves, comes = at_time(day, _TRUCK_LEAVES), at_time(day, _TRUCK_COMES)
    key = f"{day}-dispatch-{COUNTY}"
    yield _dispatch(key, CITY, COUNTY, leaves, TRUCK_LOGGERS, _lines(day, total))
    body = {"appliance": COLD_ROOMS[COUNTY], "occurred_at": comes.isoformat()}
    trip = Trip(TRUCK_LOGGERS, leaves, comes, gateway(COUNTY))
    yield Step(comes, f"{day}-arrival-{COUNTY}", COUNTY, _ARRIVALS, body, follows=key, trip=trip)


def _trip(day: date, trip: Delivery) -> Iterator[Step]:
    site = trip.site
    if not any(trip.sent.values()):
        return
    key = f"{day}-dispatch-{site.code}"
    yield _dispatch(key, COUNTY, site.code, trip.leaves, site.loggers, _lines(day, trip.sent))
    seen: Trip | None = Trip(site.loggers, trip.leaves, trip.comes, gateway(site.code))
    for product in PRODUCTS:
        if trip.received[product]:
            body = {
                "appliance": site.appliance(product),
                "occurred_at": trip.comes.isoformat(),
                "lines": [_line(product, day, trip.received[product])],
            }
            arrival = f"{day}-arrival-{site.code}-{product.letter}"
            yield Step(trip.comes, arrival, "sites", _ARRIVALS, body, follows=key, trip=seen)
            seen = None


def _dispatch(
    key: str, source: str, target: str, at: datetime, loggers: tuple[str, ...], lines: list[dict[str, object]]
) -> Step:
    body = {
        "from_facility": source,
        "to_facility": target,
        "occurred_at": at.isoformat(),
        "lines": lines,
        "sensors": list(loggers),
    }
    return Step(at, key, source, _SHIPMENTS, body)


def _lines(day: date, doses: Doses) -> list[dict[str, object]]:
    return [_line(product, day, doses[product]) for product in PRODUCTS if doses[product]]


def _line(product: Product, day: date, doses: int) -> dict[str, object]:
    return {"gtin": product.gtin, "batch": batch_of(product, day), "doses": doses}
