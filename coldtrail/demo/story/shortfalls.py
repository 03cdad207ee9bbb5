"""What was sent to a site and did not come is explained in the course of the day: mis-shipped, found, or lost."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from coldtrail.demo.county import COUNTY, PRODUCTS, SINGLE, Site
from coldtrail.demo.steps import Lot
from coldtrail.demo.story.agenda import MINUTE, Agenda, about
from coldtrail.demo.story.errands import Errands

_LOST = 2
_LOOKED_AT = 20 * MINUTE


def plan_explanations(agenda: Agenda, errands: Errands, site: Site, key: str, missing: Sequence[Lot]) -> None:
    """The vials of two doses went to a neighbour, most others stayed in the van, and a few are never seen again."""
    for lot in missing:
        if lot.gtin != SINGLE.gtin:
            neighbour = agenda.county.site(errands.neighbour)
            _plan_there(agenda, key, lot, neighbour, "mis-shipped", "unloaded here with our own boxes", (11, 0))
            continue
        found = max(0, lot.doses - _LOST)
        if found:
            reason = "left in the van; its logger never saw more than 6 degrees"
            _plan_there(agenda, key, replace(lot, doses=found), site, "found", reason, (13, 0))
        _plan_lost(agenda, key, replace(lot, doses=lot.doses - found))


def _plan_there(
    agenda: Agenda, key: str, lot: Lot, site: Site, explanation: str, reason: str, when: tuple[int, int]
) -> None:
    """They are isolated, looked at, and released."""
    product = next(each for each in PRODUCTS if each.gtin == lot.gtin)

    def explain(at: datetime) -> None:
        fridge = agenda.fridge(site, product, at)
        body = {**_explained(site.code, lot, explanation, reason), "appliance": fridge}
        _send(agenda, f"explain-{explanation}-{lot.batch}", at, body, key)

    def release(at: datetime) -> None:
        body = {**about(site.code, lot), "doses": lot.doses, "reason": "the logger of its box was read: 2 to 8 degrees"}
        agenda.send(f"release-{explanation}-{lot.batch}", at, "/releases", body)
        agenda.shelves[site.code].put([lot])

    agenda.plan(agenda.clock(*when), explain)
    agenda.plan(agenda.clock(*when) + _LOOKED_AT, release)


def _plan_lost(agenda: Agenda, key: str, lot: Lot) -> None:
    reason = "not in the van, at the site or in the cold room; reported"
    body = _explained(COUNTY, lot, "lost", reason)
    agenda.plan(agenda.clock(15), lambda at: _send(agenda, f"explain-lost-{lot.batch}", at, body, key))


def _explained(facility: str, lot: Lot, explanation: str, reason: str) -> dict[str, object]:
    return {**about(facility, lot), "doses": lot.doses, "explanation": explanation, "reason": reason}


def _send(agenda: Agenda, name: str, at: datetime, body: dict[str, object], key: str) -> None:
    agenda.send(name, at, "/shipments/{shipment}/explanations", body, follows=key)
