"""Who has what to do on a day beside giving doses: drawn by the day, from the sites where nothing else goes wrong."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from coldtrail.demo.county import County, Site, gateway
from coldtrail.demo.story.hours import opening_of
from coldtrail.demo.trouble import Trouble

_RETURNING = 9


@dataclass(frozen=True)
class Errands:
    """The sites of a day's small events.

    Attributes:
        breaks: receives doses that broke on the way.
        refuses: refuses a part of its doses at the door.
        opens: opens a vial before its people are called.
        reacts: somebody is unwell after a dose there; it opens as early as any.
        mistypes: enters ten doses for one.
        misses: counts one dose too few in the evening.
        finds: counts one too many.
        hands_on, takes_over: one gives surplus to the other, by order of the county.
        noon: is sent what the county still has at noon.
        returns: send back what is left when they close.
        neighbour: finds what was meant for the site that comes short.
    """

    breaks: str
    refuses: str
    opens: str
    reacts: str
    mistypes: str
    misses: str
    finds: str
    hands_on: str
    takes_over: str
    noon: str
    returns: frozenset[str]
    neighbour: str


def errands_of(county: County, day: date, trouble: Trouble) -> Errands:
    """The day's errands, the same each time; in a county of few sites one has several of them."""
    choice = random.Random(f"errands {day}")  # noqa: S311  (a story, not a secret)
    calm = _calm(county, trouble)
    drawn = [site.code for site in choice.sample(calm, len(calm))]
    short = next((code for code in trouble.short if any(code == site.code for site in county.sites)), None)

    def nth(number: int) -> str:
        return drawn[number % len(drawn)]

    noon = short or nth(9)
    return Errands(
        breaks=nth(0), refuses=nth(1), opens=nth(2), mistypes=nth(3), misses=nth(4), finds=nth(5),
        reacts=min(drawn, key=partial(opening_of, county)), hands_on=nth(6), takes_over=nth(7),
        noon=noon, neighbour=nth(8), returns=frozenset({noon, *drawn[-_RETURNING:]}),
    )  # fmt: skip


def _calm(county: County, trouble: Trouble) -> Sequence[Site]:
    silent = {silence.gateway for silence in trouble.silences}
    calm = [
        site
        for site in county.sites
        if site.code not in {*trouble.late, *trouble.short} and gateway(site.code) not in silent
    ]
    return calm or county.sites
