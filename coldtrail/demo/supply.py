"""How much a day asks for: the people booked at each site, and the doses that the site is sent for them."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from coldtrail.demo.county import DOUBLE, SINGLE, Product, Site
from coldtrail.demo.steps import Lot

SHELF_LIFE = timedelta(days=365)
_SURPLUS_PERCENT = 103
_SINGLE_PERCENT = 60


@dataclass(frozen=True)
class Need:
    """People booked at a site, and the doses of each product that it is sent; two-dose vials are whole."""

    booked: int
    sent: Mapping[Product, int]


def need_of(site: Site, day: date, held: Iterable[Lot]) -> Need:
    """What a site needs on a day: three doses in a hundred more than people, less what it still has."""
    booked = site.daily_capacity * random.Random(f"booked {site.code} {day}").randint(97, 103) // 100  # noqa: S311
    missing = max(0, booked * _SURPLUS_PERCENT // 100 - sum(lot.doses for lot in held))
    single = missing * _SINGLE_PERCENT // 100
    return Need(booked, {SINGLE: single, DOUBLE: (missing - single) // 2 * 2})


def new_lot(product: Product, day: date, doses: int, letter: str | None = None) -> Lot:
    """The lot of a batch that comes on a day; the day's main ones have the product's letter."""
    return Lot(product.gtin, f"{letter or product.letter}{day:%y%m%d}", day + SHELF_LIFE, doses)
