"""Protobuf written by hand, byte by byte, so that no test of a format rests on the library that reads it."""

import struct

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all bytes but the last have their highest bit set."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def integer(field: int, number: int) -> bytes:
    return varint(field << 3 | VARINT) + varint(number)


def single(field: int, number: float) -> bytes:
    return varint(field << 3 | FIXED32) + struct.pack("<f", number)


def double(field: int, number: float) -> bytes:
    return varint(field << 3 | FIXED64) + struct.pack("<d", number)


def text(field: int, content: str | bytes) -> bytes:
    """A text, or a message."""
    content = content if isinstance(content, bytes) else content.encode()
    return varint(field << 3 | BYTES) + varint(len(content)) + content
