"""A small batch comes in the morning, is recalled by the manufacturer in the afternoon, and goes all the way back."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from coldtrail.demo.county import CITY, COLD_ROOMS, COUNTY, SINGLE, SUPPLIER, TRUCK_LOGGERS, Site, gateway
from coldtrail.demo.steps import Lot, Trip
from coldtrail.demo.story import records
from coldtrail.demo.story.agenda import Agenda, about, line_of
from coldtrail.demo.story.closing import send_up, take_up
from coldtrail.demo.story.goods import receive, to_county
from coldtrail.demo.supply import new_lot
from coldtrail.demo.tokens import SUPERVISOR

_DOSES = 40
_REASON = "recalled by the manufacturer: a wrong label was found in the batch"
_RECALLED = {"held": True, "reason": _REASON}
_FROM_SITE, _FROM_COUNTY = timedelta(minutes=25), timedelta(minutes=11)


def plan_recall(agenda: Agenda) -> None:
    """The batch goes on with the county's trip at noon; what is left of it at half past three is held everywhere."""
    if not agenda.trouble.recall:
        return
    lot = new_lot(SINGLE, agenda.day, _DOSES, "R")
    agenda.plan(agenda.clock(9), partial(receive, agenda, lot))
    agenda.plan(agenda.clock(9, 10), partial(to_county, agenda, "small", [lot]))
    agenda.plan(agenda.clock(15, 30), partial(_recall, agenda, lot))


def _recall(agenda: Agenda, lot: Lot, at: datetime) -> None:
    """Only a supervisor may; the hold reaches every fridge by itself, and the doses start on their way back."""
    agenda.send("recall", at, "/recalls", {**about(COUNTY, lot), "reason": _REASON}, holder=SUPERVISOR)
    left = {code: there for code, shelf in agenda.shelves.items() if (there := shelf.find(lot)) and there.doses}
    for code, there in left.items():
        agenda.shelves[code].withdraw(lot, there.doses)
    total = replace(lot, doses=sum(there.doses for there in left.values()))
    for site in agenda.county.sites:
        if site.code in left:
            agenda.plan(agenda.clock(16), partial(_up, agenda, site, left[site.code]))
    if total.doses:
        agenda.plan(agenda.clock(17), partial(_to_city, agenda, total))
        agenda.plan(agenda.clock(17, 30), partial(_to_supplier, agenda, total))


def _up(agenda: Agenda, site: Site, lot: Lot, leaves: datetime) -> None:
    key = send_up(agenda, "recalled", site, [lot], leaves, **_RECALLED)
    agenda.plan(leaves + _FROM_SITE, partial(take_up, agenda, "recalled", key, site, leaves))


def _to_city(agenda: Agenda, lot: Lot, leaves: datetime) -> None:
    comes, logger = leaves + _FROM_COUNTY, TRUCK_LOGGERS[0]
    body = _returned(COUNTY, lot) | {
        "sensors": [logger],
        "transport": records.departure(records.CITY_TRUCK, logger, leaves, comes),
    }
    key = agenda.send(f"return-{COUNTY}", leaves, "/returns", body)

    def arrive(at: datetime) -> None:
        arrival = {"appliance": COLD_ROOMS[CITY], "transport": records.arrival(logger, at, CITY)}
        trip = Trip((logger,), leaves, at, gateway(CITY))
        path = "/shipments/{shipment}/receipts"
        agenda.send(f"arrival-{CITY}", at, path, arrival, holder=CITY, follows=key, trip=trip)

    agenda.plan(comes, arrive)


def _to_supplier(agenda: Agenda, lot: Lot, at: datetime) -> None:
    agenda.send(f"return-{CITY}", at, "/returns", _returned(CITY, lot) | {"to_facility": SUPPLIER})


def _returned(facility: str, lot: Lot) -> dict[str, object]:
    return {"facility": facility, "lines": [line_of(lot)], **_RECALLED}
