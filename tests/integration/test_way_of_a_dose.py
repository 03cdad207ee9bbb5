"""The main job, end to end: a dose from the supplier to an arm, and the auditor's way back."""

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import uuid6

from inventory.services import monitoring
from inventory.services.verification import verify
from tests.county import HOUR, MINUTE, NOW, ONE, TWO, series
from tests.http import Client, Server
from tests.orders import administration, arrival, dispatch, new_batch, override, receipt, stated

RECEIVED, LEFT_CITY, AT_COUNTY, LEFT_COUNTY, AT_SITE, GIVEN = (NOW - hours * HOUR for hours in (12, 11, 10, 6, 5, 1))
WARM_SINCE = AT_COUNTY + HOUR


def utc(text: str) -> str:
    return text.replace("+00:00", "Z")


@pytest.fixture(scope="module")
def way(served: Server) -> dict[str, Any]:
    """A batch of 100 that goes city, county (where it is warm for two hours), site A; 3 of its 20 there are given."""
    post, batch = served.client.post, new_batch()
    post("/receipts", receipt(batch, 100, occurred_at=stated(RECEIVED)), "keeper").ok()
    to_county = dispatch(batch, 60, from_facility="CITY", to_facility="COUNTY", occurred_at=stated(LEFT_CITY))
    first = post("/shipments", to_county, "keeper").ok()["shipment"]
    there = arrival(appliance="COUNTY-ROOM", occurred_at=stated(AT_COUNTY))
    post(f"/shipments/{first}/receipts", there, "county").ok()
    warm = [450] * 12 + [950] * 24 + [450] * 60
    monitoring.record(served.county.database, [series("S-COUNTY", AT_COUNTY, warm)], NOW)
    to_site = dispatch(batch, 20, occurred_at=stated(LEFT_COUNTY), sensors=["S-BOX"])
    second = post("/shipments", to_site, "keeper").ok()["shipment"]
    monitoring.record(served.county.database, [series("S-BOX", LEFT_COUNTY, [400] * 13)], NOW)
    post(f"/shipments/{second}/receipts", arrival(occurred_at=stated(AT_SITE)), "nurse-a").ok()
    post("/overrides", override(batch, occurred_at=stated(AT_SITE)), "chief").ok()
    given = post("/administrations", administration(batch, 3, occurred_at=stated(GIVEN)), "nurse-a").ok()
    return {"batch": batch, "to_county": first, "to_site": second, "given": given["events"][0]["id"]}


def excursion(client: Client) -> Any:
    """The one beyond a limit; before its first reading the sensor was silent."""
    silence, found = client.get("/excursions", sensor="S-COUNTY").items
    assert silence["side"] == "silence"
    return found


def test_the_trail_of_a_given_dose_leads_back_to_the_supplier(client: Client, way: dict[str, Any]) -> None:
    trail = client.get(f"/administrations/{way['given']}/trail").ok()
    assert (trail["batch"], trail["facility"], trail["administration"]["actor"]) == (way["batch"], "SITE-A", "nurse-a")
    (chain,) = trail["chains"]
    assert (chain["doses"], chain["chosen"]) == (3, "picked")
    custodies = [stage["custody"] for stage in chain["stages"]]
    assert [each["place"]["kind"] for each in custodies] == ["storage", "transit", "storage", "transit", "storage"]
    assert [each["place"]["appliance"] for each in custodies][::2] == ["CITY-ROOM", "COUNTY-ROOM", "A-FRIDGE"]
    assert [each["place"]["shipment"] for each in custodies][1::2] == [way["to_county"], way["to_site"]]
    assert custodies[0]["parent"] is None
    assert [each["parent"] for each in custodies[1:]] == [each["custody"] for each in custodies[:-1]]
    opened = [each["opened_by"]["occurred_at"] for each in custodies]
    assert opened == [utc(stated(each)) for each in (RECEIVED, LEFT_CITY, AT_COUNTY, LEFT_COUNTY, AT_SITE)]


def test_the_trail_shows_the_excursion_where_and_only_where_it_was(client: Client, way: dict[str, Any]) -> None:
    (chain,) = client.get(f"/administrations/{way['given']}/trail").ok()["chains"]
    rules = [[each["rule"] for each in stage["evidence"]["excursions"]] for stage in chain["stages"]]
    assert rules == [[], [], ["HOT"], [], []]
    at_county = chain["stages"][2]["evidence"]["sensors"][0]
    assert at_county["sensor"] == "S-COUNTY"
    assert at_county["exposure"]["above_minutes"] == 120
    assert (at_county["exposure"]["lowest_celsius"], at_county["exposure"]["highest_celsius"]) == (4.5, 9.5)
    on_the_road = chain["stages"][3]["evidence"]["sensors"][0]
    assert (on_the_road["sensor"], on_the_road["exposure"]["unseen_minutes"]) == ("S-BOX", 0)


def test_a_place_that_no_sensor_saw_is_not_called_cold(client: Client, way: dict[str, Any]) -> None:
    (chain,) = client.get(f"/administrations/{way['given']}/trail").ok()["chains"]
    assert chain["stages"][1]["evidence"] == {
        "unseen_minutes": 60,
        "archived_minutes": 0,
        "sensors": [],
        "excursions": [],
    }
    unseen = chain["stages"][0]["evidence"]["sensors"][0]["exposure"]
    assert (unseen["unseen_minutes"], unseen["mean_kinetic_celsius"], unseen["lowest_celsius"]) == (60, None, None)


def test_an_excursion_has_its_rule_its_alarm_and_its_extreme(client: Client, way: dict[str, Any]) -> None:
    found = excursion(client)
    assert (found["rule"], found["side"], found["threshold_celsius"], found["inclusive"]) == (
        "HOT",
        "above",
        8.0,
        False,
    )
    assert found["started_at"] == utc(stated(WARM_SINCE))
    assert found["alarm_at"] == utc(stated(WARM_SINCE + 30 * MINUTE))
    assert found["ended_at"] == utc(stated(WARM_SINCE + 2 * HOUR))
    assert (found["seen_minutes"], found["unseen_minutes"], found["extreme_celsius"]) == (120, 0, 9.5)


def test_the_impact_names_the_given_doses_and_where_the_others_are(client: Client, way: dict[str, Any]) -> None:
    impact = client.get(f"/excursions/{excursion(client)['id']}/impact").ok()
    assert (impact["doses"], impact["on_hand"], impact["in_transit"], impact["administered"]) == (60, 57, 0, 3)
    (custody,) = impact["custodies"]
    assert (custody["batch"], custody["place"]["appliance"], custody["doses"]) == (way["batch"], "COUNTY-ROOM", 60)
    assert (custody["fate"]["on_hand"], custody["fate"]["administered"]) == (57, 3)
    (given,) = client.get(f"/excursions/{excursion(client)['id']}/impact/administrations").items
    assert (given["administration"], given["facility"], given["doses"]) == (way["given"], "SITE-A", 3)
    assert {each["place"]["appliance"]: each["doses"] for each in custody["left"]} == {
        "COUNTY-ROOM": 40,
        "A-FRIDGE": 17,
    }


def test_a_batchs_tree_holds_every_dose_once(client: Client, way: dict[str, Any]) -> None:
    tree = client.get(f"/batches/{ONE}/{way['batch']}/trail").ok()
    assert (tree["received"], tree["on_hand"], tree["in_transit"], tree["administered"]) == (100, 97, 0, 3)
    assert [(each["depth"], each["doses"], each["remaining"]) for each in tree["custodies"]] == [
        (0, 100, 40),
        (1, 60, 0),
        (2, 60, 40),
        (3, 20, 0),
        (4, 20, 17),
    ]


def test_the_ledger_proves_itself(server: Server, way: dict[str, Any]) -> None:
    verdict = verify(server.county.database)
    assert verdict.holds, verdict


def test_two_dose_vials_are_given_dose_by_dose(client: Client) -> None:
    batch = new_batch()
    whole = {"gtin": TWO, "facility": "COUNTY", "appliance": "COUNTY-ROOM"}
    client.post("/receipts", receipt(batch, 4, **whole)).ok()
    lines = [{"gtin": TWO, "batch": batch, "doses": 4}]
    shipment = client.post("/shipments", dispatch(batch, lines=lines)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    for _ in range(4):
        client.post("/administrations", administration(batch, gtin=TWO)).ok()
    assert client.post("/administrations", administration(batch, gtin=TWO)).status == 409


def test_one_administration_from_two_custodies_has_two_chains(client: Client) -> None:
    batch = new_batch()
    client.post("/receipts", receipt(batch, 10, facility="COUNTY", appliance="COUNTY-ROOM")).ok()
    for minute, doses in ((0, 2), (10, 3)):
        left = stated(NOW - 2 * HOUR + timedelta(minutes=minute))
        shipment = client.post("/shipments", dispatch(batch, doses, occurred_at=left)).ok()["shipment"]
        client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    event = client.post("/administrations", administration(batch, 4)).ok()["events"][0]
    chains = client.get(f"/administrations/{event['id']}/trail").ok()["chains"]
    assert sorted(chain["doses"] for chain in chains) == [2, 2]
    assert len({chain["stages"][-1]["custody"]["custody"] for chain in chains}) == 2


def test_a_custody_that_is_named_is_the_one_that_gives(client: Client) -> None:
    batch = new_batch()
    client.post("/receipts", receipt(batch, 5, facility="COUNTY", appliance="COUNTY-ROOM")).ok()
    later = receipt(batch, 5, facility="COUNTY", appliance="COUNTY-ROOM", occurred_at=stated(NOW - 2.5 * HOUR))
    custody = client.post("/receipts", later).ok()["events"][0]["movements"][0]["to_custody"]
    lines = [{"gtin": ONE, "batch": batch, "doses": 2, "custody": custody}]
    movement = client.post("/shipments", dispatch(batch, lines=lines)).ok()["events"][0]["movements"][0]
    assert (movement["from_custody"], movement["chosen"]) == (custody, "named")


def test_a_trail_does_not_hang_on_the_clocks_of_two_processes(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids run ahead of the clock in a busy process: a child's may come before its parent's of the same instant."""
    batch, at = new_batch(), stated(NOW - 3 * HOUR)
    monkeypatch.setattr(uuid6, "_last_v7_timestamp", int((time.time() + 3600) * 1000))
    client.post("/receipts", receipt(batch, 10, facility="COUNTY", appliance="COUNTY-ROOM", occurred_at=at)).ok()
    monkeypatch.setattr(uuid6, "_last_v7_timestamp", None)
    client.post("/shipments", dispatch(batch, occurred_at=at)).ok()
    tree = client.get(f"/batches/{ONE}/{batch}/trail").ok()
    assert [each["depth"] for each in tree["custodies"]] == [0, 1]


@pytest.mark.parametrize(
    "path", ["/administrations/{}/trail", "/excursions/{}", "/excursions/{}/impact", "/shipments/{}"]
)
def test_what_does_not_exist_is_not_found(client: Client, path: str) -> None:
    answer = client.get(path.format(UUID(int=7)))
    assert (answer.status, answer.body["code"]) == (404, "not_found")
