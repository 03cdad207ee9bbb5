"""An adverse event after a dose: what is said of it, by when it is to be reported on, and who else had that dose."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from inventory.services import notices
from tests.county import HOUR, MINUTE, NOW, TWO
from tests.http import Client, Server
from tests.integration.test_paging import pages
from tests.orders import administration, arrival, at_county, at_site, dispatch, new_batch, receipt, stated

GIVEN, ONSET, HEARD = NOW - HOUR, NOW - 40 * MINUTE, NOW - 30 * MINUTE
"""Of a dose that was given an hour ago."""


def utc(text: str) -> str:
    return text.replace("+00:00", "Z")


def dose(client: Client, batch: str | None = None, **other: Any) -> str:
    """An administration; its id."""
    order = administration(batch or at_site(client), occurred_at=stated(GIVEN), **other)
    given = client.post("/administrations", order).ok()
    found: str = given["events"][-1]["id"]
    return found


def heard(given: str, kind: str = "general", **other: Any) -> dict[str, Any]:
    return {
        "reference": "AEFI-2026-0001",
        "administration": given,
        "kind": kind,
        "onset_at": stated(ONSET),
        "heard_at": stated(HEARD),
    } | other


def recorded(client: Client, kind: str = "general", **other: Any) -> str:
    """An adverse event after a dose of its own; its id."""
    found: str = client.post("/adverse-events", heard(dose(client), kind, **other), "nurse-a").ok()["adverse_event"]
    return found


def follow_up(kind: str | None = None, **other: Any) -> dict[str, Any]:
    return {"nature": "follow-up", "heard_at": stated(NOW)} | ({"kind": kind} if kind else {}) | other


def report(at: Any = NOW, **other: Any) -> dict[str, Any]:
    return {"reported_at": stated(at), "reported_to": "County CDC"} | other


def on_board(client: Client, event: str, **query: object) -> list[Any]:
    items = client.get("/deadlines", limit=1000, **query).items
    return [each for each in items if each["report"] and each["report"]["adverse_event"] == event]


def test_an_adverse_event_is_attached_to_a_dose_and_shown_with_it(client: Client) -> None:
    given = dose(client)
    order = heard(given, "serious", note="39 degrees, in hospital")
    posted = client.post("/adverse-events", order, "nurse-a").ok()
    assert posted["version"] == 1
    found = client.get(f"/adverse-events/{posted['adverse_event']}").ok()
    assert (found["id"], found["administration"], found["facility"]) == (posted["adverse_event"], given, "SITE-A")
    assert (found["given_at"], found["corrected"]) == (utc(stated(GIVEN)), False)
    (said,) = found["history"]
    assert said == found["newest"]
    assert {name: said[name] for name in ("nature", "kind", "reference", "note", "actor", "due_at", "met_at")} == {
        "nature": "first",
        "kind": "serious",
        "reference": "AEFI-2026-0001",
        "note": "39 degrees, in hospital",
        "actor": "nurse-a",
        "due_at": utc(stated(HEARD + 48 * HOUR)),
        "met_at": None,
    }
    assert [each["id"] for each in client.get("/adverse-events", administration=given).items] == [found["id"]]
    assert found["id"] in {each["id"] for each in client.get("/adverse-events", facility="SITE-A", limit=1000).items}
    assert found["id"] not in {each["id"] for each in client.get("/adverse-events", facility="CITY").items}


def test_what_is_said_later_stands_beside_what_was_said_before(client: Client) -> None:
    event = recorded(client)
    assert client.post(f"/adverse-events/{event}/updates", follow_up("death", note="died at noon")).ok()["version"] == 2
    wrong = {"nature": "correction", "heard_at": stated(NOW), "kind": "serious", "reference": "AEFI-2026-0002"}
    client.post(f"/adverse-events/{event}/updates", wrong).ok()
    client.post(f"/adverse-events/{event}/reports", report()).ok()
    history = client.get(f"/adverse-events/{event}").ok()["history"]
    assert [(each["version"], each["nature"], each["kind"]) for each in history] == [
        (1, "first", "general"),
        (2, "follow-up", "death"),
        (3, "correction", "serious"),
        (4, "report", "serious"),
    ]
    assert [each["note"] for each in history] == [None, *["died at noon"] * 3]
    assert [each["reference"][-1] for each in history] == ["1", "1", "2", "2"]
    assert [each["due_at"] for each in history] == [
        utc(stated(each)) for each in (HEARD + 48 * HOUR, NOW + 2 * HOUR, HEARD + 48 * HOUR, HEARD + 48 * HOUR)
    ]
    assert (history[3]["reported_at"], history[3]["reported_to"]) == (utc(stated(NOW)), "County CDC")


def test_a_request_that_is_repeated_is_answered_as_before(client: Client) -> None:
    order = heard(dose(client))
    first = client.post("/adverse-events", order, key="aefi-1").ok()
    assert client.post("/adverse-events", order, key="aefi-1").ok() == first
    assert len(client.get("/adverse-events", administration=order["administration"]).items) == 1
    other = client.post("/adverse-events", order | {"kind": "death"}, key="aefi-1")
    assert (other.status, other.body["code"]) == (409, "idempotency_key_reused")


NOBODY = "01890000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"administration": NOBODY}, 422, "not_found"),
        ({"facility": "NOWHERE"}, 422, "not_found"),
        ({"facility": "MAKER"}, 422, "wrong_facility_kind"),
        ({"reference": "13812345678"}, 422, "named_person"),
        ({"reference": "Wang Xiaoming"}, 422, "named_person"),
        ({"note": "mother: 138 1234 5678"}, 422, "named_person"),
        ({"onset_at": stated(GIVEN - MINUTE)}, 422, "time_before_cause"),
        ({"heard_at": stated(ONSET - MINUTE)}, 422, "time_before_cause"),
        ({"heard_at": stated(NOW + HOUR)}, 422, "time_in_future"),
        ({"heard_at": "2026-01-05T12:00:00"}, 422, "naive_time"),
        ({"kind": "rash"}, 422, "malformed"),
        ({"name": "x"}, 422, "malformed"),
    ],
)
def test_what_cannot_be_is_refused(client: Client, wrong: dict[str, Any], status: int, code: str) -> None:
    answer = client.post("/adverse-events", heard(dose(client)) | wrong)
    assert (answer.status, answer.body["code"]) == (status, code), answer.body
    assert "138 1234" not in answer.content.decode()


def test_a_dose_that_was_never_given_has_no_adverse_event(client: Client) -> None:
    given = dose(client)
    event = client.post("/adverse-events", heard(given)).ok()["adverse_event"]
    client.post(f"/events/{given}/reversal", {"occurred_at": stated(NOW), "reason": "slip"}).ok()
    again = client.post("/adverse-events", heard(given))
    assert (again.status, again.body["code"]) == (409, "already_reversed")
    assert client.get(f"/adverse-events/{event}").ok()["corrected"]
    receipt_of = client.get("/events", facility="COUNTY", kind="receive", limit=1).items[0]["id"]
    assert client.post("/adverse-events", heard(receipt_of)).body["code"] == "not_found"


@pytest.mark.parametrize("path", ["", "/shared-custody", "/shared-custody/0"])
def test_one_that_nobody_recorded_is_not_found(client: Client, path: str) -> None:
    assert client.get(f"/adverse-events/{NOBODY}{path}").status == 404


def test_staff_speak_for_their_own_facility(client: Client) -> None:
    given = dose(client)
    assert client.post("/adverse-events", heard(given), "nurse-b").body["code"] == "not_your_facility"
    elsewhere = client.post("/adverse-events", heard(given, facility="SITE-B"), "nurse-b").ok()["adverse_event"]
    for path, body in (("updates", follow_up()), ("reports", report())):
        assert client.post(f"/adverse-events/{elsewhere}/{path}", body, "nurse-a").status == 403
        client.post(f"/adverse-events/{elsewhere}/{path}", body, "nurse-b").ok()


def test_a_report_before_it_was_heard_of_is_refused(client: Client) -> None:
    event = recorded(client)
    early = client.post(f"/adverse-events/{event}/reports", report(HEARD - MINUTE))
    assert (early.status, early.body["code"]) == (422, "time_before_cause")
    nature = client.post(f"/adverse-events/{event}/updates", follow_up() | {"nature": "report"})
    assert (nature.status, nature.body["code"]) == (422, "malformed")


@pytest.mark.parametrize(("kind", "hours"), [("general", 48), ("serious", 48), ("death", 2), ("cluster", 2)])
def test_the_clock_of_a_report_is_on_the_board(server: Server, kind: str, hours: int) -> None:
    client = server.client
    event = recorded(client, kind)
    (line,) = on_board(client, event, facility="SITE-A")
    assert on_board(client, event, facility="SITE-B") == []
    assert (line["name"], line["rule_set"], line["custody"], line["place"]) == ("report", "aefi", None, None)
    assert line["report"] == {"adverse_event": event, "kind": kind, "facility": "SITE-A"}
    assert (line["opened_at"], line["due_at"]) == (utc(stated(HEARD)), utc(stated(HEARD + hours * HOUR)))
    assert line["minutes_left"] == hours * 60 - 30
    assert line["status"] == ("open" if hours == 48 else "due-soon")
    due = HEARD + hours * HOUR
    for at, status in ((due, "due-soon"), (due + MINUTE, "missed")):
        server.clock.at = at
        assert [each["status"] for each in on_board(client, event)] == [status]
        assert len(on_board(client, event, status=status)) == 1
    client.post(f"/adverse-events/{event}/reports", report(due)).ok()
    assert on_board(client, event) == []
    (met,) = on_board(client, event, status="met")
    assert met["status"] == "met"
    assert on_board(client, event, status="missed") == []


def test_a_late_report_has_missed_it(server: Server) -> None:
    event = recorded(server.client, "death")
    server.clock.at = HEARD + 3 * HOUR
    server.client.post(f"/adverse-events/{event}/reports", report(server.clock.at)).ok()
    assert on_board(server.client, event) == []
    assert [each["status"] for each in on_board(server.client, event, status="missed")] == ["missed"]


def test_a_page_of_the_board_holds_both_kinds_of_clocks_in_order(client: Client) -> None:
    events = {recorded(client), recorded(client, "death")}
    at_county(client)
    found = pages(client, "/deadlines", limit=2)
    assert found == client.get("/deadlines", limit=1000).items
    assert [each["due_at"] for each in found] == sorted(each["due_at"] for each in found)
    assert events <= {each["report"]["adverse_event"] for each in found if each["report"]}
    assert {each["name"] for each in found} > {"report", "use"}


def test_people_are_told_at_once_of_what_is_urgent_and_else_before_it_is_due(server: Server) -> None:
    urgent, ordinary = recorded(server.client, "cluster"), recorded(server.client)

    def told(event: str) -> list[str]:
        found = notices.list_notices(server.county.database, "SITE-A", None, None, 1000).items
        return [each.kind for each in found if each.body.get("adverse_event") == event]

    assert (told(urgent), told(ordinary)) == (["report-due"], [])
    for hours in (3, 43, 43, 45, 47, 49, 50):
        notices.tell_deadlines(server.county.database, HEARD + hours * HOUR)
    assert (told(urgent), told(ordinary)) == (["report-due", "report-missed"], ["report-due", "report-missed"])
    met = recorded(server.client)
    server.client.post(f"/adverse-events/{met}/reports", report()).ok()
    notices.tell_deadlines(server.county.database, HEARD + 50 * HOUR)
    assert told(met) == []


def sharings(client: Client, given: str) -> tuple[str, list[Any]]:
    event = client.post("/adverse-events", heard(given)).ok()["adverse_event"]
    return event, client.get(f"/adverse-events/{event}/shared-custody").ok()["sharings"]


def numbers(fate: Any) -> dict[str, int]:
    return {name: doses for name, doses in fate.items() if doses}


def at_site_by(client: Client, batch: str, doses: int, dispatched: Any, arrived: Any, gtin: str | None = None) -> str:
    """Doses that travel from the county to site A; the shipment."""
    line = {"gtin": gtin, "batch": batch, "doses": doses} if gtin else {"batch": batch, "doses": doses}
    order = dispatch(batch, doses, occurred_at=stated(dispatched))
    order["lines"][0] |= line
    shipment: str = client.post("/shipments", order).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival(occurred_at=stated(arrived))).ok()
    return shipment


def test_doses_that_shared_its_fridges_and_its_trip_are_found_with_what_became_of_them(server: Server) -> None:
    """Of twenty doses in the county ten go with the dose; another batch had left before, one comes after it."""
    client, hours = server.client, [NOW - each * HOUR for each in range(24)]
    county = {"facility": "COUNTY", "appliance": "COUNTY-ROOM", "expiry": "2026-03-31"}
    gone, mine, later = new_batch(), new_batch(), new_batch()
    client.post("/receipts", receipt(gone, 6, **county, occurred_at=stated(hours[22]))).ok()
    at_site_by(client, gone, 6, hours[21], hours[20])
    client.post("/administrations", administration(gone, 6, occurred_at=stated(hours[19]))).ok()
    client.post("/receipts", receipt(mine, 20, **county, occurred_at=stated(hours[18]))).ok()
    trip = at_site_by(client, mine, 10, hours[12], hours[11])
    client.post("/receipts", receipt(later, 8, **county, occurred_at=stated(hours[10]))).ok()
    at_site_by(client, later, 4, hours[9], hours[3])
    client.post("/administrations", administration(mine, 2, recipient="R-0001", occurred_at=stated(hours[5]))).ok()
    wasted = {"facility": "SITE-A", "gtin": "06901234567892", "batch": mine, "doses": 1, "cause": "broken"}
    client.post("/wastages", wasted | {"occurred_at": stated(hours[4])}).ok()
    event, found = sharings(client, dose(client, mine))
    others = {(each["shared"], each["place"]["appliance"] or each["place"]["shipment"]): each for each in found}
    assert list(others) == [("fridge", "COUNTY-ROOM"), ("trip", trip), ("fridge", "A-FRIDGE")]
    assert all(each["attributed"] and each["vials"] is None for each in found)
    room, journey, fridge = others.values()
    with_it = {"on_hand": 6, "administered": 2, "wasted": 1}
    assert numbers(room["same_batch"]) == {"doses": 19} | with_it | {"on_hand": 16}
    assert numbers(journey["same_batch"]) == numbers(fridge["same_batch"]) == {"doses": 9} | with_it
    assert journey["stretches"] == [{"from": utc(stated(hours[12])), "to": utc(stated(hours[11]))}]
    assert numbers(journey["other_batches"]) == {}
    listed = {
        each["batch"]: each["doses"]
        for each in client.get(f"/adverse-events/{event}/shared-custody/2", same_batch=False, limit=1000).items
        if each["batch"] in {gone, later}
    }
    assert listed == {later: 4}
    mine_there = client.get(f"/adverse-events/{event}/shared-custody/2", same_batch=True).items
    assert [(each["end"], each["doses"], each["recipient"]) for each in mine_there] == [
        (None, 6, None),
        ("administered", 2, "R-0001"),
        ("wasted", 1, None),
    ]
    listed_there = pages(client, f"/adverse-events/{event}/shared-custody/2", limit=2)
    assert listed_there == client.get(f"/adverse-events/{event}/shared-custody/2", limit=1000).items
    whole = fridge["same_batch"]["doses"] + fridge["other_batches"]["doses"]
    assert sum(each["doses"] for each in listed_there) == whole
    assert client.get(f"/adverse-events/{event}/shared-custody/3").status == 404


def test_the_other_dose_of_its_vial_is_found(client: Client) -> None:
    batch = new_batch()
    county = {"facility": "COUNTY", "appliance": "COUNTY-ROOM", "gtin": TWO}
    client.post("/receipts", receipt(batch, 8, **county, occurred_at=stated(NOW - 9 * HOUR))).ok()
    at_site_by(client, batch, 6, NOW - 8 * HOUR, NOW - 7 * HOUR, TWO)
    given = dose(client, batch, gtin=TWO)
    _, found = sharings(client, given)
    vial = found[0]
    assert (vial["shared"], vial["vials"], vial["attributed"]) == ("vial", 1, True)
    assert numbers(vial["same_batch"]) == {"doses": 1, "on_hand": 1}
    assert numbers(vial["other_batches"]) == {}
    client.post("/administrations", administration(batch, gtin=TWO, recipient="R-0002")).ok()
    event, (vial, *_) = sharings(client, given)
    assert numbers(vial["same_batch"]) == {"doses": 1, "administered": 1}
    (other,) = client.get(f"/adverse-events/{event}/shared-custody/0").items
    assert (other["end"], other["recipient"], other["place"]["appliance"]) == ("administered", "R-0002", "A-FRIDGE")


def test_a_custody_that_was_named_is_known_and_not_attributed(client: Client) -> None:
    batch = at_county(client, 4, occurred_at=stated(NOW - 9 * HOUR))
    at_site_by(client, batch, 4, NOW - 8 * HOUR, NOW - 7 * HOUR)
    (line,) = [each for each in client.get("/stock", batch=batch).items if each["place"]["facility"] == "SITE-A"]
    _, found = sharings(client, dose(client, batch, custody=line["custody"]))
    assert [(each["shared"], each["attributed"]) for each in found] == [
        ("fridge", True),
        ("trip", False),
        ("fridge", False),
    ]


def test_of_several_who_speak_at_once_each_follows_another(client: Client) -> None:
    event = recorded(client)
    with ThreadPoolExecutor(6) as staff:
        answers = list(
            staff.map(
                lambda note: client.post(f"/adverse-events/{event}/updates", follow_up(note=f"note {note}")), range(6)
            )
        )
    assert sorted(each.ok()["version"] for each in answers) == [2, 3, 4, 5, 6, 7]
    history = client.get(f"/adverse-events/{event}").ok()["history"]
    assert {each["note"] for each in history[1:]} == {f"note {note}" for note in range(6)}
