"""What a second review of the ledger found: each a fault once."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from inventory.persistence.tables import Sensor, SensorAssignment
from tests.county import HOUR, NOW, ONE, County
from tests.http import Client
from tests.orders import arrival, at_county, dispatch, stated


def _sent(client: Client, **other: Any) -> tuple[str, str]:
    """A batch on its way to site A, and its shipment."""
    batch = at_county(client, 10)
    return batch, client.post("/shipments", dispatch(batch, **other)).ok()["shipment"]


def test_a_transport_that_arrives_before_it_left_is_refused_and_hides_no_shipment(client: Client) -> None:
    _, shipment = _sent(client, transport={"departed_at": stated(NOW - 2 * HOUR)})
    early = {"arrival_celsius": 4.5, "arrived_at": stated(NOW - 3 * HOUR)}
    refused = client.post(f"/shipments/{shipment}/receipts", arrival(transport=early))
    assert (refused.status, refused.body["field"]) == (422, "arrived_at")
    client.get(f"/shipments/{shipment}").ok()
    client.get("/shipments").ok()


def test_the_record_of_each_part_is_kept_and_that_of_a_corrected_one_is_not_the_shipments(client: Client) -> None:
    batch, shipment = _sent(client)
    parts = [
        client.post(
            f"/shipments/{shipment}/receipts",
            arrival(
                lines=[{"gtin": ONE, "batch": batch, "doses": 5}],
                transport={"arrival_celsius": celsius, "taken_by": taker},
            ),
        ).ok()["events"][0]["id"]
        for celsius, taker in ((4, "first"), (7, "second"))
    ]
    assert [client.get(f"/events/{part}").ok()["transport"]["taken_by"] for part in parts] == ["first", "second"]
    assert client.get(f"/shipments/{shipment}").ok()["transport"]["taken_by"] == "first"
    client.post(f"/events/{parts[0]}/reversal", {"occurred_at": stated(NOW), "reason": "another shipment's"}).ok()
    assert client.get(f"/shipments/{shipment}").ok()["transport"]["taken_by"] == "second"


def test_what_the_sender_states_of_the_departure_is_not_overwritten_by_the_receiver(client: Client) -> None:
    _, shipment = _sent(client, transport={"departure_celsius": 4, "departed_at": stated(NOW - 2 * HOUR)})
    theirs = {"arrival_celsius": 5, "departure_celsius": 15, "departed_at": stated(NOW - 5 * HOUR)}
    client.post(f"/shipments/{shipment}/receipts", arrival(transport=theirs)).ok()
    transport = client.get(f"/shipments/{shipment}").ok()["transport"]
    assert (transport["departure_celsius"], transport["arrival_celsius"]) == (4, 5)
    assert transport["departed_at"] == "2026-01-05T02:00:00Z"


def _watch_ends(county: County, serial: str) -> datetime | None:
    query = select(SensorAssignment.until).join(Sensor, Sensor.id == SensorAssignment.sensor_id)
    with county.database.read() as session:
        return session.scalars(query.where(Sensor.serial == serial)).one()


def test_the_watch_of_a_shipment_ends_with_the_first_part_that_stands(county: County, client: Client) -> None:
    batch, shipment = _sent(client, sensors=["S-FREE"])
    parts = [
        client.post(
            f"/shipments/{shipment}/receipts",
            arrival(occurred_at=stated(at), lines=[{"gtin": ONE, "batch": batch, "doses": 5}]),
        ).ok()["events"][0]["id"]
        for at in (NOW - 1.5 * HOUR, NOW - HOUR)
    ]
    ends = [_watch_ends(county, "S-FREE")]
    for part in parts:
        client.post(f"/events/{part}/reversal", {"occurred_at": stated(NOW), "reason": "not ours"}).ok()
        ends.append(_watch_ends(county, "S-FREE"))
    assert ends == [NOW - 1.5 * HOUR, NOW - HOUR, None]
