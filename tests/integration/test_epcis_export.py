"""The ledger as EPCIS: every kind of event, on both databases, valid by the official schema."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import delete

from coldtrail.cli import main
from inventory.domain.epcis.events import NAMESPACES
from inventory.domain.epcis.hashing import event_hash
from inventory.domain.words import ApplianceKind, EventKind
from inventory.persistence.tables import Reading
from inventory.services import equipment, monitoring
from inventory.services.equipment import SensorRecord
from tests.county import HOUR, MINUTE, NOW, ONE, TWO, ZONE, County, series
from tests.epcis import require_schema, valid
from tests.http import Client, Server
from tests.orders import administration, arrival, at_county, at_site, dispatch, new_batch, receipt, stated

Json = dict[str, Any]
GLN = "6901234000009"


@pytest.fixture(autouse=True, scope="module")
def schema() -> None:
    require_schema()


def exported(client: Client, batch: str, gtin: str = ONE, **more: Any) -> list[Json]:
    """The EPCIS events of a batch, valid and each with the hash of what it says."""
    answer = client.get("/epcis/events", gtin=gtin, batch=batch, **more)
    assert answer.headers["Content-Type"] == "application/ld+json"
    events: list[Json] = valid(answer.ok())["epcisBody"]["eventList"]
    assert all(event["eventID"] == event_hash(event, NAMESPACES) for event in events)
    return events


def steps(events: list[Json]) -> list[tuple[str, str | None, int | None]]:
    """What was done, as what, to how many of the batch."""
    return [
        (event["bizStep"], event.get("disposition"), event.get("quantityList", [{}])[0].get("quantity"))
        for event in events
    ]


def test_a_dose_from_the_supplier_to_a_person(client: Client) -> None:
    batch = at_site(client, 10)
    client.post("/administrations", administration(batch, 3)).ok()
    events = exported(client, batch)
    assert steps(events) == [
        ("commissioning", "active", 10),
        ("receiving", "in_progress", 10),
        ("shipping", "in_transit", 10),
        ("receiving", "in_progress", 10),
        ("dispensing", "dispensed", 3),
    ]
    born, _, sent, came, given = events
    assert born["action"] == "ADD"
    assert born["ilmd"] == {"cbvmda:lotNumber": batch, "cbvmda:itemExpirationDate": "2026-06-30"}
    assert [paper for paper in sent["bizTransactionList"] if paper in came["bizTransactionList"]]
    assert sent["sourceList"] == [{"type": "possessing_party", "source": "urn:x-coldtrail:facility:COUNTY"}]
    assert sent["destinationList"] == came["destinationList"]
    assert given["action"] == "DELETE"
    assert given["eventTimeZoneOffset"] == "+08:00"
    assert given["readPoint"]["id"] == "urn:x-coldtrail:facility:SITE-A"
    assert len({event["eventID"] for event in events}) == len(events)


def test_two_doses_given_at_the_same_time_are_two_events(client: Client) -> None:
    batch = at_site(client, 10)
    for _ in range(2):
        client.post("/administrations", administration(batch)).ok()
    given = [event for event in exported(client, batch) if event["bizStep"] == "dispensing"]
    assert len({event["eventID"] for event in given}) == 2


def test_what_is_held_is_free_moved_counted_and_wasted(client: Client) -> None:
    batch = at_county(client, 100)
    here = {"facility": "COUNTY", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW - HOUR)}
    client.post("/holds", here | {"doses": 20, "reason": "Warm door"}).ok()
    client.post("/releases", here | {"doses": 20, "reason": "Looked at"}).ok()
    client.post("/wastages", here | {"doses": 5, "cause": "broken"}).ok()
    client.post("/wastages", here | {"doses": 4, "cause": "lost"}).ok()
    counted = {"appliance": "COUNTY-ROOM", "counted": 90, "reason": "One is not there"}
    client.post("/counts", here | counted | {"occurred_at": stated(NOW - 50 * MINUTE)}).ok()
    again = counted | {"counted": 92, "reason": "And two are"}
    client.post("/counts", here | again | {"occurred_at": stated(NOW - 40 * MINUTE)}).ok()
    events = exported(client, batch)
    assert steps(events)[2:] == [
        ("holding", "non_conformant", 20),
        ("inspecting", "conformant", 20),
        ("destroying", "destroyed", 5),
        ("decommissioning", "unknown", 4),
        ("cycle_counting", "mismatch_quantity", 90),
        ("cycle_counting", "unknown", 1),
        ("cycle_counting", "mismatch_quantity", 92),
        ("cycle_counting", "mismatch_quantity", 2),
    ]
    assert events[2]["persistentDisposition"] == {"set": ["non_conformant"]}
    assert events[3]["persistentDisposition"] == {"unset": ["non_conformant"]}
    assert [event["action"] for event in events[4:]] == ["DELETE", "DELETE", "OBSERVE", "DELETE", "OBSERVE", "ADD"]


def test_a_recall_is_told_where_each_dose_is(client: Client) -> None:
    batch = at_site(client, 10)
    client.post("/receipts", receipt(batch, 30)).ok()
    recall = {"facility": "CITY", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "reason": "The maker asks"}
    client.post("/recalls", recall, "chief").ok()
    told = [event for event in exported(client, batch) if event["bizStep"] == "holding"]
    assert {(event["readPoint"]["id"], event["quantityList"][0]["quantity"]) for event in told} == {
        ("urn:x-coldtrail:facility:CITY", 30),
        ("urn:x-coldtrail:facility:SITE-A", 10),
    }
    assert all(event["persistentDisposition"] == {"set": ["recalled"]} for event in told)


def test_a_shipment_in_which_not_all_was_in_order(client: Client) -> None:
    batch = at_county(client, 100)
    shipment = client.post("/shipments", dispatch(batch, 20)).ok()["shipment"]
    line = {"gtin": ONE, "batch": batch, "doses": 10, "damaged": 3, "refused": 5, "surplus": 1}
    back = client.post(f"/shipments/{shipment}/receipts", arrival(lines=[line], reason="Crushed")).ok()[
        "return_shipment"
    ]
    events = [event for event in exported(client, batch) if event["readPoint"]["id"].endswith("SITE-A")]
    assert sorted(steps(events), key=str) == [
        ("receiving", "in_progress", 10),
        ("receiving", "mismatch_quantity", 1),
        ("receiving", "non_conformant", 3),
        ("shipping", "returned", 5),
    ]
    sent_back = next(event for event in events if event["bizStep"] == "shipping")
    assert sent_back["bizTransactionList"] == [{"type": "desadv", "bizTransaction": f"urn:uuid:{back}"}]
    assert {event["bizStep"] for event in valid(client.get("/epcis/events", shipment=shipment).ok())["epcisBody"][
        "eventList"]} == {"shipping", "receiving"}  # fmt: skip


def test_goods_that_were_refused_at_the_door_never_came(client: Client) -> None:
    batch = new_batch()
    client.post("/receipts", receipt(batch, 40, outcome="refuse", reason="No record", papers=[], transport=None)).ok()
    (event,) = exported(client, batch)
    assert steps([event]) == [("inspecting", "non_conformant", 40)]
    assert event["sourceList"][0]["source"] == "urn:x-coldtrail:facility:MAKER"


def test_returns_go_up_the_line(client: Client) -> None:
    batch = at_site(client, 10)
    up = {
        "occurred_at": stated(NOW - 30 * MINUTE),
        "reason": "Too many",
        "lines": [{"gtin": ONE, "batch": batch, "doses": 2}],
    }
    client.post("/returns", up | {"facility": "SITE-A"}).ok()
    city = new_batch()
    client.post("/receipts", receipt(city, 30)).ok()
    client.post("/returns", up | {"facility": "CITY", "to_facility": "MAKER", "lines": [
        {"gtin": ONE, "batch": city, "doses": 2}]}).ok()  # fmt: skip
    for number, receiver in ((batch, "COUNTY"), (city, "MAKER")):
        sent = exported(client, number)[-1]
        assert steps([sent]) == [("shipping", "returned", 2)]
        assert sent["destinationList"][0]["destination"] == f"urn:x-coldtrail:facility:{receiver}"


def test_doses_of_vials_of_several_have_their_unit(client: Client) -> None:
    batch = at_site_two(client)
    client.post("/administrations", administration(batch, 1, gtin=TWO)).ok()
    events = exported(client, batch, TWO)
    opened = next(event for event in events if event["bizStep"] == "unpacking")
    assert opened["disposition"] == "container_open"
    assert opened["quantityList"][0] == {
        "epcClass": f"https://id.gs1.org/01/{TWO}/10/{batch}", "quantity": 2, "uom": "E27",
    }  # fmt: skip


def at_site_two(client: Client) -> str:
    batch = new_batch()
    client.post("/receipts", receipt(batch, 20, gtin=TWO, facility="COUNTY", appliance="COUNTY-ROOM")).ok()
    lines = [{"gtin": TWO, "batch": batch, "doses": 10}]
    shipment = client.post("/shipments", dispatch(batch, lines=lines)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    return batch


def test_a_correction_is_the_same_event_declared_an_error(client: Client) -> None:
    batch = at_site(client, 10)
    event = client.post("/administrations", administration(batch, 3)).ok()["events"][0]["id"]
    wrong = {"occurred_at": stated(NOW), "reason": "Written twice"}
    client.post(f"/events/{event}/reversal", wrong).ok()
    first, second = [each for each in exported(client, batch) if each["bizStep"] == "dispensing"]
    assert first["eventID"] == second["eventID"]
    assert "errorDeclaration" not in first
    assert second["errorDeclaration"]["reason"] == "did_not_occur"
    assert second["errorDeclaration"]["coldtrail:reason"] == "Written twice"
    same = {"errorDeclaration", "recordTime"}
    assert {k: v for k, v in first.items() if k not in same} == {k: v for k, v in second.items() if k not in same}


def test_packs_are_told_by_their_own_names(client: Client) -> None:
    batch, serial = new_batch(), f"01{ONE}21S{new_batch()}"
    client.post("/receipts", receipt(batch, 10, packs=[{"code": serial, "doses": 1}])).ok()
    _, came = exported(client, batch)
    assert came["epcList"] == [f"https://id.gs1.org/01/{ONE}/21/{serial[18:]}"]
    assert came["quantityList"][0]["quantity"] == 9
    assert came["coldtrail:pack"][0]["coldtrail:doses"] == 1


def test_a_case_is_told_with_what_is_in_it_until_it_is_opened(client: Client) -> None:
    batch, number = new_batch(), new_batch()
    case, cartons = f"CASE-{number}", [f"CASE-{number}-{each}" for each in (1, 2)]
    vials = [f"01{ONE}21{carton}-{each}" for carton in cartons for each in (1, 2)]
    tree = [{"code": case}, *({"code": carton, "parent": case} for carton in cartons)]
    tree += [{"code": vial, "parent": cartons[place // 2]} for place, vial in enumerate(vials)]
    shelf = {"facility": "COUNTY", "appliance": "COUNTY-ROOM"}
    client.post("/receipts", receipt(batch, 4, packs=tree, **shelf)).ok()
    lines = [{"gtin": ONE, "batch": batch, "packs": [vials[0]]}]
    client.post("/shipments", dispatch(batch, lines=lines)).ok()
    events = exported(client, batch)
    packed = {each["parentID"]: each["childEPCs"] for each in events if each["bizStep"] == "packing"}
    unpacked = [each for each in events if each["bizStep"] == "unpacking"]
    link = {vial: f"https://id.gs1.org/01/{ONE}/21/{vial[18:]}" for vial in vials}
    assert packed == {
        f"urn:x-coldtrail:pack:{case}": [f"urn:x-coldtrail:pack:{carton}" for carton in cartons],
        **{f"urn:x-coldtrail:pack:{carton}": [link[each] for each in vials if carton in each] for carton in cartons},
    }
    assert {each["parentID"].rpartition(":")[2] for each in unpacked} == {case, cartons[0]}
    assert {each["action"] for each in unpacked} == {"DELETE"}
    sent = next(each for each in events if each["bizStep"] == "shipping")
    assert sent["epcList"] == [link[vials[0]]]
    assert "quantityList" not in sent


@pytest.fixture(scope="module")
def watched(county: County) -> str:
    """A sensor with a GIAI."""
    equipment.add_sensor(county.database, SensorRecord("S-EPCIS", 300, "strict-2-8", "GW", giai="69012340007"), NOW)
    return "S-EPCIS"


def test_what_the_sensor_saw_of_the_trip_comes_with_its_receipt(client: Client, county: County, watched: str) -> None:
    batch = at_county(client, 100)
    shipment = client.post("/shipments", dispatch(batch, 20, sensors=[watched])).ok()["shipment"]
    left = NOW - 2 * HOUR
    monitoring.record(county.database, [series(watched, left, [300, 400, 500, 900, 450, 350])], NOW)
    client.post(f"/shipments/{shipment}/receipts", arrival(occurred_at=stated(left + 20 * MINUTE))).ok()
    came = exported(client, batch)[-1]
    (element,) = came["sensorElementList"]
    metadata, (report,) = element["sensorMetadata"], element["sensorReport"]
    assert metadata["deviceID"] == "https://id.gs1.org/8004/69012340007"
    assert datetime.fromisoformat(metadata["startTime"]) == left
    assert datetime.fromisoformat(metadata["endTime"]) == left + 20 * MINUTE
    assert (report["minValue"], report["maxValue"], report["meanValue"]) == (3.0, 9.0, 5.1)


def test_of_a_trip_whose_readings_are_archived_the_hours_are_told(client: Client, county: County) -> None:
    serial = f"S-{new_batch()}"
    equipment.add_sensor(county.database, SensorRecord(serial, 300, "strict-2-8", "GW"), NOW)
    batch = at_county(client, 100, occurred_at=stated(NOW - 9 * HOUR))
    left, came_at = NOW - 8 * HOUR - 30 * MINUTE, NOW - 4 * HOUR
    sent = dispatch(batch, 20, sensors=[serial], occurred_at=stated(left))
    shipment = client.post("/shipments", sent).ok()["shipment"]
    degrees = [990, *[300] * 12, *[500] * 12, *[400] * 12, *[950] * 24]
    monitoring.record(county.database, [series(serial, left, degrees)], NOW)
    client.post(f"/shipments/{shipment}/receipts", arrival(occurred_at=stated(came_at))).ok()
    with_readings = exported(client, batch)[-1]["sensorElementList"]
    county.database.write(lambda session: session.execute(delete(Reading)))
    (report,) = exported(client, batch)[-1]["sensorElementList"][0]["sensorReport"]
    assert "meanValue" not in report
    assert with_readings[0]["sensorReport"][0]["maxValue"] == 9.9  # in the half hour before a whole one
    assert report["exception"] == "ALARM_CONDITION"
    assert (report["minValue"], report["maxValue"]) == (3.0, 9.5)


def test_a_span_is_paged_and_nothing_is_told_twice(client: Client) -> None:
    batch = at_site(client, 10)
    whole = exported(client, batch)
    after, told = None, []
    while True:
        more: Json = {"after": after} if after else {}
        answer = client.get("/epcis/events", gtin=ONE, batch=batch, limit=1, **more)
        document = valid(answer.ok())
        told += document["epcisBody"]["eventList"]
        after = document.get("coldtrail:next")
        assert (after is not None) == ('rel="next"' in answer.headers.get("Link", ""))
        if after is None:
            break
    assert told == whole


SPAN = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}


def test_filters_add_up(client: Client) -> None:
    batch = at_site(client, 10)
    shipment = next(each["shipment"] for each in client.get("/events", batch=batch).items if each["shipment"])
    told = exported(client, batch, shipment=shipment, facility="SITE-A", **SPAN)
    assert steps(told) == [("receiving", "in_progress", 10)]
    assert exported(client, batch, **SPAN) == exported(client, batch)
    assert exported(client, batch, **SPAN | {"to": "2026-01-02T00:00:00Z"}) == []


@pytest.mark.parametrize(
    "query",
    [{}, {"gtin": ONE}, {"batch": "B1"}, {"from": SPAN["from"]}, SPAN | {"gtin": ONE}, SPAN | {"batch": "B1"},
     {"facility": "CITY"}],
)  # fmt: skip
def test_the_whole_ledger_is_not_asked_for(client: Client, query: Json) -> None:
    answer = client.get("/epcis/events", "auditor", **query)
    assert (answer.status, answer.body["code"]) == (422, "malformed")


def test_a_place_with_a_gln_has_it_as_its_name(server: Server) -> None:
    client = server.client
    record = {"code": "CITY-2", "name": "Two", "kind": "city-store", "zone": ZONE, "gln": GLN}
    client.post("/facilities", record).ok()
    assert client.post("/facilities", record | {"code": "CITY-3"}).body["code"] == "already_exists"
    assert (
        client.post("/facilities", record | {"code": "CITY-3", "gln": GLN[:-1] + "8"}).body["code"]
        == "wrong_check_digit"
    )
    equipment.add_appliance(
        server.county.database,
        equipment.ApplianceRecord("C2-ROOM", "CITY-2", "Room", ApplianceKind.COLD_ROOM),
    )
    batch = new_batch()
    client.post("/receipts", receipt(batch, 10, facility="CITY-2", appliance="C2-ROOM")).ok()
    came = exported(client, batch)[-1]
    assert came["bizLocation"]["id"] == f"https://id.gs1.org/414/{GLN}"
    assert came["destinationList"][0]["destination"] == f"https://id.gs1.org/417/{GLN}"
    assert GLN in {each.get("gln") for each in client.get("/facilities", limit=100).items}


def test_every_kind_of_event_is_told_or_has_its_reason(county: County) -> None:
    from inventory.domain.epcis.mapping import _TELL

    assert set(_TELL) == set(EventKind)


def test_the_command_writes_one_document(client: Client, county: County, tmp_path: Path, monkeypatch: Any) -> None:
    batch = at_site(client, 10)
    monkeypatch.setenv("COLDTRAIL_DATABASE_URL", county.database.engine.url.render_as_string(hide_password=False))
    file = tmp_path / "batch.jsonld"
    done = CliRunner().invoke(main, ["export", "epcis", "--batch", f"{ONE}/{batch}", "-o", str(file)])
    assert done.exit_code == 0, done.output
    document = valid(json.loads(file.read_text(encoding="utf-8")))
    assert document["epcisBody"]["eventList"] == exported(client, batch)
    spoken = CliRunner().invoke(
        main, ["export", "epcis", "--from", "2026-01-04T00:00:00Z", "--to", "2026-01-06T00:00:00Z"]
    )
    assert valid(json.loads(spoken.output))["epcisBody"]["eventList"]
    assert [each.name for each in tmp_path.iterdir()] == ["batch.jsonld"]


@pytest.mark.parametrize(
    "arguments",
    [["--batch", "no-slash"], ["--from", "2026-01-04T00:00:00"], ["--from", "x"], [], ["--batch", f"{ONE}/NONE"]],
)
def test_the_command_tells_what_is_wrong_in_a_line(
    county: County, arguments: list[str], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("COLDTRAIL_DATABASE_URL", county.database.engine.url.render_as_string(hide_password=False))
    done = CliRunner().invoke(main, ["export", "epcis", *arguments, "-o", str(tmp_path / "x")])
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []
