"""A count that differed has settled what was before it: it is undone from the last on, and nothing is entered below."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from inventory.services.verification import verify
from tests.county import HOUR, MINUTE, NOW, ONE, TWO
from tests.crowd import in_vials
from tests.http import Answer, Client, Server
from tests.orders import administration, arrival, at_county, at_site, dispatch, receipt, stated

COUNTED = NOW - HOUR / 2
BEFORE, AFTER = COUNTED - 12 * MINUTE, COUNTED + 12 * MINUTE


def _count(client: Client, batch: str, counted: int, *, later: timedelta = timedelta(), **other: Any) -> str:
    """A count of the fridge of site A; its event."""
    order = {
        "facility": "SITE-A", "gtin": ONE, "batch": batch, "appliance": "A-FRIDGE", "counted": counted,
        "occurred_at": stated(COUNTED + later), "reason": "counted twice",
    } | other  # fmt: skip
    return str(client.post("/counts", order).ok()["events"][0]["id"])


def _correct(client: Client, event: str) -> Answer:
    return client.post(f"/events/{event}/reversal", {"occurred_at": stated(NOW), "reason": "a slip"})


def _stock(client: Client, batch: str, kind: str = "storage") -> int:
    """The doses at site A."""
    lines = client.get("/stock", batch=batch, facility="SITE-A").items
    return sum(line["doses"] for line in lines if line["place"]["kind"] == kind)


def _refused(answer: Answer) -> None:
    """As for a time before a count, which is named."""
    assert (answer.status, answer.body["code"]) == (409, "time_before_count"), answer.body
    assert COUNTED.isoformat() in answer.body["detail"], answer.body


@pytest.mark.parametrize("later", [8, 7, 9])
def test_a_count_with_a_difference_is_not_corrected_below_a_later_one(server: Server, later: int) -> None:
    client, batch = server.client, at_site(server.client, 10)
    first = _count(client, batch, 8, later=-10 * MINUTE)
    last = _count(client, batch, later)
    _refused(_correct(client, first))
    assert _stock(client, batch) == min(later, 8)
    _correct(client, last).ok()
    _correct(client, first).ok()
    assert _stock(client, batch) == 10
    assert verify(server.county.database).holds


def test_a_count_is_corrected_below_one_of_another_place_or_without_a_difference_of_its_own(client: Client) -> None:
    batch = at_site(client, 10)
    agreed = _count(client, batch, 10, later=-20 * MINUTE)
    missed = _count(client, batch, 8, later=-10 * MINUTE)
    _count(client, batch, 0, held=True)
    _correct(client, agreed).ok()
    _correct(client, missed).ok()
    assert _stock(client, batch) == 10


def test_doses_given_before_a_count_that_missed_them_are_not_counted_twice(server: Server) -> None:
    client, batch = server.client, at_site(server.client, 10)
    count = _count(client, batch, 8)
    late = administration(batch, 2, occurred_at=stated(BEFORE))
    _refused(client.post("/administrations", late))
    assert _stock(client, batch) == 8
    _correct(client, count).ok()
    client.post("/administrations", late).ok()
    _count(client, batch, 8, reason=None)
    assert _stock(client, batch) == 8
    assert verify(server.county.database).holds


@pytest.mark.parametrize("counted", [10, 8])
def test_what_was_before_a_count_that_differed_is_not_undone_below_it(server: Server, counted: int) -> None:
    """The count has found the dose that was entered by a slip already, or missed one more."""
    client, batch = server.client, at_site(server.client, 10)
    slip = client.post("/administrations", administration(batch, 1, occurred_at=stated(BEFORE))).ok()["events"][0]["id"]
    later = client.post("/administrations", administration(batch, 1, occurred_at=stated(AFTER))).ok()["events"][0]["id"]
    count = _count(client, batch, counted)
    _refused(_correct(client, slip))
    _correct(client, later).ok()
    _correct(client, count).ok()
    _correct(client, slip).ok()
    _count(client, batch, 10, reason=None)
    assert (_stock(client, batch), _stock(client, batch, "quarantine")) == (10, 0)
    assert verify(server.county.database).holds


def test_a_receipt_before_a_count_that_missed_its_doses_is_not_undone_below_it(server: Server) -> None:
    client, batch = server.client, at_site(server.client, 10)
    on_board = client.post("/shipments", _more(client, batch)).ok()["shipment"]
    slip = client.post(f"/shipments/{on_board}/receipts", arrival(occurred_at=stated(BEFORE))).ok()["events"][0]["id"]
    _count(client, batch, 10)
    _refused(_correct(client, slip))
    assert _stock(client, batch) == 10


def test_what_was_before_a_count_that_agreed_may_be_undone(client: Client) -> None:
    batch = at_site(client, 10)
    slip = client.post("/administrations", administration(batch, 1, occurred_at=stated(BEFORE))).ok()["events"][0]["id"]
    _count(client, batch, 9, reason=None)
    _correct(client, slip).ok()
    assert _stock(client, batch) == 10


def test_the_lines_of_a_list_are_refused_each_by_its_own_time(client: Client) -> None:
    batch, other = at_site(client, 10), at_site(client, 10)
    _count(client, batch, 8)
    lines = [
        administration(batch, 1),
        administration(batch, 1, occurred_at=stated(BEFORE)),
        administration(other, 1, occurred_at=stated(BEFORE)),
        administration(batch, 1, occurred_at=stated(AFTER)),
    ]
    for each in (lines, lines[::-1]):
        results = client.post("/administration-lists", {"administrations": each}).ok()["results"]
        codes = [(result["problem"] or {}).get("code") for result in results]
        refused = each.index(lines[1])
        assert [code == "time_before_count" for code in codes] == [index == refused for index in range(4)], results
    assert _stock(client, batch) == 4


@pytest.mark.parametrize("counted", [8, 12])
def test_what_moves_doses_of_a_place_before_a_count_that_differed_is_refused(client: Client, counted: int) -> None:
    batch = at_site(client, 10)
    on_board = client.post("/shipments", _more(client, batch)).ok()["shipment"]
    _count(client, batch, counted)
    mine = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "doses": 2, "occurred_at": stated(BEFORE)}
    for path, order in (
        ("/wastages", mine | {"cause": "broken"}),
        ("/holds", mine | {"reason": "a doubt"}),
        (f"/shipments/{on_board}/receipts", arrival(occurred_at=stated(BEFORE))),
        ("/returns", _back(batch, BEFORE)),
    ):
        _refused(client.post(path, order))
    client.post("/wastages", mine | {"cause": "broken", "occurred_at": stated(AFTER)}).ok()
    client.post(f"/shipments/{on_board}/receipts", arrival(occurred_at=stated(AFTER))).ok()
    assert _stock(client, batch) == min(counted, 10) - 2 + 4


def _more(client: Client, batch: str) -> dict[str, Any]:
    """Four more doses of a batch, to site A."""
    client.post("/receipts", receipt(batch, 4, facility="COUNTY", appliance="COUNTY-ROOM")).ok()
    return dispatch(batch, 4)


def _back(batch: str, at: datetime) -> dict[str, Any]:
    lines = [{"gtin": ONE, "batch": batch, "doses": 2}]
    return {"facility": "SITE-A", "occurred_at": stated(at), "reason": "too many", "lines": lines}


def test_goods_from_a_supplier_and_doses_given_free_come_into_a_place_too(client: Client) -> None:
    batch = at_county(client, 10)
    held = {"facility": "COUNTY", "gtin": ONE, "batch": batch, "doses": 2, "reason": "a doubt"}
    client.post("/holds", held | {"occurred_at": stated(BEFORE)}).ok()
    _count(client, batch, 9, facility="COUNTY", appliance="COUNTY-ROOM")
    goods = receipt(batch, 4, facility="COUNTY", appliance="COUNTY-ROOM")
    _refused(client.post("/receipts", goods | {"occurred_at": stated(BEFORE)}))
    _refused(client.post("/releases", held | {"occurred_at": stated(BEFORE)}))
    client.post("/receipts", goods | {"occurred_at": stated(AFTER)}).ok()
    client.post("/releases", held | {"occurred_at": stated(AFTER)}).ok()


@pytest.mark.parametrize("counted", [10, 8])
def test_a_count_that_agreed_was_corrected_or_is_of_elsewhere_refuses_nothing(client: Client, counted: int) -> None:
    batch, other = at_site(client, 10), at_site(client, 10)
    count = _count(client, batch, counted)
    if counted != 10:
        _correct(client, count).ok()
    _count(client, batch, 1, held=True)  # which finds one, in quarantine
    _count(client, other, 8)
    client.post("/administrations", administration(batch, 2, occurred_at=stated(BEFORE))).ok()
    assert _stock(client, batch) == 8


def test_a_vial_that_was_opened_before_a_count_has_left_nowhere(client: Client) -> None:
    batch = in_vials(client, 10)
    _count(client, batch, 8, gtin=TWO)
    opening = {"facility": "SITE-A", "gtin": TWO, "batch": batch, "occurred_at": stated(BEFORE)}
    client.post("/openings", opening).ok()
    _refused(client.post("/administrations", administration(batch, gtin=TWO, occurred_at=stated(BEFORE))))
    client.post("/administrations", administration(batch, gtin=TWO)).ok()


def test_a_recall_holds_what_is_there_whatever_was_counted(client: Client) -> None:
    batch = at_site(client, 10)
    _count(client, batch, 8)
    order = {"facility": "COUNTY", "gtin": ONE, "batch": batch, "occurred_at": stated(BEFORE), "reason": "the maker"}
    client.post("/recalls", order).ok()
    assert (_stock(client, batch), _stock(client, batch, "quarantine")) == (0, 8)
