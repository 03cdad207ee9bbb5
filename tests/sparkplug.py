"""Payloads of Sparkplug B, written from the numbers of its fields."""

from datetime import UTC, datetime

from tests.wire import double, integer, single, text

EIGHT = datetime(2026, 1, 5, 8, tzinfo=UTC)
MS = int(EIGHT.timestamp() * 1000)

INT16, INT32, INT64, UINT64, FLOAT, DOUBLE, BOOLEAN, STRING = 2, 3, 4, 8, 9, 10, 11, 12
_TIMESTAMP, _METRICS, _SEQ = 1, 2, 3


def payload(*metrics: bytes, seq: int | None = 0, at: int | None = MS) -> bytes:
    head = integer(_TIMESTAMP, at) if at is not None else b""
    tail = integer(_SEQ, seq) if seq is not None else b""
    return head + b"".join(text(_METRICS, each) for each in metrics) + tail


def metric(
    name: str | None,
    alias: int | None,
    datatype: int | None = None,
    value: bytes = b"",
    *,
    at: int | None = None,
    null: bool = False,
    properties: dict[str, bytes] | None = None,
) -> bytes:
    """A metric; its value and those of its properties are given as they stand on the wire (see below)."""
    found = text(1, name) if name is not None else b""
    found += integer(2, alias) if alias is not None else b""
    found += integer(3, at) if at is not None else b""
    found += integer(4, datatype) if datatype is not None else b""
    found += integer(7, 1) if null else b""
    if properties:
        keys = b"".join(text(1, key) for key in properties)
        found += text(9, keys + b"".join(text(2, each) for each in properties.values()))
    return found + value


def an_int(number: int) -> bytes:
    return integer(10, number & 0xFFFF_FFFF)


def a_long(number: int) -> bytes:
    return integer(11, number & 0xFFFF_FFFF_FFFF_FFFF)


def a_float(number: float) -> bytes:
    return single(12, number)


def a_double(number: float) -> bytes:
    return double(13, number)


def a_boolean(true: bool) -> bytes:
    return integer(14, int(true))


def said(word: str) -> bytes:
    """A property that is a text."""
    return integer(1, STRING) + text(8, word)


def scaled(step: float) -> bytes:
    """A property that is a Float."""
    return integer(1, FLOAT) + single(5, step)


def bdseq(number: int) -> bytes:
    return metric("bdSeq", None, INT64, a_long(number))
