"""Requests as the county's people send them, and the shortest way to have doses somewhere."""

from datetime import datetime
from itertools import count
from typing import Any

from tests.county import EXPIRY, HOUR, NOW, ONE
from tests.http import Client

_batches = count(1)

Json = dict[str, Any]


def new_batch() -> str:
    """The number of a batch that nobody has received."""
    return f"B{next(_batches)}"


def receipt(batch: str, doses: int = 100, **other: Any) -> Json:
    """Goods in at the city."""
    return {
        "facility": "CITY",
        "supplier": "MAKER",
        "gtin": ONE,
        "batch": batch,
        "expiry": EXPIRY.isoformat(),
        "doses": doses,
        "appliance": "CITY-ROOM",
        "occurred_at": stated(NOW - 3 * HOUR),
        "papers": ["lot-release-certificate", "delivery-note", "temperature-record"],
        "transport": {"arrival_celsius": 4.5},
    } | other


def dispatch(batch: str, doses: int = 10, **other: Any) -> Json:
    """From the county to site A."""
    return {
        "from_facility": "COUNTY",
        "to_facility": "SITE-A",
        "occurred_at": stated(NOW - 2 * HOUR),
        "lines": [{"gtin": ONE, "batch": batch, "doses": doses}],
    } | other


def arrival(**other: Any) -> Json:
    """A whole shipment into the fridge of site A."""
    return {
        "appliance": "A-FRIDGE",
        "occurred_at": stated(NOW - HOUR),
        "transport": {"arrival_celsius": 5},
    } | other


def administration(batch: str, doses: int = 1, **other: Any) -> Json:
    """Doses given at site A."""
    return {"facility": "SITE-A", "gtin": ONE, "batch": batch, "doses": doses, "occurred_at": stated(NOW)} | other


def override(batch: str, *covers: str, **other: Any) -> Json:
    """A supervisor's word for a batch at site A: for what its doses were exposed to, unless something else is said."""
    return {
        "facility": "SITE-A",
        "gtin": ONE,
        "batch": batch,
        "covers": list(covers) or ["exposure"],
        "occurred_at": stated(NOW),
        "reason": "The maker's stability data allow it",
    } | other


def stated(at: datetime) -> str:
    """An instant as a client writes it."""
    return at.isoformat()


def at_county(client: Client, doses: int = 100, **other: Any) -> str:
    """A batch with so many doses at the county; its number."""
    batch = new_batch()
    client.post("/receipts", receipt(batch, doses, facility="COUNTY", appliance="COUNTY-ROOM", **other)).ok()
    return batch


def at_site(client: Client, doses: int = 10, **other: Any) -> str:
    """A batch with so many doses at site A; its number."""
    batch = at_county(client, doses, **other)
    shipment = client.post("/shipments", dispatch(batch, doses)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    return batch
