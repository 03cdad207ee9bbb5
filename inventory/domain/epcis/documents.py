"""The document around events."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from inventory.domain.epcis.events import CONTEXT, Json, instant

CONTENT_TYPE = "application/ld+json"


def document(events: list[Json], now: datetime, **more: Any) -> Json:
    """An EPCISDocument; `more` are fields of ours beside the standard's, with their prefix."""
    return _head(now) | more | {"epcisBody": {"eventList": events}}


def streamed(events: Iterable[Json], now: datetime) -> Iterator[str]:
    """The same in parts, an event a line, so that it may be of any length."""
    yield json.dumps(_head(now), ensure_ascii=False)[:-1] + ', "epcisBody": {"eventList": ['
    separator = "\n"
    for event in events:
        yield separator + json.dumps(event, ensure_ascii=False)
        separator = ",\n"
    yield "\n]}}\n"


def _head(now: datetime) -> Json:
    return {"@context": CONTEXT, "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": instant(now)}
