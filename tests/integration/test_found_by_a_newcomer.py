"""Faults that somebody found who knew the API by its own document only."""

import json
from typing import Any

import pytest

from inventory.domain.reasons import STANDING
from tests.http import Client


@pytest.fixture
def document(client: Client) -> Any:
    return client.send("GET", "/api/v1/openapi.json").ok()


def test_every_good_answer_is_described_and_has_a_schema_as_json(document: Any) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            good = [answer for status, answer in operation.get("responses", {}).items() if status.startswith("2")]
            assert method == "parameters" or good, path
            for answer in good:
                assert answer["description"], path
                assert answer["content"]["application/json"]["schema"], path


@pytest.mark.parametrize("path", ["/api/v1/compliance", "/api/v1/bulletins"])
def test_what_is_told_as_a_table_too_says_so(document: Any, path: str) -> None:
    assert set(document["paths"][path]["get"]["responses"]["200"]["content"]) == {"application/json", "text/csv"}


def test_an_override_offers_the_doubts_only_that_it_takes(document: Any) -> None:
    covers = document["components"]["schemas"]["Override"]["properties"]["covers"]
    assert set(covers["items"]["enum"]) == STANDING


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (
            {"kind": "warehouse"},
            "应为以下之一：supplier, city-store, county-store, fixed-site, temporary-site, mobile-site。",
        ),
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
