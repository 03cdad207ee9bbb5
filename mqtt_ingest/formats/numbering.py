"""How a gateway numbers its messages: `boot` and `seq`, which come together or not at all, and perhaps `first`."""

from collections.abc import Mapping

from mqtt_ingest.formats import fields

MAX_SEQ = 2**53
"""The highest number: above it, makers whose numbers are doubles would repeat one."""


def numbering(message: Mapping[str, object]) -> tuple[str, int] | tuple[None, None]:
    """The boot id and sequence number of a message, or two Nones where it has neither.

    Raises:
        BadPayload: it has one without the other, or they are malformed.
    """
    if "boot" not in message and "seq" not in message:
        return None, None
    return fields.text(message, "boot"), fields.integer(message, "seq", 1, MAX_SEQ)


def first_kept(message: Mapping[str, object], seq: int | None) -> int | None:
    """The lowest number that the sender of message `seq` still keeps, or None where it does not say.

    Raises:
        BadPayload: it stands without a number, or is not from 1 to that number, which the sender must still keep.
    """
    if "first" not in message:
        return None
    if seq is None:
        raise fields.refusal("first", message["first"], "it only beside boot and seq")
    return fields.integer(message, "first", 1, seq)
