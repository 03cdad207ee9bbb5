"""Packs go where their doses go, and nobody is shown more certainty than there is."""

from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from inventory.persistence.tables import Pack
from inventory.services.verification import verify
from tests.county import NOW, ONE, TWO
from tests.http import Answer, Client, Server
from tests.orders import administration, arrival, dispatch, new_batch, receipt, stated

Json = dict[str, Any]
_serials = count(10**19)


def serial() -> str:
    """A code of 20 digits that no pack had."""
    return str(next(_serials))


def at_county(client: Client, doses: int, *packs: int, gtin: str = ONE) -> tuple[str, list[str]]:
    """A batch at the county of so many doses, with packs of so many of them."""
    batch, codes = new_batch(), [serial() for _ in packs]
    lines = [{"code": code, "doses": each} for code, each in zip(codes, packs, strict=True)]
    here = {"facility": "COUNTY", "appliance": "COUNTY-ROOM", "gtin": gtin, "packs": lines}
    client.post("/receipts", receipt(batch, doses, **here)).ok()
    return batch, codes


def send(client: Client, batch: str, gtin: str = ONE, **line: Any) -> Answer:
    return client.post("/shipments", dispatch(batch, lines=[{"gtin": gtin, "batch": batch, **line}]))


def at_site(client: Client, doses: int, *packs: int, gtin: str = ONE) -> tuple[str, list[str]]:
    """The same at site A."""
    batch, codes = at_county(client, doses, *packs, gtin=gtin)
    shipment = send(client, batch, gtin, doses=doses).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    return batch, codes


def pack(client: Client, code: str) -> Any:
    return client.get(f"/packs/{code}").ok()


def places(client: Client, *codes: str) -> list[str | None]:
    """Where packs are: an appliance, or a kind of location."""
    found = [pack(client, code)["place"] for code in codes]
    return [place["appliance"] if place["kind"] == "storage" else place["kind"] for place in found]


def reasons(client: Client, code: str, facility: str = "SITE-A", **query: Any) -> tuple[str, list[str]]:
    answer = client.get(f"/packs/{code}/usability", facility=facility, **query).ok()
    return answer["usable"], [reason["code"] for reason in answer["reasons"]]


def undo(client: Client, answer: Answer) -> None:
    for event in reversed(answer.ok()["events"]):
        client.post(f"/events/{event['id']}/reversal", {"occurred_at": stated(NOW), "reason": "A slip"}).ok()


@pytest.fixture(autouse=True)
def whole(server: Server) -> Any:
    """Whatever a test did, the ledger and the book of packs are whole."""
    yield
    verdict = verify(server.county.database)
    assert verdict.holds, verdict.faults


def test_packs_come_with_a_receipt(client: Client) -> None:
    batch, (first, second) = at_county(client, 100, 20, 30)
    found = pack(client, first)
    assert (found["gtin"], found["batch"], found["doses"], found["remaining"]) == (ONE, batch, 20, 20)
    assert found["custody_remaining"] == 100
    assert places(client, first, second) == ["COUNTY-ROOM"] * 2
    assert client.get("/packs/NOBODY").status == 404


@pytest.mark.parametrize(
    ("packs", "status", "code"),
    [
        ([{"code": "AAAA1", "doses": 60}, {"code": "AAAA2", "doses": 60}], 422, "malformed"),
        ([{"code": "AAAA1", "doses": 1}, {"code": "AAAA1", "doses": 1}], 422, "repeated_line"),
        ([{"code": "AAA", "doses": 1}], 422, "malformed"),
        ([{"code": "中文中文", "doses": 1}], 422, "malformed"),
        ([{"code": "AAAA1", "doses": 0}], 422, "malformed"),
    ],
)
def test_packs_that_cannot_be_are_refused(client: Client, packs: list[Json], status: int, code: str) -> None:
    answer = client.post("/receipts", receipt(new_batch(), 100, packs=packs))
    assert (answer.status, answer.body["code"]) == (status, code)


def test_a_code_is_one_packs_everywhere(client: Client) -> None:
    batch, (code,) = at_county(client, 10, 10)
    for number in (batch, new_batch()):
        again = client.post("/receipts", receipt(number, 10, packs=[{"code": code, "doses": 10}]))
        assert (again.status, again.body["code"]) == (409, "already_exists")


def test_a_pack_holds_whole_vials(client: Client) -> None:
    answer = client.post("/receipts", receipt(new_batch(), 10, gtin=TWO, packs=[{"code": serial(), "doses": 3}]))
    assert answer.body["code"] == "not_whole_vials"


def test_refused_goods_bring_no_packs(client: Client) -> None:
    code = serial()
    here = {"packs": [{"code": code, "doses": 10}], "outcome": "refuse", "reason": "Warm"}
    client.post("/receipts", receipt(new_batch(), 10, **here)).ok()
    assert client.get(f"/packs/{code}").status == 404


def test_a_code_with_a_slash_is_found(client: Client) -> None:
    client.post("/receipts", receipt(new_batch(), 10, packs=[{"code": "A/B(21)%", "doses": 10}])).ok()
    assert client.get("/packs/A/B(21)%25").ok()["code"] == "A/B(21)%"
    assert client.get("/packs/A/B(21)%25/usability", facility="SITE-A").ok()["usable"] == "no"


def test_scanned_packs_are_dispatched_with_their_doses(client: Client) -> None:
    batch, (first, second, third) = at_county(client, 100, 20, 30, 50)
    sent = send(client, batch, packs=[first, third]).ok()
    (movement,) = sent["events"][0]["movements"]
    assert (movement["doses"], movement["chosen"]) == (70, "scanned")
    assert places(client, first, second, third) == ["transit", "COUNTY-ROOM", "transit"]
    assert send(client, batch, packs=[first]).body["code"] == "pack_elsewhere"


def test_doses_are_dispatched_beside_scanned_packs(client: Client) -> None:
    batch, (first, second) = at_county(client, 100, 20, 30)
    sent = send(client, batch, packs=[first], doses=25).ok()
    assert [(each["doses"], each["chosen"]) for each in sent["events"][0]["movements"]] == [
        (20, "scanned"),
        (5, "picked"),
    ]
    assert places(client, first, second) == ["transit", "COUNTY-ROOM"]


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        ({"packs": ["NOBODY"]}, 422, "not_found"),
        ({"packs": ["{0}", "{0}"]}, 422, "repeated_line"),
        ({"packs": ["{0}"], "doses": 5}, 422, "malformed"),
        ({"packs": ["{0}"], "doses": 101}, 409, "not_enough_doses"),
        ({}, 422, "malformed"),
    ],
)
def test_lines_of_packs_that_cannot_be_are_refused(client: Client, line: Json, status: int, code: str) -> None:
    batch, codes = at_county(client, 100, 20)
    line = line | {"packs": [each.format(*codes) for each in line.get("packs", [])]}
    answer = send(client, batch, **line)
    assert (answer.status, answer.body["code"]) == (status, code)


def test_a_pack_of_another_batch_is_none_of_this_one(client: Client) -> None:
    batch, _ = at_county(client, 10)
    _, (other,) = at_county(client, 10, 10)
    assert send(client, batch, packs=[other]).body["code"] == "not_found"


def test_doses_that_are_not_scanned_leave_packs_until_none_is_left(client: Client) -> None:
    batch, (first, second) = at_county(client, 100, 20, 80)
    send(client, batch, doses=60).ok()
    assert places(client, first, second) == ["COUNTY-ROOM"] * 2
    rest = send(client, batch, doses=40)
    assert places(client, first, second) == ["transit"] * 2
    assert (pack(client, second)["remaining"], pack(client, second)["custody_remaining"]) == (80, 40)
    undo(client, rest)
    assert places(client, first, second) == ["COUNTY-ROOM"] * 2


def test_packs_go_along_through_every_event_that_takes_all(client: Client) -> None:
    batch, (code,) = at_county(client, 10, 10)
    about = {"facility": "COUNTY", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "reason": "Looked odd"}
    client.post("/holds", about).ok()
    assert places(client, code) == ["quarantine"]
    client.post("/releases", about).ok()
    assert places(client, code) == ["COUNTY-ROOM"]
    late = dispatch(batch, occurred_at=stated(NOW), lines=[{"gtin": ONE, "batch": batch, "doses": 10}])
    shipment = client.post("/shipments", late).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival(occurred_at=stated(NOW))).ok()
    assert places(client, code) == ["A-FRIDGE"]
    line = {"gtin": ONE, "batch": batch, "doses": 10}
    back = {"facility": "SITE-A", "occurred_at": stated(NOW), "lines": [line], "reason": "Too many"}
    returned = client.post("/returns", back).ok()
    assert places(client, code) == ["transit"]
    there = arrival(appliance="COUNTY-ROOM", occurred_at=stated(NOW))
    client.post(f"/shipments/{returned['shipment']}/receipts", there).ok()
    assert places(client, code) == ["quarantine"]


def test_packs_go_along_with_a_recall(client: Client) -> None:
    batch, (first, second) = at_county(client, 100, 20, 80)
    send(client, batch, packs=[first]).ok()
    order = {"facility": "COUNTY", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "reason": "By the maker"}
    recall = client.post("/recalls", order)
    assert places(client, first, second) == ["quarantine"] * 2
    undo(client, recall)
    assert places(client, first, second) == ["transit", "COUNTY-ROOM"]


def test_packs_are_scanned_at_the_door(client: Client) -> None:
    batch, (first, second, third) = at_county(client, 100, 20, 30, 50)
    shipment = send(client, batch, doses=100).ok()["shipment"]
    line = {"gtin": ONE, "batch": batch, "packs": [first], "damaged": 30}
    part = client.post(f"/shipments/{shipment}/receipts", arrival(lines=[line], reason="One was crushed"))
    assert [each["doses"] for each in part.ok()["events"][0]["movements"]] == [20, 30]
    assert places(client, first, second, third) == ["A-FRIDGE", "transit", "transit"]
    refusal = arrival(lines=[line | {"damaged": 0, "packs": [second]}], outcome="refuse", reason="Warm")
    back = client.post(f"/shipments/{shipment}/receipts", refusal).ok()
    assert pack(client, second)["place"]["shipment"] == back["return_shipment"]
    undo(client, part)
    assert places(client, first) == ["transit"]


def test_a_pack_of_another_shipment_is_not_received(client: Client) -> None:
    batch, (first, second) = at_county(client, 100, 20, 80)
    shipment = send(client, batch, packs=[first]).ok()["shipment"]
    line = {"gtin": ONE, "batch": batch, "packs": [second]}
    answer = client.post(f"/shipments/{shipment}/receipts", arrival(lines=[line]))
    assert (answer.status, answer.body["code"]) == (409, "pack_elsewhere")


def test_a_scanned_pack_is_given_until_it_is_empty(client: Client) -> None:
    batch, (first, second) = at_site(client, 4, 2, 2)
    give = administration(batch, pack=first)
    event = client.post("/administrations", give, "nurse-a").ok()["events"][0]
    assert event["movements"][0]["chosen"] == "scanned"
    assert (pack(client, first)["remaining"], pack(client, second)["remaining"]) == (1, 2)
    assert client.post("/administrations", give | {"doses": 2}).body["code"] == "not_enough_doses"
    client.post("/administrations", give, "nurse-a").ok()
    assert reasons(client, first) == ("no", ["used_up"])
    assert client.post("/administrations", give).body["code"] == "not_usable"
    assert reasons(client, second) == ("yes", [])


def test_a_corrected_administration_gives_the_pack_its_doses_back(client: Client) -> None:
    batch, (code,) = at_site(client, 4, 4)
    undo(client, client.post("/administrations", administration(batch, 3, pack=code)))
    assert (pack(client, code)["remaining"], pack(client, code)["custody_remaining"]) == (4, 4)


def test_a_pack_is_given_only_where_it_is(client: Client) -> None:
    batch, (code,) = at_site(client, 4, 4)
    elsewhere = administration(batch, pack=code, facility="SITE-B")
    assert client.post("/administrations", elsewhere).body["code"] == "pack_elsewhere"
    assert reasons(client, code, "SITE-B") == ("no", ["wrong_facility"])
    about = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "reason": "Looked odd"}
    client.post("/holds", about).ok()
    assert reasons(client, code) == ("no", ["held"])
    held = client.post("/administrations", administration(batch, pack=code))
    assert (held.body["code"], "held" in held.body["expected"]) == ("not_usable", True)


def test_a_pack_that_the_book_doubts_asks(client: Client) -> None:
    batch, (code,) = at_site(client, 4, 4)
    client.post("/administrations", administration(batch)).ok()
    assert reasons(client, code) == ("ask", ["pack_uncertain"])
    give = administration(batch, pack=code)
    assert client.post("/administrations", give, "nurse-a").body["code"] == "not_usable"
    client.post("/administrations", give | {"override": {"reason": "Counted by hand"}}, "chief").ok()
    client.post("/administrations", administration(batch, 2)).ok()
    assert reasons(client, code) == ("no", ["used_up"])


def test_a_vial_that_is_opened_takes_its_code_along(client: Client) -> None:
    batch, (vial, other) = at_site(client, 4, 2, 2, gtin=TWO)
    give = administration(batch, gtin=TWO, pack=vial)
    first = client.post("/administrations", give)
    opening, given = first.ok()["events"]
    assert [opening["movements"][0]["chosen"], given["movements"][0]["chosen"]] == ["scanned"] * 2
    opened = opening["movements"][0]["to_custody"]
    assert (pack(client, vial)["custody"], pack(client, vial)["remaining"]) == (opened, 1)
    assert pack(client, other)["custody"] != opened
    assert reasons(client, vial) == ("yes", [])
    client.post("/administrations", give).ok()
    assert reasons(client, vial) == ("no", ["used_up"])


def test_a_corrected_opening_closes_the_vial(client: Client) -> None:
    batch, (vial,) = at_site(client, 2, 2, gtin=TWO)
    before = pack(client, vial)
    undo(client, client.post("/administrations", administration(batch, gtin=TWO, pack=vial)))
    assert pack(client, vial) == before


def test_an_opened_vial_of_a_pack_is_used_up_before_the_next(server: Server) -> None:
    client = server.client
    batch, (box,) = at_site(client, 4, 4, gtin=TWO)
    kinds = []
    for _ in range(4):
        assert reasons(client, box) == ("yes", [])
        events = client.post("/administrations", administration(batch, gtin=TWO, pack=box)).ok()["events"]
        kinds.append([event["kind"] for event in events])
    assert kinds == [["open", "administer"], ["administer"]] * 2
    assert pack(client, box)["remaining"] == 0


def test_lines_of_a_list_find_packs_as_those_before_left_them(client: Client) -> None:
    batch, (vial, box) = at_site(client, 6, 2, 4, gtin=TWO)
    lines = [administration(batch, gtin=TWO, pack=code) for code in (vial, box, vial, vial, box, box)]
    results = client.post("/administration-lists", {"administrations": lines}).ok()["results"]
    assert [each["status"] for each in results] == [201, 201, 201, 409, 201, 201]
    assert [pack(client, code)["remaining"] for code in (vial, box)] == [0, 1]


def test_a_part_of_a_pack_is_wasted(client: Client) -> None:
    batch, (first, second) = at_site(client, 10, 5, 5)
    order = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW), "cause": "broken"}
    wasted = client.post("/wastages", order | {"doses": 2, "pack": first})
    assert wasted.ok()["events"][0]["movements"][0]["chosen"] == "scanned"
    assert [pack(client, code)["remaining"] for code in (first, second)] == [3, 5]
    assert client.post("/wastages", order | {"doses": 4, "pack": first}).body["code"] == "not_enough_doses"
    assert client.post("/wastages", order | {"facility": "SITE-B", "doses": 1, "pack": first}).status == 409
    undo(client, wasted)
    assert pack(client, first)["remaining"] == 5


def test_a_whole_pack_goes_back_to_its_supplier(client: Client) -> None:
    batch, (first, second) = at_county(client, 10, 5, 5)
    line = {"gtin": ONE, "batch": batch, "packs": [first]}
    order = {"facility": "COUNTY", "to_facility": "MAKER", "occurred_at": stated(NOW), "lines": [line]}
    returned = client.post("/returns", order | {"reason": "Too many"})
    assert returned.ok()["events"][0]["movements"][0]["end"] == "returned"
    assert [pack(client, code)["remaining"] for code in (first, second)] == [0, 5]
    undo(client, returned)
    assert [pack(client, code)["remaining"] for code in (first, second)] == [5, 5]


def test_a_corrected_receipt_never_brought_its_packs(client: Client) -> None:
    batch, code = new_batch(), serial()
    lines = [{"code": code, "doses": 10}]
    undo(client, client.post("/receipts", receipt(batch, 10, packs=lines)))
    assert pack(client, code)["place"] is None
    client.post("/receipts", receipt(batch, 20, packs=lines)).ok()
    assert pack(client, code)["custody_remaining"] == 20


def test_a_pack_that_was_received_in_the_wrong_batch_can_be_received_in_the_right_one(client: Client) -> None:
    wrong, right, code = new_batch(), new_batch(), serial()
    lines = [{"code": code, "doses": 10}]
    undo(client, client.post("/receipts", receipt(wrong, 10, packs=lines)))
    client.post("/receipts", receipt(right, 10, packs=lines)).ok()
    assert pack(client, code)["batch"] == right
    again = client.post("/receipts", receipt(wrong, 10, packs=lines))
    assert (again.status, again.body["code"]) == (409, "already_exists")


def test_a_pack_in_a_custody_that_is_void_is_a_fault(server: Server) -> None:
    client = server.client
    batch, (code,) = at_county(client, 10, 10)
    sent = send(client, batch, packs=[code])
    void = UUID(sent.ok()["events"][0]["movements"][0]["to_custody"])
    undo(client, sent)
    honest = UUID(pack(client, code)["custody"])
    put(server, code, void)
    assert f"pack {code}: not where a pack of its batch can be" in verify(server.county.database).faults
    put(server, code, honest)


def put(server: Server, code: str, custody: UUID) -> None:
    """Say of a pack that it is somewhere, behind the ledger's back."""
    server.county.database.write(
        lambda session: session.execute(update(Pack).where(Pack.code == code).values(custody_id=custody))
    )
