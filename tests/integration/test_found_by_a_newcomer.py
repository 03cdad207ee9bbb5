"""Faults that somebody found who knew the API by its own document only."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from coldtrail.cli import main
from inventory.domain.reasons import STANDING
from inventory.domain.words import FacilityKind
from tests.county import ONE
from tests.http import Client
from tests.orders import at_county
from tests.services import sqlite_url


@pytest.fixture
def document(client: Client) -> Any:
    return client.send("GET", "/api/v1/openapi.json").ok()


MEDIA = {"application/json", "application/ld+json", "application/octet-stream", "text/plain"}
"""JSON, but for EPCIS, which has its own kind, a message as it came, and a checkpoint, which is a text."""


def test_every_good_answer_is_described_and_has_a_schema_as_json(document: Any) -> None:
    for path, methods in document["paths"].items():
        for method in sorted({"get", "post"} & set(methods)):
            good = [answer for status, answer in methods[method]["responses"].items() if status.startswith("2")]
            assert good, (method, path)
            for answer in good:
                assert answer["description"], (method, path)
                contents = answer["content"]
                assert all(each["schema"] for each in contents.values()), (method, path)
                assert contents.keys() & MEDIA, (method, path)


@pytest.mark.parametrize("path", ["/api/v1/compliance", "/api/v1/bulletins"])
def test_what_is_told_as_a_table_too_says_so(document: Any, path: str) -> None:
    assert set(document["paths"][path]["get"]["responses"]["200"]["content"]) == {"application/json", "text/csv"}


def test_an_override_offers_the_doubts_only_that_it_takes(document: Any) -> None:
    covers = document["components"]["schemas"]["Override"]["properties"]["covers"]
    assert set(covers["items"]["enum"]) == STANDING


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"kind": "warehouse"}, f"应为以下之一：{', '.join(FacilityKind)}。"),
        ({"stations": 0}, "应在 1 至 1000000 之间。"),
        ({"name": ""}, "长度应在 1 至 200 之间。"),
    ],
)
def test_what_a_schema_refuses_is_told_in_chinese_with_its_limits(
    client: Client, wrong: dict[str, Any], expected: str
) -> None:
    order = {"code": "NEW-1", "name": "New", "kind": "fixed-site", "zone": "Asia/Shanghai"} | wrong
    headers = {"Accept-Language": "zh", "Content-Type": "application/json"} | client.bearer("admin")
    answer = client.send("POST", "/api/v1/facilities", json.dumps(order).encode(), headers)
    assert answer.status == 422
    assert answer.body["errors"] == [{"field": next(iter(wrong)), "expected": expected}]


def test_the_document_says_what_each_kind_of_answer_is(document: Any) -> None:
    schemas = document["components"]["schemas"]
    silent = {name for name, schema in schemas.items() if not schema.get("description")}
    assert all(name.endswith("Page") for name in silent), silent
    assert "the sum of the rest" in schemas["ShipmentLine"]["description"]


def test_seeding_names_every_rule_set_that_it_wrote(tmp_path: Path) -> None:
    env = {"COLDTRAIL_DATABASE_URL": sqlite_url(tmp_path / "new.db")}
    for command in ("migrate", "seed"):
        told = CliRunner().invoke(main, [command], env=env, catch_exceptions=False).output
    assert told.endswith("deadline rules: double-24, no-overnight\n")


@pytest.mark.parametrize(
    "said",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_what_is_said_to_be_no_json_is_not_read_as_json(client: Client, said: dict[str, str]) -> None:
    order = json.dumps({"code": "NEW-2", "name": "New", "kind": "fixed-site", "zone": "Asia/Shanghai"}).encode()
    refused = client.send("POST", "/api/v1/facilities", order, said | client.bearer("admin"))
    assert (refused.status, refused.body["code"]) == (415, "unsupported_media_type")
    assert "NEW-2" not in {each["code"] for each in client.get("/facilities", limit=1000).items}


@pytest.mark.parametrize(
    ("method", "path", "content", "told"),
    [
        ("GET", "/api/v1/nothing", None, "该地址没有任何内容；若地址中含有标识，其格式可能不对。"),
        ("DELETE", "/api/v1/stock", None, "Allow 标头列出该地址可用的方法。"),
        ("POST", "/api/v1/facilities", b'{"code"', "内容不是 JSON"),
    ],
)
def test_what_no_rule_of_ours_refuses_is_told_in_chinese_too(
    client: Client, method: str, path: str, content: bytes | None, told: str
) -> None:
    headers = {"Accept-Language": "zh", "Content-Type": "application/json"} | client.bearer("admin")
    assert told in client.send(method, path, content, headers).body["detail"]


@pytest.mark.parametrize("name", ["at", "known_at"])
def test_nobody_is_told_how_it_will_be(client: Client, name: str) -> None:
    batch = at_county(client)
    for path in ("/stock", f"/batches/{ONE}/{batch}/trail"):
        refused = client.get(path, **{name: "2036-01-05T12:00:00Z"})
        assert (refused.status, refused.body["code"], refused.body["field"]) == (422, "time_in_future", name)
