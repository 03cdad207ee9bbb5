"""What an unreadable payload still says about whose it is: enough to receipt it, so that it blocks nobody.

The payload itself is kept aside as it came. All that is taken from it here is how its sender knows it, and that has
to be as well-formed as in any other message.
"""

import re

from inventory.strict_json import BadPayload, legible

_VALUE = rb'\s*:\s*("(?:[^"\\]|\\.){1,2000}"|[0-9]{1,16})(?=\s*[,}])'
"""A text or a number with what must follow it: where the payload breaks off, it could be the half of another."""


def by_looks(payload: bytes, *names: str) -> dict[str, object]:
    """The members of these names in what is no JSON (it breaks off, say); each has to be there exactly once.

    Raises:
        BadPayload: one of them is not, so that nobody could tell which value is meant.
    """
    return {name: _value(payload, b'"%s"' % name.encode()) for name in names}


def _value(payload: bytes, key: bytes) -> object:
    found = re.search(key + _VALUE, payload)
    if found is None or payload.count(key) > 1:
        raise BadPayload(f"{key.decode()} cannot be made out in what is no JSON")
    return legible(found[1])
