"""What stock keepers have suffered from elsewhere, each held here by a test of its name."""

from datetime import timedelta
from typing import Any

import pytest

from inventory.services.verification import verify
from tests.county import HOUR, MINUTE, NOW, ONE, TWO
from tests.crowd import at_once, codes, held, in_vials, insist, left, statuses
from tests.http import Client, Server, new_key
from tests.orders import Json, administration, arrival, at_county, at_site, dispatch, new_batch, receipt, stated

UNDO = {"occurred_at": stated(NOW), "reason": "a slip"}


def order(batch: str, facility: str = "SITE-A", **more: Any) -> Json:
    """An order about doses in one place."""
    return {"facility": facility, "gtin": ONE, "batch": batch, "occurred_at": stated(NOW)} | more


def part(batch: str, doses: int, **more: Any) -> Json:
    """A line of a shipment or of its receipt."""
    return {"gtin": ONE, "batch": batch, "doses": doses} | more


def sent(client: Client, batch: str, doses: int = 10, **more: Any) -> str:
    """The shipment of a dispatch to site A."""
    found: str = client.post("/shipments", dispatch(batch, doses, **more)).ok()["shipment"]
    return found


def test_1_stock_never_differs_from_the_ledger_and_no_nightly_job_repairs_it(server: Server) -> None:
    """Suffered: the stock list and the sum of the movements drift apart, and a job at night sets one to the other."""
    client, batch = server.client, at_site(server.client, 30)
    for path, body in (
        ("/administrations", administration(batch, 3)),
        ("/wastages", order(batch, doses=2, cause="broken")),
        ("/holds", order(batch, doses=5, reason="a doubt")),
        ("/releases", order(batch, doses=1, reason="looked at")),
        ("/counts", order(batch, appliance="A-FRIDGE", counted=19, reason="two are gone")),
    ):
        event = client.post(path, body).ok()["events"][-1]["id"]
        client.post(f"/events/{event}/reversal", UNDO).ok()
        client.post(path, body).ok()
        tree = client.get(f"/batches/{ONE}/{batch}/trail").ok()
        now = held(client, batch)
        assert (tree["on_hand"], tree["in_quarantine"]) == (now["storage"], now["quarantine"])
        ended = tree["administered"] + tree["wasted"] + tree["missing"]
        assert tree["received"] == now.total() + ended
    verdict = verify(server.county.database)
    assert verdict.holds, verdict


@pytest.mark.parametrize("doses", [0.5, 1.0, "2", 0, -1, 1e3, True, None])
def test_2_doses_are_whole_numbers_and_nothing_else(client: Client, doses: Any) -> None:
    """Suffered: 0.33 of a vial, or 0.000001 left of one."""
    batch = at_site(client, 10)
    body = order(batch, doses=doses, cause="broken")
    answer = client.post("/wastages", body)
    assert (answer.status, answer.body["code"]) == (422, "malformed"), answer.content
    assert left(client, batch) == 10


def test_2_there_are_no_fractions_of_vials(client: Client) -> None:
    """Suffered: a third of a vial is sent, and the site can never use it up."""
    batch = in_vials(client, 4)
    odd = part(batch, 3, gtin=TWO)
    for path, body in (
        ("/shipments", dispatch(batch, from_facility="SITE-A", to_facility="SITE-B", lines=[odd],
                                occurred_at=stated(NOW))),
        ("/returns", {"facility": "SITE-A", "occurred_at": stated(NOW), "reason": "x", "lines": [odd]}),
        ("/moves", order(batch, gtin=TWO, doses=1, to_appliance="A-FRIDGE")),
        ("/holds", order(batch, gtin=TWO, doses=1, reason="a doubt")),
        ("/wastages", order(batch, gtin=TWO, doses=1, cause="broken")),
        ("/openings", order(batch, gtin=TWO, doses=3)),
    ):  # fmt: skip
        answer = client.post(path, body)
        assert (answer.status, answer.body["code"]) == (422, "not_whole_vials"), (path, answer.content)
    for given in (1, 2, 1):
        client.post("/administrations", administration(batch, given, gtin=TWO)).ok()
    assert left(client, batch) == 0


def test_4_two_people_who_issue_the_same_stock_at_once_issue_it_once(client: Client) -> None:
    """Suffered: ten allocated of five, in nine runs of ten."""
    for _ in range(5):
        batch = at_county(client, 5)

        def issue(_: int, batch: str = batch) -> Any:
            key = new_key()
            return insist(lambda: client.post("/shipments", dispatch(batch, 5), key=key))

        answers = at_once(issue, 2)
        assert statuses(answers) == {201: 1, 409: 1}
        assert codes(answers) == {"not_enough_doses"}
        assert held(client, batch) == {"transit": 5}


def test_5_stock_is_never_negative_today_nor_on_any_day_before(server: Server) -> None:
    """Suffered: minus thirty doses on hand, because something was entered for an earlier day."""
    client, batch = server.client, at_site(server.client, 10)
    client.post("/administrations", administration(batch, 8)).ok()
    early = administration(batch, 3, occurred_at=stated(NOW - HOUR / 2))
    assert client.post("/administrations", early).body["code"] == "not_enough_doses"
    before_they_came = administration(batch, 1, occurred_at=stated(NOW - HOUR - MINUTE))
    assert client.post("/administrations", before_they_came).body["code"] == "not_enough_doses"
    client.post("/administrations", early | {"doses": 2}).ok()
    assert left(client, batch) == 0
    assert verify(server.county.database).holds


def test_11_what_was_received_is_not_what_was_sent_and_the_sender_sees_it(server: Server) -> None:
    """Suffered: a receipt of seven of ten closes the shipment, and the sender is never told of the three."""
    client = server.client
    batch = at_county(client, 10)
    shipment = sent(client, batch)
    client.post(f"/shipments/{shipment}/receipts", arrival(lines=[part(batch, 6, damaged=1)], reason="wet")).ok()
    seen = client.get("/shipments", facility="COUNTY", short="true", limit=1000).items
    (mine,) = [each for each in seen if each["id"] == shipment]
    assert (mine["shortfall"], mine["short_minutes"]) == (3, 60)
    assert (mine["lines"][0]["sent"], mine["lines"][0]["received"]) == (10, 7)
    at_sender = client.get("/stock", facility="COUNTY", batch=batch).items
    assert [(each["place"]["kind"], each["doses"]) for each in at_sender] == [("transit", 3)]


def test_12_two_deliveries_of_one_batch_are_never_merged_and_each_keeps_its_history(client: Client) -> None:
    """Suffered: two lines of one batch become one, and nobody can say any more which of them was warm."""
    batch = at_county(client, 20)
    customs = []
    for minutes in (0, 30):
        at = NOW - 2 * HOUR + minutes * MINUTE
        shipment = sent(client, batch, 10, occurred_at=stated(at))
        there = arrival(occurred_at=stated(at + 15 * MINUTE))
        posted = client.post(f"/shipments/{shipment}/receipts", there).ok()
        customs.append(posted["events"][0]["movements"][0]["to_custody"])
    lines = client.get("/stock", facility="SITE-A", batch=batch).items
    assert [(each["custody"], each["doses"]) for each in lines] == [(custody, 10) for custody in customs]
    for custody, count in zip(customs, (2, 3), strict=True):
        given = client.post("/administrations", administration(batch, count, custody=custody)).ok()["events"][0]["id"]
        (chain,) = client.get(f"/administrations/{given}/trail").ok()["chains"]
        assert chain["stages"][-1]["custody"]["custody"] == custody


def test_13_a_back_dated_entry_breaks_no_order(server: Server) -> None:
    """Suffered: an entry for yesterday makes the balances of all the days since wrong."""
    client, batch = server.client, at_site(server.client, 10)
    late = client.post("/administrations", administration(batch, 4)).ok()
    client.post("/administrations", administration(batch, 3, occurred_at=stated(NOW - HOUR / 2))).ok()
    client.post("/wastages", order(batch, doses=1, cause="broken", occurred_at=stated(NOW - HOUR / 4))).ok()
    assert held(client, batch) == {"storage": 2}
    client.post(f"/events/{late['events'][0]['id']}/reversal", UNDO).ok()
    assert held(client, batch) == {"storage": 6}
    fridge = order(batch, appliance="A-FRIDGE", occurred_at=stated(NOW - 20 * MINUTE))
    client.post("/counts", fridge | {"counted": 7}).ok()  # the book of that minute: neither of the later entries
    assert verify(server.county.database).holds


def test_13_what_was_known_when_stays_on_record(client: Client) -> None:
    """Suffered: a late entry that cannot be told from a timely one."""
    batch = at_site(client, 2)
    at = NOW - HOUR / 2
    event = client.post("/administrations", administration(batch, occurred_at=stated(at))).ok()["events"][0]
    assert (event["occurred_at"], event["recorded_at"]) == tuple(
        stated(each).replace("+00:00", "Z") for each in (at, NOW)
    )


def test_15_a_receipt_is_undone_and_done_again_in_parts(server: Server) -> None:
    """Suffered: a receipt that was a slip cannot be taken back, or takes half of the stock with it."""
    client = server.client
    batch = at_county(client, 10)
    shipment = sent(client, batch)
    whole = client.post(f"/shipments/{shipment}/receipts", arrival()).ok()["events"][0]["id"]
    given = client.post("/administrations", administration(batch)).ok()["events"][0]["id"]
    refused = client.post(f"/events/{whole}/reversal", UNDO)
    assert (refused.status, refused.body["code"]) == (409, "custody_touched")
    for event in (given, whole):
        client.post(f"/events/{event}/reversal", UNDO).ok()
    assert held(client, batch) == {"transit": 10}
    assert client.get(f"/shipments/{shipment}").ok()["arrived_at"] is None
    for doses in (4, 5, 1):
        client.post(f"/shipments/{shipment}/receipts", arrival(lines=[part(batch, doses)])).ok()
    assert held(client, batch) == {"storage": 10}
    assert client.get(f"/shipments/{shipment}").ok()["shortfall"] == 0
    assert verify(server.county.database).holds


def test_15_an_event_that_is_sent_twice_happens_once(client: Client) -> None:
    """Suffered: a scanner that repeats itself when the line is bad, and twice the stock."""
    batch, key = new_batch(), new_key()
    body = receipt(batch, 10)
    first, again = (client.post("/receipts", body, key=key) for _ in range(2))
    assert (first.status, first.content) == (again.status, again.content)
    assert left(client, batch) == 10
    other = client.post("/receipts", body | {"doses": 11}, key=key)
    assert (other.status, other.body["code"]) == (409, "idempotency_key_reused")


class TestPain16TheVaccinatorIsStoppedBefore:
    """Suffered: the wrong vial, or an expired one, is noticed when the needle is out."""

    def stopped(self, client: Client, body: Json, code: str) -> None:
        """The administration is refused, and nothing is written."""
        answer = client.post("/administrations", body)
        assert (answer.status, answer.body["code"]) == (409, code), answer.content

    def asked(self, client: Client, gtin: str, batch: str) -> Json:
        """The answer of the check before use."""
        found: Json = client.get(f"/batches/{gtin}/{batch}/usability", facility="SITE-A").ok()
        return found

    def test_an_expired_batch(self, server: Server) -> None:
        client, batch = server.client, at_site(server.client, 2, expiry="2026-01-06")
        assert self.asked(client, ONE, batch)["usable"] == "yes"
        server.clock.at = NOW + timedelta(days=2)
        assert self.asked(client, ONE, batch)["usable"] == "no"
        self.stopped(client, administration(batch, occurred_at=stated(server.clock.at)), "batch_expired")

    def test_a_vial_that_was_opened_too_long_ago(self, server: Server) -> None:
        client, batch = server.client, in_vials(server.client, 2)
        client.post("/openings", order(batch, gtin=TWO)).ok()
        server.clock.at = NOW + 6 * HOUR + MINUTE
        assert self.asked(client, TWO, batch)["usable"] == "no"
        late = administration(batch, gtin=TWO, occurred_at=stated(server.clock.at))
        self.stopped(client, late, "batch_expired")

    def test_a_batch_that_is_held(self, client: Client) -> None:
        batch = at_site(client, 2)
        client.post("/holds", order(batch, reason="a doubt")).ok()
        assert self.asked(client, ONE, batch)["usable"] == "no"
        self.stopped(client, administration(batch), "not_enough_doses")

    def test_a_batch_that_is_recalled(self, client: Client) -> None:
        batch = at_site(client, 2)
        client.post("/recalls", order(batch, "COUNTY", reason="the maker")).ok()
        assert self.asked(client, ONE, batch)["usable"] == "no"
        self.stopped(client, administration(batch), "batch_recalled")

    def test_a_batch_that_is_elsewhere(self, client: Client) -> None:
        batch = at_site(client, 2)
        self.stopped(client, administration(batch, facility="SITE-B"), "not_enough_doses")

    def test_another_product_than_the_persons_dose_before(self, client: Client) -> None:
        batch = at_site(client, 2)
        found = client.get(f"/batches/{ONE}/{batch}/usability", facility="SITE-A", previous_gtin=TWO).ok()
        assert found["usable"] != "yes"
        answer = client.post("/administrations", administration(batch, previous_gtin=TWO))
        assert (answer.status, answer.body["code"]) == (409, "not_usable"), answer.content
