"""The evening of the sites: opened vials are thrown away, the fridges are counted, and some send back what is left."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from coldtrail.demo.county import COLD_ROOMS, COUNTY, DOUBLE, PRODUCTS, SINGLE, Site, gateway
from coldtrail.demo.steps import Lot, Trip
from coldtrail.demo.story import records
from coldtrail.demo.story.agenda import MINUTE, Agenda, about, line_of
from coldtrail.demo.story.errands import Errands

_BACK = timedelta(minutes=25)


def plan_closing(agenda: Agenda, errands: Errands) -> None:
    """After the last doses, one site after the other."""
    for number, site in enumerate(agenda.county.sites):
        second = timedelta(seconds=5 * number)
        agenda.plan(agenda.clock(17, 32) + second, partial(_tidy, agenda, site))
        agenda.plan(agenda.clock(17, 40) + second, partial(_count, agenda, errands, site))
        if site.code in errands.returns:
            agenda.plan(agenda.clock(17, 50) + second, partial(_send_back, agenda, site))


def _tidy(agenda: Agenda, site: Site, at: datetime) -> None:
    """What is left in an opened vial does not outlast the session."""
    shelf = agenda.shelves[site.code]
    for lot in shelf.held:
        left = lot.doses % DOUBLE.doses_per_vial if lot.gtin == DOUBLE.gtin else 0
        if left:
            body = {**about(site.code, lot), "doses": left, "cause": "opened-not-used"}
            agenda.send(f"waste-{site.code}-{lot.batch}", at, "/wastages", body)
            shelf.withdraw(lot, left)


def _count(agenda: Agenda, errands: Errands, site: Site, at: datetime) -> None:
    """Every batch that was there today, used up or not."""
    shelf = agenda.shelves[site.code]
    singles = [lot for lot in shelf.lots if lot.gtin == SINGLE.gtin]
    odd = max(singles, key=lambda lot: lot.doses, default=None)
    for lot in list(shelf.lots):
        body = {**about(site.code, lot), "appliance": _fridge(agenda, site, lot, at), "counted": lot.doses}
        if lot is odd and lot.doses and site.code == errands.misses:
            reason = "one vial is neither in the fridge nor in the waste; reported"
            body |= {"counted": lot.doses - 1, "reason": reason}
            shelf.withdraw(lot, 1)
        elif lot is odd and site.code == errands.finds:
            body |= {
                "counted": lot.doses + 1,
                "reason": "one vial more than the book says, counted twice by two people",
            }
            agenda.plan(at + 10 * MINUTE, partial(_waste_found, agenda, site, lot))
        agenda.send(f"count-{site.code}-{lot.batch}", at, "/counts", body)


def _waste_found(agenda: Agenda, site: Site, lot: Lot, at: datetime) -> None:
    """Nobody knows what it has seen, so nobody gets it."""
    reason = "of unknown origin; destroyed before two witnesses"
    body = {**about(site.code, lot), "doses": 1, "held": True, "cause": "other", "reason": reason}
    agenda.send(f"waste-{site.code}-found", at, "/wastages", body)


def _fridge(agenda: Agenda, site: Site, lot: Lot, at: datetime) -> str:
    return agenda.fridge(site, next(each for each in PRODUCTS if each.gtin == lot.gtin), at)


def _send_back(agenda: Agenda, site: Site, leaves: datetime) -> None:
    shelf = agenda.shelves[site.code]
    lots = [shelf.withdraw(lot, lot.doses) for lot in shelf.held]
    if lots:
        key = send_up(agenda, "closing", site, lots, leaves, reason="left at the end of the day")
        agenda.plan(leaves + _BACK, partial(_take_back, agenda, key, site, lots, leaves))


def send_up(agenda: Agenda, name: str, site: Site, lots: Iterable[Lot], leaves: datetime, **other: object) -> str:
    """A site returns doses to the county; the key of the request."""
    body = {
        "facility": site.code,
        "lines": [line_of(lot) for lot in lots],
        "sensors": list(site.loggers),
        "transport": records.departure(records.van(0), site.loggers[0], leaves, leaves + _BACK),
        **other,
    }
    return agenda.send(f"return-{site.code}-{name}", leaves, "/returns", body)


def take_up(agenda: Agenda, name: str, key: str, site: Site, leaves: datetime, at: datetime) -> None:
    """The county receives what a site returned, into quarantine."""
    body = {"appliance": COLD_ROOMS[COUNTY], "transport": records.arrival(site.loggers[0], at, COUNTY)}
    trip = Trip(site.loggers, leaves, at, gateway(COUNTY))
    path = "/shipments/{shipment}/receipts"
    agenda.send(f"arrival-{COUNTY}-{name}-{site.code}", at, path, body, holder=COUNTY, follows=key, trip=trip)


def _take_back(agenda: Agenda, key: str, site: Site, lots: Sequence[Lot], leaves: datetime, at: datetime) -> None:
    """It is looked at, and begins to be delivered anew tomorrow."""
    take_up(agenda, "closing", key, site, leaves, at)

    def release(at: datetime) -> None:
        for lot in lots:
            reason = "the logger of its box was read: 2 to 8 degrees"
            body = {**about(COUNTY, lot), "doses": lot.doses, "reason": reason}
            agenda.send(f"release-{COUNTY}-{site.code}-{lot.batch}", at, "/releases", body)

    agenda.plan(at + 10 * MINUTE, release)
