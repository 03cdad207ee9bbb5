"""The check before use, as it is asked and as an administration runs it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from inventory.domain.words import Policy
from inventory.persistence.database import Database
from inventory.persistence.tables import Programme, StockEvent
from inventory.services import monitoring
from inventory.services.products import ProductRecord, add_product
from inventory.services.verification import verify
from tests.county import HOUR, MINUTE, NOW, ONE, TWO, build, series
from tests.http import Answer, Client, Server, serving
from tests.integration.test_pages import show
from tests.orders import administration, arrival, at_county, at_site, dispatch, new_batch, override, receipt, stated

DAYS = timedelta(days=1)


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    """A county of each test's own: an excursion touches whatever was there."""
    with closing(Database(database_url)) as database, serving(build(database)) as served:
        yield served


@pytest.fixture
def client(server: Server) -> Client:
    return server.client


def warm_on_its_way(server: Server, sensor: str = "S-BOX") -> str:
    """A batch at site A whose cold box was too warm for an hour."""
    batch = at_county(server.client, 10)
    shipment = server.client.post("/shipments", dispatch(batch, sensors=[sensor])).ok()["shipment"]
    monitoring.record(server.county.database, [series(sensor, NOW - 2 * HOUR, [1200] * 13)], server.clock.at)
    server.client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    return batch


def asks_for_missed(server: Server) -> None:
    """The programme lets nobody give what missed a deadline, unless a supervisor says so."""

    def work(session: Any) -> None:
        session.get_one(Programme, "routine").on_missed = Policy.ASK

    server.county.database.write(work)


def ask(client: Client, batch: str, facility: str = "SITE-A", gtin: str = ONE, **query: Any) -> Any:
    return client.get(f"/batches/{gtin}/{batch}/usability", facility=facility, **query).ok()


def codes(answer: Any) -> list[tuple[str, str]]:
    return [(reason["code"], reason["verdict"]) for reason in answer["reasons"]]


def refused(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.body["code"], answer.body["expected"].rpartition(": ")[2]


def test_doses_that_nothing_speaks_against_may_be_given(client: Client) -> None:
    batch = at_site(client)
    answer = ask(client, batch)
    assert (answer["usable"], answer["reasons"], answer["facility"]) == ("yes", [], "SITE-A")
    assert answer["at"] == stated(NOW).replace("+00:00", "Z")
    given = client.post("/administrations", administration(batch), "nurse-a").ok()
    assert given["events"][0]["movements"][0]["from_custody"] == answer["custody"]


def test_a_batch_that_is_elsewhere_may_not_be_given(client: Client) -> None:
    batch = at_site(client)
    assert codes(ask(client, batch, "SITE-B")) == [("wrong_facility", "no")]
    assert codes(ask(client, batch, at=stated(NOW - 2 * HOUR))) == [("wrong_facility", "no")]


def test_a_store_gives_nothing(client: Client) -> None:
    assert codes(ask(client, at_county(client), "COUNTY")) == [("not_a_site", "no")]


def test_an_expired_label_is_told_with_its_day(server: Server) -> None:
    batch = at_site(server.client)
    server.clock.at = NOW + 300 * DAYS
    answer = ask(server.client, batch)
    assert ("label_expired", "no") in codes(answer)
    assert answer["reasons"][0]["facts"] == {"expiry": "2026-06-30"}
    assert answer["reasons"][0]["text"] == "the batch expired on 2026-06-30"


def test_a_reason_is_told_in_the_readers_language(client: Client) -> None:
    batch, path = at_site(client), "/api/v1/batches"
    headers = client.bearer("auditor") | {"Accept-Language": "zh-CN"}
    answer = client.send("GET", f"{path}/{ONE}/{batch}/usability?facility=SITE-B", headers=headers).ok()
    assert answer["reasons"][0]["code"] == "wrong_facility"
    assert "SITE-B" in answer["reasons"][0]["text"]


def test_held_doses_may_not_be_given_while_none_are_free(client: Client) -> None:
    batch = at_site(client)
    some = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "reason": "Looked odd"}
    client.post("/holds", some | {"doses": 4}).ok()
    assert ask(client, batch)["usable"] == "yes"
    client.post("/holds", some).ok()
    assert codes(ask(client, batch)) == [("held", "no")]


def test_a_recalled_batch_may_not_be_given(client: Client) -> None:
    batch = at_site(client)
    order = {"facility": "COUNTY", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "reason": "By the maker"}
    client.post("/recalls", order, "chief").ok()
    assert codes(ask(client, batch)) == [("recalled", "no"), ("held", "no")]
    assert refused(client.post("/administrations", administration(batch)))[:2] == (409, "batch_recalled")


def opened_vials(server: Server) -> str:
    batch = at_two(server.client)
    server.client.post("/openings", administration(batch, 2, gtin=TWO)).ok()
    return batch


def at_two(client: Client, doses: int = 2) -> str:
    """Vials of two doses at site A."""
    batch = new_batch()
    client.post("/receipts", receipt(batch, doses, gtin=TWO, facility="COUNTY", appliance="COUNTY-ROOM")).ok()
    sent = dispatch(batch, lines=[{"gtin": TWO, "batch": batch, "doses": doses}])
    shipment = client.post("/shipments", sent).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    return batch


def test_a_vial_that_was_opened_too_long_ago_may_not_be_given(server: Server) -> None:
    batch = opened_vials(server)
    assert ask(server.client, batch, gtin=TWO)["usable"] == "yes"
    server.clock.at = NOW + 7 * HOUR
    assert codes(ask(server.client, batch, gtin=TWO)) == [("open_vial_limit", "no")]


def test_doses_that_thawed_too_long_ago_may_not_be_given(server: Server) -> None:
    gtin = "04012345123456"
    add_product(server.county.database, ProductRecord(gtin, "Frozen", 1, "strict-2-8", thaw_hours=2))
    batch = new_batch()
    server.client.post("/receipts", receipt(batch, 5, gtin=gtin, facility="COUNTY", appliance="COUNTY-ROOM")).ok()
    sent = dispatch(batch, lines=[{"gtin": gtin, "batch": batch, "doses": 5}])
    shipment = server.client.post("/shipments", sent).ok()["shipment"]
    server.client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    assert codes(ask(server.client, batch, gtin=gtin)) == [("thaw_limit", "no")]


def test_another_product_than_the_earlier_dose_asks(client: Client) -> None:
    batch = at_site(client)
    assert ask(client, batch, previous_gtin=ONE)["usable"] == "yes"
    answer = ask(client, batch, previous_gtin=TWO)
    assert (answer["usable"], codes(answer)) == ("ask", [("other_product", "ask")])
    other = administration(batch, previous_gtin=TWO)
    assert refused(client.post("/administrations", other, "nurse-a")) == (409, "not_usable", "other_product")
    client.post("/administrations", administration(batch, previous_gtin=ONE), "nurse-a").ok()
    assert client.get(f"/batches/{ONE}/{batch}/usability", facility="SITE-A", previous_gtin="12").status == 422


def test_an_excursion_anywhere_on_the_way_asks(server: Server) -> None:
    client, batch = server.client, warm_on_its_way(server)
    answer = ask(client, batch)
    assert (answer["usable"], codes(answer)) == ("ask", [("exposure", "ask")])
    facts = answer["reasons"][0]["facts"]
    found = client.get(f"/excursions/{facts['excursion']}").ok()
    assert (facts["sensor"], facts["rule"], facts["started_at"]) == ("S-BOX", "HOT", found["started_at"])
    assert refused(client.post("/administrations", administration(batch), "nurse-a")) == (409, "not_usable", "exposure")


def test_an_excursion_that_late_readings_take_back_asks_no_more(server: Server) -> None:
    batch = warm_on_its_way(server)
    assert ask(server.client, batch)["usable"] == "ask"
    between = series("S-BOX", NOW - 2 * HOUR + MINUTE, [450] * 12)
    monitoring.record(server.county.database, [between], server.clock.at)
    assert [code for code, _ in codes(ask(server.client, batch))] in ([], ["unseen"])


def test_an_excursion_of_a_place_before_the_doses_came_or_after_they_left_is_not_theirs(server: Server) -> None:
    warm = [450] * 2 + [1200] * 8 + [450] * 30
    monitoring.record(server.county.database, [series("S-A", NOW - 3 * HOUR, warm)], NOW)
    monitoring.record(server.county.database, [series("S-COUNTY", NOW - 100 * MINUTE, [450, *[1200] * 19])], NOW)
    excursions = server.client.get("/excursions").items
    assert {each["sensor"] for each in excursions if each["rule"] == "HOT"} == {"S-A", "S-COUNTY"}
    assert "exposure" not in [code for code, _ in codes(ask(server.client, at_site(server.client)))]


def test_a_silence_is_shown_and_asks_nothing(server: Server) -> None:
    batch = at_site(server.client)
    quiet = [series("S-A", NOW - HOUR, [450] * 2), series("S-A", NOW - 10 * MINUTE, [450] * 2)]
    monitoring.record(server.county.database, quiet, NOW)
    answer = ask(server.client, batch)
    assert (answer["usable"], codes(answer)) == ("yes", [("unseen", "yes")])
    server.client.post("/administrations", administration(batch), "nurse-a").ok()


def test_a_missed_deadline_is_shown_and_asks_where_the_programme_says_so(server: Server) -> None:
    client, batch = server.client, at_site(server.client)
    server.clock.at = NOW + 30 * HOUR
    late = administration(batch, occurred_at=stated(server.clock.at))
    assert codes(ask(client, batch)) == [("deadline", "yes")]
    client.post("/administrations", late, "nurse-a").ok()
    asks_for_missed(server)
    answer = ask(client, batch)
    assert (answer["usable"], codes(answer)) == ("ask", [("deadline", "ask")])
    assert answer["reasons"][0]["facts"]["name"] == "use"
    assert refused(client.post("/administrations", late, "nurse-a")) == (409, "not_usable", "deadline")
    in_time = administration(batch, occurred_at=stated(NOW))
    client.post("/administrations", in_time, "nurse-a").ok()


def test_doses_that_were_delivered_late_have_missed_a_deadline(server: Server) -> None:
    client, batch = server.client, new_batch()
    asks_for_missed(server)
    early = receipt(batch, 10, facility="COUNTY", appliance="COUNTY-ROOM", occurred_at=stated(NOW - 40 * HOUR))
    client.post("/receipts", early).ok()
    shipment = client.post("/shipments", dispatch(batch)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    answer = ask(client, batch)
    assert codes(answer) == [("deadline", "ask")]
    assert answer["reasons"][0]["facts"]["name"] == "deliver"


def test_each_line_of_a_list_is_checked(server: Server) -> None:
    client = server.client
    good, warm = at_site(client), warm_on_its_way(server)
    lines = [
        administration(good),
        administration(warm),
        administration(good, previous_gtin=TWO),
        administration(warm, override={"reason": "Seen by the chief"}),
        administration(good),
    ]
    results = client.post("/administration-lists", {"administrations": lines}, "chief").ok()["results"]
    assert [each["status"] for each in results] == [201, 409, 409, 201, 201]
    assert [each["problem"]["code"] for each in results[1:3]] == ["not_usable"] * 2
    assert [each["kind"] for each in results[3]["posted"]["events"]] == ["override", "administer"]


def test_a_refused_line_opens_no_vial_for_the_next(client: Client) -> None:
    batch = at_two(client, 4)
    refused_one = administration(batch, gtin=TWO, previous_gtin=ONE)
    lines = [refused_one, administration(batch, gtin=TWO), refused_one, administration(batch, gtin=TWO)]
    results = client.post("/administration-lists", {"administrations": lines}).ok()["results"]
    assert [each["status"] for each in results] == [409, 201, 409, 201]
    kinds = [[event["kind"] for event in each["posted"]["events"]] for each in results[1::2]]
    assert kinds == [["open", "administer"], ["administer"]]


def test_a_vial_opened_out_of_exposed_doses_is_exposed(server: Server) -> None:
    client, batch = server.client, new_batch()
    client.post("/receipts", receipt(batch, 4, gtin=TWO, facility="COUNTY", appliance="COUNTY-ROOM")).ok()
    sent = dispatch(batch, lines=[{"gtin": TWO, "batch": batch, "doses": 4}], sensors=["S-BOX"])
    shipment = client.post("/shipments", sent).ok()["shipment"]
    monitoring.record(server.county.database, [series("S-BOX", NOW - 2 * HOUR, [1200] * 13)], NOW)
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    line = administration(batch, gtin=TWO)
    lines = [line, line | {"override": {"reason": "Seen"}}, line]
    results = client.post("/administration-lists", {"administrations": lines}, "chief").ok()["results"]
    assert [each["status"] for each in results] == [409, 201, 409]
    assert verify(server.county.database).holds


def test_who_may_ask(client: Client) -> None:
    batch = at_site(client)
    path = f"/batches/{ONE}/{batch}/usability"
    assert client.get(path, "gateway", facility="SITE-A").status == 403
    assert client.get(path, "nurse-b", facility="SITE-A").status == 200
    assert client.get(path).status == 422
    assert client.get(path, facility="NOWHERE").status == 422
    assert client.get(f"/batches/{ONE}/UNKNOWN/usability", facility="SITE-A").status == 404
    assert client.get(path, facility="SITE-A", at=stated(NOW + HOUR)).body["code"] == "time_in_future"


def test_a_batch_number_with_slashes_is_found(client: Client) -> None:
    client.post("/receipts", receipt("/A/usability", 5)).ok()
    assert ask(client, "/A/usability")["batch"] == "/A/usability"


def test_an_override_by_hand_is_an_event_that_the_administration_names(server: Server) -> None:
    client, batch = server.client, warm_on_its_way(server)
    order = administration(batch, override={"reason": "Stability data of the maker"})
    assert refused(client.post("/administrations", order, "nurse-a"))[:2] == (403, "forbidden")
    word, given = client.post("/administrations", order, "chief").ok()["events"]
    assert (word["kind"], word["reason"], word["movements"]) == ("override", "Stability data of the maker", [])
    assert given["kind"] == "administer"
    assert details(server, word["id"])["covers"] == ["exposure"]
    assert details(server, given["id"])["overrides"] == [word["id"]]
    assert ask(client, batch)["usable"] == "ask", "it was for those doses only"


def details(server: Server, event: str) -> Any:
    with server.county.database.read() as session:
        return session.scalars(select(StockEvent.details).where(StockEvent.id == UUID(event))).one()


def test_an_override_of_nothing_writes_nothing(client: Client) -> None:
    batch = at_site(client)
    order = administration(batch, override={"reason": "To be sure"})
    assert [each["kind"] for each in client.post("/administrations", order, "chief").ok()["events"]] == ["administer"]


def test_a_standing_override_lets_the_nurses_go_on(server: Server) -> None:
    client, batch = server.client, warm_on_its_way(server)
    word = client.post("/overrides", override(batch), "chief").ok()["events"][0]
    answer = ask(client, batch)
    assert (answer["usable"], codes(answer)) == ("yes", [("exposure", "ask")])
    assert answer["reasons"][0]["override"] == word["id"]
    given = client.post("/administrations", administration(batch), "nurse-a").ok()["events"]
    assert details(server, given[-1]["id"])["overrides"] == [word["id"]]


def test_the_trail_of_a_dose_says_who_answered_for_it_also_where_that_was_corrected(server: Server) -> None:
    client, batch = server.client, warm_on_its_way(server)
    word = client.post("/overrides", override(batch, reason="<b>Stable</b>"), "chief").ok()["events"][0]
    given = client.post("/administrations", administration(batch), "nurse-a").ok()["events"][-1]["id"]
    trail = f"/administrations/{given}/trail"
    (line,) = client.get(trail).ok()["overrides"]
    assert (line["step"]["event"], line["step"]["actor"], line["facility"]) == (word["id"], "chief", word["facility"])
    assert (line["covers"], line["reason"], line["corrected"]) == (["exposure"], word["reason"], False)
    page = show(client, f"/pages{trail}?lang=en").content.decode()
    assert "chief permitted it at" in page
    assert "&lt;b&gt;Stable&lt;/b&gt;" in page
    client.post(f"/events/{word['id']}/reversal", {"occurred_at": stated(NOW), "reason": "a slip"}, "chief").ok()
    assert [each["corrected"] for each in client.get(trail).ok()["overrides"]] == [True]
    calm = client.post("/administrations", administration(at_site(client)), "nurse-a").ok()["events"][-1]["id"]
    assert client.get(f"/administrations/{calm}/trail").ok()["overrides"] == []


def test_a_standing_override_by_the_store_above_holds_at_its_sites_and_not_beside_them(server: Server) -> None:
    client, batch = server.client, warm_on_its_way(server)
    client.post("/overrides", override(batch, facility="SITE-B"), "chief").ok()
    assert ask(client, batch)["usable"] == "ask"
    client.post("/overrides", override(batch, facility="CITY"), "chief").ok()
    assert ask(client, batch)["usable"] == "yes"


def test_a_standing_override_is_of_its_batch_and_of_what_it_covers(server: Server) -> None:
    client, batch, other = server.client, warm_on_its_way(server), warm_on_its_way(server, "S-BOX-2")
    client.post("/overrides", override(batch, "deadline"), "chief").ok()
    assert ask(client, batch)["usable"] == "ask"
    client.post("/overrides", override(batch, "deadline", "exposure"), "chief").ok()
    assert [ask(client, each)["usable"] for each in (batch, other)] == ["yes", "ask"]


def test_only_a_supervisor_of_the_facility_overrides(server: Server) -> None:
    client, batch = server.client, warm_on_its_way(server)
    assert client.post("/overrides", override(batch), "nurse-a").status == 403
    assert client.post("/overrides", override(batch), "auditor").status == 403
    assert client.post("/overrides", override(batch, "recalled"), "chief").status == 422
    assert client.post("/overrides", override(batch, covers=[]), "chief").status == 422
    assert client.post("/overrides", {**override(batch), "facility": "MAKER"}, "admin").status == 422


def test_an_override_that_is_corrected_covers_nothing(server: Server) -> None:
    client, batch = server.client, warm_on_its_way(server)
    word = client.post("/overrides", override(batch), "chief").ok()["events"][0]["id"]
    undo = {"occurred_at": stated(NOW), "reason": "The wrong batch"}
    assert client.post(f"/events/{word}/reversal", undo, "nurse-a").status == 403
    client.post(f"/events/{word}/reversal", undo, "chief").ok()
    assert ask(client, batch)["usable"] == "ask"
    assert client.post("/administrations", administration(batch), "nurse-a").status == 409


def test_an_excursion_after_the_override_asks_again(server: Server) -> None:
    client, batch = server.client, warm_on_its_way(server)
    client.post("/overrides", override(batch), "chief").ok()
    server.clock.at = NOW + 2 * HOUR
    monitoring.record(server.county.database, [series("S-A", NOW, [450, *[1200] * 20])], server.clock.at)
    answer = ask(client, batch)
    assert answer["usable"] == "ask"
    assert [each["override"] is None for each in answer["reasons"] if each["code"] == "exposure"] == [False, True]
    client.post("/overrides", override(batch, occurred_at=stated(server.clock.at)), "chief").ok()
    assert ask(client, batch)["usable"] == "yes"


def test_an_override_holds_from_its_own_time_on(server: Server) -> None:
    client, batch = server.client, warm_on_its_way(server)
    client.post("/overrides", override(batch, occurred_at=stated(NOW - 10 * MINUTE)), "chief").ok()
    early = administration(batch, occurred_at=stated(NOW - 20 * MINUTE))
    assert client.post("/administrations", early, "nurse-a").status == 409
    client.post("/administrations", administration(batch), "nurse-a").ok()


def test_no_override_makes_a_forbidden_dose_usable(server: Server) -> None:
    client, batch = server.client, warm_on_its_way(server)
    some = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "reason": "Looked odd"}
    client.post("/holds", some).ok()
    client.post("/overrides", override(batch), "chief").ok()
    assert ask(client, batch)["usable"] == "no"
    order = administration(batch, override={"reason": "Never mind"})
    assert client.post("/administrations", order, "chief").status == 409
