"""Receipts: what the service tells a gateway after the commit, as JSON on the gateway's own topic.

`{"boot": "...", "seq": 17}` says that all messages of that boot up to 17 are committed;
`{"transferId": "..."}` says it of one WHO delivery;
`{"resend": true}` confirms nothing: it asks for all that has no receipt, because the service knows that messages may
have been lost on their way. With `"boot"` it asks for that boot only. Who does not know this one may pass over it, for
he sends again in time anyway.
"""

import json
import logging
from collections.abc import Iterable, Mapping
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


@dataclass(frozen=True, slots=True)
class Resend:
    """What has no receipt is to be sent again, of `boot` only where one is named."""

    boot: str | None = None

    def concerns(self, boot: str) -> bool:
        """Whether it is said to the keeper of a boot."""
        return self.boot in {None, boot}


Heard = Numbered | Transferred | Resend
"""What may be heard on a receipt topic."""


def encode(receipt: Receipt) -> bytes:
    """The payload that tells a gateway."""
    if receipt.transfer_id is not None:
        return _json({"transferId": receipt.transfer_id})
    return _json({"boot": receipt.boot, "seq": receipt.seq})


def resend(boot: str | None = None) -> bytes:
    """The payload that asks a gateway to send again what has no receipt, of one boot or of whichever it keeps."""
    return _json({"resend": True} if boot is None else {"resend": True, "boot": boot})


def parse(payload: bytes) -> Heard:
    """What a receipt's payload says.

    Raises:
        BadPayload: it is no receipt.
    """
    message = fields.mapping(loads(payload), "receipt")
    if "resend" in message:
        return _resend(message)
    if "transferId" in message:
        return Transferred(fields.text(message, "transferId", longest=fields.TRANSFER_ID))
    return Numbered(fields.text(message, "boot"), fields.integer(message, "seq", 1, MAX_SEQ))


def _resend(message: Mapping[str, object]) -> Resend:
    if message["resend"] is not True:
        raise fields.refusal("resend", message["resend"], "true")
    return Resend(fields.text(message, "boot") if "boot" in message else None)


def heard(payload: bytes) -> Heard | None:
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
