"""Doses go from fridge to fridge when a compressor stops, and from site to site by order of the county."""

from datetime import datetime
from functools import partial

from coldtrail.demo.county import COUNTY, PRODUCTS, SINGLE, Site, gateway
from coldtrail.demo.steps import Trip
from coldtrail.demo.story import records
from coldtrail.demo.story.agenda import COLD_AGAIN, MINUTE, Agenda, about, line_of
from coldtrail.demo.story.deliveries import UNPACKING
from coldtrail.demo.story.errands import Errands
from coldtrail.demo.thermal import Failure

_NOTICED = 12 * MINUTE
"""The fridge's own alarm rings, and the doses are out of it before they are warm."""

_WAY = 25 * MINUTE
_MOST = 24


def plan_transfers(agenda: Agenda, errands: Errands) -> None:
    """Moves inside a site, and one from site to site in the afternoon."""
    for failure in agenda.trouble.failures:
        for site in agenda.county.sites:
            if failure.appliance in site.appliances and len(site.appliances) > 1:
                _plan_moves(agenda, site, failure)
    if errands.hands_on != errands.takes_over:
        agenda.plan(agenda.clock(14, 30), partial(_hand_on, agenda, errands))


def _plan_moves(agenda: Agenda, site: Site, failure: Failure) -> None:
    """Into the other fridge, and back when the first is cold again."""
    own = failure.appliance
    other = next(each for each in site.appliances if each != own)
    here = {product.gtin for product in PRODUCTS if site.appliance(product) == own}

    def move(source: str, target: str, at: datetime) -> None:
        for lot in agenda.shelves[site.code].held:
            if lot.gtin in here:
                body = {**about(site.code, lot), "appliance": source, "to_appliance": target}
                agenda.send(f"move-{target}-{lot.batch}", at, "/moves", body)

    agenda.plan(failure.since + _NOTICED, partial(move, own, other))
    agenda.plan(failure.until + COLD_AGAIN, partial(move, other, own))


def _hand_on(agenda: Agenda, errands: Errands, leaves: datetime) -> None:
    """Only the store that supplies both may order it."""
    giver, taker = agenda.county.site(errands.hands_on), agenda.county.site(errands.takes_over)
    shelf = agenda.shelves[giver.code]
    lot = max((each for each in shelf.held if each.gtin == SINGLE.gtin), key=lambda each: each.doses, default=None)
    if lot is None:
        return
    given = shelf.withdraw(lot, min(_MOST, lot.doses))
    loggers = giver.loggers[:1]
    body = {
        "from_facility": giver.code,
        "to_facility": taker.code,
        "lines": [line_of(given)],
        "sensors": list(loggers),
        "transport": records.departure(records.van(1), loggers[0], leaves, leaves + _WAY),
    }
    key = agenda.send(f"transfer-{giver.code}-{taker.code}", leaves, "/shipments", body, holder=COUNTY)

    def come(at: datetime) -> None:
        transport = records.arrival(loggers[0], at, taker.code)
        body = {"appliance": agenda.fridge(taker, SINGLE, at), "transport": transport}
        trip = Trip(loggers, leaves, at, gateway(taker.code))
        name, path = f"arrival-{taker.code}-transfer", "/shipments/{shipment}/receipts"
        agenda.send(name, at, path, body, holder="sites", follows=key, trip=trip)
        agenda.plan(at + UNPACKING, lambda _: agenda.shelves[taker.code].put([given]))

    agenda.plan(leaves + _WAY, come)
