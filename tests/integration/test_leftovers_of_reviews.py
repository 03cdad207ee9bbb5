"""What two reviews left over: small things that were told wrongly, or not at all."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.county import HOUR, NOW, ONE, TWO
from tests.crowd import in_vials
from tests.http import Answer, Client, Server
from tests.integration.test_usability import warm_on_its_way
from tests.orders import administration, arrival, at_county, at_site, dispatch, new_batch, receipt, stated

UNDO = {"occurred_at": stated(NOW), "reason": "A slip"}


def undo(client: Client, event: str, who: str = "admin") -> Answer:
    """Correct an event."""
    return client.post(f"/events/{event}/reversal", UNDO, who)


def short_by_three(client: Client) -> tuple[str, str]:
    """A batch of which three doses of ten did not arrive, and its shipment."""
    batch = at_county(client, 10)
    shipment = client.post("/shipments", dispatch(batch)).ok()["shipment"]
    lines = [{"gtin": ONE, "batch": batch, "doses": 7}]
    client.post(f"/shipments/{shipment}/receipts", arrival(lines=lines)).ok()
    return batch, shipment


def explained(batch: str, **other: Any) -> dict[str, Any]:
    """Three doses that site B has instead."""
    return {
        "facility": "SITE-B",
        "appliance": "B-FRIDGE",
        "gtin": ONE,
        "batch": batch,
        "doses": 3,
        "explanation": "mis-shipped",
        "occurred_at": stated(NOW),
        "reason": "On the wrong van",
    } | other


def test_a_word_for_one_administration_is_taken_back_only_after_it(server: Server) -> None:
    client, batch = server.client, warm_on_its_way(server)
    order = administration(batch, override={"reason": "Stability data of the maker"})
    word, given = (each["id"] for each in client.post("/administrations", order, "chief").ok()["events"])
    refused = undo(client, word, "chief")
    assert (refused.status, refused.body["code"]) == (409, "custody_touched")
    assert given in refused.body["expected"]
    undo(client, given, "chief").ok()
    undo(client, word, "chief").ok()


def test_a_transfer_is_corrected_by_the_store_that_ordered_it_and_not_by_the_site(client: Client) -> None:
    for who in ("county", "keeper"):
        transfer = dispatch(at_site(client), 4, from_facility="SITE-A", to_facility="SITE-B", occurred_at=stated(NOW))
        event = client.post("/shipments", transfer, "county").ok()["events"][0]["id"]
        refused = undo(client, event, "nurse-a")
        assert (refused.status, refused.body["code"]) == (403, "not_your_facility")
        undo(client, event, who).ok()


def test_what_did_not_arrive_is_explained_only_from_the_arrival_on(client: Client) -> None:
    batch, shipment = short_by_three(client)
    for other in ({}, {"facility": "SITE-A", "appliance": None, "explanation": "lost"}):
        early = explained(batch, occurred_at=stated(NOW - 1.5 * HOUR), **other)
        refused = client.post(f"/shipments/{shipment}/explanations", early)
        assert (refused.status, refused.body["code"]) == (422, "time_before_shipment")


def test_the_sender_is_told_who_has_what_it_sent_elsewhere(client: Client) -> None:
    batch, shipment = short_by_three(client)
    event = client.post(f"/shipments/{shipment}/explanations", explained(batch), "nurse-b").ok()["events"][0]["id"]
    told = client.get("/notices", facility="COUNTY", kind="shortfall", limit=500).items
    (notice,) = [each["body"] for each in told if each["body"]["event"] == event]
    assert notice["lines"] == [{"gtin": ONE, "batch": batch, "doses": 3}]
    assert (notice["found_at"], notice["shipment"]) == ("SITE-B", shipment)


@pytest.mark.parametrize("explanation", ["found", "mis-shipped"])
def test_what_was_found_afterwards_makes_no_shipment_arrive(client: Client, explanation: str) -> None:
    """Nor at an instant, which now is one of: the receipt is undone, and what was found of it stands."""
    batch, shipment = short_by_three(client)
    own = {} if explanation == "mis-shipped" else {"facility": "SITE-A", "appliance": "A-FRIDGE"}
    found = explained(batch, explanation=explanation, doses=1) | own
    client.post(f"/shipments/{shipment}/explanations", found).ok()
    received = client.get("/events", shipment=shipment, kind="receive", limit=9).items
    first = min(received, key=lambda each: each["recorded_at"] + each["id"])
    undo(client, first["id"]).ok()
    instants: tuple[dict[str, str], ...] = ({}, {"at": stated(NOW)})
    for at in instants:
        tree = client.get(f"/batches/{ONE}/{batch}/trail", **at).ok()
        assert (tree["in_transit"], tree["unexplained"]) == (9, 0), at
    order = {"facility": "CITY", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "reason": "a foreign body"}
    recalled = client.post("/recalls", order, "chief").ok()["events"][0]["id"]
    for at in instants:
        assert client.get(f"/recalls/{recalled}", **at).ok()["unexplained"] == 0, at


def test_a_line_of_no_doses_makes_no_shipment_arrive(client: Client) -> None:
    batch = at_county(client, 10)
    shipment = client.post("/shipments", dispatch(batch)).ok()["shipment"]
    nothing = arrival(lines=[{"gtin": ONE, "batch": batch, "doses": 0}])
    refused = client.post(f"/shipments/{shipment}/receipts", nothing)
    assert (refused.status, refused.body["code"], refused.body["field"]) == (422, "malformed", "doses")
    assert client.get(f"/shipments/{shipment}").ok()["arrived_at"] is None


def test_a_line_that_is_malformed_has_its_own_problem(client: Client) -> None:
    batch = at_site(client)
    good = administration(batch)
    lines = [
        good,
        good | {"doses": 0},
        good | {"occurred_at": "2026-01-05T12:00:00"},
        good | {"recipient": "x" * 65},
        good | {"path": "left"},
        "a dose",
        good | {"batch": "UNKNOWN"},
        good,
    ]
    results = client.post("/administration-lists", {"administrations": lines}).ok()["results"]
    assert [each["status"] for each in results] == [201, 422, 422, 422, 422, 422, 422, 201]
    problems = [each["problem"] for each in results[1:-1]]
    assert [each["code"] for each in problems] == ["malformed", "naive_time", *["malformed"] * 3, "unknown_batch"]
    assert [each["field"] for each in problems[:4]] == ["doses", "occurred_at", "recipient", "path"]
    assert [each["posted"] for each in results[1:-1]] == [None] * 6


def test_a_list_is_still_a_list_of_so_many_lines(client: Client) -> None:
    refused: tuple[Any, ...] = ({}, None, [], [{}] * 1001)
    for lines in refused:
        assert client.post("/administration-lists", {"administrations": lines}).status == 422


def test_a_list_with_a_malformed_line_is_carried_out_once(client: Client) -> None:
    batch = at_site(client)
    lines = [administration(batch, doses=0), administration(batch)]
    first, again = (client.post("/administration-lists", {"administrations": lines}, key="twice") for _ in range(2))
    assert first.ok() == again.ok()
    assert [each["doses"] for each in client.get("/stock", batch=batch).items] == [9]


@pytest.mark.parametrize("other", [[{"doses": 0}, "good"], ["good", {"bad": 1}], ["good"], [{"bad": 2}, "good"]])
def test_a_list_with_other_malformed_lines_is_another_one(client: Client, other: list[Any]) -> None:
    batch, key = at_site(client), uuid4().hex
    good = administration(batch)
    client.post("/administration-lists", {"administrations": [{"bad": 1}, good]}, key=key).ok()
    lines = [good if each == "good" else each for each in other]
    again = client.post("/administration-lists", {"administrations": lines}, key=key)
    assert (again.status, again.body["code"]) == (409, "idempotency_key_reused")


def test_the_problem_of_a_line_is_in_the_readers_language(client: Client) -> None:
    content = json.dumps({"administrations": [{"doses": 0}]}).encode()
    headers = {"Accept-Language": "zh", "Idempotency-Key": "in-chinese"} | client.bearer("admin")
    problem = client.send("POST", "/api/v1/administration-lists", content, headers).ok()["results"][0]["problem"]
    assert {each["expected"] for each in problem["errors"] if each["field"] == "batch"} == {"缺少必填字段。"}


def test_the_lines_of_a_list_are_described(client: Client) -> None:
    schemas = client.send("GET", "/api/v1/openapi.json").ok()["components"]["schemas"]
    lines = schemas["AdministrationList"]["properties"]["administrations"]
    assert lines["items"] == {"$ref": "#/components/schemas/Administration"}
    assert (lines["minItems"], lines["maxItems"]) == (1, 1000)


PAPER, DOOR = ("papers", "temperature-record among the papers"), ("transport.arrival_celsius", "vaccine at the door")


@pytest.mark.parametrize(
    ("other", "missing"),
    [
        ({"papers": ["lot-release-certificate", "delivery-note"]}, PAPER),
        ({"papers": [], "transport": None}, PAPER),
        ({"transport": None}, DOOR),
        ({"transport": {"vehicle": "a van"}}, DOOR),
    ],
)
def test_a_refusal_names_what_is_missing_of_the_temperature(
    client: Client, other: dict[str, Any], missing: tuple[str, str]
) -> None:
    said = client.post("/receipts", receipt(new_batch(), **other)).body
    assert (said["code"], said["field"]) == ("no_temperature_record", missing[0])
    assert missing[1] in said["expected"]
    assert said["expected"].endswith("without it the outcome is refuse")


def test_a_shipment_without_a_measurement_is_told_the_same(client: Client) -> None:
    shipment = client.post("/shipments", dispatch(at_county(client, 10))).ok()["shipment"]
    said = client.post(f"/shipments/{shipment}/receipts", arrival(transport=None)).body
    assert (said["code"], said["field"]) == ("no_temperature_record", DOOR[0])


def test_an_opened_vial_can_be_told_from_the_sealed_ones(client: Client) -> None:
    batch = in_vials(client, 4)
    opening = {"facility": "SITE-A", "gtin": TWO, "batch": batch, "occurred_at": stated(NOW)}
    client.post("/openings", opening).ok()
    lines = client.get("/stock", facility="SITE-A", batch=batch).items
    assert [(each["doses"], each["vial_until"]) for each in lines] == [(2, None), (2, "2026-01-05T10:00:00Z")]
    first = client.get("/stock", facility="SITE-A", batch=batch, limit=1).ok()
    assert client.get("/stock", facility="SITE-A", batch=batch, after=first["next"]).items == lines[1:]


def test_the_storage_profiles_are_listed_with_their_bands_and_limits(client: Client) -> None:
    listed = {each["code"]: each for each in client.get("/storage-profiles", "nurse-a").items}
    strict = listed["strict-2-8"]
    assert (strict["low_celsius"], strict["high_celsius"]) == (2.0, 8.0)
    assert [limit["name"] for limit in strict["limits"]] == ["COLD", "FRZE", "HEAT", "HOT"]
    assert strict["limits"][1] == {
        "name": "FRZE",
        "side": "below",
        "threshold_celsius": -0.5,
        "inclusive": True,
        "duration_minutes": 60.0,
        "window_minutes": None,
    }
    assert client.get("/storage-profiles", "gateway").status == 403
    assert client.post("/storage-profiles", {}).status == 405
