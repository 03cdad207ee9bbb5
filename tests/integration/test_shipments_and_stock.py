"""What was sent is not always what comes: the shortfall stays where everybody can see it."""

from typing import Any

from sqlalchemy import event

from inventory.services.verification import verify
from tests.county import ONE, TWO
from tests.http import Client, Server
from tests.orders import Json, arrival, at_county, dispatch, new_batch, receipt


def sent(client: Client, doses: int = 10) -> tuple[str, str]:
    batch = at_county(client, doses)
    return batch, client.post("/shipments", dispatch(batch, doses)).ok()["shipment"]


def receive(client: Client, shipment: str, batch: str, doses: int) -> None:
    lines = [{"gtin": ONE, "batch": batch, "doses": doses}]
    client.post(f"/shipments/{shipment}/receipts", arrival(lines=lines)).ok()


def seen(client: Client, shipment: str) -> tuple[Any, ...]:
    found = client.get(f"/shipments/{shipment}").ok()
    (line,) = found["lines"]
    return line["sent"], line["received"], line["in_transit"], found["shortfall"], found["arrived_at"] is not None


def held(client: Client, batch: str, **query: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in client.get("/stock", batch=batch, **query).items:
        place = item["place"]["appliance"] or item["place"]["kind"]
        found[place] = found.get(place, 0) + item["doses"]
    return found


def test_doses_on_their_way_are_no_shortfall(client: Client) -> None:
    batch, shipment = sent(client)
    assert seen(client, shipment) == (10, 0, 10, 0, False)
    assert held(client, batch) == {"transit": 10}


def test_a_partial_receipt_leaves_its_shortfall_in_sight_of_both_ends(client: Client) -> None:
    batch, shipment = sent(client)
    receive(client, shipment, batch, 7)
    assert seen(client, shipment) == (10, 7, 3, 3, True)
    for facility in ("COUNTY", "SITE-A"):
        assert held(client, batch, facility=facility)["transit"] == 3
    assert held(client, batch) == {"transit": 3, "A-FRIDGE": 7}


def test_what_was_missing_may_come_later(client: Client) -> None:
    batch, shipment = sent(client)
    receive(client, shipment, batch, 7)
    receive(client, shipment, batch, 2)
    assert seen(client, shipment) == (10, 9, 1, 1, True)
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    assert seen(client, shipment) == (10, 10, 0, 0, True)
    assert held(client, batch) == {"A-FRIDGE": 10}


def test_shipments_can_be_asked_for_by_whether_doses_are_still_on_their_way(client: Client) -> None:
    batch, short = sent(client)
    receive(client, short, batch, 7)
    _, whole = sent(client)
    client.post(f"/shipments/{whole}/receipts", arrival()).ok()
    under_way = {each["id"] for each in client.get("/shipments", in_transit="true", limit=1000).items}
    done = {each["id"] for each in client.get("/shipments", in_transit="false", limit=1000).items}
    assert (short in under_way, short in done, whole in under_way, whole in done) == (True, False, False, True)
    at_b = {each["id"] for each in client.get("/shipments", facility="SITE-B", limit=1000).items}
    assert not at_b & {short, whole}


def statements(server: Server, limit: int) -> tuple[list[Any], int]:
    """A page of shipments, and how many statements it took."""
    reader, asked = server.county.database.reader, []

    def note(*each: Any) -> None:
        asked.append(each[2])

    event.listen(reader, "before_cursor_execute", note)
    try:
        return server.client.get("/shipments", limit=limit).items, len(asked)
    finally:
        event.remove(reader, "before_cursor_execute", note)


def test_a_page_of_shipments_asks_no_more_than_one_of_them(server: Server) -> None:
    for doses in range(3, 7):
        batch, shipment = sent(server.client, doses)
        receive(server.client, shipment, batch, doses - 2)
    (one, few), (page, many) = statements(server, 1), statements(server, 1000)
    assert len(page) >= 4
    assert one == page[:1]
    assert few == many
    assert page == [server.client.get(f"/shipments/{each['id']}").ok() for each in page]


def test_a_shipment_of_two_products_is_received_line_by_line(server: Server) -> None:
    client, batch = server.client, new_batch()
    at: Json = {"facility": "COUNTY", "appliance": "COUNTY-ROOM"}
    for gtin in (ONE, TWO):
        client.post("/receipts", receipt(batch, 10, gtin=gtin, **at)).ok()
    lines = [{"gtin": gtin, "batch": batch, "doses": 10} for gtin in (ONE, TWO)]
    shipment = client.post("/shipments", dispatch(batch, lines=lines)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival(lines=lines[:1])).ok()
    found = client.get(f"/shipments/{shipment}").ok()
    assert [(each["gtin"], each["received"]) for each in found["lines"]] == [(ONE, 10), (TWO, 0)]
    assert verify(server.county.database).holds


def test_a_batch_number_with_a_slash_has_a_trail(client: Client) -> None:
    batch = "2026/01-A"
    client.post("/receipts", receipt(batch)).ok()
    assert client.get(f"/batches/{ONE}/2026%2F01-A/trail").ok()["batch"] == batch


def test_two_receipts_of_a_batch_stay_two_custodies(client: Client) -> None:
    batch = new_batch()
    for _ in range(2):
        client.post("/receipts", receipt(batch, 5)).ok()
    assert [item["doses"] for item in client.get("/stock", batch=batch).items] == [5, 5]
