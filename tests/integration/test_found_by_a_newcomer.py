"""Faults that somebody found who knew the API by its own document only."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from coldtrail.cli import main
from inventory.domain.reasons import STANDING
from inventory.domain.words import FacilityKind
from tests.http import Client
from tests.services import sqlite_url


@pytest.fixture
def document(client: Client) -> Any:
    return client.send("GET", "/api/v1/openapi.json").ok()


def test_every_good_answer_is_described_and_has_a_schema_as_json(document: Any) -> None:
    for path, methods in document["paths"].items():
        for method in sorted({"get", "post"} & set(methods)):
            good = [answer for status, answer in methods[method]["responses"].items() if status.startswith("2")]
            assert good, (method, path)
            for answer in good:
                assert answer["description"], (method, path)
                assert answer["content"]["application/json"]["schema"], (method, path)


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
