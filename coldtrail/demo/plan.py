"""The plan of a day, from the supplier's truck to the last dose: a pure function of the day and of what is left.

The same day planned again gives the same requests under the same keys, so that a county that was stopped goes on
where it was, and a request that is sent twice is carried out once.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from coldtrail.demo.county import County
from coldtrail.demo.deliveries import Delivery, at_time, delivery_to, morning
from coldtrail.demo.shelf import Shelf
from coldtrail.demo.steps import Lot, Step
from coldtrail.demo.supply import lots_of, need_of
from coldtrail.demo.trouble import Trouble

Holdings = Mapping[str, Sequence[Lot]]
"""What each site holds when the day begins."""

_ADMINISTRATIONS = "/api/v1/administrations"
_FIRST_OPENING, _CLOSING = time(8), time(17, 30)
_UNPACKING = timedelta(minutes=5)


def begin_of(day: date) -> datetime:
    """When the county's day begins: six in the morning."""
    return at_time(day, time(6))


def plan_day(county: County, day: date, trouble: Trouble, opening: Holdings) -> list[Step]:
    """Everything that staff send on a day, by time."""
    deliveries: list[Delivery] = []
    steps: list[Step] = []
    for number, site in enumerate(county.sites):
        held = opening.get(site.code, ())
        need = need_of(site, day, held)
        delivery = delivery_to(site, number, day, need.sent, trouble)
        deliveries.append(delivery)
        steps += _doses(day, number, need.booked, Shelf(list(held)), delivery)
    return sorted([*morning(day, deliveries), *steps], key=lambda step: step.at)


def _doses(day: date, number: int, booked: int, shelf: Shelf, delivery: Delivery) -> Iterator[Step]:
    """One dose at each turn of a station, as long as there is vaccine: a turn without it is lost."""
    site = delivery.site.code
    choice = random.Random(f"doses {site} {day}")  # noqa: S311  (a story, not a secret)
    unpacked, waiting = delivery.comes + _UNPACKING, lots_of(delivery.received, day)
    for turn, at in enumerate(_turns(day, number, booked, choice)):
        if waiting and at >= unpacked:
            shelf.put(waiting)
            waiting = []
        lot = shelf.take(choice)
        if lot is not None:
            yield _dose(f"{day}-dose-{site}-{turn}", site, at, lot)


def _turns(day: date, number: int, booked: int, choice: random.Random) -> Iterator[datetime]:
    """The instants at which the stations of a site are ready for one more, in order, from opening to closing."""
    opens = at_time(day, _FIRST_OPENING) + timedelta(minutes=number % 7 * 5)
    spacing = int((at_time(day, _CLOSING) - opens).total_seconds()) / booked
    for turn in range(booked):
        yield opens + timedelta(seconds=int((turn + choice.random()) * spacing))


def _dose(key: str, site: str, at: datetime, lot: Lot) -> Step:
    body = {"facility": site, "gtin": lot.gtin, "batch": lot.batch, "doses": 1, "occurred_at": at.isoformat()}
    return Step(at, key, "sites", _ADMINISTRATIONS, body, doses=1)
