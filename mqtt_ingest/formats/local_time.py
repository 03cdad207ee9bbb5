"""Times that a device wrote by its own clock, without saying of which zone: the zone is told by whoever reads them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from inventory.strict_json import BadPayload


def instant(text: str, zone: ZoneInfo, form: str) -> datetime:
    """The instant, in UTC, of a local time of `zone` that is written as `form` says (a `strptime` format).

    A time that comes twice, where the clocks go back, is taken as its first occurrence.

    Raises:
        BadPayload: it is no such time, or never was in `zone`.
    """
    local = civil(text, form).replace(tzinfo=zone)
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise BadPayload(f"time {text!r} never was in {zone.key}; expected the zone that the device's clock follows")
    return at


def civil(text: str, form: str) -> datetime:
    """The time as it is written, of no zone; BadPayload for what is none."""
    try:
        local = datetime.strptime(text, form)  # noqa: DTZ007  (the file says no zone)
    except ValueError:
        example = datetime(2026, 1, 5, 8).strftime(form)  # noqa: DTZ001
        raise BadPayload(f"time is {text[:40]!r}; expected one such as {example}") from None
    if not 1 < local.year < 9999:
        raise BadPayload(f"time {text!r} is out of all range")
    return local
