"""Coldtrail's own format: one reading, or several, with the number that makes the message safe to repeat.

    {"boot": "9f2c", "seq": 17, "readings": [
        {"sensor": "S1", "at": "2026-01-05T08:00:00+08:00", "celsius": 4.5}]}
    {"sensor": "S1", "at": "2026-01-05T08:00:00+08:00", "celsius": 4.5}

Beside its number a message may state `first`, the lowest number that the sender still keeps: a service that was set
back to a backup learns from it which numbers it need not wait for.

Unknown fields are refused, and so is a time without an offset: which 08:00 it was nobody could tell afterwards.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from inventory.domain.temperature import ABSOLUTE_ZERO, HIGHEST
from inventory.services.messages import Measurement
from inventory.strict_json import BadPayload, legible, loads, require_storable
from mqtt_ingest.formats import fields, salvage, swift
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.numbering import first_kept, numbering

_NUMBERING = {"boot", "seq", "first"}
_READING = {"sensor", "at", "celsius"}


def parse(payload: bytes) -> Content:
    """The readings of a native message, in UTC.

    Raises:
        BadPayload: it is not this format; the detail names the field.
    """
    return swift.read(payload) or strictly(payload)


def strictly(payload: bytes) -> Content:
    """The same, slowly, with all that is wrong found and named.

    Raises:
        BadPayload: it is not this format; the detail names the field.
    """
    message = fields.mapping(loads(payload), "message")
    boot, seq = numbering(message)
    return Content(_measurements(message), boot, seq, first=first_kept(message, seq))


def identify(payload: bytes) -> Content:
    """Only the number of a native message, whatever else is in it; BadPayload where not even that is legible."""
    message = _legible(payload)
    boot, seq = numbering(message)
    require_storable(boot)
    return Content((), boot, seq, first=_first_if_legible(message, seq))


def encode(boot: str, seq: int, measurements: Sequence[Measurement]) -> bytes:
    """The native message with these readings; the same arguments give the same bytes."""
    readings = [_encoded(measurement) for measurement in measurements]
    content = {"boot": boot, "seq": seq, "readings": readings}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def stating(payload: bytes, first: int) -> bytes:
    """The message that `encode` made, with the lowest number that its sender keeps at this moment.

    It is added when the message is sent, for that number grows while the message waits.
    """
    return b'{"first":%d,' % first + payload.removeprefix(b"{")


def _legible(payload: bytes) -> Mapping[str, object]:
    try:
        message = legible(payload)
    except BadPayload:
        return salvage.by_looks(payload, "boot", "seq")
    return fields.mapping(message, "message")


def _first_if_legible(message: Mapping[str, object], seq: int | None) -> int | None:
    """A malformed `first` is no reason to lose the number beside it."""
    try:
        return first_kept(message, seq)
    except BadPayload:
        return None


def _measurements(message: Mapping[str, object]) -> tuple[Measurement, ...]:
    if "readings" not in message:
        fields.require_known(message, _NUMBERING | _READING)
        return (_measurement(message),)
    fields.require_known(message, _NUMBERING | {"readings"})
    return tuple(
        _measurement(fields.mapping(reading, f"readings[{index}]"), f"readings[{index}].")
        for index, reading in enumerate(fields.array(message, "readings"))
    )


def _measurement(reading: Mapping[str, object], path: str = "") -> Measurement:
    if path:
        fields.require_known(reading, _READING, path)
    return Measurement(
        sensor=fields.text(reading, "sensor", path),
        measured_at=_instant(fields.text(reading, "at", path), f"{path}at"),
        temperature=fields.temperature(reading, "celsius", ABSOLUTE_ZERO, HIGHEST, path),
    )


def _instant(text: str, field: str) -> datetime:
    expected = "a time with an offset, such as 2026-01-05T08:00:00+08:00"
    if not swift.INSTANT.fullmatch(text):
        raise fields.refusal(field, text, expected)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise fields.refusal(field, text, expected) from None


def _encoded(measurement: Measurement) -> dict[str, object]:
    return {
        "sensor": measurement.sensor,
        "at": measurement.measured_at.astimezone(UTC).isoformat(),
        "celsius": measurement.temperature / 100,
    }
