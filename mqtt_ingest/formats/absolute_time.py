"""Times as WHO DS01 writes them: ABST, the absolute time in UTC (`20260105T080000Z`), and ISO 8601 durations."""

import re
from datetime import UTC, datetime, timedelta

from inventory.strict_json import BadPayload
from mqtt_ingest.formats.fields import shown

ABST = re.compile(r"(2[0-9]{3})([0-9]{2})([0-9]{2})T([0-2][0-9])([0-9]{2})([0-9]{2})(?:\.([0-9]+))?Z")
"""What the schema takes for an ABST; not each of these is a day of the calendar."""

_NUMBER = r"([0-9]{1,6})"
_DURATION = re.compile(rf"P(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?")


def moment(text: str) -> datetime | None:
    """The instant of an ABST, down to its microsecond; None for what is none."""
    match = ABST.fullmatch(text)
    if match is None:
        return None
    *parts, fraction = match.groups()
    year, month, day, hour, minute, second = map(int, parts)
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, UTC)
    except ValueError:
        return None


def instant(text: str, field: str = "ABST") -> datetime:
    """The instant of an ABST; BadPayload, which names `field`, for what is none."""
    at = moment(text)
    if at is None:
        raise BadPayload(f"{field} is {shown(text)}; expected a UTC time such as 20260105T080000Z")
    return at


def duration(text: str, field: str) -> timedelta:
    """The length of an ISO 8601 duration of days, hours, minutes and whole seconds, such as `P100DT9H2M14S`.

    Raises:
        BadPayload: it is none, or it counts in months or years, which have no length; the detail names `field`.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()) or text.endswith("T"):
        raise BadPayload(f"{field} is {shown(text)}; expected a duration such as P100DT9H2M14S")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
