"""The impact of an excursion: the doses that were there while it lasted, and no others."""

from datetime import datetime
from typing import Any

import pytest

from inventory.services import monitoring
from tests.county import HOUR, MINUTE, NOW, ONE, series
from tests.http import Client, Server
from tests.integration.test_paging import pages
from tests.orders import administration, arrival, dispatch, new_batch, override, receipt, stated

BEGAN = NOW - 6 * HOUR
"""The county's room is warm from then on for an hour."""


@pytest.fixture(scope="module")
def story(served: Any) -> dict[str, Any]:
    """Batches that were there before, during, over the beginning, over the end, and after; and one that came back."""
    client = served.client
    batches = {name: new_batch() for name in ("before", "over", "inside", "after", "back")}
    bring(client, batches["before"], 5, BEGAN - 3 * HOUR)
    send(client, batches["before"], 5, BEGAN)
    bring(client, batches["over"], 20, BEGAN - 3 * HOUR)
    send(client, batches["over"], 8, BEGAN - HOUR)
    broken = {"facility": "COUNTY", "gtin": ONE, "batch": batches["over"], "doses": 2, "cause": "broken"}
    client.post("/wastages", broken | {"occurred_at": stated(BEGAN)}).ok()
    send(client, batches["over"], 6, BEGAN + 10 * MINUTE)
    bring(client, batches["back"], 4, BEGAN - 2 * HOUR)
    away = {"from_facility": "COUNTY", "to_facility": "CITY"}
    trip = client.post("/shipments", dispatch(batches["back"], 4, occurred_at=stated(BEGAN + 5 * MINUTE), **away)).ok()[
        "shipment"
    ]
    there = arrival(appliance="CITY-ROOM", occurred_at=stated(BEGAN + 15 * MINUTE))
    client.post(f"/shipments/{trip}/receipts", there).ok()
    home = {"from_facility": "CITY", "to_facility": "COUNTY"}
    trip = client.post(
        "/shipments", dispatch(batches["back"], 4, occurred_at=stated(BEGAN + 20 * MINUTE), **home)
    ).ok()["shipment"]
    there = arrival(appliance="COUNTY-ROOM", occurred_at=stated(BEGAN + 30 * MINUTE))
    client.post(f"/shipments/{trip}/receipts", there).ok()
    bring(client, batches["inside"], 3, BEGAN + 20 * MINUTE)
    bring(client, batches["after"], 7, BEGAN + HOUR)
    warm = [450] * 48 + [950] * 12 + [450] * 12
    monitoring.record(served.county.database, [series("S-COUNTY", BEGAN - 4 * HOUR, warm)], NOW)
    (found,) = [each for each in client.get("/excursions", sensor="S-COUNTY").items if each["side"] == "above"]
    assert (found["started_at"], found["ended_at"]) == (
        stated(BEGAN).replace("+00:00", "Z"),
        stated(BEGAN + HOUR).replace("+00:00", "Z"),
    )
    return {"excursion": found["id"], "batches": batches}


def bring(client: Client, batch: str, doses: int, at: datetime) -> None:
    client.post("/receipts", receipt(batch, doses, facility="COUNTY", appliance="COUNTY-ROOM", occurred_at=stated(at)))


def send(client: Client, batch: str, doses: int, at: datetime) -> None:
    shipment = client.post("/shipments", dispatch(batch, doses, occurred_at=stated(at))).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival(occurred_at=stated(at + 30 * MINUTE))).ok()


def told(client: Client, story: dict[str, Any], name: str) -> list[Any]:
    impact = client.get(f"/excursions/{story['excursion']}/impact").ok()
    assert impact["doses"] == sum(each["doses"] for each in impact["custodies"])
    return [each for each in impact["custodies"] if each["batch"] == story["batches"][name]]


@pytest.mark.parametrize("name", ["before", "after"])
def test_doses_that_left_as_it_began_or_came_as_it_ended_were_not_there(
    client: Client, story: dict[str, Any], name: str
) -> None:
    assert told(client, story, name) == []


def test_doses_that_were_taken_before_it_are_not_counted_and_those_taken_while_it_lasted_are(
    server: Server, story: dict[str, Any]
) -> None:
    client, batch = server.client, story["batches"]["over"]
    client.post("/overrides", override(batch, "exposure", occurred_at=stated(NOW))).ok()
    held = {"facility": "COUNTY", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "doses": 2}
    client.post("/holds", held | {"reason": "warm"}).ok()
    slip = client.post("/administrations", administration(batch, 1)).ok()["events"][-1]["id"]
    client.post(f"/events/{slip}/reversal", {"occurred_at": stated(NOW), "reason": "slip"}).ok()
    given = client.post("/administrations", administration(batch, 12, recipient="R-0001")).ok()["events"][-1]
    (custody,) = told(client, story, "over")
    there = sum(line["doses"] for line in given["movements"]) - 8
    assert custody["doses"] == 10
    fate = {name: doses for name, doses in custody["fate"].items() if doses}
    assert fate == {"doses": 10, "on_hand": 4, "in_quarantine": 2, "administered": there}
    listed = client.get(f"/excursions/{story['excursion']}/impact/administrations").items
    mine = [each for each in listed if each["batch"] == batch]
    assert [(each["administration"], each["doses"], each["recipient"]) for each in mine] == [
        (given["id"], there, "R-0001")
    ]


def test_doses_that_came_while_it_lasted_were_there(client: Client, story: dict[str, Any]) -> None:
    assert [each["doses"] for each in told(client, story, "inside")] == [3]


def test_doses_that_came_back_count_once(client: Client, story: dict[str, Any]) -> None:
    (custody,) = told(client, story, "back")
    assert (custody["doses"], custody["fate"]["on_hand"]) == (4, 4)
    assert [each["place"]["appliance"] for each in custody["left"]] == ["COUNTY-ROOM"]


def test_the_doses_given_are_told_page_by_page(client: Client, story: dict[str, Any]) -> None:
    path = f"/excursions/{story['excursion']}/impact/administrations"
    whole = client.get(path).items
    found = pages(client, path, limit=1)
    assert found == whole
    assert client.get("/excursions/01890000-0000-7000-8000-000000000000/impact/administrations").status == 404
