"""The alarms that a device states itself, as WHO DS01 writes them: codes in one text, with spaces between."""

from inventory.strict_json import BadPayload
from mqtt_ingest.formats.fields import CODE, shown

MOST_CODES = 32
"""How many codes one record may have; the standard knows five, and their acknowledged forms."""


def codes(stated: str | None) -> tuple[str, ...]:
    """The codes of ALRM, each once and as it stands: `HEAT`, `HEATACK`, a vendor's `0x01`.

    Null and "none" are no code: the device says that it has no alarm.

    Raises:
        BadPayload: a code is longer than can be stored, or there are too many; the detail goes on from the field.
    """
    if stated is None:
        return ()
    found = tuple(dict.fromkeys(stated.split()))
    if [code.lower() for code in found] == ["none"]:
        return ()
    if len(found) > MOST_CODES:
        raise BadPayload(f"has {len(found)} codes; expected at most {MOST_CODES}")
    for code in found:
        if len(code) > CODE:
            raise BadPayload(f"has the code {shown(code)}; expected at most {CODE} characters")
    return found
