"""What a review of adverse events, EPCIS and pages found, each as the thing that must be."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.county import HOUR, MINUTE, NOW, ONE
from tests.http import Client
from tests.integration.test_adverse_events import follow_up, heard, recorded, report
from tests.integration.test_epcis_capture import MEASURED, PAPERS, commissioned, event
from tests.orders import administration, arrival, at_county, at_site, dispatch, new_batch, stated

Json = dict[str, Any]


def taken(client: Client, *events: Json, who: str = "admin") -> list[Json]:
    """What is made of events as somebody sends them who does not hold them against the schema first."""
    document = {"type": "EPCISDocument", "epcisBody": {"eventList": list(events)}}
    results: list[Json] = client.post("/epcis/capture", document, who).ok()["results"]
    return results


def amount(batch: str, quantity: Any) -> Json:
    return {"epcClass": f"https://id.gs1.org/01/{ONE}/10/{batch}", "quantity": quantity}


@pytest.mark.parametrize("quantity", [100_000_001, 1 << 31, 1 << 63, 10**30, 1e300])
def test_an_amount_that_no_batch_has_is_refused_and_the_events_beside_it_are_taken(
    client: Client, quantity: float
) -> None:
    batch = new_batch()
    good = event("receiving", batch, **MEASURED, **PAPERS)
    bad = event("receiving", batch, **MEASURED, **PAPERS) | {"quantityList": [amount(batch, quantity)]}
    told = taken(client, commissioned(batch), bad, good)
    assert [each["outcome"] for each in told] == ["not-taken", "refused", "posted"]
    assert told[1]["problem"]["field"] == "epcisBody.eventList[1].quantityList[0].quantity"
    assert [line["doses"] for line in client.get("/stock", batch=batch).items] == [10]


def test_amounts_that_are_too_much_together_are_refused(client: Client) -> None:
    batch = new_batch()
    lines = [amount(batch, 100_000_000)] * 2
    told = taken(client, commissioned(batch), event("receiving", batch, **MEASURED, **PAPERS) | {"quantityList": lines})
    assert (told[1]["outcome"], told[1]["problem"]["field"]) == ("refused", "quantityList")


@pytest.mark.parametrize("degrees", [1e308, -300, 1000])
def test_a_temperature_that_there_is_not_is_refused(client: Client, degrees: float) -> None:
    batch = new_batch()
    order = event("receiving", batch, **PAPERS) | {"coldtrail:arrivalCelsius": degrees}
    told = taken(client, commissioned(batch), order)[1]
    assert (told["outcome"], told["problem"]["field"]) == ("refused", "coldtrail:arrivalCelsius")


@pytest.mark.parametrize("papers", [None, 5, "delivery-note", {"a": 1}, [None], [["delivery-note"]], [{"a": 1}]])
def test_papers_that_are_no_list_of_papers_are_none(client: Client, papers: Any) -> None:
    batch = new_batch()
    order = event("receiving", batch, **MEASURED) | {"coldtrail:paper": papers}
    assert taken(client, commissioned(batch), order)[1]["outcome"] == "posted"
    assert [line["place"]["kind"] for line in client.get("/stock", batch=batch).items] == ["quarantine"]


@pytest.mark.parametrize("declaration", ["did_not_occur", 5, True, [{"declarationTime": stated(NOW)}]])
def test_an_event_with_a_declaration_that_cannot_be_understood_is_not_posted_as_if_it_had_none(
    client: Client, declaration: Any
) -> None:
    batch = new_batch()
    order = event("receiving", batch, **MEASURED, **PAPERS) | {"errorDeclaration": declaration}
    told = taken(client, commissioned(batch), order)[1]
    assert (told["outcome"], told["problem"]["field"]) == ("refused", "epcisBody.eventList[1].errorDeclaration")
    assert client.get("/stock", batch=batch).items == []


@pytest.mark.parametrize("action", ["DELETE", "observe", None])
def test_goods_that_are_gone_are_not_received(client: Client, action: str | None) -> None:
    batch = new_batch()
    order = event("receiving", batch, **MEASURED, **PAPERS) | {"action": action}
    told = taken(client, commissioned(batch), order)[1]
    assert (told["outcome"], told["problem"]["field"]) == ("refused", "epcisBody.eventList[1].action")


def test_an_announced_delivery_that_was_an_error_is_awaited_no_longer(client: Client) -> None:
    sent = event("shipping", new_batch(), destination="COUNTY", eventID=f"urn:uuid:{uuid4()}")
    assert taken(client, sent)[0]["outcome"] == "announced"
    declared = sent | {"errorDeclaration": {"declarationTime": stated(NOW)}}
    assert taken(client, declared, who="nurse-b")[0]["problem"]["code"] == "not_your_facility"
    assert state_of(client, sent) == "announced"
    for _ in range(2):
        assert taken(client, declared, who="keeper")[0]["outcome"] == "corrected"
    assert state_of(client, sent) == "withdrawn"
    assert taken(client, sent)[0]["outcome"] == "known"
    assert sent["eventID"] not in {each["event_id"] for each in awaited(client)}


def awaited(client: Client) -> list[Json]:
    return client.get("/epcis/captured", state="announced", limit=1000).items


def state_of(client: Client, sent: Json) -> str:
    items = client.get("/epcis/captured", facility="COUNTY", limit=1000).items
    (found,) = [each["state"] for each in items if each["event_id"] == sent["eventID"]]
    return str(found)


@pytest.mark.parametrize(
    "note",
    [
        "138–1234–5678",
        "138\N{HYPHEN}1234\N{NON-BREAKING HYPHEN}5678",
        "138\N{MINUS SIGN}1234\N{MINUS SIGN}5678",
        "13812\N{ZERO WIDTH SPACE}345678",
        "138\N{SOFT HYPHEN}12345678",
        "138/1234/5678",
        "138、1234、5678",
        "mother (138)12345678",
        "110105/19491231/002X",
        "110105–19491231–002X",
    ],
)
def test_a_number_of_a_person_is_found_however_it_is_written(client: Client, note: str) -> None:
    given = client.post("/administrations", administration(at_site(client), occurred_at=stated(NOW - HOUR))).ok()
    refused = client.post("/adverse-events", heard(given["events"][-1]["id"], note=note))
    assert (refused.status, refused.body["code"]) == (422, "named_person")


def test_what_a_nurse_writes_of_times_pressures_and_temperatures_is_no_number_of_a_person(client: Client) -> None:
    for note in ("2026-01-05 11:30 38.5", "BP 138/90, 9:30, 38.5", "120/80, 39.5 at 2026-01-05T10:30, 40.1 at 12:00"):
        recorded(client, note=note)


def test_a_follow_up_was_not_heard_before_what_it_follows(client: Client) -> None:
    event = recorded(client)
    refused = client.post(f"/adverse-events/{event}/updates", follow_up("death", heard_at=stated(NOW - 35 * MINUTE)))
    assert (refused.status, refused.body["code"], refused.body["field"]) == (422, "time_before_cause", "heard_at")


def test_a_correction_does_not_leave_a_report_of_what_nobody_had_heard_of(client: Client) -> None:
    event = recorded(client)
    client.post(f"/adverse-events/{event}/reports", report(NOW - 20 * MINUTE)).ok()
    late = follow_up(nature="correction", heard_at=stated(NOW - 10 * MINUTE))
    refused = client.post(f"/adverse-events/{event}/updates", late)
    assert (refused.status, refused.body["code"], refused.body["field"]) == (422, "time_before_cause", "heard_at")
    client.post(f"/adverse-events/{event}/updates", late | {"heard_at": stated(NOW - 20 * MINUTE)}).ok()


def test_those_who_got_their_doses_in_the_same_administration_shared_all_of_it(client: Client) -> None:
    batch = at_site(client, 10)
    given = client.post("/administrations", administration(batch, 4, occurred_at=stated(NOW - 30 * MINUTE))).ok()
    administered = given["events"][-1]["id"]
    event = client.post(
        "/adverse-events", heard(administered, onset_at=stated(NOW - 20 * MINUTE), heard_at=stated(NOW))
    ).ok()["adverse_event"]
    sharings = client.get(f"/adverse-events/{event}/shared-custody").ok()["sharings"]
    for sharing in sharings:
        same = sharing["same_batch"]
        assert (same["doses"], same["on_hand"], same["administered"]) == (9, 6, 3), sharing["shared"]
        listed = client.get(f"/adverse-events/{event}/shared-custody/{sharing['number']}").items
        assert [line["doses"] for line in listed if line["event"] == administered] == [4]
    client.post(f"/events/{administered}/reversal", {"occurred_at": stated(NOW), "reason": "slip"}).ok()
    for sharing in client.get(f"/adverse-events/{event}/shared-custody").ok()["sharings"]:
        assert (sharing["same_batch"]["doses"], sharing["same_batch"]["on_hand"]) == (10, 10)


@pytest.mark.parametrize(("at", "how"), [(NOW - 90 * MINUTE, "in transit"), (None, "unexplained")])
def test_a_page_says_of_doses_that_did_not_arrive_what_its_figures_say(
    client: Client, at: datetime | None, how: str
) -> None:
    batch = at_county(client, 50)
    shipment = client.post("/shipments", dispatch(batch, 40)).ok()["shipment"]
    line = {"gtin": ONE, "batch": batch, "doses": 38}
    client.post(f"/shipments/{shipment}/receipts", arrival(lines=[line])).ok()
    query = urlencode({"lang": "en"} | ({} if at is None else {"at": stated(at)}))
    page = client.send("GET", f"/pages/batches/{ONE}/{batch}/trail?{query}", headers=client.bearer("auditor"))
    held = page.content.decode().split("Where doses are")[1].split("The way of the doses")[0]
    (row,) = [row for row in held.split("<tr") if shipment in row]
    assert how in row, row


@pytest.mark.parametrize("number", ["Q" * 21, "%E6%89%B9", "%00x", "%FF", "a%20b", "%0A"])
def test_a_number_that_no_batch_has_is_refused(client: Client, number: str) -> None:
    told = taken(client, commissioned(number), event("receiving", number, **MEASURED, **PAPERS))[1]
    assert (told["outcome"], told["problem"]["field"]) == (
        "refused",
        "epcisBody.eventList[1].quantityList[0].epcClass",
    )


@pytest.mark.parametrize(
    ("code", "problem"), [("00000000000001000000", "wrong_check_digit"), ("%00%00%00%00", "malformed")]
)
def test_a_pack_with_a_code_that_none_has_is_refused_with_its_reason(client: Client, code: str, problem: str) -> None:
    batch, uri = new_batch(), f"urn:x-coldtrail:pack:{code}"
    packed: Json = {
        "quantityList": [],
        "epcList": [uri],
        "coldtrail:pack": [{"coldtrail:epc": uri, "coldtrail:doses": 1}],
        "coldtrail:batch": f"https://id.gs1.org/01/{ONE}/10/{batch}",
    }
    received = event("receiving", batch, **MEASURED, **PAPERS) | packed
    sent = event("shipping", batch, source="COUNTY", destination="SITE-A") | packed
    received, sent = taken(client, commissioned(batch), received, sent)[1:]
    assert (received["outcome"], received["problem"]["code"]) == ("refused", problem)
    assert sent["outcome"] == "refused"
