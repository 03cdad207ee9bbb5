"""Stock as it was, and as it was known: over HTTP; the law is tests/properties/test_at_an_instant.py."""

from typing import Any

from tests.county import HOUR, NOW
from tests.http import Client, Server
from tests.integration.test_paging import pages
from tests.orders import administration, arrival, at_county, dispatch, stated


def on_hand(client: Client, batch: str, **query: Any) -> dict[str, int]:
    times = {name: stated(at) for name, at in query.items()}
    items = client.get("/stock", batch=batch, **times).items
    return {each["place"]["appliance"] or "on its way": each["doses"] for each in items}


def test_stock_is_told_as_it_was(client: Client) -> None:
    batch = at_county(client, 10)
    shipment = client.post("/shipments", dispatch(batch, 4)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    assert on_hand(client, batch) == {"COUNTY-ROOM": 6, "A-FRIDGE": 4}
    assert on_hand(client, batch, at=NOW - 2 * HOUR) == {"COUNTY-ROOM": 6, "on its way": 4}
    assert on_hand(client, batch, at=NOW - 2.5 * HOUR) == {"COUNTY-ROOM": 10}
    assert on_hand(client, batch, at=NOW - 4 * HOUR) == {}


def test_late_entries_and_corrections_are_left_out_of_what_was_known_before(server: Server) -> None:
    client, batch = server.client, at_county(server.client, 10)
    shipment = client.post("/shipments", dispatch(batch, 10)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    server.clock.at = NOW + HOUR
    late = client.post("/administrations", administration(batch, 3, occurred_at=stated(NOW))).ok()
    server.clock.at = NOW + 2 * HOUR
    slip = {"occurred_at": stated(NOW + 2 * HOUR), "reason": "slip"}
    client.post(f"/events/{late['events'][-1]['id']}/reversal", slip).ok()
    known = {hours: on_hand(client, batch, at=NOW, known_at=NOW + hours * HOUR) for hours in (0, 1, 2)}
    assert known == {0: {"A-FRIDGE": 10}, 1: {"A-FRIDGE": 7}, 2: {"A-FRIDGE": 10}}
    assert on_hand(client, batch, known_at=NOW + HOUR) == {"A-FRIDGE": 7}
    assert on_hand(client, batch, known_at=NOW - HOUR) == {}


def test_the_stock_of_an_instant_comes_in_pages(client: Client) -> None:
    batch = at_county(client, 9)
    for _ in range(3):
        client.post("/shipments", dispatch(batch, 1)).ok()
    at = stated(NOW - HOUR)
    found = [each["doses"] for each in pages(client, "/stock", limit=2, batch=batch, at=at)]
    assert sorted(found) == [1, 1, 1, 6]


def test_an_instant_has_an_offset(client: Client) -> None:
    assert client.get("/stock", at="2026-01-05T12:00:00").body["code"] == "naive_time"
