"""What happened can be read back: events as they were recorded, what was given, and how far a recall has come."""

from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from tests.county import HOUR, MINUTE, NOW, ONE, TWO
from tests.http import Client, Server
from tests.orders import Json, administration, arrival, at_county, at_site, dispatch, new_batch, receipt, stated

NOBODY = "00000000-0000-0000-0000-000000000001"


def events(client: Client, **query: Any) -> list[Any]:
    return client.get("/events", **({"limit": 1000} | query)).items


def wastage(batch: str, doses: int = 1, **other: Any) -> Json:
    return {
        "facility": "SITE-A", "gtin": ONE, "batch": batch, "doses": doses, "cause": "broken",
        "occurred_at": stated(NOW),
    } | other  # fmt: skip


def order(batch: str, facility: str = "SITE-A", **other: Any) -> Json:
    return {"facility": facility, "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "reason": "so"} | other


def correct(client: Client, posted: str) -> str:
    done = client.post(f"/events/{posted}/reversal", {"occurred_at": stated(NOW), "reason": "slip"}).ok()
    return str(done["events"][0]["id"])


def recall(client: Client, batch: str, **other: Any) -> str:
    posted = client.post("/recalls", order(batch, "CITY", reason="a foreign body", **other), "chief").ok()
    return str(posted["events"][0]["id"])


def test_an_event_is_told_as_it_was_recorded(client: Client) -> None:
    batch = new_batch()
    transport = {"arrival_celsius": 4.5, "vehicle": "A 123", "cooling": "refrigerated-truck", "distance_km": 60}
    posted = client.post("/receipts", receipt(batch, 30, transport=transport), "keeper").ok()["events"][0]
    (found,) = events(client, gtin=ONE, batch=batch)
    assert found == client.get(f"/events/{posted['id']}").ok()
    assert {name: found[name] for name in posted} == posted
    assert (found["actor"], found["shipment"], found["cause"]) == ("keeper", None, None)
    assert (found["reverses"], found["corrected_by"]) == (None, None)
    assert {name: found["transport"][name] for name in transport} == transport
    assert found["transport"]["departed_at"] is None
    assert (found["details"]["outcome"], found["details"]["supplier"]) == ("accept", "MAKER")
    assert "transport" not in found["details"]


def test_a_correction_and_what_it_corrected_name_each_other(client: Client) -> None:
    batch = at_site(client)
    wasted = client.post("/wastages", wastage(batch, 2, reason="fell"), "nurse-a").ok()["events"][0]["id"]
    reversal = correct(client, wasted)
    first, second = events(client, batch=batch, facility="SITE-A")[-2:]
    assert (first["id"], first["corrected_by"], first["cause"], first["reason"]) == (wasted, reversal, "broken", "fell")
    assert (second["id"], second["kind"], second["reverses"]) == (reversal, "correct", wasted)
    assert [line["doses"] for line in second["movements"]] == [-2]


def test_a_refused_receipt_and_a_count_that_agrees_are_events_without_movements(client: Client) -> None:
    batch = at_site(client, 10)
    client.post("/receipts", receipt(batch, outcome="refuse", reason="warm", transport={})).ok()
    count = order(batch, appliance="A-FRIDGE", counted=10)
    client.post("/counts", count).ok()
    found = {each["kind"]: each for each in events(client, batch=batch) if not each["movements"]}
    assert found["receive"]["details"]["outcome"] == "refuse"
    assert found["receive"]["transport"] is None
    assert (found["count"]["details"]["counted"], found["count"]["details"]["book"]) == (10, 10)


def test_events_are_asked_for_by_place_batch_shipment_kind_and_time(client: Client) -> None:
    batch = at_county(client, 20)
    shipment = client.post("/shipments", dispatch(batch, 8)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    client.post("/administrations", administration(batch, 3)).ok()

    def kinds(**query: Any) -> list[str]:
        return [each["kind"] for each in events(client, **query)]

    assert kinds(batch=batch) == ["receive", "dispatch", "receive", "administer"]
    assert kinds(batch=batch, facility="COUNTY") == ["receive", "dispatch"]
    assert kinds(batch=batch, kind="receive") == ["receive", "receive"]
    assert kinds(shipment=shipment) == ["dispatch", "receive"]
    assert kinds(shipment=shipment, facility="SITE-A") == ["receive"]
    window = {"from": stated(NOW - 2 * HOUR), "to": stated(NOW)}
    assert kinds(batch=batch, **window) == ["dispatch", "receive"]
    assert kinds(batch=batch, gtin=TWO) == kinds(batch="NO-SUCH") == kinds(shipment=NOBODY) == []


def test_a_batch_number_of_two_products_is_told_apart_by_the_gtin(client: Client) -> None:
    batch = new_batch()
    for gtin in (ONE, TWO):
        client.post("/receipts", receipt(batch, 10, gtin=gtin)).ok()
    assert [each["gtin"] for each in events(client, batch=batch, gtin=TWO)] == [TWO]
    assert {each["gtin"] for each in events(client, batch=batch)} == {ONE, TWO}
    assert {each["gtin"] for each in events(client, facility="CITY", gtin=TWO)} == {TWO}


def test_events_are_visited_once_the_newest_last(client: Client) -> None:
    batch = at_site(client, 9)
    for minute in (30, 10, 20, 10, 30, 10):
        given = administration(batch, occurred_at=stated(NOW - minute * MINUTE))
        client.post("/administrations", given).ok()
    whole, found = events(client, batch=batch), []
    after: Json = {}
    while True:
        page = client.get("/events", batch=batch, limit=2, **after).ok()
        found += page["items"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == whole
    assert [each["occurred_at"] for each in whole] == sorted(each["occurred_at"] for each in whole)
    assert len({each["id"] for each in whole}) == len(whole) == 9


@pytest.mark.parametrize("path", ["/events", "/administrations"])
def test_the_whole_ledger_is_not_asked_for(client: Client, path: str) -> None:
    for query in ({}, {"gtin": ONE}, {"from": stated(NOW)}):
        answer = client.get(path, **query)
        assert (answer.status, answer.body["code"], answer.body["field"]) == (422, "malformed", "facility")


WRONG: dict[str, Json] = {
    "facility": {"facility": "NOWHERE"},
    "gtin": {"facility": "CITY", "gtin": "06901234567893"},
    "kind": {"facility": "CITY", "kind": "vanish"},
    "shipment": {"shipment": "x"},
    "from": {"facility": "CITY", "from": "2026-01-05T08:00:00"},
}


@pytest.mark.parametrize(("query"), WRONG.values(), ids=WRONG)
def test_a_question_that_is_none_is_refused(client: Client, query: Json) -> None:
    assert client.get("/events", **query).status == 422


@pytest.mark.parametrize("path", ["/events", "/recalls"])
def test_what_never_happened_is_not_found(client: Client, path: str) -> None:
    assert client.get(f"{path}/{NOBODY}").status == 404


def test_what_was_given_is_listed_for_whoever_follows_it_up(client: Client) -> None:
    batch = at_site(client)
    given = [
        client.post("/administrations", administration(batch, doses, recipient=person)).ok()["events"][-1]["id"]
        for doses, person in ((1, "ref-0001"), (2, None), (1, "ref-0002"))
    ]
    reversal = correct(client, given[1])
    client.post("/wastages", wastage(batch)).ok()

    found = client.get("/administrations", gtin=ONE, batch=batch).items
    assert [(each["id"], each["doses"], each["recipient"]) for each in found] == [
        (given[0], 1, "ref-0001"),
        (given[2], 1, "ref-0002"),
    ]
    assert client.get(f"/administrations/{found[0]['id']}/trail").status == 200
    every = client.get("/administrations", facility="SITE-A", batch=batch, corrected="true").items
    assert [(each["id"], each["corrected_by"]) for each in every][1] == (given[1], reversal)
    assert client.get("/administrations", facility="SITE-B", batch=batch).items == []
    assert client.get("/administrations", batch=batch, to=stated(NOW)).items == []


def places(found: list[Any]) -> list[tuple[str, int]]:
    return [(each["place"]["appliance"] or "on its way", each["doses"]) for each in found]


def test_a_recall_tells_where_every_dose_is(client: Client) -> None:
    batch = at_county(client, 100)
    for doses, received in ((30, 25), (20, 0)):
        shipment = client.post("/shipments", dispatch(batch, doses)).ok()["shipment"]
        if received:
            lines = [{"gtin": ONE, "batch": batch, "doses": received}]
            client.post(f"/shipments/{shipment}/receipts", arrival(lines=lines)).ok()
    client.post("/administrations", administration(batch, 6)).ok()
    client.post("/wastages", wastage(batch, 4)).ok()
    client.post("/counts", order(batch, appliance="A-FRIDGE", counted=13)).ok()
    recalled = recall(client, batch)

    found = client.get(f"/recalls/{recalled}").ok()
    told = found["recall"]
    assert (told["gtin"], told["batch"], told["facility"], told["actor"]) == (ONE, batch, "CITY", "chief")
    assert (told["reason"], told["stands"], told["id"]) == ("a foreign body", True, recalled)
    assert sorted(places(found["held"])) == [
        ("A-FRIDGE", 13),
        ("COUNTY-ROOM", 50),
        ("on its way", 5),
        ("on its way", 20),
    ]
    assert (found["doses_held"], found["doses_held_in_transit"], found["unexplained"]) == (88, 25, 5)
    assert (found["doses_free"], found["free"]) == (0, [])
    assert (found["doses_given"], found["given_by_facility"]) == (6, [{"facility": "SITE-A", "doses": 6}])
    assert (found["wasted"], found["missing"], found["returned"]) == (4, 2, 0)
    assert (found["doses"], found["located"], found["found"], found["not_accounted_for"]) == (100, 83, 0, 7)
    assert found["completeness"] == 0.93
    assert client.get(f"/recalls/{recalled}", known_at=stated(NOW - 9 * HOUR)).ok()["doses"] == 0
    before = client.get(f"/recalls/{recalled}", at=stated(NOW - 90 * MINUTE)).ok()
    assert (before["doses"], before["doses_held"], before["doses_given"], before["unexplained"]) == (100, 0, 0, 0)
    assert sorted(places(before["free"])) == [("COUNTY-ROOM", 50), ("on its way", 20), ("on its way", 30)]
    assert before["completeness"] == 0


def test_the_doses_of_a_recalled_batch_that_were_given_are_listed(client: Client) -> None:
    batch = at_site(client, 10)
    given = [
        client.post("/administrations", administration(batch, doses)).ok()["events"][-1]["id"] for doses in (1, 2, 3)
    ]
    recalled = recall(client, batch)
    correct(client, given[1])
    page = client.get(f"/recalls/{recalled}/administrations", limit=1).ok()
    more = client.get(f"/recalls/{recalled}/administrations", after=page["next"]).ok()
    assert [(each["id"], each["doses"]) for each in page["items"] + more["items"]] == [(given[0], 1), (given[2], 3)]
    assert client.get(f"/recalls/{given[0]}/administrations").status == 404


def test_what_a_correction_gives_back_is_seen_to_be_free_until_it_is_recalled_again(client: Client) -> None:
    batch = at_site(client, 10)
    given = client.post("/administrations", administration(batch, 4)).ok()["events"][-1]["id"]
    recalled = recall(client, batch)
    correct(client, given)
    found = client.get(f"/recalls/{recalled}").ok()
    assert (found["doses_free"], found["doses_held"], found["doses_given"]) == (4, 6, 0)
    assert (places(found["free"]), found["given_by_facility"]) == ([("A-FRIDGE", 4)], [])
    again = recall(client, batch)
    found = client.get(f"/recalls/{again}").ok()
    assert (found["doses_free"], sorted(places(found["held"]))) == (0, [("A-FRIDGE", 10)])


def test_recalls_are_listed_and_a_corrected_one_stands_no_more(client: Client) -> None:
    mine = [recall(client, at_county(client)) for _ in range(3)]
    correct(client, mine[1])
    listed = client.get("/recalls", limit=1000).items
    assert [(each["id"], each["stands"]) for each in listed if each["id"] in mine] == [
        (mine[0], True),
        (mine[1], False),
        (mine[2], True),
    ]
    assert client.get(f"/recalls/{mine[1]}").ok()["recall"]["stands"] is False
    first = client.get("/recalls", limit=1).ok()
    assert [first["items"][0], *client.get("/recalls", limit=1000, after=first["next"]).items] == listed
    other = client.post("/wastages", wastage(at_site(client))).ok()["events"][0]["id"]
    assert client.get(f"/recalls/{other}").status == 404


def plans(server: Server, path: str, **query: Any) -> str:
    """How the database finds the events of a question, if it is told that tables are large."""
    engine, asked = server.county.database.reader, []

    def note(_c: Connection, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "stock_event" in statement and statement.startswith("SELECT"):
            asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        server.client.get(path, **query).ok()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    statement, values = asked[0]
    with engine.connect() as connection:
        if not server.county.database.is_sqlite:
            connection.execute(text("SET enable_seqscan = off"))
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values)
        else:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        return "\n".join(str(row[-1]) for row in rows)


def test_each_question_has_its_index(server: Server) -> None:
    batch = at_county(server.client)
    shipment = server.client.post("/shipments", dispatch(batch)).ok()["shipment"]
    assert "ix_stock_event_facility_time" in plans(server, "/events", facility="CITY")
    assert "ix_stock_event_shipment" in plans(server, "/events", shipment=shipment)
    for path in ("/events", "/administrations"):
        assert "ix_stock_event_batch_time" in plans(server, path, gtin=ONE, batch=batch)
    assert "ix_stock_event_standing" in plans(server, "/recalls")
