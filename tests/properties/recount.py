"""The compliance table and the bulletin once more, in plain Python, from every movement that was ever written."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from inventory.domain.deadlines import RuleName
from inventory.domain.words import End, EventKind, Origin
from inventory.persistence import tables
from inventory.persistence.database import Database

Tally = dict[str, Any]


@dataclass
class Ledger:
    """All rows of the ledger by their ids."""

    events: dict[UUID, Any]
    custodies: dict[UUID, Any]
    movements: list[Any]
    clocks: dict[tuple[UUID, RuleName], datetime]
    places: dict[UUID, tuple[str | None, UUID | None]]
    facilities: dict[UUID, Any]
    shipments: dict[UUID, Any]

    def facility_of(self, custody: UUID | None) -> str | None:
        """The code of the facility that holds a custody; none for what is on its way, or nowhere."""
        return self.places[self.custodies[custody].location_id][0] if custody else None

    def day(self, facility: Any, at: datetime) -> date:
        """The civil day of an instant at a facility."""
        return at.astimezone(ZoneInfo(facility.zone)).date()


def read(database: Database) -> Ledger:
    """Everything that is in the database."""
    with database.read() as session:

        def rows(table: Any) -> list[Any]:
            return list(session.scalars(select(table)))

        facilities = {each.id: each for each in rows(tables.Facility)}
        appliances = {each.id: facilities[each.facility_id].code for each in rows(tables.Appliance)}
        return Ledger(
            {each.id: each for each in rows(tables.StockEvent)},
            {each.id: each for each in rows(tables.Custody)},
            rows(tables.Movement),
            {(each.custody_id, each.name): each.due_at for each in rows(tables.Deadline)},
            {each.id: (appliances.get(each.appliance_id), each.shipment_id) for each in rows(tables.Location)},
            facilities,
            {each.id: each for each in rows(tables.Shipment)},
        )


def nothing() -> Tally:
    """A cell in which nothing happened."""
    return defaultdict(int) | {"wasted_by_reason": Counter(), "lateness": defaultdict(list)}


def table(ledger: Ledger) -> dict[tuple[str, date], Tally]:
    """Every cell of the compliance table: corrections are what they are, the same doses once more, negative."""
    cells: dict[tuple[str, date], Tally] = defaultdict(nothing)
    reversed_ids = {event.reverses_id for event in ledger.events.values() if event.reverses_id}
    for line in ledger.movements:
        event = ledger.events[line.event_id]
        original = ledger.events[event.reverses_id] if event.reverses_id else event
        facility = ledger.facilities[event.facility_id]
        cell = cells[facility.code, ledger.day(facility, line.occurred_at)]
        stands = event.reverses_id is None and event.id not in reversed_ids
        for name, clock in figures(ledger, original, line):
            if name == "wasted":
                cell["wasted_by_reason"][original.cause] += line.doses
            else:
                cell[name] += line.doses
            due = ledger.clocks.get((line.from_custody_id, clock)) if clock else None
            if due is not None:
                timing = CLOCKED[name]
                cell[f"{timing}_late" if line.occurred_at > due else f"{timing}_in_time"] += line.doses
                if line.occurred_at > due and stands:
                    seconds = int(line.occurred_at.timestamp()) - int(due.timestamp())
                    cell["lateness"][timing].append((line.doses, seconds))
    for custody in ledger.custodies.values():
        shipment = ledger.shipments.get(ledger.places[custody.location_id][1])  # type: ignore[arg-type]
        if shipment is not None and shipment.arrived_at is not None:
            receiver = ledger.facilities[shipment.to_facility_id]
            cells[receiver.code, ledger.day(receiver, shipment.arrived_at)]["unexplained"] += custody.remaining
    return cells


CLOCKED = {
    "received": "delivered",
    "dispatched": "forwarded",
    "administered": "used",
    "wasted": "left",
    "returned": "left",
    "missing": "left",
}
"""How the clock is called that each figure's doses may be under."""


def figures(ledger: Ledger, event: Any, line: Any) -> Iterator[tuple[str, RuleName | None]]:
    """The figures that doses count in by where they came from and went to, and the clock that this may have met."""
    facility = ledger.facilities[event.facility_id]
    source, target = ledger.facility_of(line.from_custody_id), ledger.facility_of(line.to_custody_id)
    at_home = RuleName.USE if facility.kind.is_site else RuleName.FORWARD
    if line.end_kind is not None:
        name = "administered" if line.end_kind is End.ADMINISTERED else line.end_kind.value
        yield name, at_home
        if name == "wasted" and source is None:
            yield "wasted_on_the_way", None
    elif target and ledger.custodies[line.to_custody_id].origin is Origin.FOUND:
        yield "found", None
    elif target and source is None:
        yield "received", RuleName.DELIVER if facility.kind.is_site else None
    elif source and target is None and event.kind is EventKind.RETURN:
        yield "returned", at_home
    elif source and target is None and event.kind is EventKind.DISPATCH:
        yield ("transferred", None) if facility.kind.is_site else ("dispatched", at_home)


def stock(ledger: Ledger, site: str, until: datetime) -> dict[UUID, int]:
    """What each custody of a site held of doses that had come before an instant, less what had gone."""
    held: dict[UUID, int] = defaultdict(int)
    for line in ledger.movements:
        if line.occurred_at < until:
            for custody, sign in ((line.to_custody_id, 1), (line.from_custody_id, -1)):
                if custody and ledger.facility_of(custody) == site:
                    held[custody] += sign * line.doses
    return held


def midnight(day: date, zone: str) -> datetime:
    """When a civil day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))


def at_risk(ledger: Ledger, site: str, at: datetime, within: timedelta) -> tuple[int, int]:
    """Doses of a site under a clock of use that had ended, or would within a time."""
    overdue = soon = 0
    for custody, doses in stock(ledger, site, at + datetime.resolution).items():
        due = ledger.clocks.get((custody, RuleName.USE))
        if due is not None:
            overdue += doses if due < at else 0
            soon += doses if at <= due < at + within else 0
    return overdue, soon
