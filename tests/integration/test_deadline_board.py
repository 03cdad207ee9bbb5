"""The countdown board: what it says follows from the facts and from now."""

from typing import Any

from tests.county import HOUR, MINUTE, NOW, ONE
from tests.http import Client, Server
from tests.orders import administration, arrival, at_county, at_site, dispatch, new_batch, receipt, stated

RECEIVED, ARRIVED = NOW - 3 * HOUR, NOW - HOUR


def lines(client: Client, batch: str, **query: str) -> list[Any]:
    return [each for each in client.get("/deadlines", limit=1000, **query).items if each["batch"] == batch]


def statuses(server: Server, batch: str) -> set[str]:
    """Every status under which the batch is listed."""
    known = ("open", "due-soon", "missed", "met")
    listed = {status: lines(server.client, batch, status=status) for status in known}
    assert all(each["status"] == status for status, found in listed.items() for each in found)
    return {status for status, found in listed.items() if found}


def test_what_came_from_a_supplier_is_to_be_delivered_within_24_hours(client: Client) -> None:
    batch = at_county(client, 10)
    (line,) = lines(client, batch)
    assert (line["name"], line["rule_set"], line["status"], line["doses_left"]) == ("deliver", "double-24", "open", 10)
    assert (line["opened_at"], line["due_at"]) == ("2026-01-05T01:00:00Z", "2026-01-06T01:00:00Z")
    assert line["minutes_left"] == 21 * 60


def test_a_clock_is_open_then_due_soon_then_missed(server: Server) -> None:
    batch = at_county(server.client)
    due = RECEIVED + 24 * HOUR
    for at, expected in (
        (due - 6 * HOUR, "open"),
        (due - 6 * HOUR + MINUTE, "due-soon"),
        (due, "due-soon"),
        (due + MINUTE, "missed"),
    ):
        server.clock.at = at
        assert statuses(server, batch) == {expected}
    (line,) = lines(server.client, batch)
    assert line["minutes_left"] == -1


def test_the_delivery_clock_goes_with_the_doses_and_ends_at_the_site(server: Server) -> None:
    batch = new_batch()
    server.client.post("/receipts", receipt(batch, 10)).ok()
    to_county = dispatch(batch, 10, from_facility="CITY", to_facility="COUNTY")
    first = server.client.post("/shipments", to_county).ok()["shipment"]
    (on_the_road,) = lines(server.client, batch)
    there = arrival(appliance="COUNTY-ROOM")
    server.client.post(f"/shipments/{first}/receipts", there).ok()
    (in_store,) = lines(server.client, batch)
    for line in (on_the_road, in_store):
        assert (line["name"], line["opened_at"]) == ("deliver", stated(RECEIVED).replace("+00:00", "Z"))
    assert in_store["place"]["appliance"] == "COUNTY-ROOM"
    assert statuses(server, batch) == {"open"}


def test_at_the_site_the_clock_of_use_begins_anew(client: Client) -> None:
    batch = at_site(client, 10)
    (line,) = lines(client, batch)
    assert (line["name"], line["opened_at"], line["doses_left"]) == ("use", "2026-01-05T03:00:00Z", 10)
    (met,) = lines(client, batch, status="met")
    assert (met["name"], met["doses_left"], met["doses_met"], met["doses_late"]) == ("deliver", 0, 10, 0)


def test_doses_that_are_given_in_time_meet_the_rule(server: Server) -> None:
    batch = at_site(server.client, 10)
    server.client.post("/administrations", administration(batch, 4)).ok()
    (line,) = lines(server.client, batch)
    assert (line["doses_left"], line["doses_met"], line["status"]) == (6, 4, "open")
    server.client.post("/administrations", administration(batch, 6)).ok()
    assert lines(server.client, batch) == []
    assert statuses(server, batch) == {"met"}


def test_doses_that_arrive_late_have_missed_the_rule_and_it_stays_so(server: Server) -> None:
    batch = at_county(server.client, 10)
    shipment = server.client.post("/shipments", dispatch(batch)).ok()["shipment"]
    server.clock.at = RECEIVED + 30 * HOUR
    late = arrival(occurred_at=stated(RECEIVED + 25 * HOUR))
    server.client.post(f"/shipments/{shipment}/receipts", late).ok()
    (line,) = lines(server.client, batch, status="missed")
    assert (line["name"], line["doses_left"], line["doses_met"], line["doses_late"]) == ("deliver", 0, 0, 10)


def test_a_late_entry_of_timely_doses_turns_missed_into_met(server: Server) -> None:
    batch = at_site(server.client, 10)
    server.clock.at = ARRIVED + 30 * HOUR
    assert "missed" in statuses(server, batch)
    in_time = administration(batch, 10, occurred_at=stated(ARRIVED + 23 * HOUR))
    server.client.post("/administrations", in_time).ok()
    assert statuses(server, batch) == {"met"}


def test_doses_met_and_doses_late_are_told_apart(server: Server) -> None:
    batch = at_site(server.client, 10)
    server.clock.at = ARRIVED + 30 * HOUR
    for doses, hours in ((4, 23), (3, 24), (2, 25)):
        given = administration(batch, doses, occurred_at=stated(ARRIVED + hours * HOUR))
        server.client.post("/administrations", given).ok()
    (line,) = [each for each in lines(server.client, batch, status="missed") if each["name"] == "use"]
    assert (line["doses_left"], line["doses_met"], line["doses_late"]) == (1, 7, 2)


def test_doses_that_came_late_from_a_city_elsewhere_bring_their_clock(client: Client) -> None:
    began = NOW - 20 * HOUR
    batch = at_county(client, delivery_clock_began_at=stated(began))
    (line,) = lines(client, batch)
    assert line["minutes_left"] == 4 * 60
    assert line["status"] == "due-soon"


def test_the_board_of_a_facility_shows_its_own(client: Client) -> None:
    batch = at_site(client)
    assert lines(client, batch, facility="SITE-A")
    assert not lines(client, batch, facility="SITE-B")


def test_the_doses_whose_clock_ends_first_are_taken_first(client: Client) -> None:
    batch = new_batch()
    place = {"facility": "COUNTY", "appliance": "COUNTY-ROOM"}
    client.post("/receipts", receipt(batch, 5, **place, occurred_at=stated(NOW - 4 * HOUR))).ok()
    upstream = stated(NOW - 20 * HOUR)
    urgent = receipt(batch, 5, **place, delivery_clock_began_at=upstream)
    custody = client.post("/receipts", urgent).ok()["events"][0]["movements"][0]["to_custody"]
    (movement,) = client.post("/shipments", dispatch(batch, 5)).ok()["events"][0]["movements"]
    assert movement["from_custody"] == custody
    assert client.get(f"/batches/{ONE}/{batch}/trail").ok()["on_hand"] == 5
