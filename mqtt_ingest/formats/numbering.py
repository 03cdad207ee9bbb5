"""How a gateway numbers its messages: `boot` and `seq`, which come together or not at all."""

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
