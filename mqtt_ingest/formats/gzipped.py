"""Gzip around a payload, unpacked within bounds: a kilobyte can unpack to a gigabyte."""

import zlib

from inventory.strict_json import MAX_BYTES, MAX_LEGIBLE, BadPayload

MAX_UNPACKED = 8 << 20
"""The most that a packed payload may unpack to, in bytes."""

_MAGIC = b"\x1f\x8b"
_GZIP_ONLY = 16 + zlib.MAX_WBITS
_PIECE = 32
"""Bytes: with what a piece does not unpack to, the rest of the piece is lost."""


def unpacked(payload: bytes) -> bytes:
    """The payload itself, or what is in it where it is gzip (RFC 1952, one member).

    Raises:
        BadPayload: it is longer than a delivery may be, damaged, unpacks to too much, or is packed twice.
    """
    if not payload.startswith(_MAGIC):
        return payload
    if len(payload) > MAX_BYTES:
        raise BadPayload(f"payload is {len(payload)} bytes long; expected at most {MAX_BYTES}")
    content = _inflated(payload)
    if content.startswith(_MAGIC):
        raise BadPayload("payload is gzip in gzip; expected it packed once")
    return content


def unpacked_in_part(payload: bytes) -> bytes:
    """The payload itself, or as much as can be had of what is in it, be it damaged or too long."""
    if not payload.startswith(_MAGIC):
        return payload
    inflater = zlib.decompressobj(_GZIP_ONLY)
    content = bytearray()
    try:
        for start in range(0, len(payload), _PIECE):
            content += inflater.decompress(payload[start : start + _PIECE], MAX_LEGIBLE - len(content))
            if inflater.eof or len(content) >= MAX_LEGIBLE:
                break
    except zlib.error:
        pass
    return bytes(content)


def _inflated(payload: bytes) -> bytes:
    inflater = zlib.decompressobj(_GZIP_ONLY)
    try:
        content = inflater.decompress(payload, MAX_UNPACKED + 1)
    except zlib.error as error:
        raise BadPayload(f"payload is damaged gzip: {error}") from None
    if len(content) > MAX_UNPACKED:
        raise BadPayload(f"payload unpacks to more than {MAX_UNPACKED} bytes")
    if not inflater.eof or inflater.unused_data:
        raise BadPayload("payload is gzip that breaks off or goes on after its end")
    return content
