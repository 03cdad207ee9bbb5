"""The native format read quickly, where a message is as plain as nearly all are.

It says the same as the strict reader of mqtt_ingest.formats.native, or nothing: whatever is odd (an escape, a repeated
key, a field that is missing or unknown, a value out of range) is left to that one, which knows what to say of it.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

import msgspec

from inventory.domain.temperature import ABSOLUTE_ZERO, HIGHEST, centi
from inventory.services.messages import Measurement
from inventory.strict_json import MAX_BYTES, MAX_DIGITS
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.fields import CODE
from mqtt_ingest.formats.numbering import MAX_SEQ

INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_INTEGER = re.compile(rb"[1-9][0-9]{0,15}")
_NUMBER = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


_ABSENT = msgspec.Raw()


class _Reading(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    sensor: str
    at: str
    celsius: msgspec.Raw


class _Message(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    readings: list[_Reading] | None = None
    boot: str | None = None
    seq: msgspec.Raw = _ABSENT
    first: msgspec.Raw = _ABSENT
    sensor: str | None = None
    at: str | None = None
    celsius: msgspec.Raw = _ABSENT


_decode = msgspec.json.Decoder(_Message).decode


def read(payload: bytes) -> Content | None:
    """What a plain message says; None where the strict reader has to look."""
    if len(payload) > MAX_BYTES or b"\\" in payload:
        return None
    try:
        message = _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    readings = message.readings if message.readings is not None else _single(message)
    if not readings or not _named_once(payload, message, len(readings)):
        return None
    measurements = [_measurement(reading) for reading in readings]
    numbering = _numbering(message)
    if numbering is None or None in measurements:
        return None
    return Content(tuple(measurements), *numbering[:2], first=numbering[2])  # type: ignore[arg-type]


def _single(message: _Message) -> list[_Reading]:
    if message.sensor is None or message.at is None or message.celsius == _ABSENT:
        return []
    return [_Reading(message.sensor, message.at, message.celsius)]


def _named_once(payload: bytes, message: _Message, readings: int) -> bool:
    """Whether no key is repeated: of each name there are as many as values were found."""
    return (
        payload.count(b'"sensor"') == payload.count(b'"at"') == payload.count(b'"celsius"') == readings
        and (message.readings is None or (message.sensor is message.at is None and message.celsius == _ABSENT))
        and payload.count(b'"readings"') == (message.readings is not None)
        and payload.count(b'"boot"') == (message.boot is not None)
        and payload.count(b'"seq"') == (message.seq != _ABSENT)
        and payload.count(b'"first"') == (message.first != _ABSENT)
    )


def _numbering(message: _Message) -> tuple[str | None, int | None, int | None] | None:
    if message.boot is None and message.seq == _ABSENT and message.first == _ABSENT:
        return None, None, None
    if message.boot is None or message.seq == _ABSENT or not 1 <= len(message.boot) <= CODE:
        return None
    seq = _integer(message.seq, MAX_SEQ)
    first = None if message.first == _ABSENT else _integer(message.first, seq or 0)
    if seq is None or (first is None and message.first != _ABSENT):
        return None
    return message.boot, seq, first


def _integer(raw: msgspec.Raw, most: int) -> int | None:
    text = bytes(raw)
    value = int(text) if _INTEGER.fullmatch(text) else 0
    return value if 1 <= value <= most else None


def _measurement(reading: _Reading) -> Measurement | None:
    celsius = bytes(reading.celsius)
    if len(reading.at) > MAX_DIGITS or len(celsius) > MAX_DIGITS:
        return None  # before it is remembered
    at, temperature = _instant(reading.at), _temperature(celsius)
    if at is None or temperature is None or not 1 <= len(reading.sensor) <= CODE:
        return None
    return Measurement(reading.sensor, at, temperature)


@lru_cache(maxsize=16384)
def _instant(text: str) -> datetime | None:
    if not INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=16384)
def _temperature(text: bytes) -> int | None:
    """Hundredths of a degree, most of them seen before."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        value = Decimal(text.decode())
        return centi(value) if ABSOLUTE_ZERO <= value <= HIGHEST else None
    except (ArithmeticError, ValueError):
        return None
