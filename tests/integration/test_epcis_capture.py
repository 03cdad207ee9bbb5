"""What others tell in EPCIS is taken in once, as the order that it stands for."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from inventory.domain.epcis.capture import CaptureState
from inventory.domain.epcis.events import CONTEXT
from inventory.domain.epcis.goods import around
from inventory.persistence.database import Database
from inventory.persistence.tables import CapturedEvent
from inventory.services.verification import verify
from tests.county import EXPIRY, HOUR, NOW, ONE, TWO, build
from tests.epcis import require_schema, valid
from tests.http import Client, Server, serving
from tests.orders import arrival, at_county, at_site, dispatch, new_batch, receipt, stated
from tests.services import Template

Json = dict[str, Any]
FACILITY = "urn:x-coldtrail:facility:"


@pytest.fixture(autouse=True, scope="module")
def schema() -> None:
    require_schema()


@pytest.fixture(scope="module")
def other(database_template: Template) -> Iterator[Client]:
    """A second installation, which knows the same places and products and no goods."""
    with database_template.clone() as url:
        database = Database(url)
        try:
            with serving(build(database)) as server:
                yield server.client
        finally:
            database.close()


def document(*events: Json) -> Json:
    return valid(
        {
            "@context": CONTEXT, "type": "EPCISDocument", "schemaVersion": "2.0",
            "creationDate": "2026-01-05T04:00:00Z", "epcisBody": {"eventList": list(events)},
        }
    )  # fmt: skip


def event(step: str, batch: str, doses: int = 10, **other: Any) -> Json:
    """An event as a stranger would write it, without any extension of ours."""
    source, destination = other.pop("source", "MAKER"), other.pop("destination", "CITY")
    return {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{uuid4()}",
        "eventTime": stated(NOW - 2 * HOUR),
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": step,
        "disposition": "in_transit" if step == "shipping" else "in_progress",
        "quantityList": [{"epcClass": f"https://id.gs1.org/01/{ONE}/10/{batch}", "quantity": doses}],
        "sourceList": [{"type": "possessing_party", "source": FACILITY + source}],
        "destinationList": [{"type": "possessing_party", "destination": FACILITY + destination}],
    } | other


def commissioned(batch: str) -> Json:
    """The maker's own event, which says the expiry."""
    return {
        "type": "ObjectEvent",
        "eventTime": "2025-12-01T00:00:00Z",
        "eventTimeZoneOffset": "+08:00",
        "action": "ADD",
        "bizStep": "commissioning",
        "quantityList": [{"epcClass": f"https://id.gs1.org/01/{ONE}/10/{batch}", "quantity": 5000}],
        "ilmd": {"cbvmda:itemExpirationDate": EXPIRY.isoformat()},
    }


MEASURED: Json = {"coldtrail:arrivalCelsius": 4.5}
PAPERS: Json = {"coldtrail:paper": ["lot-release-certificate", "delivery-note", "temperature-record"]}


def send(client: Client, *events: Json, who: str = "admin") -> list[Json]:
    results: list[Json] = client.post("/epcis/capture", document(*events), who).ok()["results"]
    return results


def outcomes(results: list[Json]) -> list[str]:
    return [each["outcome"] for each in results]


def stock(client: Client, *batches: str) -> dict[tuple[str, str, str], int]:
    """Doses by place, kind of place and batch."""
    found: Counter[tuple[str, str, str]] = Counter()
    for line in client.get("/stock", limit=1000).items:
        if not batches or line["batch"] in batches:
            place = line["place"]
            found[str(place["appliance"] or place["to_facility"]), place["kind"], line["batch"]] += line["doses"]
    return dict(found)


def test_a_second_installation_comes_to_the_same_stock(client: Client, other: Client) -> None:
    first, second = at_site(client, 40), at_county(client, 100)
    shipment = client.post("/shipments", dispatch(second, 30)).ok()["shipment"]
    parts = {"gtin": ONE, "batch": second, "doses": 20, "damaged": 4, "surplus": 1}
    client.post(f"/shipments/{shipment}/receipts", arrival(lines=[parts], reason="Crushed")).ok()
    both = at_county(client, 60)
    client.post("/shipments", dispatch(both, 20, lines=[
        {"gtin": ONE, "batch": both, "doses": 20}, {"gtin": ONE, "batch": second, "doses": 5}])).ok()  # fmt: skip
    told = []
    for batch in (first, second, both):
        told += client.get("/epcis/events", gtin=ONE, batch=batch).ok()["epcisBody"]["eventList"]
    results = send(other, *told)
    assert {each["outcome"] for each in results} == {"posted", "not-taken"}, [each["problem"] for each in results]
    assert stock(other, first, second, both) == stock(client, first, second, both)
    again = send(other, *told)
    assert {each["outcome"] for each in again} == {"known", "not-taken"}
    assert [each["posted"] for each in again] == [each["posted"] for each in results]
    assert stock(other, first, second, both) == stock(client, first, second, both)


def test_packs_come_with_what_is_in_them(client: Client, other: Client) -> None:
    batch, number = new_batch(), new_batch()
    case, vials = f"CASE-{number}", [f"01{ONE}21P{number}-{each}" for each in range(3)]
    tree = [{"code": case}, *({"code": vial, "parent": case} for vial in vials)]
    client.post("/receipts", receipt(batch, 10, packs=tree, facility="COUNTY", appliance="COUNTY-ROOM")).ok()
    lines = [{"gtin": ONE, "batch": batch, "packs": [vials[0]]}]
    shipment = client.post("/shipments", dispatch(batch, lines=lines)).ok()["shipment"]
    client.post(
        f"/shipments/{shipment}/receipts", arrival(lines=[{"gtin": ONE, "batch": batch, "packs": [vials[0]]}])
    ).ok()
    told = client.get("/epcis/events", gtin=ONE, batch=batch).ok()["epcisBody"]["eventList"]
    results = send(other, *told)
    assert {each["outcome"] for each in results} == {"posted", "not-taken"}, [each["problem"] for each in results]
    assert stock(other, batch) == stock(client, batch) == {
        ("COUNTY-ROOM", "storage", batch): 9, ("A-FRIDGE", "storage", batch): 1,
    }  # fmt: skip
    for vial in vials:
        mine, theirs = (each.get(f"/packs/{vial}").ok() for each in (client, other))
        assert mine["place"] == theirs["place"]
        assert mine["remaining"] == theirs["remaining"] == 1


@pytest.mark.parametrize(
    "packings",
    [
        [("A", ["A"])],
        [("A", ["B"]), ("B", ["A"])],
        [("A", ["B"]), ("C", ["B"])],
        [("A", ["B"]), ("B", ["C"]), ("C", ["A"])],
    ],
)
def test_of_packs_in_each_other_nothing_is_known(packings: list[tuple[str, list[str]]]) -> None:
    name = "urn:x-coldtrail:pack:"
    events = [
        {
            "type": "AggregationEvent",
            "action": "ADD",
            "parentID": name + parent,
            "childEPCs": [name + each for each in inside],
        }
        for parent, inside in packings
    ]
    assert not around(events).inside


def test_what_this_ledger_told_is_not_posted_into_it_again(client: Client) -> None:
    batch = at_site(client, 10)
    before = stock(client)
    told = client.get("/epcis/events", gtin=ONE, batch=batch).ok()["epcisBody"]["eventList"]
    assert outcomes(send(client, *told)) == ["not-taken", "known", "known", "known"]
    assert stock(client) == before


def test_a_strangers_receiving_is_a_receipt(client: Client) -> None:
    batch = new_batch()
    (_, result) = send(client, commissioned(batch), event("receiving", batch, **MEASURED, **PAPERS))
    assert result["outcome"] == "posted"
    assert stock(client, batch) == {("CITY-ROOM", "storage", batch): 10}
    recorded = client.get(f"/events/{result['posted'][0]}").ok()
    assert recorded["kind"] == "receive"
    assert recorded["details"]["supplier"] == "MAKER"


def test_goods_without_papers_are_held_until_they_come(client: Client) -> None:
    batch = new_batch()
    send(client, commissioned(batch), event("receiving", batch, **MEASURED))
    assert stock(client, batch) == {("CITY-ROOM", "quarantine", batch): 10}


def test_without_an_expiry_or_a_temperature_nothing_is_received(client: Client) -> None:
    batch = new_batch()
    (unknown,) = send(client, event("receiving", batch, **MEASURED, **PAPERS))
    (_, unmeasured) = send(client, commissioned(batch), event("receiving", batch, **PAPERS))
    assert (unknown["outcome"], unknown["problem"]["code"]) == ("refused", "unknown_batch")
    assert (unmeasured["outcome"], unmeasured["problem"]["code"]) == ("refused", "no_temperature_record")
    assert stock(client, batch) == {}


def test_what_was_refused_may_be_sent_again_once_it_can_be_done(client: Client) -> None:
    batch = new_batch()
    shipped = event("shipping", batch, source="COUNTY", destination="SITE-A")
    (refused,) = send(client, shipped)
    assert (refused["outcome"], refused["problem"]["code"]) == ("refused", "unknown_batch")
    client.post("/receipts", receipt(batch, 30, facility="COUNTY", appliance="COUNTY-ROOM")).ok()
    (posted,) = send(client, shipped)
    assert posted["outcome"] == "posted"
    assert client.get(f"/shipments/{posted['shipment']}").ok()["to_facility"] == "SITE-A"


def test_a_shipment_of_ours_is_received_by_its_despatch_advice(client: Client) -> None:
    batch = at_county(client, 100)
    shipment = client.post("/shipments", dispatch(batch, 20)).ok()["shipment"]
    advice: Json = {"bizTransactionList": [{"type": "desadv", "bizTransaction": f"urn:uuid:{shipment}"}]}
    came = event("receiving", batch, 20, source="COUNTY", destination="SITE-A", **advice, **MEASURED)
    (result,) = send(client, came, who="nurse-a")
    assert (result["outcome"], result["shipment"]) == ("posted", shipment)
    assert stock(client, batch) == {("COUNTY-ROOM", "storage", batch): 80, ("A-FRIDGE", "storage", batch): 20}
    (again,) = send(client, came)
    assert (again["outcome"], again["posted"]) == ("known", result["posted"])


def test_what_a_supplier_ships_is_announced_until_it_arrives(client: Client) -> None:
    batch = new_batch()
    advice: Json = {"bizTransactionList": [{"type": "desadv", "bizTransaction": f"urn:x:advice:{batch}"}]}
    (result,) = send(client, event("shipping", batch, **advice))
    assert outcomes([result]) == ["announced"]
    assert stock(client, batch) == {}
    (kept,) = [each for each in announced(client) if batch in each["advice"]]
    assert (kept["facility"], kept["event"]["bizStep"]) == ("CITY", "shipping")
    same, more = (event("shipping", batch, doses, **advice) | {"eventID": kept["event_id"]} for doses in (10, 11))
    assert outcomes(send(client, same, more)) == ["announced", "refused"]
    send(client, commissioned(batch), event("receiving", batch, **advice, **MEASURED, **PAPERS))
    assert not [each for each in announced(client) if batch in each["advice"]]


def announced(client: Client) -> list[Json]:
    return client.get("/epcis/captured", facility="CITY", state="announced", limit=1000).items


def test_an_error_that_is_declared_is_corrected_once(client: Client) -> None:
    batch = new_batch()
    came = event("receiving", batch, **MEASURED, **PAPERS)
    send(client, commissioned(batch), came)
    wrong = came | {"errorDeclaration": {"declarationTime": stated(NOW - HOUR), "reason": "did_not_occur"}}
    (first,), (second,) = send(client, wrong), send(client, wrong)
    assert (first["outcome"], second["outcome"]) == ("corrected", "corrected")
    assert first["posted"] == second["posted"]
    assert stock(client, batch) == {}
    unknown = event("receiving", new_batch()) | {"errorDeclaration": wrong["errorDeclaration"]}
    assert outcomes(send(client, unknown)) == ["not-taken"]


def test_a_declaration_that_comes_alone_before_its_event_is_kept(client: Client) -> None:
    """It needs no commissioning beside it; who may not speak for the facility, and whom nobody knows, is told."""
    batch = new_batch()
    came = event("receiving", batch, **MEASURED, **PAPERS)
    wrong = came | {"errorDeclaration": {"declarationTime": stated(NOW - HOUR)}}
    (forbidden,) = send(client, wrong, who="nurse-a")
    assert forbidden["problem"]["code"] == "not_your_facility"
    assert outcomes(send(client, wrong)) == ["not-taken"]
    assert outcomes(send(client, commissioned(batch), came)) == ["not-taken", "known"]
    assert stock(client, batch) == {}
    stranger = event("receiving", batch, destination="NOWHERE") | {"errorDeclaration": wrong["errorDeclaration"]}
    assert send(client, stranger)[0]["problem"]["code"] == "not_found"


@pytest.mark.parametrize("disposition", ["damaged", "expired", "recalled", "unknown", "no-such-word", ["x"]])
def test_goods_that_something_is_said_against_are_isolated(client: Client, disposition: Any) -> None:
    batch = new_batch()
    came = event("receiving", batch, **MEASURED, **PAPERS) | {"disposition": disposition}
    body = document(commissioned(batch))
    body["epcisBody"]["eventList"].append(came)
    assert outcomes(client.post("/epcis/capture", body).ok()["results"]) == ["not-taken", "posted"]
    assert {kind for _, kind, _ in stock(client, batch)} == {"quarantine"}
    own = at_county(client, 30)
    shipment = client.post("/shipments", dispatch(own, 30)).ok()["shipment"]
    advice = {"bizTransactionList": [{"type": "desadv", "bizTransaction": f"urn:uuid:{shipment}"}]}
    arrived = event("receiving", own, 30, source="COUNTY", destination="SITE-A", **advice, **MEASURED)
    body["epcisBody"]["eventList"] = [arrived | {"disposition": disposition, "coldtrail:appliance": "A-FRIDGE"}]
    assert outcomes(client.post("/epcis/capture", body).ok()["results"]) == ["posted"]
    assert {kind for _, kind, _ in stock(client, own)} == {"quarantine"}


def test_an_event_that_was_not_taken_to_the_end_is_not_declared_an_error(server: Server) -> None:
    """Who died after the ledger had carried it out would else leave its doses there."""
    client, batch = server.client, new_batch()
    came = event("receiving", batch, **MEASURED, **PAPERS)
    send(client, commissioned(batch), came)
    unfinished = update(CapturedEvent).where(CapturedEvent.event_id == came["eventID"])
    died = unfinished.values(state=CaptureState.TAKEN, posted=[])
    server.county.database.write(lambda session: session.execute(died))
    wrong = came | {"errorDeclaration": {"declarationTime": stated(NOW - HOUR)}}
    (refused,) = send(client, wrong)
    assert (refused["outcome"], refused["problem"]["field"]) == ("refused", "eventID")
    assert outcomes(send(client, commissioned(batch), came, wrong)) == ["not-taken", "posted", "corrected"]
    assert stock(client, batch) == {}


def test_who_may_not_post_may_not_capture(client: Client) -> None:
    batch = new_batch()
    sent = [commissioned(batch), event("receiving", batch, **MEASURED, **PAPERS)]
    assert client.post("/epcis/capture", document(*sent), "auditor").status == 403
    (_, refused) = send(client, *sent, who="nurse-a")
    assert refused["problem"]["code"] == "not_your_facility"
    advice = event("shipping", batch)
    assert send(client, advice, who="nurse-a")[0]["problem"]["code"] == "not_your_facility"


def test_vials_and_doses_are_told_apart_by_the_unit(client: Client) -> None:
    batches = new_batch(), new_batch()
    for batch, unit in zip(batches, ({}, {"uom": "E27"}), strict=True):
        quantity = {"epcClass": f"https://id.gs1.org/01/{TWO}/10/{batch}", "quantity": 10, **unit}
        born = commissioned(batch) | {"quantityList": [quantity]}
        send(client, born, event("receiving", batch, **MEASURED, **PAPERS) | {"quantityList": [quantity]})
    assert [sum(stock(client, batch).values()) for batch in batches] == [20, 10]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"eventTime": "2026-01-05T01:30:00"}, "epcisBody.eventList[0].eventTime"),
        ({"eventTime": "yesterday"}, "epcisBody.eventList[0].eventTime"),
        ({"quantityList": []}, "epcisBody.eventList[0].quantityList"),
        ({"quantityList": [{"epcClass": "urn:x:1", "quantity": 1}]}, "epcisBody.eventList[0].quantityList[0].epcClass"),
        ({"quantityList": {"epcClass": "urn:x:1"}}, "epcisBody.eventList[0].quantityList"),
        ({"epcList": "urn:epc:id:sgtin:4012345.011111.9876"}, "epcisBody.eventList[0].epcList"),
        ({"sourceList": {"type": "possessing_party"}}, "epcisBody.eventList[0]"),
        ({"quantityList": [1]}, "epcisBody.eventList[0].quantityList[0]"),
        ({"quantityList": None, "epcList": ["urn:epc:id:sgtin:4012345.011111.9876"]}, "epcisBody.eventList[0].epcList"),
        ({"eventID": "x" * 500}, "epcisBody.eventList[0].eventID"),
        ({"bizTransactionList": [{"type": "desadv"}]}, "epcisBody.eventList[0]"),
        ({"sensorElementList": [3]}, "epcisBody.eventList[0]"),
        ({"destinationList": 7}, "epcisBody.eventList[0]"),
        ({"destinationList": [], "readPoint": {"id": "urn:x:1"}}, "destinationList"),
        ({"sourceList": []}, "sourceList"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_its_path(client: Client, change: Json, field: str) -> None:
    bad = document()
    bad["epcisBody"]["eventList"] = [event("receiving", new_batch()) | change]
    answer = client.post("/epcis/capture", bad)
    (result,) = answer.ok()["results"]
    assert (result["outcome"], result["problem"]["field"]) == ("refused", field)


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "10", True, None])
def test_an_amount_is_a_whole_number(client: Client, quantity: Any) -> None:
    bad = document()
    sent = event("receiving", new_batch())
    sent["quantityList"][0]["quantity"] = quantity
    bad["epcisBody"]["eventList"] = [sent]
    (result,) = client.post("/epcis/capture", bad).ok()["results"]
    assert result["problem"]["field"] == "epcisBody.eventList[0].quantityList[0].quantity"


@pytest.mark.parametrize(
    "body", [None, [], 3, {}, {"type": "EPCISDocument"}, {"type": "EPCISDocument", "epcisBody": {"eventList": {}}},
             {"type": "EPCISDocument", "epcisBody": {"eventList": [{}] * 501}}]
)  # fmt: skip
def test_what_is_no_document_is_refused_whole(client: Client, body: Any) -> None:
    answer = client.post("/epcis/capture", body)
    assert (answer.status, answer.body["code"]) == (422, "malformed")


@pytest.mark.parametrize("depth", [100, 400, 900, 5000])
def test_a_document_that_is_nested_without_end_is_refused(client: Client, depth: int) -> None:
    nested = b'{"x":' * depth + b"1" + b"}" * depth
    event = (
        b'{"type":"ObjectEvent","bizStep":"receiving","eventTime":"2026-01-05T01:30:00Z","quantityList":[{"epcClass":'
    )
    event += f'"https://id.gs1.org/01/{ONE}/10/A","quantity":2}}],"x":'.encode() + nested + b"}"
    body = b'{"type":"EPCISDocument","epcisBody":{"eventList":[' + event + b"]}}"
    answer = client.post_raw("/epcis/capture", body)
    assert answer.status == 400 or outcomes(answer.ok()["results"]) == ["refused"]


def test_strange_events_are_passed_over(client: Client) -> None:
    body = document()
    body["epcisBody"]["eventList"] = [3, None, {}, {"type": "TransformationEvent"}, {"type": "ObjectEvent"}]
    assert outcomes(client.post("/epcis/capture", body).ok()["results"]) == ["not-taken"] * 5


def test_the_books_are_right_after_all_this(server: Server) -> None:
    assert verify(server.county.database).holds
