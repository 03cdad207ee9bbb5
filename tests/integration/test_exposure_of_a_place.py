"""What a place's evidence says, and what it must not: time before a watch, time without one, doses counted twice."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from uuid import UUID

import pytest

from inventory.persistence.database import Database
from inventory.services import monitoring
from inventory.services.administrations import AdministrationOrder, administer
from inventory.services.deliveries import ArrivalLine, ArrivalOrder, receive_shipment
from inventory.services.excursions import list_excursions
from inventory.services.impact import excursion_impact
from inventory.services.posting import Request
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, dispatch
from inventory.services.trails import Stage, administration_trail
from tests.county import COOL, EXPIRY, HOUR, MINUTE, NOW, ONE, PAPERS, County, build, series

LEAVES = NOW - 6 * HOUR


@pytest.fixture
def county(database_url: str) -> Iterator[County]:
    """A county that no other test has moved doses in."""
    with closing(Database(database_url)) as database:
        yield build(database)


class Staff:
    """An admin who does what the day asks, each with a key of its own."""

    def __init__(self, county: County) -> None:
        self.county = county
        self.done = 0

    @property
    def database(self) -> Database:
        return self.county.database

    def request(self) -> Request:
        self.done += 1
        return Request(self.county.actor("admin"), NOW, f"request-{self.done}")

    def receive(self, doses: int) -> None:
        order = ReceiptOrder("COUNTY", "MAKER", ONE, "B1", EXPIRY, doses, "COUNTY-ROOM", NOW - 9 * HOUR, PAPERS, COOL)
        receive_goods(self.database, self.request(), order)

    def arrive(self, shipment: UUID, doses: int, hours: int) -> None:
        order = ArrivalOrder(
            shipment, "A-FRIDGE", LEAVES + hours * HOUR, (ArrivalLine(ONE, "B1", doses),), transport=COOL
        )
        receive_shipment(self.database, self.request(), order)

    def give(self, doses: int) -> list[Stage]:
        """Give doses now; the stages of the last of them."""
        order = AdministrationOrder("SITE-A", ONE, "B1", doses, NOW)
        given = administer(self.database, self.request(), order)
        return list(administration_trail(self.database, given.events[0].id).chains[-1].stages)


def send_out(staff: Staff, doses: int) -> UUID:
    order = DispatchOrder("COUNTY", "SITE-A", LEAVES, (Line(ONE, "B1", doses),), ("S-BOX",))
    shipment = dispatch(staff.database, staff.request(), order).shipment
    assert shipment is not None
    return shipment


def test_what_a_logger_saw_before_its_trip_says_nothing_of_the_doses(county: County) -> None:
    staff = Staff(county)
    staff.receive(10)
    desk = series("S-BOX", LEAVES - 60 * MINUTE, [2500] * 12)
    trip = series("S-BOX", LEAVES + 2 * MINUTE, [500] * 13)
    monitoring.record(county.database, [desk, trip], NOW)
    staff.arrive(send_out(staff, 10), 10, 1)
    (_, transit, _) = staff.give(1)
    (logger,) = transit.evidence.sensors
    assert logger.exposure.above == timedelta()
    assert (logger.exposure.highest, transit.evidence.unseen) == (500, 2 * MINUTE)
    assert [each.rule for each in transit.evidence.excursions] == []


def test_time_without_a_watch_is_unseen(county: County) -> None:
    staff = Staff(county)
    staff.receive(10)
    shipment = send_out(staff, 10)
    monitoring.record(county.database, [series("S-BOX", LEAVES, [500] * 13)], NOW)
    staff.arrive(shipment, 4, 1)
    staff.arrive(shipment, 6, 4)
    (_, transit, _) = staff.give(10)
    assert transit.until - transit.custody.opened_by.occurred_at == 4 * HOUR
    assert transit.evidence.unseen == 3 * HOUR


def test_a_trip_of_a_logger_that_never_spoke_is_a_silence(county: County) -> None:
    staff = Staff(county)
    staff.receive(10)
    staff.arrive(send_out(staff, 10), 10, 2)
    (silence,) = list_excursions(county.database, "S-BOX", True, None, 10).items
    assert (silence.rule, silence.started_at, silence.ended_at) == ("SILENCE", LEAVES, LEAVES + 2 * HOUR)


def test_doses_that_came_back_into_the_same_room_count_once(county: County) -> None:
    staff = Staff(county)
    staff.receive(10)
    monitoring.record(county.database, [series("S-COUNTY", LEAVES - 60 * MINUTE, [1200] * 60)], NOW)
    away = dispatch(
        county.database, staff.request(), DispatchOrder("COUNTY", "CITY", LEAVES, (Line(ONE, "B1", 10),))
    ).shipment
    assert away is not None
    receive_shipment(
        county.database, staff.request(), ArrivalOrder(away, "CITY-ROOM", LEAVES + 10 * MINUTE, transport=COOL)
    )
    order = DispatchOrder("CITY", "COUNTY", LEAVES + 20 * MINUTE, (Line(ONE, "B1", 10),))
    back = dispatch(county.database, staff.request(), order).shipment
    assert back is not None
    home = ArrivalOrder(back, "COUNTY-ROOM", LEAVES + 30 * MINUTE, transport=COOL)
    receive_shipment(county.database, staff.request(), home)
    found = list_excursions(county.database, "S-COUNTY", True, None, 10).items
    (warm,) = [each for each in found if each.rule == "HOT"]
    impact = excursion_impact(county.database, warm.id)
    assert (impact.doses, impact.fate.on_hand, len(impact.custodies)) == (10, 10, 1)
