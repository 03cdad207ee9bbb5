"""Whether a gateway is there: its birth, published on each connection, and its last will, published by the broker.

    {"online": true, "birth": 17}
    {"online": false, "birth": 17}

`birth` numbers what a will was made for. A broker may publish a will late, when its gateway has long come back: a will
whose number is not that of the last birth is about the past. A gateway that does not number its births leaves it out.
"""

import json

from inventory.services.messages import Presence
from inventory.strict_json import BadPayload, loads
from mqtt_ingest.formats import fields
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.numbering import MAX_SEQ

_MEMBERS = {"online", "birth"}


def parse(payload: bytes) -> Content:
    """The presence that a gateway, or its last will, states.

    Raises:
        BadPayload: it is not this format; the detail names the field.
    """
    message = fields.mapping(loads(payload), "message")
    fields.require_known(message, _MEMBERS)
    online = message.get("online")
    if not isinstance(online, bool):
        raise fields.refusal("online", online, "true or false")
    birth = fields.integer(message, "birth", 1, MAX_SEQ) if "birth" in message else None
    return Content((), presence=Presence(online, birth))


def identify(payload: bytes) -> Content:
    """BadPayload: nobody waits for the receipt of a birth or a will."""
    raise BadPayload(f"a state of {len(payload)} bytes has no number")


def encode(presence: Presence) -> bytes:
    """The payload that states a presence; the same one gives the same bytes."""
    content: dict[str, object] = {"online": presence.online}
    if presence.birth is not None:
        content["birth"] = presence.birth
    return json.dumps(content, separators=(",", ":")).encode()
