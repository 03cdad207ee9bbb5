"""The sessions of the sites: a dose at each turn of a station, as long as there is vaccine."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

from coldtrail.demo.county import DOUBLE, SINGLE, Site, gateway
from coldtrail.demo.steps import LISTS, Body, Lot, Step
from coldtrail.demo.story.agenda import MINUTE, Agenda, about, holder_of
from coldtrail.demo.story.errands import Errands
from coldtrail.demo.story.hours import opening_of
from coldtrail.demo.story.reactions import plan_reaction

_CLOSING = (17, 30)
_TYPED = 10
_ENOUGH_TO_MISTYPE = 15
_ADMINISTRATIONS = "/administrations"


def plan_sessions(agenda: Agenda, errands: Errands, booked: Mapping[str, int]) -> None:
    """People come to every site all day."""
    registry = _Registry(agenda)
    for site in agenda.county.sites:
        if booked[site.code]:
            _Session(agenda, registry, site).plan(booked[site.code])
    first = agenda.clock(0) + opening_of(agenda.county, errands.reacts)
    agenda.plan(first, partial(_begin, agenda, registry, errands.reacts))
    agenda.plan(agenda.clock(8, 30), partial(_open_a_vial, agenda, errands.opens))
    agenda.plan(agenda.clock(9, 30), partial(_mistype, agenda, registry, errands.mistypes))


class _Registry:
    """Where people are known by their names; the ledger is told a reference."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._people = 0

    def dose(self, site: str, lot: Lot, at: datetime) -> Body:
        """The administration of a dose to the next person."""
        self._people += 1
        day = self._agenda.day
        recipient = f"R-{day.year}-{day.timetuple().tm_yday:03}{self._people:05}"
        return {**about(site, lot), "doses": 1, "occurred_at": at.isoformat(), "recipient": recipient}


class _Session:
    """One site's day."""

    def __init__(self, agenda: Agenda, registry: _Registry, site: Site) -> None:
        self._agenda, self._registry = agenda, registry
        self._site = site.code
        self._choice = random.Random(f"doses {site.code} {agenda.day}")  # noqa: S311  (a story, not a secret)
        self._silences = [each for each in agenda.trouble.silences if each.gateway == gateway(site.code)]
        self._on_paper: list[Body] = []

    def plan(self, booked: int) -> None:
        """A turn of a station for each person; what was given without a network is sent when it is back."""
        for turn, at in enumerate(self._turns(booked)):
            self._agenda.plan(at, partial(self._give, turn))
        for silence in self._silences:
            self._agenda.plan(silence.until, self._send_list)

    def _turns(self, booked: int) -> Iterator[datetime]:
        """The instants at which the stations are ready for one more, in order, from opening to closing."""
        opens = self._agenda.clock(0) + opening_of(self._agenda.county, self._site)
        spacing = int((self._agenda.clock(*_CLOSING) - opens).total_seconds()) / booked
        for turn in range(booked):
            yield opens + timedelta(seconds=int((turn + self._choice.random()) * spacing))

    def _give(self, turn: int, at: datetime) -> None:
        """A dose; a turn without vaccine is lost."""
        lot = self._agenda.shelves[self._site].take(self._choice)
        if lot is None:
            return
        body = self._registry.dose(self._site, lot, at)
        if any(each.holds(at) for each in self._silences):
            self._on_paper.append(body)
        else:
            self._agenda.send(f"dose-{self._site}-{turn}", at, _ADMINISTRATIONS, body, doses=1)

    def _send_list(self, at: datetime) -> None:
        lines, self._on_paper = self._on_paper, []
        if lines:
            key = f"{self._agenda.day}-list-{self._site}"
            body = {"administrations": lines}
            self._agenda.add(Step(at, key, holder_of(self._site), LISTS, body, doses=len(lines)))


def _begin(agenda: Agenda, registry: _Registry, site: str, at: datetime) -> None:
    """One who comes early, as soon as there is vaccine, will be unwell; out of a vial of two, for others share it."""
    lot = max(agenda.shelves[site].held, key=lambda each: (each.gtin == DOUBLE.gtin, each.doses), default=None)
    if lot is None and at < agenda.clock(12):
        agenda.plan(at + 5 * MINUTE, partial(_begin, agenda, registry, site))
    elif lot is not None:
        body = registry.dose(site, agenda.shelves[site].withdraw(lot, 1), at)
        key = agenda.send(f"dose-{site}-first", at, _ADMINISTRATIONS, body, doses=1, awaited=True)
        plan_reaction(agenda, site, key, at)


def _open_a_vial(agenda: Agenda, site: str, at: datetime) -> None:
    """A nurse opens a vial before the two people are called; everywhere else the first dose does."""
    lot = max(_of(agenda, site, DOUBLE.gtin), key=lambda each: each.doses, default=None)
    if lot is not None and lot.doses >= DOUBLE.doses_per_vial:
        agenda.send(f"open-{site}", at, "/openings", about(site, lot))


def _mistype(agenda: Agenda, registry: _Registry, site: str, at: datetime) -> None:
    """Ten is entered for one; the slip is seen, reversed, and the dose is entered anew."""
    lot = max(_of(agenda, site, SINGLE.gtin), key=lambda each: each.doses, default=None)
    if lot is None or lot.doses < _ENOUGH_TO_MISTYPE:
        return
    body = registry.dose(site, agenda.shelves[site].withdraw(lot, 1), at)
    key = agenda.send(f"mistyped-{site}", at, _ADMINISTRATIONS, {**body, "doses": _TYPED})

    def correct(seen: datetime) -> None:
        reversal = {"reason": f"{_TYPED} doses were entered for 1"}
        name, path = f"correct-{site}", "/events/{event}/reversal"
        agenda.send(name, seen, path, reversal, holder=holder_of(site), follows=key)
        agenda.send(f"dose-{site}-anew", seen, _ADMINISTRATIONS, body, doses=1)

    agenda.plan(at + 2 * MINUTE, correct)


def _of(agenda: Agenda, site: str, gtin: str) -> list[Lot]:
    return [lot for lot in agenda.shelves[site].held if lot.gtin == gtin]
