"""Orders that contradict a rule: refused with the right problem, and nothing is written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from tests.county import HOUR, MINUTE, NOW, ONE, TWO, counts
from tests.http import Answer, Server
from tests.orders import Json, administration, arrival, at_county, at_site, dispatch, new_batch, receipt, stated

NAIVE, FUTURE = "2026-01-05T11:00:00", stated(NOW + 6 * MINUTE)


def refused(server: Server, path: str, body: object, expected: tuple[int, str, str], who: str = "admin") -> Answer:
    """Send an order that must be refused as expected (status, code, field), and see that it left no trace."""
    before = counts(server.county.database)
    answer = server.client.post(path, body, who)
    assert (answer.status, answer.headers["Content-Type"]) == (expected[0], "application/problem+json"), answer
    problem = answer.body
    assert (problem["status"], problem["code"], problem["field"]) == expected
    assert problem["type"] == f"urn:coldtrail:problem:{expected[1]}"
    assert problem["title"]
    assert problem["detail"]
    assert counts(server.county.database) == before
    return answer


RECEIPTS: list[tuple[str, Json, tuple[int, str, str]]] = [
    ("a naive time", {"occurred_at": NAIVE}, (422, "naive_time", "occurred_at")),
    ("a time in the future", {"occurred_at": FUTURE}, (422, "time_in_future", "occurred_at")),
    ("no time", {"occurred_at": "noon"}, (422, "malformed", "occurred_at")),
    ("a time as a number", {"occurred_at": 1767585600}, (422, "malformed", "occurred_at")),
    ("a float of doses", {"doses": 10.0}, (422, "malformed", "doses")),
    ("a fraction of doses", {"doses": 0.5}, (422, "malformed", "doses")),
    ("negative doses", {"doses": -10}, (422, "malformed", "doses")),
    ("zero doses", {"doses": 0}, (422, "malformed", "doses")),
    ("a bool of doses", {"doses": True}, (422, "malformed", "doses")),
    ("a string of doses", {"doses": "10"}, (422, "malformed", "doses")),
    ("no doses", {"doses": None}, (422, "malformed", "doses")),
    ("more doses than any batch", {"doses": 10**12}, (422, "malformed", "doses")),
    ("doses beyond every integer", {"doses": 10**30}, (422, "malformed", "doses")),
    ("an unknown GTIN", {"gtin": "00036000291452"}, (422, "unknown_product", "gtin")),
    ("a wrong check digit", {"gtin": "06901234567893"}, (422, "wrong_check_digit", "gtin")),
    ("letters for a GTIN", {"gtin": "0690123456789X"}, (422, "malformed", "gtin")),
    ("a GTIN as a number", {"gtin": 6901234567892}, (422, "malformed", "gtin")),
    ("a part of a vial", {"gtin": TWO, "doses": 3}, (422, "not_whole_vials", "doses")),
    ("an expired batch", {"expiry": "2026-01-04"}, (422, "batch_expired", "expiry")),
    ("no date", {"expiry": "2026-02-30"}, (422, "malformed", "expiry")),
    ("a batch number that GS1 does not know", {"batch": "批号1"}, (422, "malformed", "batch")),
    ("a batch number that is too long", {"batch": "B" * 21}, (422, "malformed", "batch")),
    ("an unknown facility", {"facility": "NOWHERE"}, (422, "not_found", "facility")),
    ("a site that buys", {"facility": "SITE-A", "appliance": "A-FRIDGE"}, (422, "wrong_facility_kind", "facility")),
    ("a store that makes", {"supplier": "COUNTY"}, (422, "wrong_facility_kind", "supplier")),
    ("an unknown supplier", {"supplier": "NOBODY"}, (422, "not_found", "supplier")),
    ("another's appliance", {"appliance": "COUNTY-ROOM"}, (422, "wrong_appliance", "appliance")),
    ("an unknown appliance", {"appliance": "NONE"}, (422, "not_found", "appliance")),
    ("an unknown field", {"dosis": 3}, (422, "malformed", "dosis")),
    (
        "a temperature as text",
        {"transport": {"arrival_celsius": "4.5"}},
        (422, "malformed", "transport.arrival_celsius"),
    ),
    (
        "an impossible temperature",
        {"transport": {"arrival_celsius": -300}},
        (422, "malformed", "transport.arrival_celsius"),
    ),
    (
        "a delivery clock that began after the arrival",
        {"delivery_clock_began_at": stated(NOW - HOUR)},
        (422, "time_in_future", "delivery_clock_began_at"),
    ),
]


@pytest.mark.parametrize(("change", "expected"), [row[1:] for row in RECEIPTS], ids=[row[0] for row in RECEIPTS])
def test_a_receipt_is_refused_for(server: Server, change: Json, expected: tuple[int, str, str]) -> None:
    refused(server, "/receipts", receipt(new_batch()) | change, expected)


@pytest.mark.parametrize(
    "field", ["facility", "supplier", "gtin", "batch", "expiry", "doses", "appliance", "occurred_at"]
)
def test_a_receipt_without_a_field_is_refused(server: Server, field: str) -> None:
    body = receipt(new_batch())
    del body[field]
    refused(server, "/receipts", body, (422, "malformed", field))


def test_a_batch_keeps_the_expiry_that_it_was_received_with(server: Server) -> None:
    batch = at_county(server.client)
    refused(server, "/receipts", receipt(batch, expiry="2026-07-01"), (409, "batch_expiry_differs", "expiry"))


def test_a_batch_may_come_on_its_last_day_and_be_given_then_but_not_after_midnight_there(server: Server) -> None:
    batch = at_site(server.client, expiry="2026-01-05")
    server.client.post("/administrations", administration(batch)).ok()
    server.clock.at = NOW + 13 * HOUR
    late = administration(batch, occurred_at=stated(NOW + 12 * HOUR))
    refused(server, "/administrations", late, (409, "batch_expired", "batch"))
    in_time = administration(batch, occurred_at=stated(NOW + 12 * HOUR - MINUTE))
    server.client.post("/administrations", in_time).ok()


@dataclass(frozen=True)
class Bad:
    """A bad change of an order over doses that are there, and what is to come of it."""

    name: str
    change: Callable[[str], Json]
    expected: tuple[int, str, str]


def line(**change: Any) -> Callable[[str], Json]:
    return lambda batch: {"lines": [{"gtin": ONE, "batch": batch, "doses": 5} | change]}


DISPATCHES = [
    Bad("a naive time", lambda _: {"occurred_at": NAIVE}, (422, "naive_time", "occurred_at")),
    Bad("a time in the future", lambda _: {"occurred_at": FUTURE}, (422, "time_in_future", "occurred_at")),
    Bad("more doses than there are", line(doses=11), (409, "not_enough_doses", "lines.0.doses")),
    Bad("doses that were not there yet", lambda _: {"occurred_at": stated(NOW - 4 * HOUR)},
        (409, "not_enough_doses", "lines.0.doses")),
    Bad("zero doses", line(doses=0), (422, "malformed", "lines.0.doses")),
    Bad("a float of doses", line(doses=5.0), (422, "malformed", "lines.0.doses")),
    Bad("an unknown batch", line(batch="NO-SUCH"), (422, "unknown_batch", "lines.0.batch")),
    Bad("another product's batch", line(gtin=TWO), (422, "unknown_batch", "lines.0.batch")),
    Bad("a custody that is not there", line(custody=str(UUID(int=7))), (422, "wrong_custody", "lines.0.custody")),
    Bad("a bad UUID", line(custody="seven"), (422, "malformed", "lines.0.custody")),
    Bad("an unknown field", line(vials=1), (422, "malformed", "lines.0.vials")),
    Bad("no lines", lambda _: {"lines": []}, (422, "malformed", "lines")),
    Bad("the same batch on two lines", lambda batch: {"lines": line()(batch)["lines"] * 2},
        (422, "repeated_line", "lines")),
    Bad("a way to itself", lambda _: {"to_facility": "COUNTY"}, (422, "wrong_facility_kind", "to_facility")),
    Bad("a way to a supplier", lambda _: {"to_facility": "MAKER"}, (422, "wrong_facility_kind", "to_facility")),
    Bad("a way from a site to a store", lambda _: {"from_facility": "SITE-B", "to_facility": "CITY"},
        (422, "wrong_supplier", "to_facility")),
    Bad("a way from a site to a site that lacks doses", lambda _: {"from_facility": "SITE-B"},
        (409, "not_enough_doses", "lines.0.doses")),
    Bad("an unknown sensor", lambda _: {"sensors": ["NONE"]}, (422, "not_found", "sensors")),
    Bad("a sensor that watches a room", lambda _: {"sensors": ["S-COUNTY"]}, (409, "sensor_in_use", "sensors")),
    Bad("a sensor twice", lambda _: {"sensors": ["S-BOX", "S-BOX"]}, (409, "sensor_in_use", "sensors")),
]  # fmt: skip


@pytest.mark.parametrize("bad", DISPATCHES, ids=lambda bad: bad.name)
def test_a_dispatch_is_refused_for(server: Server, bad: Bad) -> None:
    batch = at_county(server.client, 10)
    refused(server, "/shipments", dispatch(batch) | bad.change(batch), bad.expected)


def test_an_expired_batch_is_not_dispatched(server: Server) -> None:
    batch = at_county(server.client, 10, expiry="2026-01-05")
    server.clock.at = NOW + 13 * HOUR
    late = dispatch(batch, occurred_at=stated(NOW + 12 * HOUR))
    refused(server, "/shipments", late, (409, "batch_expired", "lines.0.batch"))


def test_a_refusal_names_the_line_that_it_is_about(server: Server) -> None:
    enough, little = at_county(server.client, 10), at_county(server.client, 3)
    lines = [{"gtin": ONE, "batch": each, "doses": 5} for each in (enough, little)]
    for way in (lines, lines[::-1]):
        place = way.index(lines[1])
        refused(server, "/shipments", dispatch(enough, lines=way), (409, "not_enough_doses", f"lines.{place}.doses"))


def test_a_time_is_the_order_s_and_no_line_s(server: Server) -> None:
    batch = at_county(server.client, 10)
    (held,) = server.client.get("/stock", batch=batch, facility="COUNTY").items
    early = dispatch(batch, occurred_at=stated(NOW - 4 * HOUR)) | line(custody=held["custody"])(batch)
    refused(server, "/shipments", early, (409, "time_before_custody", "occurred_at"))


ADMINISTRATIONS = [
    Bad("a naive time", lambda _: {"occurred_at": NAIVE}, (422, "naive_time", "occurred_at")),
    Bad("a time in the future", lambda _: {"occurred_at": FUTURE}, (422, "time_in_future", "occurred_at")),
    Bad("negative doses", lambda _: {"doses": -1}, (422, "malformed", "doses")),
    Bad("a float of doses", lambda _: {"doses": 1.0}, (422, "malformed", "doses")),
    Bad("more doses than there are", lambda _: {"doses": 11}, (409, "not_enough_doses", "doses")),
    Bad("a time before they came", lambda _: {"occurred_at": stated(NOW - 2 * HOUR)},
        (409, "not_enough_doses", "doses")),
    Bad("a store that gives", lambda _: {"facility": "COUNTY"}, (422, "wrong_facility_kind", "facility")),
    Bad("another site's appliance", lambda _: {"appliance": "B-FRIDGE"}, (422, "wrong_appliance", "appliance")),
    Bad("another site that has none", lambda _: {"facility": "SITE-B"}, (409, "not_enough_doses", "doses")),
    Bad("a bad UUID", lambda _: {"custody": "x"}, (422, "malformed", "custody")),
    Bad("a custody that is not there", lambda _: {"custody": str(UUID(int=7))}, (422, "wrong_custody", "custody")),
]  # fmt: skip


@pytest.mark.parametrize("bad", ADMINISTRATIONS, ids=lambda bad: bad.name)
def test_an_administration_is_refused_for(server: Server, bad: Bad) -> None:
    batch = at_site(server.client)
    refused(server, "/administrations", administration(batch) | bad.change(batch), bad.expected)


def test_a_named_custody_gives_nothing_before_it_opened(server: Server) -> None:
    batch = at_site(server.client)
    (held,) = server.client.get("/stock", batch=batch, facility="SITE-A").items
    early = administration(batch, custody=held["custody"], occurred_at=stated(NOW - 2 * HOUR))
    refused(server, "/administrations", early, (409, "time_before_custody", "occurred_at"))


def on_the_road(server: Server, doses: int = 10) -> tuple[str, str]:
    batch = at_county(server.client, doses)
    return batch, server.client.post("/shipments", dispatch(batch, doses)).ok()["shipment"]


def test_a_shipment_is_received_by_nobody_but_its_receiver(server: Server) -> None:
    _, shipment = on_the_road(server)
    path = f"/shipments/{shipment}/receipts"
    for stranger in ("nurse-b", "keeper"):
        refused(server, path, arrival(), (403, "not_your_facility", "facility"), stranger)
    refused(server, path, arrival(appliance="B-FRIDGE"), (422, "wrong_appliance", "appliance"))


def test_nothing_arrives_before_it_left(server: Server) -> None:
    _, shipment = on_the_road(server)
    early = arrival(occurred_at=stated(NOW - 2 * HOUR - MINUTE))
    refused(server, f"/shipments/{shipment}/receipts", early, (422, "time_before_shipment", "occurred_at"))


def test_more_than_was_sent_does_not_arrive(server: Server) -> None:
    batch, shipment = on_the_road(server)
    lines = [{"gtin": ONE, "batch": batch, "doses": 11}]
    refused(server, f"/shipments/{shipment}/receipts", arrival(lines=lines), (409, "not_enough_doses", "lines.0.doses"))


def test_a_batch_that_was_not_sent_does_not_arrive(server: Server) -> None:
    other, (_, shipment) = at_county(server.client), on_the_road(server)
    lines = [{"gtin": ONE, "batch": other, "doses": 1}]
    refused(server, f"/shipments/{shipment}/receipts", arrival(lines=lines), (409, "not_enough_doses", "lines.0.doses"))


def test_a_shipment_does_not_arrive_twice(server: Server) -> None:
    _, shipment = on_the_road(server)
    server.client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    refused(server, f"/shipments/{shipment}/receipts", arrival(), (409, "not_enough_doses", "shipment"))


def test_a_shipment_that_is_not_known_does_not_arrive(server: Server) -> None:
    refused(server, f"/shipments/{UUID(int=7)}/receipts", arrival(), (404, "not_found", "shipment"))


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
def test_the_earliest_of_times_is_an_answer_or_a_problem_and_never_a_fault(server: Server, zone: str) -> None:
    client, batch, code = server.client, new_batch(), zone.replace("/", "-")
    client.post("/facilities", {"code": code, "name": zone, "kind": "county-store", "zone": zone}).ok()
    client.post("/appliances", {"code": f"{code}-1", "facility": code, "name": "Room", "kind": "cold-room"}).ok()
    early = receipt(batch, facility=code, appliance=f"{code}-1", occurred_at="0001-01-01T00:00:00Z")
    answer = client.post("/receipts", early)
    assert answer.status in {201, 422}
    if answer.status == 201:
        for path in (f"/batches/{ONE}/{batch}/trail", "/deadlines", "/stock"):
            client.get(path).ok()
