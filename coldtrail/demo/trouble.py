"""What goes wrong in the county: six things on the first day, then one a day, in turn."""

import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from coldtrail.demo.county import COLD_ROOMS, COUNTY, ZONE, County, gateway
from coldtrail.demo.thermal import Failure


@dataclass(frozen=True)
class Silence:
    """A gateway that cannot be reached for a time, and keeps what it measures meanwhile."""

    gateway: str
    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        """Whether it is silent at an instant."""
        return self.since <= at < self.until


@dataclass(frozen=True)
class Trouble:
    """What goes wrong on a day.

    Attributes:
        failures: compressors that stand still.
        late: by how much each site's vaccine comes late.
        short: the hundredths of its doses that reach a site; the rest stays in transit.
        silences: gateways that cannot be reached; their sites have no network either.
        recall: whether the manufacturer recalls a batch.
        refused_goods: whether a supplier's goods come without a record of their temperature.
        told: the same in words, each from when on it is so.
    """

    failures: tuple[Failure, ...] = ()
    late: dict[str, timedelta] = field(default_factory=dict)
    short: dict[str, int] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    recall: bool = False
    refused_goods: bool = False
    told: tuple[tuple[datetime, str], ...] = ()


LATENESS = timedelta(hours=3)
SHORT_PERCENT = 80


_RECALL_EVERY, _REFUSAL_EVERY = 5, 3


def trouble_of(county: County, index: int, day: date) -> Trouble:
    """What goes wrong on a day, the first being 0; the same each time it is asked."""
    trouble = _first_day(day) if index == 0 else _one_thing(county, index, day)
    recall = index % _RECALL_EVERY == 0
    told = (*trouble.told, *([(_at(day, 15, 30), "the manufacturer recalls a batch")] if recall else []))
    return replace(trouble, recall=recall, refused_goods=index % _REFUSAL_EVERY == 0, told=told)


def _one_thing(county: County, index: int, day: date) -> Trouble:
    kinds = (_compressor_stops, _comes_late, _comes_short, _goes_silent)
    kind = kinds[(index - 1) % len(kinds)]
    large = [site for site in county.sites if site.fridges > 1]
    sites = large if kind is _compressor_stops and large else county.sites
    site = random.Random(f"trouble {day}").choice(sites)  # noqa: S311  (a story, not a secret)
    return kind(site.code, day)


def _first_day(day: date) -> Trouble:
    """The cold room fails while all the vaccine of the day lies in it, so that every dose has been through it."""
    room = COLD_ROOMS[COUNTY]
    failure = Failure(room, _at(day, 6, 20), _at(day, 7, 20))
    late, short, silent = _comes_late("S09", day), _comes_short("S14", day), _goes_silent("S05", day)
    stopped = _compressor_stops("S01", day)
    return Trouble(
        failures=(failure, *stopped.failures),
        late=late.late,
        short=short.short,
        silences=silent.silences,
        told=(_stopped(failure), *(told for each in (late, short, silent, stopped) for told in each.told)),
    )


def _compressor_stops(site: str, day: date) -> Trouble:
    fridge = f"{site}-F1"
    failure = Failure(fridge, _at(day, 11), _at(day, 13))
    return Trouble(failures=(failure,), told=(_stopped(failure),))


def _comes_late(site: str, day: date) -> Trouble:
    told = f"trip to {site} comes {LATENESS.seconds // 3600} hours late"
    return Trouble(late={site: LATENESS}, told=((_at(day, 8), told),))


def _comes_short(site: str, day: date) -> Trouble:
    told = f"{SHORT_PERCENT} % of the doses for {site} arrive"
    return Trouble(short={site: SHORT_PERCENT}, told=((_at(day, 8), told),))


def _goes_silent(site: str, day: date) -> Trouble:
    silence = Silence(gateway(site), _at(day, 10), _at(day, 11))
    return Trouble(silences=(silence,), told=(_told_silence(silence),))


def _told_silence(silence: Silence) -> tuple[datetime, str]:
    return silence.since, f"{silence.gateway} is silent {_span(silence.since, silence.until)}"


def _stopped(failure: Failure) -> tuple[datetime, str]:
    return failure.since, f"compressor of {failure.appliance} stands still {_span(failure.since, failure.until)}"


def _span(since: datetime, until: datetime) -> str:
    return f"{since:%H:%M}-{until:%H:%M}"


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), ZONE)
