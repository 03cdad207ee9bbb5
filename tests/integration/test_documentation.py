"""The documentation: complete, and from our own origin."""

import re
from typing import Any

import jsonschema
import pytest

from tests.http import Client, Server

DOCUMENT: dict[str, Any] = {
    "type": "object",
    "required": ["openapi", "info", "paths", "components"],
    "properties": {
        "openapi": {"pattern": r"^3\.\d+\.\d+$"},
        "info": {"required": ["title", "version"]},
        "paths": {
            "patternProperties": {
                "^/": {
                    "patternProperties": {
                        "^(get|post)$": {
                            "required": ["responses", "summary"],
                            "properties": {
                                "responses": {"patternProperties": {"^([1-5]..|default)$": {"type": "object"}}}
                            },
                        }
                    }
                }
            },
            "additionalProperties": False,
        },
        "components": {"required": ["schemas", "securitySchemes"]},
    },
}
"""The shape of an OpenAPI 3 document, as far as it binds ours."""


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        here = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return here.union(*(references(each) for each in value.values()))
    return set().union(*(references(each) for each in value)) if isinstance(value, list) else set()


@pytest.fixture
def document(client: Client) -> Any:
    return client.send("GET", "/api/v1/openapi.json").ok()


def test_the_document_has_the_shape_of_openapi_3(document: Any) -> None:
    jsonschema.validate(document, DOCUMENT)


def test_every_reference_leads_somewhere(document: Any) -> None:
    for reference in references(document):
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_route_of_the_api_is_in_it_and_nothing_else(server: Server, document: Any) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in server.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("openapi.json")
    }
    told = {(path, method) for path, item in document["paths"].items() for method in item if method in {"get", "post"}}
    assert told == served


def test_an_idempotency_key_is_told_of_wherever_the_ledger_is_written(document: Any) -> None:
    for path in ("/receipts", "/shipments", "/shipments/{shipment}/receipts", "/administrations"):
        names = {each["name"] for each in document["paths"][f"/api/v1{path}"]["post"]["parameters"] if "name" in each}
        assert "Idempotency-Key" in names


def test_the_page_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.send("GET", "/api/docs")
    assert (page.status, page.headers["Content-Type"].split(";")[0]) == (200, "text/html")
    linked = re.findall(r'(?:src|href)="([^"]*)"', page.content.decode())
    assert linked
    for address in linked:
        assert address.startswith("/api/docs/")
        assert client.send("GET", address).status == 200


def test_the_page_may_not_load_anything_from_elsewhere(client: Client) -> None:
    policy = client.send("GET", "/api/docs").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy


def test_the_page_has_no_script_within(client: Client) -> None:
    assert re.findall(r"<script[^>]*>([^<]+)</script>", client.send("GET", "/api/docs").content.decode()) == []


@pytest.mark.parametrize("name", ["../app.py", "..%2f..%2f__init__.py", "%2e%2e%2f%2e%2e%2fapp.py", "nothing.js"])
def test_nothing_else_is_served_with_it(client: Client, name: str) -> None:
    assert client.send("GET", f"/api/docs/{name}").status == 404


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/stock", "/api/docs", "/nowhere"])
def test_every_answer_is_hardened(client: Client, path: str) -> None:
    headers = client.send("GET", path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" in headers
