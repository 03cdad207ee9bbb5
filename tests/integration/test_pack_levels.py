"""Packs in packs: each has one place, a case goes as one, and is opened by what is taken out of it."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, update

from inventory.persistence.tables import Pack
from inventory.services.verification import verify
from tests.county import NOW, TWO
from tests.http import Answer, Client, Server
from tests.orders import administration, stated
from tests.packed import Case


@pytest.fixture(autouse=True)
def whole(server: Server) -> Any:
    """Whatever a test did, the ledger and the book of packs are whole."""
    yield
    verdict = verify(server.county.database)
    assert verdict.holds, verdict.faults


def undo(client: Client, answer: Answer) -> None:
    for each in reversed(answer.ok()["events"]):
        client.post(f"/events/{each['id']}/reversal", {"occurred_at": stated(NOW), "reason": "A slip"}).ok()


def about(case: Case, *packs: str, **more: Any) -> dict[str, Any]:
    where = {"facility": "COUNTY", "gtin": case.gtin, "batch": case.batch, "occurred_at": stated(NOW)}
    return where | {"packs": list(packs), "reason": "Looked odd"} | more


def test_an_announced_pack_has_no_place(client: Client) -> None:
    case = Case(client)
    found = case.get(case.code)
    assert (found["level"], found["parent"], found["doses"], found["remaining"]) == (3, None, 6, 6)
    assert (found["children"], found["inside"]) == (case.cartons, 2)
    assert (found["place"], found["custody"], found["holder"], found["opened"]) == (None, None, None, False)
    assert case.get(case.vials[0][0])["parent"] == case.cartons[0]
    assert client.get(f"/packs/{case.code}/usability", facility="SITE-A").ok()["usable"] == "no"


def test_a_case_is_received_by_its_own_code(client: Client) -> None:
    case = Case(client)
    case.receive().ok()
    assert case.places([case.code, *case.cartons, *case.vials[1]]) == {"COUNTY-ROOM"}
    vial = case.get(case.vials[1][2])
    assert (vial["holder"], vial["level"], vial["doses"], vial["custody_remaining"]) == (case.code, 1, 1, 6)
    again = case.receive()
    assert (again.status, again.body["code"]) == (409, "already_exists")


def test_a_case_goes_as_one_and_writes_one_row(server: Server) -> None:
    case = Case(server.client)
    case.receive().ok()
    with server.county.database.read() as session:
        before = {
            code: (place, opened) for code, place, opened in session.query(Pack.code, Pack.custody_id, Pack.opened)
        }
    case.arrive(case.send(case.code).ok()["shipment"], case.code).ok()
    assert case.places([case.code, *case.cartons, *case.vials[0]]) == {"A-FRIDGE"}
    with server.county.database.read() as session:
        after = {
            code: (place, opened) for code, place, opened in session.query(Pack.code, Pack.custody_id, Pack.opened)
        }
    assert [code for code, row in after.items() if before[code] != row] == [case.code]


def test_a_carton_taken_out_opens_the_case(client: Client) -> None:
    case = Case(client, cartons=3)
    case.receive().ok()
    sent = case.send(case.cartons[1])
    (movement,) = sent.ok()["events"][0]["movements"]
    assert (movement["doses"], movement["chosen"]) == (3, "scanned")
    assert [case.place(each) for each in case.cartons] == ["COUNTY-ROOM", "transit", "COUNTY-ROOM"]
    assert case.places(case.vials[1]) == {"transit"}
    assert case.places(case.vials[0] + case.vials[2]) == {"COUNTY-ROOM"}
    found = case.get(case.code)
    assert (found["opened"], found["place"], found["remaining"]) == (True, None, 9)
    assert case.get(case.cartons[1])["opened"] is False
    undo(client, sent)
    assert case.places([*case.cartons, *case.vials[1]]) == {"COUNTY-ROOM"}
    assert case.get(case.code)["opened"] is True  # what was opened stays open


def test_a_case_that_was_opened_goes_with_all_that_is_in_it(client: Client) -> None:
    case = Case(client)
    case.receive().ok()
    undo(client, case.send(case.vials[0][1]))
    sent = case.send(case.code).ok()
    assert sum(each["doses"] for each in sent["events"][0]["movements"]) == 6
    assert case.places([*case.vials[0], case.cartons[1], *case.vials[1]]) == {"transit"}
    assert case.send(case.code).body["code"] == "pack_elsewhere"


def test_a_part_of_a_case_goes_only_by_what_is_in_it(client: Client) -> None:
    case = Case(client)
    case.receive().ok()
    case.send(case.cartons[0]).ok()
    assert case.send(case.code).body["code"] == "pack_elsewhere"
    case.send(case.cartons[1]).ok()
    assert case.places(case.cartons) == {"transit"}


@pytest.mark.parametrize("order", [("code", "carton"), ("carton", "code"), ("vial", "carton"), ("code", "vial")])
def test_a_pack_is_not_taken_beside_the_one_that_it_is_in(client: Client, order: tuple[str, str]) -> None:
    case = Case(client)
    case.receive().ok()
    codes = {"code": case.code, "carton": case.cartons[0], "vial": case.vials[0][0]}
    answer = case.send(*(codes[each] for each in order))
    assert (answer.status, answer.body["code"]) == (422, "repeated_line")
    undo(client, case.send(case.vials[0][0]))
    answer = case.send(*(codes[each] for each in order))
    assert (answer.status, answer.body["code"]) == (422, "repeated_line")


def test_a_shipment_is_received_carton_by_carton(client: Client) -> None:
    case = Case(client)
    case.receive().ok()
    shipment = case.send(case.code).ok()["shipment"]
    part = case.arrive(shipment, case.cartons[0])
    assert [case.place(each) for each in case.cartons] == ["A-FRIDGE", "transit"]
    undo(client, part)
    assert case.places(case.cartons) == {"transit"}
    case.arrive(shipment, *case.vials[1], case.cartons[0]).ok()
    assert case.places([*case.cartons[:1], *case.vials[1]]) == {"A-FRIDGE"}


def test_a_case_comes_in_parts(client: Client) -> None:
    case = Case(client)
    case.receive(case.cartons[0], doses=3).ok()
    assert (case.place(case.cartons[0]), case.place(case.cartons[1]), case.get(case.code)["opened"]) == (
        "COUNTY-ROOM",
        None,
        True,
    )
    assert case.receive().body["code"] == "already_exists"
    assert case.send(case.code).body["code"] == "pack_elsewhere"
    assert case.send(case.cartons[1]).body["code"] == "pack_elsewhere"
    case.receive(case.cartons[1], doses=3).ok()
    case.send(case.code).ok()


def test_a_corrected_receipt_announces_its_packs_again(client: Client) -> None:
    case = Case(client)
    received = case.receive()
    undo(client, case.send(case.vials[0][0]))
    undo(client, received)
    assert case.places([case.code, *case.cartons, *case.vials[0]]) == {None}
    assert case.get(case.code)["opened"] is False
    case.receive().ok()
    case.send(case.code).ok()


def test_a_case_that_came_in_parts_is_whole_once_all_of_them_were_corrected(client: Client) -> None:
    case = Case(client)
    first, second = (case.receive(carton, doses=3) for carton in case.cartons)
    undo(client, first)
    assert (case.get(case.code)["opened"], case.place(case.cartons[1])) == (True, "COUNTY-ROOM")
    undo(client, second)
    case.receive().ok()
    assert case.places(case.cartons) == {"COUNTY-ROOM"}


def test_a_dose_is_given_of_a_vial_in_a_case_that_nobody_has_opened(client: Client) -> None:
    case = Case(client).at_site()
    vial = case.vials[1][0]
    answer = client.get(f"/packs/{vial}/usability", facility="SITE-A").ok()
    assert (answer["usable"], answer["custody"]) == ("yes", case.get(case.code)["custody"])
    given = client.post("/administrations", administration(case.batch, pack=vial), "nurse-a")
    assert given.ok()["events"][0]["movements"][0]["chosen"] == "scanned"
    assert [case.get(each)["remaining"] for each in (vial, case.cartons[1], case.cartons[0], case.code)] == [0, 2, 3, 5]
    assert [case.get(each)["opened"] for each in (case.code, *case.cartons)] == [True, False, True]
    undo(client, given)
    assert [case.get(each)["remaining"] for each in (vial, case.code)] == [1, 6]


def test_a_multi_dose_vial_in_a_case_is_opened_by_its_first_dose(client: Client) -> None:
    case = Case(client, gtin=TWO, per_vial=2).at_site()
    vial, other = case.vials[0][:2]
    give = administration(case.batch, gtin=TWO, pack=vial)
    events = client.post("/administrations", give).ok()["events"]
    assert [each["kind"] for each in events] == ["open", "administer"]
    told = [client.get(f"/events/{each['id']}").ok()["details"].get("opened_packs") for each in events]
    assert told == [[case.code, case.cartons[0]], None]
    assert (case.get(vial)["opened"], case.get(vial)["remaining"]) == (True, 1)
    assert (case.get(other)["opened"], case.get(other)["remaining"]) == (False, 2)
    assert case.get(vial)["custody"] != case.get(other)["custody"]
    second = client.post("/administrations", give | {"pack": other}).ok()["events"]
    assert [each["kind"] for each in second] == ["open", "administer"]  # not out of the other vial
    assert case.get(case.code)["remaining"] == 10


def test_a_dose_is_given_of_a_carton_whose_vials_nobody_scans(client: Client) -> None:
    case = Case(client).at_site()
    give = administration(case.batch, pack=case.cartons[0])
    first = client.post("/administrations", give)
    first.ok()
    assert [case.get(each)["remaining"] for each in (case.cartons[0], case.vials[0][0])] == [2, 1]
    client.post("/administrations", give | {"pack": case.vials[0][0]}).ok()
    refused = client.post("/administrations", give)
    assert (refused.status, refused.body["code"]) == (409, "pack_opened")
    assert case.get(case.cartons[0])["remaining"] == 1
    undo(client, first)  # its dose is in the carton again, which is open meanwhile
    assert [case.get(each)["remaining"] for each in (case.cartons[0], case.code)] == [2, 5]


def test_the_check_before_use_knows_what_was_taken_by_the_code_around_a_vial(client: Client) -> None:
    case = Case(client).at_site()
    client.post("/wastages", administration(case.batch, 3) | {"pack": case.cartons[0], "cause": "broken"}).ok()
    usability = client.get(f"/packs/{case.vials[0][0]}/usability", facility="SITE-A").ok()
    assert (usability["usable"], [each["code"] for each in usability["reasons"]]) == ("no", ["used_up"])
    refused = client.post("/administrations", administration(case.batch, pack=case.vials[0][0]))
    assert (refused.body["code"], "used_up" in refused.body["detail"]) == ("not_usable", True)


def test_the_check_before_use_says_that_a_carton_was_opened(client: Client) -> None:
    case = Case(client).at_site()
    client.post("/administrations", administration(case.batch, pack=case.vials[0][0])).ok()
    for code in (case.code, case.cartons[0]):
        usability = client.get(f"/packs/{code}/usability", facility="SITE-A").ok()
        assert (usability["usable"], [each["code"] for each in usability["reasons"]]) == ("no", ["pack_opened"])
        assert client.post("/administrations", administration(case.batch, pack=code)).body["code"] == "pack_opened"


def test_lines_of_a_list_find_packs_in_packs_as_those_before_left_them(client: Client) -> None:
    case = Case(client).at_site()
    codes = [case.vials[0][0], case.vials[0][1], case.vials[0][0], case.code, case.cartons[1], case.vials[1][0]]
    lines = [administration(case.batch, pack=code) for code in codes]
    results = client.post("/administration-lists", {"administrations": lines}).ok()["results"]
    assert [each["status"] for each in results] == [201, 201, 409, 409, 201, 201]
    assert case.get(case.code)["remaining"] == 2


def test_packs_are_wasted_moved_held_and_released_at_any_level(client: Client) -> None:
    case = Case(client, cartons=3)
    case.receive().ok()
    client.post("/holds", about(case, case.cartons[0])).ok()
    assert [case.place(each) for each in case.cartons] == ["quarantine", "COUNTY-ROOM", "COUNTY-ROOM"]
    assert case.places(case.vials[0]) == {"quarantine"}
    client.post("/releases", about(case, case.vials[0][0])).ok()
    assert [case.place(each) for each in case.vials[0]] == ["COUNTY-ROOM", "quarantine", "quarantine"]
    waste = about(case, case.cartons[1], case.vials[2][0], cause="broken")
    wasted = client.post("/wastages", waste)
    assert sum(each["doses"] for each in wasted.ok()["events"][0]["movements"]) == 4
    assert [case.get(each)["remaining"] for each in (case.code, case.cartons[1], case.cartons[2])] == [5, 0, 2]
    undo(client, wasted)
    assert case.get(case.code)["remaining"] == 9
    assert client.post("/wastages", waste | {"packs": []}).body["code"] == "malformed"


def test_nothing_is_left_in_the_vials_of_a_carton_that_was_thrown_away(client: Client) -> None:
    case = Case(client, cartons=2)
    case.receive().ok()
    client.post("/wastages", about(case, case.cartons[0], cause="broken")).ok()
    assert [case.get(each)["remaining"] for each in case.vials[0]] == [0] * len(case.vials[0])
    for path, more in (("/holds", {}), ("/wastages", {"cause": "broken"})):
        refused = client.post(path, about(case, case.vials[0][0], **more))
        assert (refused.status, refused.body["code"]) == (409, "not_enough_doses")


def test_a_carton_is_put_into_another_appliance(client: Client) -> None:
    case = Case(client)
    case.receive().ok()
    room = {"code": f"{case.batch}-ROOM", "facility": "COUNTY", "name": "Second room", "kind": "cold-room"}
    client.post("/appliances", room).ok()
    order = about(case, case.cartons[1], to_appliance=room["code"])
    del order["reason"]
    client.post("/moves", order).ok()
    assert [case.place(each) for each in case.cartons] == ["COUNTY-ROOM", room["code"]]
    assert case.places(case.vials[1]) == {room["code"]}


def test_a_vial_in_a_case_is_opened_by_its_code(client: Client) -> None:
    case = Case(client, gtin=TWO, per_vial=2).at_site()
    order = about(case, case.vials[0][0], facility="SITE-A")
    del order["reason"]
    (opened,) = client.post("/openings", order).ok()["events"][0]["movements"]
    assert (opened["doses"], opened["chosen"]) == (2, "scanned")
    assert [case.get(each)["opened"] for each in case.vials[0]] == [True, False, False]


def test_a_case_is_returned_by_its_code(client: Client) -> None:
    case = Case(client)
    case.receive().ok()
    line = {"gtin": case.gtin, "batch": case.batch, "packs": [case.code]}
    order = {"facility": "COUNTY", "to_facility": "MAKER", "occurred_at": stated(NOW), "lines": [line]}
    returned = client.post("/returns", order | {"reason": "Too many"})
    assert (returned.ok()["events"][0]["movements"][0]["doses"], case.get(case.code)["remaining"]) == (6, 0)
    undo(client, returned)
    assert case.get(case.code)["remaining"] == 6


def test_a_case_in_which_a_carton_is_empty_goes_with_the_rest(client: Client) -> None:
    case = Case(client)
    case.receive().ok()
    client.post("/wastages", about(case, case.cartons[0], cause="broken")).ok()
    sent = case.send(case.code).ok()
    assert sum(each["doses"] for each in sent["events"][0]["movements"]) == 3


def test_a_recall_takes_packs_at_every_level_along(client: Client) -> None:
    case = Case(client, cartons=3)
    case.receive().ok()
    case.send(case.vials[0][0]).ok()
    order = {"facility": "COUNTY", "gtin": case.gtin, "batch": case.batch, "occurred_at": stated(NOW)}
    recall = client.post("/recalls", order | {"reason": "By the maker"})
    recall.ok()
    everything = [*case.cartons[1:], *(vial for vials in case.vials for vial in vials)]
    assert case.places(everything) == {"quarantine"}
    undo(client, recall)
    assert (case.place(case.vials[0][0]), case.place(case.vials[2][2])) == ("transit", "COUNTY-ROOM")


def test_opening_a_case_writes_a_row_for_each_carton_and_none_for_a_vial(server: Server) -> None:
    case = Case(server.client, cartons=5, vials=7)
    case.receive().ok()
    changed: list[int] = []

    def count(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE pack"):
            changed.append(cursor.rowcount)

    engine = server.county.database.engine
    event.listen(engine, "after_cursor_execute", count)
    case.send(case.cartons[0]).ok()
    event.remove(engine, "after_cursor_execute", count)
    assert changed == [1, 5, 1]  # the case, its cartons, and the one that goes


def test_a_pack_that_somebody_puts_elsewhere_behind_the_ledgers_back_is_a_fault(server: Server) -> None:
    case = Case(server.client)
    case.receive().ok()
    other = UUID(case.send(case.cartons[0]).ok()["events"][0]["movements"][0]["to_custody"])
    honest = UUID(case.get(case.cartons[1])["custody"])
    database = server.county.database
    for code, change, undone in (
        (case.cartons[0], {"custody_id": honest}, {"custody_id": other}),
        (case.cartons[1], {"custody_id": None}, {"custody_id": honest}),
        (case.vials[0][0], {"custody_id": other}, {"custody_id": None}),
        (case.code, {"opened": False}, {"opened": True}),
        (case.cartons[1], {"custody_id": None, "opened": True}, {"custody_id": honest, "opened": False}),
        (case.vials[1][0], {"remaining": 0}, {"remaining": 1}),
    ):
        _put(database, code, change)
        assert any(case.code in fault for fault in verify(database).faults), (code, change)
        _put(database, code, undone)
    assert verify(database).holds


def _put(database: Any, code: str, values: dict[str, Any]) -> None:
    database.write(lambda session: session.execute(update(Pack).where(Pack.code == code).values(**values)))
