"""What every way of leaving makes of a clock, as the board tells it."""

from typing import Any

import pytest

from tests.county import HOUR, MINUTE, NOW, ONE, TWO
from tests.http import Client, Server
from tests.orders import administration, arrival, at_county, at_site, dispatch, stated

ARRIVED = NOW - HOUR
Json = dict[str, Any]


def clock(client: Client, batch: str, name: str, place: str | None = None) -> tuple[int, int, int, int]:
    """Left, met, late and ended of the one clock of a name that has doses left, or that was met or missed."""
    found = {}
    for status in ("open", "due-soon", "missed", "met"):
        for line in client.get("/deadlines", limit=1000, status=status).items:
            if (line["batch"], line["name"]) == (batch, name) and place in {None, line["place"]["facility"]}:
                found[line["custody"]] = line
    (only,) = found.values()
    return only["doses_left"], only["doses_met"], only["doses_late"], only["doses_ended"]


def wastage(facility: str, batch: str, doses: int, **other: Any) -> Json:
    there = {"facility": facility, "gtin": ONE, "batch": batch, "doses": doses}
    return there | {"cause": "broken", "occurred_at": stated(NOW)} | other


def returned(facility: str, batch: str, doses: int, **other: Any) -> Json:
    lines = [{"gtin": ONE, "batch": batch, "doses": doses}]
    return {"facility": facility, "lines": lines, "reason": "too many", "occurred_at": stated(NOW)} | other


def count(facility: str, appliance: str, batch: str, counted: int) -> Json:
    there = {"facility": facility, "appliance": appliance, "gtin": ONE, "batch": batch, "counted": counted}
    return there | {"reason": "inventory", "occurred_at": stated(NOW)}


def test_a_site_meets_the_rule_with_whatever_leaves_but_for_what_is_missing(client: Client) -> None:
    batch = at_site(client, 10)
    client.post("/administrations", administration(batch, 1)).ok()
    client.post("/wastages", wastage("SITE-A", batch, 2)).ok()
    client.post("/returns", returned("SITE-A", batch, 3)).ok()
    client.post("/counts", count("SITE-A", "A-FRIDGE", batch, 3)).ok()
    assert clock(client, batch, "use") == (3, 6, 0, 1)


def test_a_store_meets_the_rule_of_delivery_only_by_what_comes_to_a_site(client: Client) -> None:
    batch = at_county(client, 20)
    client.post("/wastages", wastage("COUNTY", batch, 1)).ok()
    client.post("/returns", returned("COUNTY", batch, 2)).ok()
    client.post("/returns", returned("COUNTY", batch, 3, to_facility="MAKER")).ok()
    client.post("/counts", count("COUNTY", "COUNTY-ROOM", batch, 12)).ok()
    shipment = client.post("/shipments", dispatch(batch, 5, occurred_at=stated(NOW))).ok()["shipment"]
    assert clock(client, batch, "deliver", "COUNTY") == (7, 0, 0, 8)
    client.post(f"/shipments/{shipment}/receipts", arrival(occurred_at=stated(NOW))).ok()
    lines = client.get("/deadlines", status="met", limit=1000).items
    (met,) = [each for each in lines if (each["batch"], each["name"]) == (batch, "deliver")]
    assert (met["place"]["shipment"], met["doses_met"], met["doses_ended"]) == (shipment, 5, 0)


@pytest.mark.parametrize("way", ["/administrations", "/wastages", "/returns"])
def test_whatever_leaves_after_it_was_due_is_late(server: Server, way: str) -> None:
    client, late = server.client, {"occurred_at": stated(ARRIVED + 24 * HOUR + MINUTE)}
    batch = at_site(client, 10)
    server.clock.at = ARRIVED + 25 * HOUR
    orders = {
        "/administrations": administration(batch, 4, **late),
        "/wastages": wastage("SITE-A", batch, 4, **late),
        "/returns": returned("SITE-A", batch, 4, **late),
    }
    client.post(way, orders[way]).ok()
    assert clock(client, batch, "use") == (6, 0, 4, 0)


def test_waste_at_a_store_after_it_was_due_hides_no_miss(server: Server) -> None:
    batch = at_county(server.client, 10)
    server.clock.at = NOW + 24 * HOUR
    server.client.post("/wastages", wastage("COUNTY", batch, 10, occurred_at=stated(NOW + 24 * HOUR))).ok()
    assert clock(server.client, batch, "deliver") == (0, 0, 10, 0)


def test_doses_that_go_to_another_site_take_the_clock_along(client: Client) -> None:
    batch = at_site(client, 10)
    way = {"from_facility": "SITE-A", "to_facility": "SITE-B", "occurred_at": stated(NOW)}
    shipment = client.post("/shipments", dispatch(batch, 6, **way)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival(appliance="B-FRIDGE", occurred_at=stated(NOW))).ok()
    assert clock(client, batch, "use", "SITE-A") == (4, 0, 0, 0)
    assert clock(client, batch, "use", "SITE-B") == (6, 0, 0, 0)
    due = {each["due_at"] for each in client.get("/deadlines", limit=1000).items if each["batch"] == batch}
    assert due == {"2026-01-06T03:00:00Z"}


def test_a_correction_takes_its_doses_back_under_the_clock(client: Client) -> None:
    batch = at_site(client, 10)
    event = client.post("/wastages", wastage("SITE-A", batch, 4)).ok()["events"][0]["id"]
    assert clock(client, batch, "use") == (6, 4, 0, 0)
    client.post(f"/events/{event}/reversal", {"reason": "not broken", "occurred_at": stated(NOW)}).ok()
    assert clock(client, batch, "use") == (10, 0, 0, 0)


def test_a_custody_that_a_correction_made_void_is_on_no_board(client: Client) -> None:
    batch = at_county(client, 10)
    sent = client.post("/shipments", dispatch(batch)).ok()
    client.post(f"/events/{sent['events'][0]['id']}/reversal", {"reason": "no", "occurred_at": stated(NOW)}).ok()
    assert clock(client, batch, "deliver") == (10, 0, 0, 0)


def test_an_opened_vial_is_used_up_or_thrown_away(client: Client) -> None:
    batch = at_site_of_two(client)
    client.post("/administrations", administration(batch, 1, gtin=TWO)).ok()
    assert clock(client, batch, "open-vial") == (1, 1, 0, 0)
    client.post("/wastages", wastage("SITE-A", batch, 1, gtin=TWO, custody=opened(client, batch))).ok()
    assert clock(client, batch, "open-vial") == (0, 2, 0, 0)


def test_two_clocks_of_one_custody_are_each_told_once(client: Client) -> None:
    batch = at_site_of_two(client)
    client.post("/administrations", administration(batch, 1, gtin=TWO)).ok()
    found: list[tuple[str, str]] = []
    after: dict[str, str] = {}
    while True:
        page = client.get("/deadlines", limit=1, facility="SITE-A", **after).ok()
        found += [(each["custody"], each["name"]) for each in page["items"] if each["batch"] == batch]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert sorted(name for _, name in found) == ["open-vial", "use", "use"]
    assert len(set(found)) == 3


def opened(client: Client, batch: str) -> str:
    lines = client.get("/deadlines", limit=1000).items
    (custody,) = {each["custody"] for each in lines if (each["batch"], each["name"]) == (batch, "open-vial")}
    return str(custody)


def at_site_of_two(client: Client) -> str:
    """A batch of vials of two doses at site A."""
    batch = at_county(client, 10, gtin=TWO)
    lines = [{"gtin": TWO, "batch": batch, "doses": 4}]
    shipment = client.post("/shipments", dispatch(batch, lines=lines)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    return batch
