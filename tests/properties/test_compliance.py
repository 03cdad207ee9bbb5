"""The compliance table and the bulletin are a recount of the movements: any days, zones, corrections, late entries."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inventory.domain.compliance import By, Timeliness
from inventory.domain.errors import ColdtrailError
from inventory.domain.transport import TransportRecord
from inventory.domain.words import Explanation, Outcome, Paper, WasteReason
from inventory.persistence.database import Database
from inventory.persistence.tables import HOLDS, Custody, Facility, Location, RuleAssignment, Shipment
from inventory.services.administrations import AdministrationOrder, administer
from inventory.services.bulletins import AT_RISK, bulletin
from inventory.services.compliance import ComplianceLine, report
from inventory.services.corrections import CorrectionOrder, correct
from inventory.services.counts import CountOrder
from inventory.services.counts import count as count_doses
from inventory.services.deliveries import ArrivalLine, ArrivalOrder, receive_shipment
from inventory.services.ids import new_id
from inventory.services.posting import Posted, Request
from inventory.services.quarantine import HoldOrder, hold
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, ReturnOrder, dispatch, return_doses
from inventory.services.shortfalls import ExplanationOrder, explain
from inventory.services.wastages import WastageOrder, waste
from tests.counties import CountyTemplate
from tests.county import HOUR, ONE, County
from tests.properties import recount

ZONES = {
    "CITY": "Asia/Shanghai",
    "COUNTY": "Asia/Kolkata",
    "SITE-A": "America/New_York",
    "SITE-B": "Australia/Lord_Howe",
}
"""Half hours, and days of 23 and of 25 hours; where one has them differs."""
FRIDGE = {"CITY": "CITY-ROOM", "COUNTY": "COUNTY-ROOM", "SITE-A": "A-FRIDGE", "SITE-B": "B-FRIDGE"}
STORES, SITES = ("CITY", "COUNTY"), ("SITE-A", "SITE-B")
SPRING, AUTUMN = datetime(2026, 3, 8, 12, tzinfo=UTC), datetime(2026, 11, 1, 12, tzinfo=UTC)
"""Within the days on which New York puts its clocks forward, and back."""
BATCH, EXPIRY = "B", date(2028, 1, 1)
PAPERS = (Paper.LOT_RELEASE, Paper.DELIVERY_NOTE, Paper.TEMPERATURE_RECORD)
COOL = TransportRecord(arrival_temperature=500)

Step = tuple[str, str, int, int, timedelta]

EDGES = [recount.midnight(centre.date() + timedelta(days=days), zone) - centre
         for centre in (SPRING, AUTUMN) for zone in ZONES.values() for days in (0, 1)]  # fmt: skip
BESIDE = st.sampled_from([timedelta(0), timedelta(seconds=-1), timedelta(microseconds=1), timedelta(minutes=7)])
TIMES = st.builds(
    lambda at, beside: at + beside,
    st.sampled_from(EDGES) | st.integers(-12, 60).map(lambda hours: hours * HOUR),
    BESIDE,
)
KINDS = (
    *["give"] * 3, *["arrive"] * 3, *["correct"] * 2, "waste", "waste_on_the_way", *["send"] * 2, "count", "send_back",
    "hand_on", *["explain"] * 2, "hold",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from([*SITES, *ZONES]), st.integers(1, 9), st.integers(0, 99), TIMES),
    min_size=10,
    max_size=40,
)


class Days:
    """A county to which some days happen; what the ledger refuses does not happen."""

    def __init__(self, county: County, centre: datetime) -> None:
        self.database, self.centre = county.database, centre
        self.actor = county.actor("admin")
        self.now = centre + timedelta(days=5)
        self.keys, self.done = count(), list[Any]()
        self.shipments: list[UUID] = []
        self.database.write(self._zones)
        self._stock_up()

    def _zones(self, session: Session) -> None:
        for code, zone in ZONES.items():
            session.execute(update(Facility).where(Facility.code == code).values(zone=zone))
        half_way = self.centre + 6 * HOUR
        session.add(RuleAssignment(id=new_id(), rule_set="no-overnight", effective_from=half_way))

    def _stock_up(self) -> None:
        for store in STORES:
            for doses, hours in ((100, -20), (400, 7)):
                at = self.centre + hours * HOUR
                order = ReceiptOrder(store, "MAKER", ONE, BATCH, EXPIRY, doses, FRIDGE[store], at, PAPERS, COOL)
                self.post(receive_goods, order)
        for hours in (-14, 8):
            for site in SITES:
                self.send(site, 20, 0, self.centre + hours * HOUR)
                self.send(site, 40, 1, self.centre + hours * HOUR)
                self.arrive(site, 9, len(self.shipments) - 1, self.centre + (hours + 1) * HOUR)

    def post(self, service: Callable[..., Posted], order: object) -> None:
        try:
            posted = service(self.database, Request(self.actor, self.now, f"c-{next(self.keys)}"), order)
        except ColdtrailError:
            return
        self.done += posted.events
        new = [posted.shipment, posted.return_shipment]
        self.shipments += [each for each in new if each and each not in self.shipments]

    def happen(self, steps: Sequence[Step]) -> None:
        for kind, place, doses, which, at in steps:
            getattr(self, kind)(place, doses, which, self.centre + at)

    def where(self, place: str, doses: int, at: datetime) -> dict[str, Any]:
        return {"facility": place, "gtin": ONE, "batch": BATCH, "doses": doses, "occurred_at": at}

    def give(self, place: str, doses: int, which: int, at: datetime) -> None:
        self.post(administer, AdministrationOrder(site(place, which), ONE, BATCH, doses, at))

    def waste(self, place: str, doses: int, which: int, at: datetime) -> None:
        cause = list(WasteReason)[which % 6]
        self.post(waste, WastageOrder(**self.where(place, doses, at), cause=cause, held=which % 4 == 0))

    def waste_on_the_way(self, _: str, doses: int, which: int, at: datetime) -> None:
        shipment, receiver = self.shipment(which)
        self.post(waste, WastageOrder(**self.where(receiver, doses, at), cause=WasteReason.BROKEN, shipment=shipment))

    def send(self, place: str, doses: int, which: int, at: datetime) -> None:
        self.post(dispatch, DispatchOrder(STORES[which % 2], place, at, (Line(ONE, BATCH, doses),)))

    def hand_on(self, place: str, doses: int, which: int, at: datetime) -> None:
        ways = site(place, which), site(place, which + 1)
        self.post(dispatch, DispatchOrder(*(ways if ways[0] != ways[1] else SITES), at, (Line(ONE, BATCH, doses),)))

    def arrive(self, _: str, doses: int, which: int, at: datetime) -> None:
        """In parts: some whole, some damaged, some refused, some too many."""
        shipment, receiver = self.shipment(which)
        line = ArrivalLine(ONE, BATCH, doses, damaged=which % 3, refused=which % 2, surplus=int(which % 5 == 0))
        lines = () if doses == 9 else (line,)
        outcome = Outcome.HOLD if which % 7 == 0 else Outcome.ACCEPT
        self.post(receive_shipment, ArrivalOrder(shipment, FRIDGE[receiver], at, lines, outcome, "so", COOL))

    def shipment(self, which: int, *, arrived: bool = False) -> tuple[UUID, str]:
        """One of the shipments with doses on their way, of those that arrived if that is said, and who receives it."""
        query = select(Shipment.id).join(Location).join(Custody).where(HOLDS).distinct()
        if arrived:
            query = query.where(Shipment.arrived_at.is_not(None))
        with self.database.read() as session:
            found = sorted(session.scalars(query)) or self.shipments
            shipment = found[which % len(found)]
            return shipment, session.get_one(Facility, session.get_one(Shipment, shipment).to_facility_id).code

    def count(self, place: str, doses: int, which: int, at: datetime) -> None:
        """What is there, a few more or a few less."""
        held = recount.stock(recount.read(self.database), place, at)
        counted = max(0, sum(held.values()) + doses - which % 10)
        self.post(count_doses, CountOrder(place, FRIDGE[place], ONE, BATCH, counted, at, reason="counted"))

    def send_back(self, place: str, doses: int, which: int, at: datetime) -> None:
        to = "MAKER" if place in STORES and which % 2 else None
        self.post(return_doses, ReturnOrder(place, at, (Line(ONE, BATCH, doses),), "too many", to))

    def explain(self, place: str, doses: int, which: int, at: datetime) -> None:
        shipment, receiver = self.shipment(which, arrived=True)
        what = list(Explanation)[which % 3]
        who = place if what is Explanation.MIS_SHIPPED else receiver
        self.post(explain, ExplanationOrder(shipment, who, ONE, BATCH, doses, what, at, "said so", FRIDGE[who]))

    def hold(self, place: str, doses: int, _: int, at: datetime) -> None:
        self.post(hold, HoldOrder(**self.where(place, doses, at), reason="looked at"))

    def correct(self, _: str, __: int, which: int, ___: datetime) -> None:
        self.post(correct, CorrectionOrder(self.done[-1 - which % len(self.done)].id, self.now, "wrong"))


def site(place: str, which: int) -> str:
    """The site that a place is, or one of them."""
    return place if place in SITES else SITES[which % 2]


def told(line: ComplianceLine) -> recount.Tally:
    """A line as the recount has it, without what is nothing."""
    names = ("received", "found", "dispatched", "administered", "transferred", "returned", "missing", "unexplained")
    found: recount.Tally = {name: getattr(line, name) for name in names}
    lateness = {}
    for name in ("delivered", "forwarded", "used", "left"):
        clock: Timeliness = getattr(line, name)
        found |= {f"{name}_in_time": clock.in_time, f"{name}_late": clock.late}
        lateness[name] = (clock.worst, clock.seconds)
    found = {name: doses for name, doses in found.items() if doses}
    return found | {"wasted": {k: v for k, v in line.wasted_by_reason.items() if v}, "lateness": lateness}


def expected(cells: Sequence[recount.Tally]) -> recount.Tally:
    """Several cells of the recount together, in the same form."""
    whole = recount.nothing()
    for cell in cells:
        for name, value in cell.items():
            if name == "lateness":
                for clock, lines in value.items():
                    whole[name][clock] += lines
            else:
                whole[name] += value
    lateness, wasted = whole.pop("lateness"), whole.pop("wasted_by_reason")
    whole.pop("wasted_on_the_way", None)  # the table does not tell it apart
    found = {name: doses for name, doses in whole.items() if doses}
    clocks = {
        name: (
            max((seconds for _, seconds in lateness[name]), default=0),
            sum(doses * seconds for doses, seconds in lateness[name]),
        )
        for name in ("delivered", "forwarded", "used", "left")
    }
    return found | {"wasted": {cause: doses for cause, doses in wasted.items() if doses}, "lateness": clocks}


NONE = expected([])


def check_the_table(database: Database, ledger: recount.Ledger, centre: datetime, now: datetime) -> None:
    first, last = centre.date() - timedelta(days=1), centre.date() + timedelta(days=2)
    cells = {key: cell for key, cell in recount.table(ledger).items() if first <= key[1] <= last}
    found = report(database, first, last, By.FACILITY_DAY, None, None, now)
    assert {(str(line.facility), line.day): told(line) for line in found.items if told(line) != NONE} == {
        key: expected([cell]) for key, cell in cells.items() if expected([cell]) != NONE
    }
    for line in report(database, first, last, By.FACILITY, None, "COUNTY", now).items:
        assert line.facility in SITES
        assert told(line) == expected([cell for (code, _), cell in cells.items() if code == line.facility])
    for line in report(database, first, last, By.DAY, "SITE-A", None, now).items:
        assert told(line) == expected([cells["SITE-A", line.day or first]])
    totals = ComplianceLine(**dict(found.totals.parts()))
    assert told(totals) == expected(list(cells.values()))


def check_the_bulletin(database: Database, ledger: recount.Ledger, at: datetime, now: datetime) -> None:
    found = bulletin(database, "COUNTY", at, now)
    assert [line.rank for line in found.items] == [1, 1 if found.items[0].used == found.items[1].used else 2]
    assert found.items[0].used >= found.items[1].used
    until = at + datetime.resolution
    for line in found.items:
        site, zone = str(line.facility), ZONES[str(line.facility)]
        assert line.day is not None
        begin = recount.midnight(line.day, zone)
        assert begin <= at
        before = recount.table(before_then(ledger, until))
        cell = before.get((site, line.day), recount.nothing())
        assert (line.used, line.received) == (cell["administered"], cell["received"])
        assert (line.used_late, line.delivered_late) == (cell["used_late"], cell["delivered_late"])
        assert line.wasted == cell["wasted_by_reason"].total()
        assert line.sent == cell["transferred"] + cell["returned"]
        assert (line.found, line.missing) == (cell["found"], cell["missing"])
        assert line.opening == sum(recount.stock(ledger, site, begin).values())
        assert line.held == sum(recount.stock(ledger, site, until).values())
        gone = line.used + line.wasted - cell["wasted_on_the_way"] + line.sent + line.missing
        assert line.held == line.opening + line.received + line.found - gone
        assert (line.overdue, line.at_risk) == recount.at_risk(ledger, site, at, AT_RISK)


def before_then(ledger: recount.Ledger, until: datetime) -> recount.Ledger:
    """The movements of what happened before an instant, with those that correct them."""
    movements = [line for line in ledger.movements if line.occurred_at < until]
    return recount.Ledger(
        ledger.events, ledger.custodies, movements, ledger.clocks, ledger.places, ledger.facilities, ledger.shipments
    )


def test_the_table_and_the_bulletin_are_a_recount_of_the_movements(any_county: CountyTemplate) -> None:
    few = {"sqlite": 25, "postgresql": 5}[any_county.engine]

    @settings(max_examples=few, deadline=None, suppress_health_check=list(HealthCheck))
    @given(centre=st.sampled_from([SPRING, AUTUMN]), steps=STEPS, asked=st.lists(TIMES, min_size=1, max_size=2))
    def holds(centre: datetime, steps: Sequence[Step], asked: Sequence[timedelta]) -> None:
        with any_county.fresh() as county:
            days = Days(county, centre)
            days.happen(steps)
            ledger = recount.read(county.database)
            check_the_table(county.database, ledger, centre, days.now)
            for at in asked:
                check_the_bulletin(county.database, ledger, centre + at, days.now)

    holds()
