"""EPCIS documents held against the official schema, which stands beside the checkout."""

import json
from functools import cache
from typing import Any

import jsonschema
import pytest

from tests.conftest import SHARED_DATA

FOLDER = SHARED_DATA / "epcis"
Json = dict[str, Any]


@cache
def _validator() -> Any:
    schema = json.loads((FOLDER / "EPCIS-JSON-Schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)


def require_schema() -> None:
    """Skip where there is no schema to hold documents against."""
    if not FOLDER.is_dir():
        pytest.skip(f"there is no schema at {FOLDER}")


def valid(document: Json) -> Json:
    """The document, once nothing is wrong with it."""
    faults = [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in _flat(document)]
    assert not faults, faults[:5]
    return document


def _flat(document: Json) -> list[Any]:
    """What is wrong, as near to its place as the schema's alternatives let it be told."""
    found = list(_validator().iter_errors(document))
    while any(each.context for each in found):
        found = [below for each in found for below in (each.context or [each])]
    return found
