"""What a stock event gives people to be told: shortfalls, refusals and recalls, with the event or not at all."""

from collections.abc import Iterator

import pytest

from inventory.domain.notices import NoticeKind
from tests.county import NOW, ONE
from tests.http import Server
from tests.integration.test_notices import served_alone, told
from tests.orders import arrival, at_county, at_site, dispatch, new_batch, receipt, stated


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    with served_alone(database_url) as found:
        yield found


def test_the_sender_is_told_of_what_did_not_arrive(server: Server) -> None:
    batch = at_county(server.client, 10)
    shipment = server.client.post("/shipments", dispatch(batch, 10)).ok()["shipment"]
    part = arrival(lines=[{"gtin": ONE, "batch": batch, "doses": 7}])
    server.client.post(f"/shipments/{shipment}/receipts", part, key="the-first").ok()
    server.client.post(f"/shipments/{shipment}/receipts", part, key="the-first").ok()
    (found,) = told(server, NoticeKind.SHORTFALL)
    assert found.facility == "COUNTY"
    assert (found.body["shipment"], found.body["to_facility"]) == (shipment, "SITE-A")
    assert found.body["lines"] == [{"gtin": ONE, "batch": batch, "doses": 3}]
    server.client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    assert len(told(server, NoticeKind.SHORTFALL)) == 1


def test_a_whole_arrival_is_nothing_to_tell(server: Server) -> None:
    at_site(server.client, 10)
    assert told(server) == []


def test_a_receipt_that_is_refused_tells_nothing(server: Server) -> None:
    batch = at_county(server.client, 10)
    shipment = server.client.post("/shipments", dispatch(batch, 10)).ok()["shipment"]
    more = arrival(lines=[{"gtin": ONE, "batch": batch, "doses": 11}])
    assert server.client.post(f"/shipments/{shipment}/receipts", more).status == 409
    assert told(server) == []


def test_the_sender_is_told_of_what_was_refused(server: Server) -> None:
    batch = at_county(server.client, 10)
    shipment = server.client.post("/shipments", dispatch(batch, 10)).ok()["shipment"]
    line = {"gtin": ONE, "batch": batch, "doses": 6, "refused": 4}
    posted = server.client.post(f"/shipments/{shipment}/receipts", arrival(lines=[line], reason="wet boxes")).ok()
    (found,) = told(server)
    assert (found.kind, found.facility) == (NoticeKind.REFUSED_GOODS, "COUNTY")
    assert found.body["return_shipment"] == posted["return_shipment"]
    assert found.body["lines"] == [{"gtin": ONE, "batch": batch, "doses": 4}]
    assert found.body["reason"] == "wet boxes"


def test_a_store_that_refuses_a_suppliers_goods_is_told_of(server: Server) -> None:
    batch = new_batch()
    server.client.post("/receipts", receipt(batch, 10, outcome="refuse", reason="thawed", transport={})).ok()
    (found,) = told(server)
    assert (found.kind, found.facility) == (NoticeKind.REFUSED_GOODS, "CITY")
    assert (found.body["supplier"], found.body["reason"]) == ("MAKER", "thawed")
    assert found.body["lines"] == [{"gtin": ONE, "batch": batch, "doses": 10}]


def test_everybody_who_holds_doses_of_a_recalled_batch_is_told(server: Server) -> None:
    batch = at_county(server.client, 10)
    shipment = server.client.post("/shipments", dispatch(batch, 4)).ok()["shipment"]
    server.client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    order = {"facility": "CITY", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "reason": "particles"}
    server.client.post("/recalls", order).ok()
    found = {each.facility: each.body for each in told(server, NoticeKind.RECALL)}
    assert {facility: body["doses"] for facility, body in found.items()} == {"CITY": 0, "COUNTY": 6, "SITE-A": 4}
    assert {body["ordered_by"] for body in found.values()} == {"CITY"}
    assert {body["reason"] for body in found.values()} == {"particles"}
