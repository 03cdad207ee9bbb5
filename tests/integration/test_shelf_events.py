"""Doses on the shelf: vials and their clocks, moves, counts, wastage; the county's own rules; every event undone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from inventory.persistence.tables import RuleAssignment
from inventory.services import facilities, lookups
from inventory.services.ids import new_id
from tests.county import HOUR, MINUTE, NOW, ONE, TWO
from tests.crowd import held, in_vials
from tests.http import Client, Server
from tests.integration.test_ledger_events import FREE, HELD, clocks, goods, line, order, refused, sent, utc
from tests.orders import Json, administration, arrival, at_county, at_site, dispatch, new_batch, stated

FROZEN = "00000000000017"


@pytest.fixture(scope="module")
def served(served: Server) -> Server:
    """The county with a freezer, a cold box and a product that is kept frozen."""
    client = served.client
    for code, owner, kind in (
        ("FREEZER", "COUNTY", "freezer"),
        ("BOX", "COUNTY", "cold-box"),
        ("A-BOX", "SITE-A", "cold-box"),
    ):
        client.post("/appliances", {"code": code, "facility": owner, "name": code, "kind": kind}).ok()
    product = {"gtin": FROZEN, "name": "Frozen", "doses_per_vial": 1, "storage_profile": "strict-2-8", "thaw_hours": 5}
    client.post("/products", product).ok()
    return served


class TestVials:
    def test_an_opened_vial_lasts_six_hours_and_is_then_only_thrown_away(self, server: Server) -> None:
        client = server.client
        batch = in_vials(client, 2)
        client.post("/administrations", administration(batch, gtin=TWO)).ok()
        assert clocks(client, batch)["open-vial"] == utc(NOW + 6 * HOUR)
        server.clock.at = NOW + 7 * HOUR
        late = {"gtin": TWO, "occurred_at": stated(NOW + 6 * HOUR + MINUTE)}
        too_late = client.post("/administrations", administration(batch) | late)
        refused(too_late, 409, "batch_expired")
        assert "expected a vial within its limit after opening" in too_late.body["detail"]
        client.post("/wastages", order(batch, doses=1, cause="opened-not-used") | late).ok()
        assert held(client, batch) == {}

    def test_it_does_not_outlive_the_session_in_which_it_was_opened(self, server: Server) -> None:
        client, site = server.client, "EARLY"
        place = {"name": "Early", "kind": "fixed-site", "zone": "Asia/Shanghai", "supplied_by": "COUNTY"}
        client.post("/facilities", place | {"code": site, "session_ends": "13:00"}).ok()
        client.post("/appliances", {"code": "E-FRIDGE", "facility": site, "name": "E", "kind": "fridge"}).ok()
        batch = at_county(client, 4, gtin=TWO)
        shipment = sent(client, batch, to_facility=site, lines=[line(batch, 4, gtin=TWO)])
        client.post(f"/shipments/{shipment}/receipts", arrival(appliance="E-FRIDGE")).ok()
        client.post("/openings", order(batch, site, gtin=TWO)).ok()
        assert clocks(client, batch)["open-vial"] == utc(NOW + HOUR)

    def test_doses_of_an_opened_vial_are_given_before_another_is_opened(self, client: Client) -> None:
        """Also where the sealed vials' own clock ends sooner: nobody breaks a vial while one is open."""
        batch = at_county(client, 8, gtin=TWO)
        lines = [line(batch, 4, gtin=TWO)]
        old = sent(client, batch, lines=lines, occurred_at=stated(NOW - 2.9 * HOUR))
        client.post(f"/shipments/{old}/receipts", arrival(occurred_at=stated(NOW - 2.8 * HOUR))).ok()
        new = sent(client, batch, lines=lines)
        custody = client.post(f"/shipments/{new}/receipts", arrival()).ok()["events"][0]["movements"][0]["to_custody"]
        opened = client.post("/openings", order(batch, gtin=TWO, custody=custody)).ok()["events"][0]
        vial = opened["movements"][0]["to_custody"]
        given = client.post("/administrations", administration(batch, gtin=TWO)).ok()["events"]
        assert [event["kind"] for event in given] == ["administer"]
        assert [each["from_custody"] for each in given[0]["movements"]] == [vial]

    def test_only_as_many_vials_are_opened_as_are_needed(self, client: Client) -> None:
        batch = in_vials(client, 10)
        events = client.post("/administrations", administration(batch, 3, gtin=TWO)).ok()["events"]
        assert [event["kind"] for event in events] == ["open", "administer"]
        assert sum(each["doses"] for each in events[0]["movements"]) == 4
        again = client.post("/administrations", administration(batch, 1, gtin=TWO)).ok()["events"]
        assert [event["kind"] for event in again] == ["administer"]

    def test_what_is_more_than_whole_vials_is_missed_or_wasted_of_the_opened_one(self, client: Client) -> None:
        batch = in_vials(client, 10)
        client.post("/administrations", administration(batch, gtin=TWO)).ok()
        stated_count = order(batch, gtin=TWO, appliance="A-FRIDGE", reason="counted twice")
        client.post("/counts", stated_count | {"counted": 7}).ok()
        assert clocks(client, batch)["open-vial"] == utc(NOW + 6 * HOUR)
        client.post("/wastages", order(batch, doses=4, gtin=TWO, cause="broken")).ok()
        assert clocks(client, batch)["open-vial"] == utc(NOW + 6 * HOUR)
        client.post("/counts", stated_count | {"counted": 2}).ok()
        assert "open-vial" not in clocks(client, batch)
        broken = client.post("/counts", stated_count | {"counted": 1})
        refused(broken, 422, "not_whole_vials")
        assert "counted is 1; expected whole vials of 2 doses" in broken.body["detail"]

    def test_a_vial_of_one_dose_is_not_opened(self, client: Client) -> None:
        batch = at_site(client, 4)
        refused(client.post("/openings", order(batch)), 409, "vial_not_multi_dose")

    def test_frozen_vaccine_thaws_once(self, server: Server) -> None:
        client, batch = server.client, new_batch()
        client.post("/receipts", goods(batch, gtin=FROZEN) | {"appliance": "FREEZER"}).ok()
        assert "thaw" not in clocks(client, batch)
        out = order(batch, "COUNTY", gtin=FROZEN)
        client.post("/moves", out | {"to_appliance": "BOX", "occurred_at": stated(NOW - 2 * HOUR)}).ok()
        due = utc(NOW + 3 * HOUR)
        assert clocks(client, batch)["thaw"] == due
        client.post("/moves", out | {"to_appliance": "FREEZER", "occurred_at": stated(NOW - HOUR)}).ok()
        client.post("/moves", out | {"to_appliance": "BOX"}).ok()
        assert clocks(client, batch)["thaw"] == due
        server.clock.at = NOW + 4 * HOUR
        late = dispatch(batch, lines=[line(batch, 10, gtin=FROZEN)], occurred_at=stated(NOW + 3.5 * HOUR))
        refused(client.post("/shipments", late), 409, "batch_expired")


class TestOnTheShelf:
    def test_doses_are_moved_with_their_clock_into_another_appliance(self, client: Client) -> None:
        batch = at_site(client, 10)
        before = clocks(client, batch)
        client.post("/moves", order(batch, doses=4, to_appliance="A-BOX")).ok()
        assert clocks(client, batch) == before
        refused(client.post("/moves", order(batch, appliance="A-BOX", to_appliance="A-BOX")), 422, "same_appliance")
        refused(client.post("/moves", order(batch, to_appliance="B-FRIDGE")), 422, "wrong_appliance")

    def test_other_reasons_of_wastage_are_told_in_words(self, client: Client) -> None:
        batch = at_site(client, 10)
        refused(client.post("/wastages", order(batch, doses=1, cause="other")), 422, "malformed")
        client.post("/wastages", order(batch, doses=1, cause="other", reason="a mouse")).ok()
        for cause in ("broken", "opened-not-used", "expired", "heat", "frozen", "lost"):
            client.post("/wastages", order(batch, doses=1, cause=cause)).ok()
        assert client.post("/wastages", order(batch, doses=1, cause="stolen")).status == 422
        assert held(client, batch) == {FREE: 3}

    def test_a_count_brings_the_book_to_what_is_there(self, client: Client) -> None:
        batch = at_site(client, 10)
        count = order(batch, appliance="A-FRIDGE")
        refused(client.post("/counts", count | {"counted": 8}), 422, "malformed")
        client.post("/counts", count | {"counted": 8, "reason": "two are gone"}).ok()
        client.post("/counts", count | {"counted": 8}).ok()
        client.post("/counts", count | {"counted": 11, "reason": "three more"}).ok()
        tree = client.get(f"/batches/{ONE}/{batch}/trail").ok()
        assert (tree["on_hand"], tree["missing"], tree["found"], tree["in_quarantine"]) == (8, 2, 3, 3)
        early = count | {"counted": 8, "occurred_at": stated(NOW - HOUR / 2)}
        refused(client.post("/counts", early), 409, "time_before_count")

    def test_doses_that_nobody_sent_are_never_free(self, client: Client) -> None:
        batch = at_site(client, 10)
        count = order(batch, appliance="A-FRIDGE", counted=13, reason="three more")
        client.post("/counts", count).ok()
        refused(client.post("/releases", order(batch, reason="looked at")), 409, "origin_unknown")
        back = {"facility": "SITE-A", "occurred_at": stated(NOW), "reason": "whose are they", "held": True,
                "lines": [line(batch, 2)]}  # fmt: skip
        shipment = client.post("/returns", back).ok()["shipment"]
        there = {"appliance": "COUNTY-ROOM", "occurred_at": stated(NOW)}
        client.post(f"/shipments/{shipment}/receipts", there).ok()
        refused(client.post("/releases", order(batch, "COUNTY", reason="looked at")), 409, "origin_unknown")
        client.post("/wastages", order(batch, doses=1, cause="other", reason="nobody's", held=True)).ok()
        assert held(client, batch) == {FREE: 10, HELD: 2}


class TestNothingStaysOvernight:
    def assign(self, server: Server, facility: str | None, since: timedelta) -> None:
        """The rule set is in force for a facility and those below it."""

        def work(session: Any) -> None:
            where = lookups.facility(session, facility).id if facility else None
            row = RuleAssignment(
                id=new_id(), rule_set="no-overnight", programme_code=None, facility_id=where, effective_from=NOW + since
            )
            session.add(row)

        server.county.database.write(work)

    def test_from_its_day_on_a_county_forwards_the_same_day_and_a_site_is_at_zero_the_next(
        self, server: Server
    ) -> None:
        client, database = server.client, server.county.database
        for code, kind, above in (("DAY", "county-store", "CITY"), ("DAY-SITE", "fixed-site", "DAY")):
            record = facilities.FacilityRecord(code, code, kind, "Asia/Shanghai", above)  # type: ignore[arg-type]
            facilities.add_facility(database, record)
            client.post("/appliances", {"code": f"{code}-F", "facility": code, "name": code, "kind": "fridge"}).ok()
        self.assign(server, "DAY", -2 * HOUR)
        before, after = new_batch(), new_batch()
        mine = {"facility": "DAY", "appliance": "DAY-F"}
        client.post("/receipts", goods(before) | mine).ok()
        assert set(clocks(client, before)) == {"deliver"}
        client.post("/receipts", goods(after) | mine | {"occurred_at": stated(NOW - HOUR)}).ok()
        midnight = NOW + 12 * HOUR
        assert clocks(client, after) == {"forward": utc(midnight)}
        way = dispatch(after, from_facility="DAY", to_facility="DAY-SITE", occurred_at=stated(NOW - HOUR / 2))
        shipment = client.post("/shipments", way).ok()["shipment"]
        assert clocks(client, after) == {}
        there = arrival(appliance="DAY-SITE-F", occurred_at=stated(NOW))
        client.post(f"/shipments/{shipment}/receipts", there).ok()
        assert clocks(client, after) == {"use": utc(midnight + 24 * HOUR)}
        met = client.get("/deadlines", status="met", limit=1000).items
        assert [each["doses_met"] for each in met if each["batch"] == after and each["name"] == "forward"] == [10]


Act = Callable[[Client, str], Json]


def _received(client: Client, batch: str) -> Json:
    shipment = client.get("/shipments", facility="SITE-A", in_transit="true", limit=1000).items
    mine = next(each for each in shipment if each["lines"][0]["batch"] == batch)
    found: Json = client.post(f"/shipments/{mine['id']}/receipts", arrival(lines=[line(batch, 3)])).ok()
    return found


ACTS: dict[str, Act] = {
    "receive": lambda client, batch: client.post("/receipts", goods(batch)).ok(),
    "receive a shipment": _received,
    "dispatch": lambda client, batch: client.post("/shipments", dispatch(batch, 5, sensors=["S-BOX"])).ok(),
    "administer": lambda client, batch: client.post("/administrations", administration(batch, 2)).ok(),
    "waste": lambda client, batch: client.post("/wastages", order(batch, doses=2, cause="broken")).ok(),
    "hold": lambda client, batch: client.post("/holds", order(batch, doses=2, reason="a doubt")).ok(),
    "release": lambda client, batch: client.post("/releases", order(batch, "COUNTY", reason="looked at")).ok(),
    "move": lambda client, batch: client.post("/moves", order(batch, to_appliance="A-BOX")).ok(),
    "count below": lambda client, batch: client.post(
        "/counts", order(batch, appliance="A-FRIDGE", counted=7, reason="gone")).ok(),
    "count above": lambda client, batch: client.post(
        "/counts", order(batch, appliance="A-FRIDGE", counted=17, reason="more")).ok(),
    "return": lambda client, batch: client.post(
        "/returns", {"facility": "SITE-A", "occurred_at": stated(NOW), "reason": "x", "lines": [line(batch, 2)]}).ok(),
    "recall": lambda client, batch: client.post("/recalls", order(batch, "COUNTY", reason="the maker")).ok(),
}  # fmt: skip


def everything(client: Client, batch: str) -> Json:
    """All that can be asked about a batch, but for who was asked when and what is void."""
    tree = client.get(f"/batches/{ONE}/{batch}/trail").ok()
    tree["custodies"] = [each for each in tree["custodies"] if not each["corrected"]]
    every: list[Json] = []
    for status in (None, "open", "due-soon", "missed", "met"):
        lines = client.get("/deadlines", limit=1000, **({"status": status} if status else {})).items
        every += [each for each in lines if each["batch"] == batch]
    shipments = [each for each in client.get("/shipments", limit=1000).items if any(
        part["batch"] == batch and part["sent"] for part in each["lines"])]  # fmt: skip
    stock = client.get("/stock", batch=batch, limit=1000).items
    return {"tree": tree, "clocks": every, "shipments": shipments, "stock": stock}


@pytest.mark.parametrize("what", ACTS)
def test_what_is_corrected_has_never_been(client: Client, what: str) -> None:
    batch = at_county(client, 40)
    first = sent(client, batch, 10)
    client.post(f"/shipments/{first}/receipts", arrival()).ok()
    sent(client, batch, 10)
    client.post("/holds", order(batch, "COUNTY", doses=4, reason="a doubt")).ok()
    before = everything(client, batch)
    events = ACTS[what](client, batch)["events"]
    assert everything(client, batch) != before
    for event in reversed(events):
        client.post(f"/events/{event['id']}/reversal", {"occurred_at": stated(NOW), "reason": "a slip"}).ok()
    after = everything(client, batch)
    for part, was in before.items():
        assert after[part] == was, part
    again = ACTS[what](client, batch)["events"]  # as if for the first time: the sensors are free again, too
    for event in reversed(again):
        client.post(f"/events/{event['id']}/reversal", {"occurred_at": stated(NOW), "reason": "a slip"}).ok()


def test_an_opening_and_what_stands_on_it_are_undone_last_first(client: Client) -> None:
    batch = in_vials(client, 4)
    opening, given = client.post("/administrations", administration(batch, gtin=TWO)).ok()["events"]
    undo = {"occurred_at": stated(NOW), "reason": "a slip"}
    refused(client.post(f"/events/{opening['id']}/reversal", undo), 409, "custody_touched")
    client.post(f"/events/{given['id']}/reversal", undo).ok()
    client.post(f"/events/{opening['id']}/reversal", undo).ok()
    refused(client.post(f"/events/{opening['id']}/reversal", undo), 409, "already_reversed")
    assert set(clocks(client, batch)) == {"use"}


def test_an_explanation_is_no_arrival(client: Client) -> None:
    """Once its only receipt is undone a shipment is on its way again, whatever the sender has found meanwhile."""
    batch = at_county(client, 10)
    shipment = sent(client, batch)
    receipt = client.post(f"/shipments/{shipment}/receipts", arrival(lines=[line(batch, 3)])).ok()["events"][0]["id"]
    found = order(batch, "COUNTY", doses=2, explanation="found", appliance="COUNTY-ROOM", reason="on the ramp")
    client.post(f"/shipments/{shipment}/explanations", found).ok()
    client.post(f"/events/{receipt}/reversal", {"occurred_at": stated(NOW), "reason": "a slip"}).ok()
    seen = client.get(f"/shipments/{shipment}").ok()
    assert (seen["arrived_at"], seen["shortfall"], seen["lines"][0]["in_transit"]) == (None, 0, 8)
