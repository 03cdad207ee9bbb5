"""Leaves of the log: a fact with all that was written with it, as bytes that anybody can make again.

The bytes are JSON with sorted keys and nothing between them, in UTF-8. What is not there is left out, so that a column
that is added later changes no leaf of before. `stream` is what a fact belongs to, its batch or its sensor, and
`number` counts the stream's leaves from 1 on: whoever has some of them sees whether one between them is missing.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class FactKind(StrEnum):
    """What a leaf is of."""

    STOCK_EVENT = "stock-event"
    EXCURSION_VERSION = "excursion-version"
    ADVERSE_EVENT = "adverse-event"
    PACK_REGISTRATION = "pack-registration"


def canonical(kind: FactKind, stream: UUID, number: int, facts: Mapping[str, Any]) -> bytes:
    """The bytes of a leaf; `facts` are rows, or lists of rows, by what they are."""
    content = {"kind": kind.value, "stream": str(stream), "number": number, **facts}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON holds it: ids and instants as text, and nothing for what is not there."""
    return {name: _plain(value) for name, value in row.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID | date):
        return str(value)
    return value


def differences(then: bytes, now: bytes) -> Iterator[str]:
    """What differs between two leaves, by name: what it was and what it is."""
    was, is_ = (dict(_flat("", json.loads(each))) for each in (then, now))
    for name in sorted(was.keys() | is_.keys()):
        if was.get(name) != is_.get(name):
            yield f"{name} was {_told(was.get(name))}, is {_told(is_.get(name))}"


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every value with its path; a row in a list is named by its id, so that one more row is one difference."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(f"{name}.{key}" if name else key, each)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            mine = each.get("id", each.get("custody_id", number)) if isinstance(each, dict) else number
            clock = f" {each['name']}" if isinstance(each, dict) and "custody_id" in each else ""
            yield from _flat(f"{name}[{mine}{clock}]", each)
    else:
        yield name, value


def _told(value: Any) -> str:
    return "not there" if value is None else json.dumps(value, ensure_ascii=False)
