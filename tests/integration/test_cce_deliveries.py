"""WHO deliveries over HTTP, by the standard's rules for those who deliver and those who receive."""

import gzip
import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from inventory.services.kept_aside import list_rejected
from inventory.services.series import list_readings
from tests.county import GATEWAY, County, counts
from tests.envelopes import RECORDS, envelope
from tests.http import Answer, Client, Server

MOST = 1_048_576
AT = datetime(2026, 1, 5, 3, tzinfo=UTC)


def delivery(sensor: str = "S-A", *values: tuple[str, float], transfer_id: str = "T-1", **record: Any) -> bytes:
    """A delivery of a remote monitor: its sensor, and what it measured at times of the day of the tests."""
    records = [RECORDS["rtm"] | {"ABST": f"20260105T{at}00Z", "TVC": value} | record for at, value in values]
    made = envelope("rtm", *records, transferId=transfer_id)
    made["data"][0]["DLST"]["TVC"] |= {"SID": sensor}
    return json.dumps(made).encode()


def post(client: Client, body: bytes, gateway: str = GATEWAY, who: str = "gateway", **headers: str) -> Answer:
    stated = {name.replace("_", "-"): value for name, value in headers.items()}
    all_headers = {"Content-Type": "application/json"} | stated | client.bearer(who)
    return client.send("POST", f"/api/v1/cce-deliveries?gateway={gateway}", body, all_headers)


def readings(county: County, sensor: str) -> list[int]:
    return [each.temperature for each in list_readings(county.database, sensor, None, None, None, 1000).page.items]


def test_a_delivery_is_taken_and_again_with_the_same_answer(server: Server) -> None:
    body = delivery("S-A", ("0300", 4.5), ("0315", 4.56))
    first = post(server.client, body)
    assert first.ok() == {"gateway": GATEWAY, "transfer_id": "T-1", "readings": 2, "stored": 2, "set_aside": []}
    before = counts(server.county.database)
    again = post(server.client, body)
    assert (again.status, again.body) == (first.status, first.body)
    assert counts(server.county.database) == before
    assert readings(server.county, "S-A") == [450, 456]


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity, gzip", None, ""])
def test_gzip_is_known_by_its_header_and_by_its_first_bytes(server: Server, encoding: str | None) -> None:
    body = gzip.compress(delivery("S-CITY", ("0300", 4.5)))
    headers = {} if encoding is None else {"Content_Encoding": encoding}
    assert post(server.client, body, **headers).ok()["stored"] == 1


def refused(answer: Answer, status: int, code: str) -> Any:
    assert (answer.status, answer.headers["Content-Type"], answer.body["code"]) == (
        status, "application/problem+json", code,
    ), answer  # fmt: skip
    return answer.body


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"", ""),
        (b"no json", ""),
        (b'{"meta": NaN}', ""),
        (delivery("S-A", ("0300", 4.5))[:-3], ""),
        (gzip.compress(gzip.compress(delivery("S-A", ("0300", 4.5)))), "gzip"),
        (gzip.compress(gzip.compress(delivery("S-A", ("0301", 4.5)))), ""),
        (gzip.compress(delivery("S-A", ("0300", 4.5))), "gzip, gzip"),
        (gzip.compress(delivery("S-A", ("0300", 4.5)))[:-9], "gzip"),
        (delivery("S-A", ("0300", 4.5)), "gzip"),
    ],
    ids=["nothing", "no JSON", "NaN", "half", "gzip twice", "twice unsaid", "twice said", "half gzip", "plain as gzip"],
)
def test_what_cannot_be_read_is_refused_and_kept(server: Server, body: bytes, encoding: str) -> None:
    before = counts(server.county.database)
    headers = {"Content_Encoding": encoding} if encoding else {}
    assert refused(post(server.client, body, **headers), 400, "malformed")["field"] == "body"
    after = counts(server.county.database)
    assert after == before | {"rejected_message": before["rejected_message"] + bool(body)}


def test_a_delivery_against_the_schema_is_told_all_that_is_wrong_and_kept(server: Server) -> None:
    made = json.loads(delivery("S-COUNTY", ("0300", 4.5), ("0315", 99), ("0330", 4.5)))
    del made["data"][0]["records"][0]["ALRM"]
    made["meta"]["transferredAt"] = "today"
    body = json.dumps(made).encode()
    problem = refused(post(server.client, body), 422, "malformed")
    fields = {each["field"] for each in problem["errors"]}
    assert {"meta.transferredAt", "data[0].records[1].TVC"} <= fields
    assert any(each.startswith("data[0].records[0]") for each in fields)
    assert readings(server.county, "S-COUNTY") == []
    kept = [each for each in list_rejected(server.county.database, None, 1000).items if each.payload_bytes == len(body)]
    assert [each.topic for each in kept] == [f"/api/v1/cce-deliveries?gateway={GATEWAY}"]


@pytest.mark.parametrize("body", [b"[]", b"3", b"null", b"{}", b'"text"'])
def test_json_that_is_no_delivery_is_against_the_schema(client: Client, body: bytes) -> None:
    assert refused(post(client, body), 422, "malformed")["errors"]


def padded(size: int) -> bytes:
    body = delivery("S-BOX-2", ("0300", 4.5))
    return body + b" " * (size - len(body))


def test_a_body_may_be_as_long_as_the_standard_says_and_no_longer(server: Server) -> None:
    assert post(server.client, padded(MOST)).ok()["stored"] == 1
    before = counts(server.county.database)
    refused(post(server.client, padded(MOST + 1)), 413, "too_large")
    assert counts(server.county.database) == before


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413), (100_000, 413)])
def test_a_body_that_does_not_say_its_length_is_not_cut_off(server: Server, more: int, status: int) -> None:
    """As gunicorn hands it on: without a length, and with an end of its own."""
    sent = EnvironBuilder(
        "/api/v1/cce-deliveries",
        query_string={"gateway": GATEWAY},
        method="POST",
        input_stream=BytesIO(padded(MOST + more)),
        headers=Headers(server.client.bearer("gateway")),
    ).get_environ() | {"wsgi.input_terminated": True}
    del sent["CONTENT_LENGTH"]
    assert run_wsgi_app(server.app, sent)[1].startswith(str(status))


def test_what_unpacks_to_more_than_that_is_taken(client: Client) -> None:
    assert post(client, gzip.compress(padded(2 * MOST)), Content_Encoding="gzip").ok()["stored"] == 1


def test_a_bomb_is_refused(client: Client) -> None:
    refused(post(client, gzip.compress(b" " * (64 << 20)), Content_Encoding="gzip"), 400, "malformed")


def test_another_packing_is_not_supported(client: Client) -> None:
    refused(post(client, b"\x28\xb5\x2f\xfd", Content_Encoding="zstd"), 415, "unsupported_media_type")


def test_readings_that_cannot_be_stored_are_told_with_their_reason_and_the_others_stored(server: Server) -> None:
    made = json.loads(delivery("S-FREE", ("0300", 4.5), ("2300", 4.5)))
    made["data"] += json.loads(delivery("S-FOREIGN", ("0300", 4.5)))["data"]
    made["data"] += json.loads(delivery("NO-SUCH", ("0300", 4.5)))["data"]
    body = json.dumps(made).encode()
    for _ in range(2):
        answer = post(server.client, body).ok()
        assert (answer["readings"], answer["stored"]) == (4, 1)
        assert [each["reason"] for each in answer["set_aside"]] == [
            "foreign_sensor",
            "time_in_future",
            "unknown_sensor",
        ]
    assert readings(server.county, "S-FREE") == [450]


def test_a_value_that_contradicts_one_that_stands_is_told(server: Server) -> None:
    body = delivery("S-BOX", ("0300", 4.5), ("0315", 4.5), transfer_id="T-2")
    assert post(server.client, body).ok()["stored"] == 2
    other = post(server.client, delivery("S-BOX", ("0300", 4.6), ("0330", 4.5), transfer_id="T-3")).ok()
    assert (other["readings"], other["stored"]) == (2, 1)
    (told,) = other["set_aside"]
    assert told["reason"] == "conflict"
    assert "4.60" in told["detail"]
    assert "4.50 stands" in told["detail"]


def test_a_gateway_has_to_be_enrolled_and_named(server: Server) -> None:
    body = delivery("S-A", ("0300", 4.5))
    before = counts(server.county.database)
    refused(post(server.client, body, "NOBODY"), 404, "not_found")
    refused(post(server.client, b"no json", "NOBODY"), 404, "not_found")
    answer = server.client.send("POST", "/api/v1/cce-deliveries", body, server.client.bearer("gateway"))
    assert refused(answer, 422, "malformed")["field"] == "gateway"
    assert counts(server.county.database) == before


@pytest.mark.parametrize("who", ["admin", "chief", "keeper", "auditor"])
def test_people_do_not_deliver(client: Client, who: str) -> None:
    refused(post(client, delivery("S-A", ("0300", 4.5)), who=who), 403, "forbidden")


def test_a_delivery_without_a_temperature_says_nothing_of_readings(client: Client) -> None:
    made = envelope("ems", RECORDS["ems"] | {"TVC": None, "LERR": "SENS"})
    answer = post(client, json.dumps(made).encode()).ok()
    assert (answer["readings"], answer["stored"], answer["set_aside"]) == (0, 0, [])
