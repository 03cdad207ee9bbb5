"""The tree of a batch: its sums, its clocks, its branches and its pages, now and as it was known."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from inventory.domain.deadlines import RuleName, Status
from inventory.domain.errors import Code, ColdtrailError
from inventory.domain.words import Chosen, End
from inventory.persistence.database import Database
from inventory.services import monitoring
from inventory.services.administrations import AdministrationOrder, administer
from inventory.services.as_of import AsOf
from inventory.services.corrections import CorrectionOrder, correct
from inventory.services.deliveries import ArrivalLine, ArrivalOrder, receive_shipment
from inventory.services.posting import Request
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, dispatch
from inventory.services.trails import BatchTrail, Branches, administration_trail, batch_trail
from tests.county import COOL, EXPIRY, HOUR, MINUTE, NOW, ONE, PAPERS, County, build, series
from tests.services import Template

BEGAN, LEFT, CAME = NOW - 60 * HOUR, NOW - 50 * HOUR, NOW - 48 * HOUR
LATER = NOW + HOUR


class Staff:
    """An admin who does what is asked, each with a key of its own; what is posted is recorded at `now`."""

    def __init__(self, county: County) -> None:
        self.county, self.done, self.now = county, 0, NOW

    @property
    def database(self) -> Database:
        return self.county.database

    def request(self) -> Request:
        self.done += 1
        return Request(self.county.actor("admin"), self.now, f"request-{self.done}")

    def receive(self, batch: str, doses: int, at: datetime) -> None:
        order = ReceiptOrder("COUNTY", "MAKER", ONE, batch, EXPIRY, doses, "COUNTY-ROOM", at, PAPERS, COOL)
        receive_goods(self.database, self.request(), order)

    def send(self, batch: str, site: str, doses: int, at: datetime, sensors: tuple[str, ...] = ()) -> UUID:
        order = DispatchOrder("COUNTY", site, at, (Line(ONE, batch, doses),), sensors)
        shipment = dispatch(self.database, self.request(), order).shipment
        assert shipment is not None
        return shipment

    def arrive(self, batch: str, shipment: UUID, fridge: str, doses: int, at: datetime) -> None:
        order = ArrivalOrder(shipment, fridge, at, (ArrivalLine(ONE, batch, doses),), transport=COOL)
        receive_shipment(self.database, self.request(), order)

    def give(self, batch: str, site: str, doses: int, at: datetime) -> UUID:
        order = AdministrationOrder(site, ONE, batch, doses, at)
        return administer(self.database, self.request(), order).events[0].id

    def trail(self, batch: str, **wanted: Any) -> BatchTrail:
        return batch_trail(self.database, ONE, batch, self.now, Branches(**wanted))


@pytest.fixture(scope="module")
def staff(database_template: Template) -> Iterator[Staff]:
    """Batch B1: 100 to the county; 40 to site A, of which 30 arrive, 3 are given in time and 2 late; 10 to site B."""
    with database_template.clone() as url, closing(Database(url)) as database:
        found = Staff(build(database))
        found.receive("B1", 100, BEGAN)
        first, second = found.send("B1", "SITE-A", 40, LEFT), found.send("B1", "SITE-B", 10, LEFT)
        found.arrive("B1", first, "A-FRIDGE", 30, CAME)
        found.arrive("B1", second, "B-FRIDGE", 10, CAME)
        found.give("B1", "SITE-A", 3, CAME + HOUR)
        found.give("B1", "SITE-A", 2, CAME + 30 * HOUR)
        monitoring.record(database, [series("S-A", NOW - 12 * HOUR, [500] * 12 + [900] * 24 + [500] * 60)], NOW)
        yield found


def parts(trail: BatchTrail) -> int:
    return sum(
        (
            trail.on_hand,
            trail.in_quarantine,
            trail.in_transit,
            trail.unexplained,
            trail.administered,
            trail.wasted,
            trail.returned,
            trail.missing,
        )
    )


def test_every_dose_is_somewhere(staff: Staff) -> None:
    trail = staff.trail("B1")
    assert (trail.received, trail.on_hand, trail.administered, trail.unexplained, trail.in_transit) == (
        100,
        85,
        5,
        10,
        0,
    )
    assert trail.received + trail.found == parts(trail)
    assert trail.next is None


def test_a_clock_says_how_many_doses_met_it_and_how_many_were_late(staff: Staff) -> None:
    (at_a,) = [line for line in staff.trail("B1").custodies if line.place.appliance == "A-FRIDGE"]
    (use,) = [clock for clock in at_a.deadlines if clock.name is RuleName.USE]
    assert (use.status, use.doses_left, use.doses_met, use.doses_late) == (Status.MISSED, 25, 3, 2)
    assert at_a.ended == ((End.ADMINISTERED, 5),)
    (store,) = [line for line in staff.trail("B1").custodies if line.parent is None]
    (deliver,) = store.deadlines
    assert (deliver.doses_left, deliver.doses_met, deliver.status) == (50, 0, Status.MISSED)
    (trip,) = [line for line in staff.trail("B1").custodies if line.place.to_facility == "SITE-B"]
    assert [(each.name, each.status, each.doses_met) for each in trip.deadlines] == [(RuleName.DELIVER, Status.MET, 10)]
    assert trip.emptied_at == CAME


def test_each_custody_has_what_was_seen_while_it_held_doses(staff: Staff) -> None:
    by_place = {line.place.appliance: line for line in staff.trail("B1").custodies}
    evidence = by_place["A-FRIDGE"].evidence
    assert evidence is not None
    (sensor,) = evidence.sensors
    assert (sensor.sensor, sensor.exposure.above, sensor.exposure.highest) == ("S-A", 2 * HOUR, 900)
    assert [each.rule for each in evidence.excursions if each.rule != "SILENCE"] == ["HOT"]
    assert by_place["B-FRIDGE"].evidence is not None
    assert by_place["B-FRIDGE"].evidence.unseen == NOW - CAME


def test_of_a_facility_the_chains_that_reach_it_are_told(staff: Staff) -> None:
    trail = staff.trail("B1", facility="SITE-B")
    assert [(line.place.facility or line.place.to_facility) for line in trail.custodies] == [
        "COUNTY",
        "SITE-B",
        "SITE-B",
    ]
    assert (trail.received, trail.on_hand) == (100, 85)
    with pytest.raises(ColdtrailError) as caught:
        staff.trail("B1", facility="NOWHERE")
    assert caught.value.code is Code.NOT_FOUND


def test_depth_cuts_the_tree_and_not_its_sums(staff: Staff) -> None:
    assert [len(staff.trail("B1", depth=depth).custodies) for depth in (0, 1, 2, 9)] == [1, 3, 5, 5]
    assert staff.trail("B1", depth=0).administered == 5


def test_pages_hold_every_custody_once_and_the_sums_of_all(staff: Staff) -> None:
    whole = [line.custody for line in staff.trail("B1").custodies]
    found, after = [], None
    for _ in range(3):
        page = staff.trail("B1", limit=2, after=after)
        found += [line.custody for line in page.custodies]
        assert page.received == 100
        after = page.next
    assert (found, after) == (whole, None)
    with pytest.raises(ColdtrailError) as caught:
        staff.trail("B1", after="bm9uZQ==")
    assert caught.value.code is Code.MALFORMED


def test_the_tree_is_told_as_it_was_at_an_instant(staff: Staff) -> None:
    before = staff.trail("B1", as_of=AsOf(at=LEFT + MINUTE))
    assert (before.received, before.on_hand, before.in_transit, before.unexplained) == (100, 50, 50, 0)
    assert len(before.custodies) == 3
    given = staff.trail("B1", as_of=AsOf(at=CAME + 2 * HOUR))
    assert (given.administered, given.on_hand, given.unexplained) == (3, 87, 10)
    assert parts(given) == 100
    assert staff.trail("B1", as_of=AsOf(at=BEGAN - HOUR)).custodies == ()


def test_what_was_recorded_late_was_not_known_before(staff: Staff) -> None:
    staff.now = NOW
    staff.receive("B2", 20, BEGAN)
    staff.now = LATER
    trip = staff.send("B2", "SITE-A", 5, LEFT)
    staff.arrive("B2", trip, "A-FRIDGE", 5, CAME)
    given = staff.give("B2", "SITE-A", 2, CAME + HOUR)
    staff.now = LATER + HOUR
    correct(staff.database, staff.request(), CorrectionOrder(given, staff.now, "slip"))
    known = [staff.trail("B2", as_of=AsOf(known_at=at)) for at in (NOW, LATER, staff.now)]
    staff.now = NOW
    assert [(each.on_hand, each.administered, len(each.custodies)) for each in known] == [
        (20, 0, 1),
        (18, 2, 3),
        (20, 0, 3),
    ]
    assert [parts(each) for each in known] == [20, 20, 20]


def test_a_picked_dose_is_told_with_the_worst_that_it_may_have_been_through(staff: Staff) -> None:
    staff.now = NOW
    staff.receive("B3", 20, NOW - 10 * HOUR)
    cold, warm = NOW - 8 * HOUR, NOW - 7 * HOUR
    for box, at, temperature in (("S-BOX", cold, 500), ("S-BOX-2", warm, 1500)):
        trip = staff.send("B3", "SITE-A", 5, at, (box,))
        monitoring.record(staff.database, [series(box, at, [temperature] * 13)], NOW)
        staff.arrive("B3", trip, "A-FRIDGE", 5, at + 30 * MINUTE)
    (chain,) = administration_trail(staff.database, staff.give("B3", "SITE-A", 1, NOW - HOUR)).chains
    assert chain.chosen is Chosen.PICKED
    assert chain.doubt is not None
    mine = [stage.custody.custody for stage in chain.stages]
    others = {
        line.custody
        for line in staff.trail("B3").custodies
        if line.custody not in mine and line.place.appliance != "COUNTY-ROOM"
    }
    assert set(chain.doubt.custodies) == others
    assert chain.doubt.highest.value == 1500
    assert chain.doubt.highest.custody in others
    assert chain.doubt.above.value == chain.exposure.above + 30 * MINUTE
    assert chain.budgets == ()
