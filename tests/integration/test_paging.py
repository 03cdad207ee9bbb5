"""Pages: every item once, however the table grows meanwhile."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from inventory.services import monitoring
from tests.county import MINUTE, NOW, message, series
from tests.http import Client, Server
from tests.orders import at_county, dispatch, new_batch, receipt, stated


def pages(client: Client, path: str, between: Callable[[], object] = lambda: None, **query: object) -> list[Any]:
    """All items, a few at a time, with something happening between two pages."""
    found: list[Any] = []
    after: dict[str, object] = {}
    while True:
        page = client.get(path, **(query | after)).ok()
        assert page["items"], "a page that was promised is empty"
        found += page["items"]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}
        between()


def test_every_custody_is_visited_once_while_others_arrive(client: Client) -> None:
    at = stated(NOW - 30 * MINUTE)
    before = {at_county(client, occurred_at=at) for _ in range(7)}
    found = pages(client, "/stock", lambda: at_county(client, occurred_at=stated(NOW - 90 * MINUTE)), limit=3)
    batches = [item["batch"] for item in found]
    assert len(batches) == len(set(batches))
    assert before <= set(batches)


def test_items_of_one_instant_are_not_lost_between_two_pages(client: Client) -> None:
    at, mine = stated(NOW - 10 * MINUTE), set()
    for _ in range(5):
        mine.add(at_county(client, occurred_at=at))
    found = [item["batch"] for item in pages(client, "/stock", limit=1)]
    assert sorted(batch for batch in found if batch in mine) == sorted(mine)


def test_the_board_is_paged_in_the_order_of_its_urgency(client: Client) -> None:
    for minute in (40, 20, 30):
        at_county(client, occurred_at=stated(NOW - minute * MINUTE))
    found = pages(client, "/deadlines", lambda: at_county(client), limit=2)
    assert [each["due_at"] for each in found] == sorted(each["due_at"] for each in found)
    assert len({each["custody"] for each in found}) == len(found)


def test_readings_are_visited_once_while_late_ones_come(server: Server) -> None:
    database, start = server.county.database, NOW - 60 * MINUTE
    monitoring.record(database, [series("S-A", start, [450] * 12)], NOW)

    def late() -> None:
        monitoring.record(database, [series("S-A", start - 30 * MINUTE, [460] * 3)], NOW)

    found = pages(server.client, "/sensors/S-A/readings", late, limit=5)
    assert [each["measured_at"] for each in found] == sorted({each["measured_at"] for each in found})
    assert len(found) == 12


def test_readings_of_a_window_begin_with_it_and_end_before_it_does(server: Server) -> None:
    monitoring.record(server.county.database, [series("S-FREE", NOW - 60 * MINUTE, [450] * 5)], NOW)
    window = {"from": stated(NOW - 55 * MINUTE), "to": stated(NOW - 45 * MINUTE)}
    found = server.client.get("/sensors/S-FREE/readings", **window).items
    assert [each["measured_at"][11:16] for each in found] == ["03:05", "03:10"]


@pytest.mark.parametrize("path", ["/facilities", "/appliances", "/products", "/gateways", "/sensors", "/shipments"])
def test_every_list_can_be_paged(client: Client, path: str) -> None:
    for _ in range(2):
        client.post("/shipments", dispatch(at_county(client)))
    whole = client.get(path, limit=1000).ok()
    assert whole["next"] is None
    assert pages(client, path, limit=1) == whole["items"]


def test_rejected_messages_are_paged_oldest_first(server: Server) -> None:
    for minute in range(4):
        sent = message([("NONE", NOW - minute * MINUTE, 450)], payload=b"%d" % minute)
        monitoring.record(server.county.database, [sent], NOW)
    found = pages(server.client, "/rejected-messages", limit=1)
    assert len({each["id"] for each in found}) == len(found) == 4


def cursor(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


CURSORS = {
    "nothing": "",
    "no base64": "x",
    "no JSON": base64.urlsafe_b64encode(b"x").decode(),
    "no list": base64.urlsafe_b64encode(b"5").decode(),
    "too few": cursor("2026-01-05T00:00:00+00:00"),
    "too many": cursor("2026-01-05T00:00:00+00:00", "x", "y"),
    "no instant": cursor("noon", "00000000-0000-0000-0000-000000000001"),
    "a naive instant": cursor("2026-01-05T00:00:00", "00000000-0000-0000-0000-000000000001"),
    "no UUID": cursor("2026-01-05T00:00:00+00:00", "x"),
    "a number for a UUID": cursor("2026-01-05T00:00:00+00:00", 5),
    "a list for a UUID": cursor("2026-01-05T00:00:00+00:00", []),
    "a number for an instant": cursor(5, "00000000-0000-0000-0000-000000000001"),
    "bytes": base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    "nesting": base64.urlsafe_b64encode(b"[" * 5000).decode(),
}


@pytest.mark.parametrize("after", CURSORS.values(), ids=CURSORS)
def test_a_cursor_that_no_page_gave_is_refused(client: Client, after: str) -> None:
    answer = client.get("/stock", after=after)
    assert (answer.status, answer.body["code"], answer.body["field"]) == (422, "malformed", "after"), answer


@pytest.mark.parametrize("value", ["a\0b", "\ud800", 5, None])
def test_a_cursor_of_a_name_that_cannot_be_is_refused(client: Client, value: object) -> None:
    assert client.get("/facilities", after=cursor(value)).status == 422


def test_an_empty_list_is_one_empty_page(client: Client) -> None:
    assert client.get("/stock", batch="NO-SUCH").ok() == {"items": [], "next": None}


def test_a_batch_that_is_new_is_on_the_last_page(client: Client) -> None:
    batch = new_batch()
    client.post("/receipts", receipt(batch, occurred_at=stated(NOW))).ok()
    assert pages(client, "/stock", limit=4)[-1]["batch"] == batch
