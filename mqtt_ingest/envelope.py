"""WHO delivery envelopes around bare records, complete enough for schema cce-interop 0.8.1."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from inventory.strict_json import BadPayload

SCHEMA_VERSION = "0.8.1"

_SOURCE = "coldtrail.replay"
_UNKNOWN = ("CID", "ADOP", "AMFR", "AMOD", "APQS", "EDOP", "EMFR", "EMOD", "EMSV", "EPQS", "LSV")
"""What the schema wants in a report and lets be null."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An envelope as it is sent, and the `transferId` by which its receipt names it."""

    transfer_id: str
    payload: bytes


def passed_through(envelope: dict[str, object]) -> Delivery:
    """A complete envelope, unchanged; BadPayload where it has no `meta.transferId`."""
    meta = envelope.get("meta")
    transfer_id = meta.get("transferId") if isinstance(meta, dict) else None
    if not isinstance(transfer_id, str):
        raise BadPayload("envelope has no meta.transferId")
    return Delivery(transfer_id, _json(envelope))


def wrapped(records: Sequence[object], gateway: str, serial: str, at: datetime) -> Delivery:
    """`ems` records of the logger `serial` in an envelope sent by `gateway` at an instant.

    The transferId comes of gateway, serial and records alone, so that the same records sent again at another time
    are recognisably the same delivery.
    """
    transfer_id = f"{gateway}:{_digest(gateway, serial, records)}"
    report = dict.fromkeys(_UNKNOWN) | _named(serial) | {"records": list(records)}
    meta = {
        "schemaVersion": SCHEMA_VERSION,
        "transferType": "ems",
        "transferId": transfer_id,
        "transferSrc": _SOURCE,
        "transferredAt": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return Delivery(transfer_id, _json({"meta": meta, "data": [report]}))


def _named(serial: str) -> dict[str, object]:
    """What must not be null: the logger, and serials, a null one being a fault in a delivery."""
    logger = {"LSER": serial, "LDOP": "", "LMFR": "", "LMOD": "", "LPQS": ""}
    return {"ASER": serial, "ESER": serial, **logger}


def _digest(*parts: object) -> str:
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
