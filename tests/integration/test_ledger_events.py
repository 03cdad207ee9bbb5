"""Each kind of event as the county's people post it: what it does, and what it refuses."""

from typing import Any

import pytest

from inventory.services.verification import verify
from tests.county import HOUR, NOW, ONE, TWO
from tests.crowd import held, in_vials
from tests.http import Answer, Client, Server
from tests.orders import Json, administration, arrival, at_county, at_site, dispatch, new_batch, receipt, stated

FREE, HELD, ON_ROAD = "storage", "quarantine", "transit"


def order(batch: str, facility: str = "SITE-A", **more: Any) -> Json:
    """An order about doses in one place."""
    return {"facility": facility, "gtin": ONE, "batch": batch, "occurred_at": stated(NOW)} | more


def refused(answer: Answer, status: int, code: str) -> None:
    """It was refused for that."""
    assert (answer.status, answer.body["code"]) == (status, code), answer.content


def goods(batch: str, **more: Any) -> Json:
    """Goods in at the county."""
    return receipt(batch, 10, facility="COUNTY", appliance="COUNTY-ROOM", **more)


def sent(client: Client, batch: str, doses: int = 10, **more: Any) -> str:
    """The shipment of a dispatch to site A."""
    found: str = client.post("/shipments", dispatch(batch, doses, **more)).ok()["shipment"]
    return found


def line(batch: str, doses: int = 0, **more: Any) -> Json:
    """A line of a receipt."""
    return {"gtin": ONE, "batch": batch, "doses": doses} | more


def clocks(client: Client, batch: str) -> dict[str, str]:
    """When each clock of a batch is due."""
    lines = client.get("/deadlines", limit=1000).items
    return {each["name"]: each["due_at"] for each in lines if each["batch"] == batch}


def utc(at: Any) -> str:
    """An instant as it is answered."""
    return stated(at).replace("+00:00", "Z")


class TestReceipts:
    def test_goods_in_order_are_free(self, client: Client) -> None:
        batch = new_batch()
        client.post("/receipts", goods(batch)).ok()
        assert held(client, batch) == {FREE: 10}

    def test_goods_without_a_paper_wait_in_quarantine_and_are_free_only_with_it(self, client: Client) -> None:
        batch, papers = new_batch(), ["delivery-note", "temperature-record"]
        refused(client.post("/receipts", goods(batch, papers=papers)), 409, "papers_incomplete")
        client.post("/receipts", goods(batch, papers=papers, outcome="hold")).ok()
        assert held(client, batch) == {HELD: 10}
        free = order(batch, "COUNTY", reason="looked at")
        refused(client.post("/releases", free), 409, "papers_incomplete")
        client.post("/releases", free | {"papers": ["lot-release-certificate"]}).ok()
        assert held(client, batch) == {FREE: 10}

    def test_goods_that_wait_for_papers_wait_for_them_wherever_they_are_put(self, client: Client) -> None:
        batch = new_batch()
        client.post("/receipts", goods(batch, papers=["temperature-record"], outcome="hold")).ok()
        back = {"facility": "COUNTY", "occurred_at": stated(NOW), "reason": "no papers", "held": True,
                "lines": [line(batch, 10)]}  # fmt: skip
        shipment = client.post("/returns", back).ok()["shipment"]
        there = arrival(appliance="CITY-ROOM", occurred_at=stated(NOW))
        client.post(f"/shipments/{shipment}/receipts", there).ok()
        refused(client.post("/releases", order(batch, "CITY", reason="looked at")), 409, "papers_incomplete")

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"transport": None}, "no_temperature_record"),
            ({"papers": ["lot-release-certificate", "delivery-note"]}, "no_temperature_record"),
            ({"transport": {"arrival_celsius": 8.01}}, "temperature_out_of_range"),
            ({"transport": {"arrival_celsius": 1.99}}, "temperature_out_of_range"),
        ],
    )
    @pytest.mark.parametrize("outcome", ["accept", "hold"])
    def test_goods_too_warm_or_not_measured_are_refused(
        self, client: Client, wrong: Json, code: str, outcome: str
    ) -> None:
        batch = new_batch()
        refused(client.post("/receipts", goods(batch, outcome=outcome, **wrong)), 409, code)
        refused(client.post("/receipts", goods(batch, outcome="refuse", **wrong)), 422, "malformed")
        posted = client.post("/receipts", goods(batch, outcome="refuse", reason="too warm", **wrong)).ok()
        assert posted["events"][0]["movements"] == []
        assert held(client, batch) == {}

    def test_the_transport_record_holds_what_the_rules_list(self, client: Client) -> None:
        batch = at_county(client, 10)
        leaves = {"vehicle": "川A 12345", "cooling": "refrigerated-truck", "departed_at": utc(NOW - 2 * HOUR),
                  "departure_celsius": 4.0, "departure_ambient_celsius": 21.5, "handed_over_by": "Li"}  # fmt: skip
        comes = {"arrived_at": utc(NOW - HOUR), "arrival_celsius": 5.0, "arrival_ambient_celsius": 24.0,
                 "distance_km": 38, "taken_by": "Wang"}  # fmt: skip
        shipment = sent(client, batch, transport=leaves)
        client.post(f"/shipments/{shipment}/receipts", arrival(transport=comes)).ok()
        record = client.get(f"/shipments/{shipment}").ok()["transport"]
        assert record == leaves | comes


class TestShipmentsThatArrive:
    def test_whole_part_damaged_refused_and_surplus_each_go_their_way(self, server: Server) -> None:
        client = server.client
        batch = at_county(client, 10)
        shipment = sent(client, batch)
        parts = line(batch, 4, damaged=2, refused=1, surplus=3)
        posted = client.post(f"/shipments/{shipment}/receipts", arrival(lines=[parts], reason="a wet box")).ok()
        tree = client.get(f"/batches/{ONE}/{batch}/trail").ok()
        assert (tree["on_hand"], tree["in_quarantine"], tree["found"]) == (4, 5, 3)
        assert (tree["in_transit"], tree["unexplained"]) == (1, 3)
        found = client.get(f"/shipments/{shipment}").ok()
        (seen,) = found["lines"]
        assert (seen["received"], seen["sent_back"], seen["in_transit"], found["shortfall"]) == (6, 1, 3, 3)
        back = client.get(f"/shipments/{posted['return_shipment']}").ok()
        assert (back["purpose"], back["from_facility"], back["to_facility"]) == ("return", "SITE-A", "COUNTY")
        assert verify(server.county.database).holds

    def test_what_was_held_on_its_way_is_held_where_it_arrives(self, client: Client) -> None:
        batch = at_county(client, 10)
        shipment = sent(client, batch)
        hold = order(batch, doses=4, shipment=shipment, reason="a doubt", occurred_at=stated(NOW - 1.5 * HOUR))
        client.post("/holds", hold).ok()
        client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
        assert held(client, batch) == {FREE: 6, HELD: 4}

    def test_a_vial_is_never_received_in_part(self, client: Client) -> None:
        batch = at_county(client, 10, gtin=TWO)
        shipment = sent(client, batch, lines=[line(batch, 10, gtin=TWO)])
        for parts in ({"doses": 3}, {"doses": 2, "damaged": 1}, {"doses": 1, "refused": 1}, {"surplus": 1}):
            lines = [line(batch, gtin=TWO) | parts]
            answer = client.post(f"/shipments/{shipment}/receipts", arrival(lines=lines, reason="seen"))
            refused(answer, 422, "not_whole_vials")

    def test_a_shortfall_is_seen_with_its_age_until_it_is_explained(self, server: Server) -> None:
        client = server.client
        batch = at_county(client, 12)
        shipment = sent(client, batch, 12)
        explain = order(batch, doses=3, explanation="lost", reason="fell off")
        refused(client.post(f"/shipments/{shipment}/explanations", explain), 409, "no_shortfall")
        client.post(f"/shipments/{shipment}/receipts", arrival(lines=[line(batch, 3)])).ok()
        server.clock.at = NOW + 2 * HOUR
        found = client.get(f"/shipments/{shipment}").ok()
        assert (found["shortfall"], found["short_minutes"]) == (9, 180)
        assert shipment in {each["id"] for each in client.get("/shipments", short="true", limit=1000).items}
        ways: list[Json] = [
            {"explanation": "lost"},
            {"explanation": "found", "appliance": "A-FRIDGE"},
            {"explanation": "mis-shipped", "facility": "SITE-B", "appliance": "B-FRIDGE"},
        ]
        for way in ways:
            client.post(f"/shipments/{shipment}/explanations", explain | way).ok()
        found = client.get(f"/shipments/{shipment}").ok()
        (seen,) = found["lines"]
        assert (found["shortfall"], found["short_minutes"]) == (0, None)
        assert (seen["received"], seen["wasted"], seen["elsewhere"]) == (6, 3, 3)
        assert held(client, batch) == {FREE: 3, HELD: 6}

    def test_only_those_who_sent_or_wait_say_that_doses_are_lost_or_found(self, client: Client) -> None:
        batch = at_county(client, 10)
        shipment = sent(client, batch)
        client.post(f"/shipments/{shipment}/receipts", arrival(lines=[line(batch, 3)])).ok()
        for facility, way in (("SITE-B", "lost"), ("SITE-B", "found"), ("SITE-A", "mis-shipped")):
            explain = order(batch, facility, doses=1, explanation=way, reason="so they say", appliance="A-FRIDGE")
            refused(client.post(f"/shipments/{shipment}/explanations", explain), 422, "wrong_facility_kind")

    def test_a_shortfall_of_a_recalled_batch_can_be_explained(self, client: Client) -> None:
        batch = at_county(client, 10)
        shipment = sent(client, batch)
        client.post("/recalls", order(batch, "COUNTY", reason="the maker")).ok()
        client.post(f"/shipments/{shipment}/receipts", arrival(lines=[line(batch, 3)], occurred_at=stated(NOW))).ok()
        explain = order(batch, doses=7, explanation="found", appliance="A-FRIDGE", reason="behind the seat")
        client.post(f"/shipments/{shipment}/explanations", explain).ok()
        assert held(client, batch) == {HELD: 10}


class TestBetweenSites:
    def test_only_the_store_that_supplies_both_orders_a_transfer(self, client: Client) -> None:
        batch = at_site(client, 10)
        transfer = dispatch(batch, 4, from_facility="SITE-A", to_facility="SITE-B", occurred_at=stated(NOW))
        for nurse in ("nurse-a", "nurse-b"):
            refused(client.post("/shipments", transfer, nurse), 403, "not_your_facility")
        shipment = client.post("/shipments", transfer, "county").ok()["shipment"]
        assert client.get(f"/shipments/{shipment}").ok()["purpose"] == "transfer"
        up = transfer | {"to_facility": "COUNTY"}
        refused(client.post("/shipments", up, "county"), 422, "wrong_supplier")

    def test_the_clock_of_use_goes_along_to_the_next_site(self, client: Client) -> None:
        batch = at_site(client, 4)
        due = clocks(client, batch)["use"]
        transfer = dispatch(batch, 4, from_facility="SITE-A", to_facility="SITE-B", occurred_at=stated(NOW - HOUR / 2))
        shipment = client.post("/shipments", transfer).ok()["shipment"]
        assert clocks(client, batch) == {"use": due}
        there = arrival(appliance="B-FRIDGE", occurred_at=stated(NOW))
        client.post(f"/shipments/{shipment}/receipts", there).ok()
        assert clocks(client, batch) == {"use": due}

    def test_opened_vials_stay_at_their_site(self, client: Client) -> None:
        batch = in_vials(client, 4)
        client.post("/openings", order(batch, gtin=TWO, doses=4)).ok()
        for path, body in (
            ("/shipments", dispatch(batch, lines=[line(batch, 2, gtin=TWO)], from_facility="SITE-A",
                                    to_facility="SITE-B", occurred_at=stated(NOW))),
            ("/returns", {"facility": "SITE-A", "occurred_at": stated(NOW), "reason": "too many",
                          "lines": [line(batch, 2, gtin=TWO)]}),
        ):  # fmt: skip
            refused(client.post(path, body), 409, "not_enough_doses")


class TestReturns:
    def test_returned_doses_are_looked_at_before_their_delivery_begins_anew(self, client: Client) -> None:
        batch = at_site(client, 10)
        back = {"facility": "SITE-A", "occurred_at": stated(NOW), "reason": "too many", "lines": [line(batch, 10)]}
        shipment = client.post("/returns", back).ok()["shipment"]
        assert clocks(client, batch) == {}
        there = {"appliance": "COUNTY-ROOM", "occurred_at": stated(NOW)}  # whatever their temperature
        client.post(f"/shipments/{shipment}/receipts", there).ok()
        assert held(client, batch) == {HELD: 10}
        assert clocks(client, batch) == {}
        client.post("/releases", order(batch, "COUNTY", reason="looked at")).ok()
        assert clocks(client, batch) == {"deliver": utc(NOW + 24 * HOUR)}

    def test_a_store_returns_to_a_supplier_out_of_the_ledger(self, client: Client) -> None:
        batch = at_county(client, 10)
        back = {"facility": "COUNTY", "to_facility": "MAKER", "occurred_at": stated(NOW), "reason": "too many",
                "lines": [line(batch, 4)]}  # fmt: skip
        posted = client.post("/returns", back).ok()
        assert posted["shipment"] is None
        tree = client.get(f"/batches/{ONE}/{batch}/trail").ok()
        assert (tree["returned"], tree["on_hand"]) == (4, 6)

    def test_doses_go_back_only_up_their_own_line(self, client: Client) -> None:
        batch = at_site(client, 10)
        back = {"facility": "SITE-A", "occurred_at": stated(NOW), "reason": "too many", "lines": [line(batch, 1)]}
        for other in ("SITE-B", "MAKER"):
            refused(client.post("/returns", back | {"to_facility": other}), 422, "wrong_supplier")
        client.post("/returns", back | {"to_facility": "CITY"}).ok()


class TestRecalls:
    def test_a_recall_holds_all_there_is_and_nothing_of_it_goes_on(self, client: Client) -> None:
        batch = at_county(client, 30)
        first = sent(client, batch, 10)
        client.post(f"/shipments/{first}/receipts", arrival()).ok()
        client.post("/administrations", administration(batch, 3)).ok()
        sent(client, batch, 5)
        client.post("/recalls", order(batch, "COUNTY", reason="the maker"), "chief").ok()
        assert held(client, batch) == {HELD: 27}
        for path, body in (
            ("/shipments", dispatch(batch, 1)),
            ("/administrations", administration(batch)),
            ("/releases", order(batch, reason="looked at")),
            ("/receipts", goods(batch)),
        ):
            refused(client.post(path, body), 409, "batch_recalled")
        client.post("/receipts", goods(batch, outcome="hold")).ok()
        assert held(client, batch) == {HELD: 37}

    def test_a_recall_is_for_supervisors(self, client: Client) -> None:
        batch = at_county(client, 10)
        refused(client.post("/recalls", order(batch, "COUNTY", reason="the maker"), "county"), 403, "forbidden")


class TestPeople:
    @pytest.mark.parametrize(
        "who", ["51010719900307123X", "510107199003071234", "13800138000", "+8613800138000", "李雷"]
    )
    def test_a_person_is_never_named(self, client: Client, who: str) -> None:
        batch = at_site(client, 1)
        answer = client.post("/administrations", administration(batch, recipient=who))
        refused(answer, 422, "named_person")
        assert who not in answer.content.decode()
        client.post("/administrations", administration(batch, recipient="R-00017")).ok()

    def test_a_list_is_answered_line_by_line_and_in_order(self, client: Client) -> None:
        batch = at_site(client, 3)
        lines = [administration(batch, 2), administration(batch, 2), administration("NONE"), administration(batch)]
        results = client.post("/administration-lists", {"administrations": lines}).ok()["results"]
        assert [each["status"] for each in results] == [201, 409, 422, 201]
        assert results[1]["problem"]["code"] == "not_enough_doses"
        assert held(client, batch) == {}
        assert client.post("/administration-lists", {"administrations": lines[:1] * 1001}).status == 422
