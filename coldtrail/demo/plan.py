"""The plan of a day, from the truck of the supplier to the last dose: a pure function of the day and of what is left.

The same day planned again gives the same requests under the same keys, so that a county that was stopped goes on
where it was, and a request that is sent twice is carried out once.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from coldtrail.demo import county as places
from coldtrail.demo.county import CITY, COUNTY, PRODUCTS, ZONE, County, Product, Site
from coldtrail.demo.shelf import Shelf
from coldtrail.demo.steps import Lot, Step, Trip
from coldtrail.demo.supply import SHELF_LIFE, Need, batch_of, lots_of, need_of
from coldtrail.demo.trouble import Trouble

Holdings = Mapping[str, Sequence[Lot]]
"""What each site holds when the day begins."""

_ADMINISTRATIONS = "/api/v1/administrations"
_DISPATCHES = "/api/v1/shipments"
_ARRIVALS = "/api/v1/shipments/{shipment}/receipts"

_TRUCK_LEAVES, _TRUCK_COMES = time(6, 6), time(6, 17)
_FIRST_TRIP, _TRIP_EVERY = time(7, 10), timedelta(minutes=1)
_SHORTEST_TRIP, _LONGEST_TRIP = 20, 45
_FIRST_OPENING, _CLOSING = time(8), time(17, 30)
_UNPACKING = timedelta(minutes=5)


@dataclass(frozen=True)
class Delivery:
    """A trip to a site: what it was sent and what of it comes, by product."""

    leaves: datetime
    comes: datetime
    sent: Mapping[Product, int]
    received: Mapping[Product, int]


@dataclass(frozen=True)
class Day:
    """A day that can be planned."""

    county: County
    date: date
    trouble: Trouble
    opening: Holdings

    def at(self, clock_time: time) -> datetime:
        """A local time of this day."""
        return datetime.combine(self.date, clock_time, ZONE)

    def steps(self) -> list[Step]:
        """Everything that staff send on this day, by time."""
        needs = {site.code: need_of(site, self.date, self.opening.get(site.code, ())) for site in self.county.sites}
        steps = list(self._supply(needs.values()))
        for number, site in enumerate(self.county.sites):
            delivery = self._delivery(number, site, needs[site.code])
            steps += self._trip(site, delivery)
            steps += self._doses(number, site, needs[site.code].booked, delivery)
        return sorted(steps, key=lambda step: step.at)

    def _supply(self, needs: "Mapping[str, Need] | Iterator[Need] | Sequence[Need]") -> Iterator[Step]:
        raise NotImplementedError
