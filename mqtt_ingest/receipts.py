"""Receipts: what the service tells a gateway after the commit, as JSON on the gateway's own topic.

`{"boot": "...", "seq": 17}` says that all messages of that boot up to 17 are committed;
`{"transferId": "..."}` says it of one WHO delivery.
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from inventory.services.messages import Receipt
from inventory.strict_json import BadPayload, loads
from mqtt_ingest.formats import fields
from mqtt_ingest.formats.numbering import MAX_SEQ

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Numbered:
    """All messages of `boot` up to and with `seq` are committed."""

    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class Transferred:
    """The delivery with this `transfer_id` is committed."""

    transfer_id: str


def encode(receipt: Receipt) -> bytes:
    """The payload that tells a gateway."""
    if receipt.transfer_id is not None:
        return _json({"transferId": receipt.transfer_id})
    return _json({"boot": receipt.boot, "seq": receipt.seq})


def parse(payload: bytes) -> Numbered | Transferred:
    """What a receipt's payload says.

    Raises:
        BadPayload: it is no receipt.
    """
    message = fields.mapping(loads(payload), "receipt")
    if "transferId" in message:
        return Transferred(fields.text(message, "transferId", longest=fields.TRANSFER_ID))
    return Numbered(fields.text(message, "boot"), fields.integer(message, "seq", 1, MAX_SEQ))


def heard(payload: bytes) -> Numbered | Transferred | None:
    """What a gateway hears on its receipt topic; what is no receipt is noted and changes nothing."""
    try:
        return parse(payload)
    except BadPayload as error:
        _log.warning("a receipt that is none: %s", error)
        return None


def newest(receipts: Iterable[Receipt]) -> list[Receipt]:
    """For each gateway and boot the furthest receipt, and one for each delivery: the rest say nothing more."""
    kept: dict[tuple[str, str, str | None, str | None], Receipt] = {}
    for receipt in receipts:
        key = (receipt.shard, receipt.gateway, receipt.boot, receipt.transfer_id)
        if key not in kept or (receipt.seq or 0) > (kept[key].seq or 0):
            kept[key] = receipt
    return list(kept.values())


def _json(content: dict[str, object]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
