"""Requests that are no requests: what comes over the wire is a stranger's, and is answered with a problem."""

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.county import counts
from tests.http import Answer, Client, Server
from tests.orders import new_batch, receipt


def problem(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer
    assert (answer.body["status"], answer.body["code"]) == (status, code)
    assert answer.body["title"]


GOOD = json.dumps(receipt("B0")).encode()
NESTED = b'{"doses":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

BODIES = {
    "no JSON": b"doses=3",
    "half of it": GOOD[:-5],
    "two of it": GOOD * 2,
    "NaN": GOOD.replace(b"100", b"NaN"),
    "Infinity": GOOD.replace(b"100", b"-Infinity"),
    "NUL in text": GOOD.replace(b"CITY-ROOM", b"CITY\\u0000ROOM"),
    "half a surrogate pair": GOOD.replace(b"CITY-ROOM", b"\\ud800"),
    "half a surrogate pair in a name": GOOD.replace(b'"doses"', b'"\\udfff"'),
    "bytes that are no UTF-8": GOOD.replace(b"CITY-ROOM", b"\xff\xfe"),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "deep nesting": NESTED,
    "a number of many digits": GOOD.replace(b"100", b"1" * 5000),
    "a number out of all range": GOOD.replace(b"100", b"1e9999999999999999999"),
}


@pytest.mark.parametrize("content", BODIES.values(), ids=BODIES)
def test_a_body_is_refused_that_is(server: Server, content: bytes) -> None:
    before = counts(server.county.database)
    answer = server.client.post_raw("/receipts", content)
    problem(answer, 400, "malformed")
    assert answer.body["field"] == "body"
    assert counts(server.county.database) == before


@pytest.mark.parametrize("content", [b"[]", b"3", b'"text"', b"null", b"[{}]"], ids=str)
def test_json_that_is_no_object_is_refused(server: Server, content: bytes) -> None:
    problem(server.client.post_raw("/receipts", content), 422, "malformed")


def test_a_missing_body_names_what_is_missing(client: Client) -> None:
    answer = client.post_raw("/receipts", b"")
    problem(answer, 422, "malformed")
    assert {"doses", "gtin", "facility"} <= {fault["field"] for fault in answer.body["errors"]}


def test_every_fault_of_a_body_is_told_at_once(client: Client) -> None:
    answer = client.post("/receipts", receipt(new_batch(), 0, expiry="never", appliance="") | {"more": 1})
    assert {fault["field"] for fault in answer.body["errors"]} == {"doses", "expiry", "appliance", "more"}


def test_a_body_of_two_megabytes_is_refused(server: Server) -> None:
    before = counts(server.county.database)
    problem(server.client.post_raw("/receipts", b" " * (2 << 20) + GOOD), 413, "too_large")
    assert counts(server.county.database) == before


def test_a_body_that_says_it_is_huge_is_refused_before_it_is_sent(server: Server) -> None:
    address = urlsplit(server.client.url)
    head = (
        f"POST /api/v1/receipts HTTP/1.1\r\nHost: x\r\nContent-Length: {1 << 40}\r\nIdempotency-Key: k\r\n"
        f"Authorization: {server.client.bearer('admin')['Authorization']}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port or 80), timeout=10) as connection:
        connection.sendall(head.encode())
        assert b" 413 " in connection.recv(100)


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "with space", "schlüssel"])
def test_an_idempotency_key_that_is_none_is_refused(server: Server, key: str) -> None:
    before = counts(server.county.database)
    answer = server.client.post("/receipts", receipt(new_batch()), key=key)
    problem(answer, 422, "malformed")
    assert answer.body["field"] == "Idempotency-Key"
    assert counts(server.county.database) == before


@pytest.mark.parametrize("path", ["/receipts", "/shipments", "/administrations"])
def test_a_write_without_an_idempotency_key_is_refused(client: Client, path: str) -> None:
    answer = client.send("POST", f"/api/v1{path}", GOOD, client.bearer("admin"))
    problem(answer, 422, "malformed")
    assert answer.body["field"] == "Idempotency-Key"


def test_the_same_key_with_other_content_is_refused(server: Server) -> None:
    client, body = server.client, receipt(new_batch())
    client.post("/receipts", body, key="once").ok()
    before = counts(server.county.database)
    answer = client.post("/receipts", body | {"doses": 99}, key="once")
    problem(answer, 409, "idempotency_key_reused")
    assert answer.body["field"] == "Idempotency-Key"
    assert counts(server.county.database) == before


def test_the_same_key_with_the_same_content_is_answered_as_before_and_written_once(server: Server) -> None:
    client, body = server.client, receipt(new_batch())
    first = client.post("/receipts", body, key="again")
    before = counts(server.county.database)
    assert client.post("/receipts", dict(reversed(body.items())), key="again").body == first.ok()
    assert counts(server.county.database) == before


def test_the_same_instant_in_another_offset_is_the_same_content(client: Client) -> None:
    body = receipt(new_batch(), occurred_at="2026-01-05T01:00:00Z")
    first = client.post("/receipts", body, key="offsets").ok()
    assert client.post("/receipts", body | {"occurred_at": "2026-01-05T09:00:00+08:00"}, key="offsets").ok() == first


def test_a_key_stays_free_when_its_request_was_refused(client: Client) -> None:
    batch = new_batch()
    assert client.post("/receipts", receipt(batch, occurred_at="2026-01-05T12:00:00Z"), key="free").status == 422
    client.post("/receipts", receipt(batch), key="free").ok()


def test_two_peoples_keys_are_their_own(client: Client) -> None:
    first = client.post("/receipts", receipt(new_batch()), "admin", "mine").ok()
    second = client.post("/receipts", receipt(new_batch()), "keeper", "mine").ok()
    assert first["events"][0]["id"] != second["events"][0]["id"]


@pytest.mark.parametrize("path", ["/receipts", "/administrations", "/stock", "/deadlines"])
def test_a_wrong_method_is_told_with_the_right_ones(client: Client, path: str) -> None:
    answer = client.send("DELETE", f"/api/v1{path}", headers=client.bearer("admin"))
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1/nothing", "/api/v1/shipments/not-a-uuid", "/api/v2/stock"])
def test_an_unknown_address_is_a_problem_too(client: Client, path: str) -> None:
    problem(client.send("GET", path, headers=client.bearer("auditor")), 404, "not_found")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=ten", "facility=%00", "facility=../x", "batch=%e6%89%b9", "after=x&limit=x"],
)
def test_a_query_that_is_none_is_refused(client: Client, query: str) -> None:
    problem(client.send("GET", f"/api/v1/stock?{query}", headers=client.bearer("auditor")), 422, "malformed")


def test_a_naive_time_in_a_query_is_refused(client: Client) -> None:
    answer = client.get("/sensors/S-A/readings", **{"from": "2026-01-05T00:00:00"})
    problem(answer, 422, "naive_time")


@pytest.mark.parametrize("query", ["status=late", "status=", "facility=A%20B"])
def test_a_status_that_is_none_is_refused(client: Client, query: str) -> None:
    problem(client.send("GET", f"/api/v1/deadlines?{query}", headers=client.bearer("auditor")), 422, "malformed")


@pytest.mark.parametrize("gtin", ["06901234567893", "x", "1"])
def test_a_gtin_in_an_address_is_checked(client: Client, gtin: str) -> None:
    answer = client.get(f"/batches/{gtin}/B1/trail")
    assert (answer.status, answer.body["field"]) == (422, "gtin")


@pytest.mark.parametrize(
    "path", ["/batches/06901234567892/%00/trail", "/sensors/%00/readings", "/sensors/%ff/readings"]
)
def test_what_no_database_could_hold_is_not_found_at_an_address(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json"), answer


def test_a_faulty_request_leaves_the_server_serving(client: Client) -> None:
    client.post_raw("/receipts", NESTED)
    assert client.send("GET", "/healthz").body["status"] == "ok"
    assert client.send("GET", "/readyz").status == 200
