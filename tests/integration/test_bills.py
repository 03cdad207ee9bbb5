"""Bills: every type from an event that was really posted, field by field, on both databases."""

from typing import Any

import pytest

from inventory.services import monitoring
from tests.county import HOUR, MINUTE, NOW, ONE, series
from tests.http import Client, Server
from tests.orders import administration, arrival, at_county, at_site, dispatch, new_batch, receipt, stated

Json = dict[str, Any]

IN_OUT = [
    "trace_codes",
    "bill_code",
    "bill_time",
    "bill_type",
    "physic_type",
    "ref_user_id",
    "agent_ref_user_id",
    "from_user_id",
    "to_user_id",
    "dest_user_id",
    "oper_ic_code",
    "oper_ic_name",
    "warehouse_id",
    "drug_id",
    "client_type",
    "return_reason_code",
    "return_reason_des",
    "cancel_reason_code",
    "cancel_reason_des",
    "executer_name",
    "executer_code",
    "superviser_name",
    "superviser_code",
    "from_address",
    "to_address",
    "from_bill_code",
    "order_code",
    "from_person",
    "to_person",
    "dis_ref_ent_id",
    "xt_is_check",
    "xt_check_code",
    "xt_check_code_desc",
    "drug_list_json",
    "ass_ref_ent_id",
    "qu_receivable",
]
"""The interface's fields of a vaccine bill in or out."""

GIVEN = [
    "trace_codes",
    "bill_code",
    "bill_time",
    "ref_user_id",
    "oper_ic_code",
    "customer_id_type",
    "customer_id",
    "user_tel",
    "medic_doctor",
    "medic_dispenser",
    "user_name",
    "user_agent",
    "network_bill_flag",
]
"""Its fields of a dose that was given."""

PEOPLE = {"handed_over_by": "张三", "taken_by": "李四"}
AT = "2026-01-05 10:00:00"
"""Two hours before the county's noon, when its shipments leave."""


def bills_of(client: Client, event: str) -> list[Json]:
    found: list[Json] = client.get(f"/events/{event}/bills").ok()
    return found


def only(client: Client, event: str) -> Json:
    (bill,) = bills_of(client, event)
    return bill


def posted(client: Client, path: str, body: Json) -> str:
    event: str = client.post(path, body).ok()["events"][-1]["id"]
    return event


def code(kind: str, event: str) -> str:
    return f"CT{kind}{event.replace('-', '').upper()}"


def filled(bill: Json, **expected: object) -> None:
    """Every field of the interface is there: those as expected, and null all that is not named."""
    shape = bill["in_out"] or bill["dose_given"]
    assert list(shape) == (IN_OUT if bill["in_out"] else GIVEN)
    assert shape == dict.fromkeys(shape) | {"trace_codes": []} | expected


def in_out(kind: str, event: str, at: str = AT, **expected: object) -> Json:
    """What every bill in or out says."""
    mine = {"bill_code": code(kind, event), "bill_type": kind, "bill_time": at}
    return mine | {"client_type": "2", "oper_ic_name": "admin"} | expected


def packs(*lines: tuple[str, int]) -> list[Json]:
    return [{"code": each, "doses": doses} for each, doses in lines]


def new_codes(batch: str, prefix: str, number: int) -> list[str]:
    """20-digit codes that no other batch has."""
    return [f"{prefix}{int(batch[1:]):010d}{each:0{10 - len(prefix)}d}" for each in range(number)]


def test_102_goods_from_a_supplier(client: Client) -> None:
    batch = new_batch()
    first, second = new_codes(batch, "8912345", 2)
    order = receipt(batch, 100, packs=packs((first, 40), (second, 50)), transport={"arrival_celsius": 4.5} | PEOPLE)
    event = posted(client, "/receipts", order)
    bill = only(client, event)
    filled(
        bill,
        **in_out("102", event, "2026-01-05 09:00:00", ref_user_id="CITY", from_user_id="MAKER", to_user_id="CITY"),
        trace_codes=[first, second],
        physic_type="2",
        from_person="张三",
        to_person="李四",
    )
    beside = {name: value for name, value in bill.items() if name not in {"in_out", "bill_code"}}
    assert beside == {
        "official": False,
        "document": "bill",
        "bill_type": "102",
        "direction": "in",
        "in_vaccine_interface": True,
        "event": event,
        "kind": "receive",
        "facility": "CITY",
        "gtin": ONE,
        "batch": batch,
        "doses": 100,
        "doses_without_trace_code": 10,
        "other_codes": [],
        "shipment": None,
        "from_bills": [],
        "cancelled_by": None,
        "cancel_reason": None,
        "notes": ["doses-without-trace-codes"],
        "dose_given": None,
    }


def test_102_goods_that_are_held_say_so_and_refused_ones_have_no_bill(client: Client) -> None:
    papers = ["delivery-note", "temperature-record"]
    held = posted(client, "/receipts", receipt(new_batch(), outcome="hold", papers=papers))
    assert only(client, held)["notes"] == ["no-trace-codes", "goods-held"]
    refused = posted(client, "/receipts", receipt(new_batch(), outcome="refuse", reason="warm"))
    assert bills_of(client, refused) == []


def test_209_and_107_supply_out_and_in_are_linked(client: Client) -> None:
    batch = at_county(client)
    sent = client.post("/shipments", dispatch(batch, transport={"handed_over_by": "张三"})).ok()
    out = sent["events"][0]["id"]
    way = f"/shipments/{sent['shipment']}/receipts"
    came = posted(client, way, arrival(transport={"arrival_celsius": 5, "taken_by": "李四"}))
    units = {"from_user_id": "COUNTY", "to_user_id": "SITE-A", "from_person": "张三", "to_person": "李四"}
    filled(only(client, out), **in_out("209", out, ref_user_id="COUNTY", **units))
    bill = only(client, came)
    at = "2026-01-05 11:00:00"
    filled(bill, **in_out("107", came, at, ref_user_id="SITE-A", from_bill_code=code("209", out), **units))
    assert (bill["shipment"], bill["from_bills"]) == (sent["shipment"], [code("209", out)])


def test_107_of_two_outgoing_bills_names_both_and_fills_none(client: Client) -> None:
    batch = at_county(client, 10)
    client.post("/receipts", receipt(batch, 10, facility="COUNTY", appliance="COUNTY-ROOM")).ok()
    stock = [line["custody"] for line in client.get("/stock", facility="COUNTY", batch=batch).items]
    lines = [{"gtin": ONE, "batch": batch, "doses": 5, "custody": each} for each in stock]
    sent = client.post("/shipments", dispatch(batch, lines=lines)).ok()
    whole = [{"gtin": ONE, "batch": batch, "doses": 10}]
    came = posted(client, f"/shipments/{sent['shipment']}/receipts", arrival(lines=whole))
    bill = only(client, came)
    assert bill["in_out"]["from_bill_code"] is None
    assert bill["from_bills"] == sorted(code("209", each["id"]) for each in sent["events"])
    assert "several-outgoing-bills" in bill["notes"]


def test_107_of_doses_that_were_held_on_their_way_names_what_sent_them(client: Client) -> None:
    batch = at_county(client)
    sent = client.post("/shipments", dispatch(batch)).ok()
    about = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "shipment": sent["shipment"], "reason": "warm"}
    client.post("/holds", about | {"occurred_at": stated(NOW - HOUR - 30 * MINUTE)}).ok()
    came = posted(client, f"/shipments/{sent['shipment']}/receipts", arrival())
    assert only(client, came)["in_out"]["from_bill_code"] == code("209", sent["events"][0]["id"])


def test_202_what_is_refused_at_the_door_goes_back_and_103_comes_back(client: Client) -> None:
    batch = at_county(client)
    sent = client.post("/shipments", dispatch(batch)).ok()
    lines = [{"gtin": ONE, "batch": batch, "doses": 6, "refused": 4, "surplus": 1}]
    order = arrival(lines=lines, reason="wet boxes")
    came = client.post(f"/shipments/{sent['shipment']}/receipts", order).ok()
    event, back = came["events"][0]["id"], came["return_shipment"]
    kept, found, refused = bills_of(client, event)
    assert [(each["bill_type"], each["doses"]) for each in (kept, found, refused)] == [
        ("107", 6),
        ("111", 1),
        ("202", 4),
    ]
    assert found["notes"] == ["no-trace-codes", "outside-vaccine-interface"]
    at = "2026-01-05 11:00:00"
    units = {"ref_user_id": "SITE-A", "from_user_id": "SITE-A", "to_user_id": "COUNTY"}
    filled(refused, **in_out("202", event, at, return_reason_des="wet boxes", **units))
    assert (refused["shipment"], refused["notes"]) == (back, ["no-trace-codes", "on-their-way"])
    into = {"appliance": "COUNTY-ROOM", "occurred_at": stated(NOW)}
    home = posted(client, f"/shipments/{back}/receipts", into)
    units = {"ref_user_id": "COUNTY", "from_user_id": "SITE-A", "to_user_id": "COUNTY"}
    linked = {"from_bill_code": code("202", event), "return_reason_des": "wet boxes"}
    filled(only(client, home), **in_out("103", home, "2026-01-05 12:00:00", **linked, **units))


def test_202_and_103_doses_returned_up_the_line(client: Client) -> None:
    batch = at_site(client)
    order: Json = {"facility": "SITE-A", "occurred_at": stated(NOW - 30 * MINUTE), "reason": "too many"}
    order |= {"lines": [{"gtin": ONE, "batch": batch, "doses": 4}]}
    sent = client.post("/returns", order).ok()
    out = sent["events"][0]["id"]
    filled(
        only(client, out),
        **in_out("202", out, "2026-01-05 11:30:00", ref_user_id="SITE-A", from_user_id="SITE-A", to_user_id="COUNTY"),
        return_reason_des="too many",
    )
    into = {"appliance": "COUNTY-ROOM", "occurred_at": stated(NOW)}
    home = posted(client, f"/shipments/{sent['shipment']}/receipts", into)
    assert only(client, home)["in_out"]["return_reason_des"] == "too many"


def test_202_doses_returned_to_a_supplier_leave_the_ledger(client: Client) -> None:
    batch = new_batch()
    client.post("/receipts", receipt(batch)).ok()
    order: Json = {"facility": "CITY", "to_facility": "MAKER", "occurred_at": stated(NOW), "reason": "recalled"}
    order |= {"lines": [{"gtin": ONE, "batch": batch, "doses": 30}], "transport": PEOPLE}
    event = posted(client, "/returns", order)
    filled(
        only(client, event),
        **in_out("202", event, "2026-01-05 12:00:00", ref_user_id="CITY", from_user_id="CITY", to_user_id="MAKER"),
        return_reason_des="recalled",
        from_person="张三",
        to_person="李四",
    )


def test_203_and_104_between_sites_are_not_of_the_vaccine_interface(client: Client) -> None:
    batch = at_site(client)
    order = dispatch(batch, 4, from_facility="SITE-A", to_facility="SITE-B", occurred_at=stated(NOW - 30 * MINUTE))
    sent = client.post("/shipments", order).ok()
    into = {"appliance": "B-FRIDGE", "occurred_at": stated(NOW), "transport": {"arrival_celsius": 5}}
    came = posted(client, f"/shipments/{sent['shipment']}/receipts", into)
    out, home = only(client, sent["events"][0]["id"]), only(client, came)
    assert [(each["bill_type"], each["in_vaccine_interface"]) for each in (out, home)] == [
        ("203", False),
        ("104", False),
    ]
    assert "outside-vaccine-interface" in out["notes"]
    assert home["in_out"]["from_bill_code"] == out["bill_code"]


@pytest.mark.parametrize(
    ("cause", "reason", "kind", "why"),
    [
        ("broken", None, "205", "broken"),
        ("other", "fell into water", "205", "other: fell into water"),
        ("lost", None, "214", None),
    ],
)
def test_205_destroyed_says_why_and_what_was_lost_is_short(
    client: Client, cause: str, reason: str | None, kind: str, why: str | None
) -> None:
    batch = at_site(client)
    about = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "doses": 2, "occurred_at": stated(NOW)}
    event = posted(client, "/wastages", about | {"cause": cause, "reason": reason})
    at = "2026-01-05 12:00:00"
    units = {"ref_user_id": "SITE-A", "from_user_id": "SITE-A"}
    filled(only(client, event), **in_out(kind, event, at, cancel_reason_des=why, **units))


@pytest.mark.parametrize(("counted", "kind", "doses"), [(12, "111", 2), (7, "214", 3)])
def test_a_count_that_differs_is_a_surplus_or_a_shortage(client: Client, counted: int, kind: str, doses: int) -> None:
    batch = at_site(client)
    about = {"facility": "SITE-A", "appliance": "A-FRIDGE", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW)}
    event = posted(client, "/counts", about | {"counted": counted, "reason": "counted twice"})
    bill = only(client, event)
    assert (bill["bill_type"], bill["doses"], bill["in_vaccine_interface"]) == (kind, doses, False)


def test_a_count_that_agrees_and_a_hold_have_no_bill(client: Client) -> None:
    batch = at_site(client)
    about = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "occurred_at": stated(NOW)}
    agrees = posted(client, "/counts", about | {"appliance": "A-FRIDGE", "counted": 10})
    held = posted(client, "/holds", about | {"reason": "warm"})
    assert [bills_of(client, agrees), bills_of(client, held)] == [[], []]


def test_322_a_dose_given_names_nobody(client: Client) -> None:
    batch = at_site(client)
    event = posted(client, "/administrations", administration(batch, recipient="R-2026.01"))
    bill = only(client, event)
    filled(
        bill,
        bill_code=code("322", event),
        bill_time="2026-01-05 12:00:00",
        ref_user_id="SITE-A",
        customer_id_type="9",
        customer_id="R-2026.01",
    )
    assert (bill["bill_type"], bill["direction"], bill["in_out"]) == ("322", "person", None)


def test_322_without_a_reference_has_no_customer(client: Client) -> None:
    event = posted(client, "/administrations", administration(at_site(client)))
    given = only(client, event)["dose_given"]
    assert (given["customer_id_type"], given["customer_id"]) == (None, None)


def test_the_codes_of_packs_that_were_scanned_are_on_the_bill_of_what_they_are_in(client: Client) -> None:
    batch = new_batch()
    vial, other = new_codes(batch, "8100000", 2)
    label = f"LABEL-{batch}"
    order = receipt(batch, 100, facility="COUNTY", appliance="COUNTY-ROOM")
    client.post("/receipts", order | {"packs": packs((vial, 1), (other, 1), (label, 5))}).ok()
    lines = [{"gtin": ONE, "batch": batch, "packs": [vial, label], "doses": 10}]
    sent = client.post("/shipments", dispatch(batch, lines=lines)).ok()
    bill = only(client, sent["events"][0]["id"])
    assert bill["in_out"]["trace_codes"] == [vial]
    assert bill["in_out"]["physic_type"] == "3"
    assert (bill["other_codes"], bill["doses_without_trace_code"]) == ([label], 9)
    assert bill["notes"] == ["doses-without-trace-codes", "codes-of-another-kind"]
    arrived = arrival(lines=[{"gtin": ONE, "batch": batch, "packs": [vial], "refused": 2}], reason="wet")
    came = posted(client, f"/shipments/{sent['shipment']}/receipts", arrived)
    kept, back = bills_of(client, came)
    assert (kept["bill_type"], kept["in_out"]["trace_codes"]) == ("107", [vial])
    assert (back["bill_type"], back["in_out"]["trace_codes"]) == ("202", [])


def test_a_correction_makes_the_bill_void_and_says_why(client: Client) -> None:
    batch = at_site(client)
    given = posted(client, "/administrations", administration(batch))
    undone = posted(client, f"/events/{given}/reversal", {"occurred_at": stated(NOW), "reason": "wrong batch"})
    bill, void = only(client, given), only(client, undone)
    assert (bill["document"], bill["cancelled_by"], bill["cancel_reason"]) == ("bill", undone, None)
    assert (void["document"], void["cancelled_by"], void["cancel_reason"]) == ("cancellation", undone, "wrong batch")
    assert (void["event"], void["kind"], void["bill_code"]) == (undone, "correct", bill["bill_code"])
    assert void["dose_given"] == bill["dose_given"]


def test_a_cancelled_bill_of_goods_holds_the_reason_in_the_interface_s_field(client: Client) -> None:
    batch = at_county(client)
    sent = posted(client, "/shipments", dispatch(batch))
    undone = posted(client, f"/events/{sent}/reversal", {"occurred_at": stated(NOW), "reason": "never left"})
    bill, void = only(client, sent), only(client, undone)
    assert bill["in_out"]["cancel_reason_des"] is None
    assert void["in_out"] == bill["in_out"] | {"cancel_reason_des": "never left"}


def test_doses_that_were_missing_and_then_found_say_so(client: Client) -> None:
    batch = at_county(client)
    sent = client.post("/shipments", dispatch(batch)).ok()
    lines = [{"gtin": ONE, "batch": batch, "doses": 6}]
    client.post(f"/shipments/{sent['shipment']}/receipts", arrival(lines=lines)).ok()
    about = {"gtin": ONE, "batch": batch, "doses": 2, "occurred_at": stated(NOW), "reason": "left behind"}
    way = f"/shipments/{sent['shipment']}/explanations"
    found = posted(client, way, about | {"facility": "COUNTY", "appliance": "COUNTY-ROOM", "explanation": "found"})
    lost = posted(client, way, about | {"facility": "COUNTY", "explanation": "lost"})
    came, gone = only(client, found), only(client, lost)
    assert (came["bill_type"], came["in_out"]["return_reason_des"]) == ("103", "left behind")
    assert gone["bill_type"] == "214"
    assert all("explained-afterwards" in each["notes"] for each in (came, gone))
    assert ["on-their-way" in each["notes"] for each in (came, gone)] == [False, True]


def test_the_temperatures_of_a_transport_are_those_that_its_sensor_saw_by_the_hour(server: Server) -> None:
    client = server.client
    batch = at_county(client)
    left = NOW - 2 * HOUR + 30 * MINUTE
    sent = client.post("/shipments", dispatch(batch, sensors=["S-BOX"], occurred_at=stated(left))).ok()
    seen = [990] * 6 + [450, 500, 520, 480, 470, 460] + [610, 390, 400]
    entry = series("S-BOX", left - HOUR / 2, seen)
    monitoring.record(server.county.database, [entry], NOW)
    out = sent["events"][0]["id"]
    came = posted(client, f"/shipments/{sent['shipment']}/receipts", arrival(occurred_at=stated(left + HOUR)))
    for event, kind, facility in ((out, "209", "COUNTY"), (came, "107", "SITE-A")):
        found = client.get(f"/events/{event}/bill-temperatures").ok()
        record = {"equipment_code": "S-BOX", "equipment_name": None, "bill_code": code(kind, event)}
        record |= {"upload_ent_name": facility, "type": "运输温度"}
        assert found["official"] is False
        assert found["archived_minutes"] == 0
        assert found["uploads"] == [
            {
                "ref_ent_id": facility,
                "bill_code": code(kind, event),
                "transport_ref_ent_id": None,
                "transport_ref_ent_name": None,
                "equipment_code": "S-BOX",
                "equipment_name": None,
                "content": None,
                "agent_ref_ent_id": None,
                "records": [
                    _hour(record, "2026-01-05 10:00:00", 4.5, 5.2),
                    _hour(record, "2026-01-05 11:00:00", 3.9, 6.1),
                ],
            }
        ]


def _hour(record: Json, time: str, low: float, high: float) -> Json:
    return record | {"time": time, "min_value": low, "max_value": high}


def test_an_event_without_a_trip_has_no_temperatures(client: Client) -> None:
    event = posted(client, "/receipts", receipt(new_batch()))
    assert client.get(f"/events/{event}/bill-temperatures").ok()["uploads"] == []


def test_bills_are_listed_by_batch_shipment_facility_and_time_in_pages(client: Client) -> None:
    batch = at_site(client)
    for _ in range(3):
        client.post("/administrations", administration(batch)).ok()
    whole = client.get("/bills", gtin=ONE, batch=batch).items
    assert [each["bill_type"] for each in whole] == ["102", "209", "107", "322", "322", "322"]
    found: list[Json] = []
    cursor: Json = {}
    while True:
        page = client.get("/bills", gtin=ONE, batch=batch, limit=4, **cursor).ok()
        found += page["items"]
        if page["next"] is None:
            break
        cursor = {"after": page["next"]}
    assert found == whole
    assert client.get("/bills", shipment=whole[1]["shipment"]).items == whole[1:3]
    mine = client.get("/bills", facility="SITE-A", gtin=ONE, batch=batch, **{"from": stated(NOW)}).items
    assert mine == whole[3:]
    assert client.get("/bills", gtin=ONE, batch=batch, to=stated(NOW - 2 * HOUR)).items == whole[:1]


def all_of(client: Client, path: str, **query: object) -> list[Json]:
    found: list[Json] = []
    page: Json = {"next": None}
    while not found or page["next"]:
        more = {"after": page["next"]} if page["next"] else {}
        page = client.get(path, **query, **more).ok()
        found += page["items"]
        if not page["items"] and not page["next"]:
            break
    return found


def test_bills_add_up_to_the_stock_of_each_unit(client: Client) -> None:
    """Whatever the other tests have done: in less out, less given, is what the unit has."""
    client.post("/administrations", administration(at_site(client))).ok()
    for facility in ("CITY", "COUNTY", "SITE-A", "SITE-B"):
        book = 0
        for bill in all_of(client, "/bills", facility=facility):
            if bill["document"] == "bill" and not bill["cancelled_by"] and "on-their-way" not in bill["notes"]:
                assert facility == (bill["in_out"] or bill["dose_given"])["ref_user_id"]
                book += bill["doses"] if bill["direction"] == "in" else -bill["doses"]
        stock = all_of(client, "/stock", facility=facility)
        assert book == sum(each["doses"] for each in stock if each["place"]["facility"] == facility), facility


def test_not_the_whole_ledger_at_once(client: Client) -> None:
    answer = client.get("/bills")
    assert (answer.status, answer.body["code"]) == (422, "malformed")


def test_an_event_that_is_not_known_has_no_bills(client: Client) -> None:
    for path in ("bills", "bill-temperatures"):
        assert client.get(f"/events/00000000-0000-0000-0000-000000000001/{path}").status == 404
