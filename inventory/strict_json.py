"""JSON from strangers, with the traps of the standard parser closed.

Python's parser takes NaN and Infinity (a NaN reading never alarms), raises RecursionError, which is no
ValueError, on deep nesting, and lets through what a database refuses for the whole chunk: NUL, lone surrogates,
integers of any size. Of a repeated key it silently keeps the last, so that `doses: 10 ... doses: 9999` would be
9999. Numbers with a fraction are read as Decimal, so that 4.56 is exactly 456 hundredths.

What is refused here may still be `legible`: enough of it can be read to say whose it was.
"""

import json
from decimal import Decimal
from typing import NoReturn

MAX_BYTES = 1 << 20
"""The longest payload that is looked at: the 1 MB (1,048,576 bytes) that WHO DS01 allows a delivery."""

MAX_LEGIBLE = 16 << 20
"""The longest payload, in bytes, that is looked at only to learn whose it is."""

MAX_DIGITS = 40
"""The longest number that is read; no measurement or sequence number comes near it."""


class BadPayload(ValueError):
    """A payload that cannot be read; `detail` says which field, what it was and what was expected."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


def loads(payload: bytes, longest: int = MAX_BYTES) -> object:
    """The JSON value in `payload`: dict, list, str, int, Decimal, bool or None.

    Raises:
        BadPayload: it is longer than `longest` bytes, not UTF-8, not JSON (RFC 8259), nested too deeply, repeats
            a key within an object, or holds a number or text that cannot be stored.
    """
    if len(payload) > longest:
        raise BadPayload(f"payload is {len(payload)} bytes long; expected at most {longest}")
    try:
        text = payload.decode()
        value = _DECODER.decode(text)
        if "\\u" in text:
            require_storable(value)
    except UnicodeDecodeError as error:
        raise BadPayload(f"payload is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise BadPayload(f"payload is not JSON from character {error.pos} on") from None
    except RecursionError:
        raise BadPayload("payload is nested too deeply") from None
    return value


def legible(payload: bytes) -> object:
    """What can be made out of a payload that `loads` refuses; None stands where a value is unreadable or doubtful.

    Read so are NaN, Infinity, every fraction, numbers that are too long, and a key repeated with different values.
    Bytes that are no UTF-8 become lone surrogates, and no text is checked: `require_storable` what is taken of it.

    Raises:
        BadPayload: it is longer than `MAX_LEGIBLE`, or its brackets and quotes do not even fit together.
    """
    if len(payload) > MAX_LEGIBLE:
        raise BadPayload(f"payload is {len(payload)} bytes long; expected at most {MAX_LEGIBLE}")
    try:
        value: object = _LENIENT.decode(payload.decode(errors="surrogateescape").removeprefix("\ufeff"))
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadPayload(f"payload is not even legible: {error}") from None
    return value


def require_storable(value: object) -> None:
    """Refuse NUL and lone surrogates, which only an escape, or a lenient reading, can bring in."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise BadPayload(f"text {value[:40]!r} holds NUL or half a surrogate pair")
    elif isinstance(value, dict):
        for key, member in value.items():
            require_storable(key)
            require_storable(member)
    elif isinstance(value, list):
        for member in value:
            require_storable(member)


def _integer(digits: str) -> int:
    return int(_short(digits))


def _fraction(digits: str) -> Decimal:
    try:
        return Decimal(_short(digits))
    except ArithmeticError:
        raise BadPayload(f"number {digits} is out of all range") from None


def _short(digits: str) -> str:
    if len(digits) > MAX_DIGITS:
        raise BadPayload(f"number {digits[:MAX_DIGITS]}... is longer than {MAX_DIGITS} characters")
    return digits


def _constant(name: str) -> NoReturn:
    raise BadPayload(f"{name} is no JSON number")


def _object(members: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in members:
        if key in found:
            raise BadPayload(f"key {key[:40]!r} is repeated; expected it once")
        found[key] = value
    return found


def _doubtful_object(members: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in members:
        found[key] = value if found.setdefault(key, value) == value else None
    return found


def _short_integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= MAX_DIGITS else None


def _nothing(_text: str) -> None:
    return None


_DECODER = json.JSONDecoder(
    parse_float=_fraction, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_object
)
_LENIENT = json.JSONDecoder(
    parse_float=_nothing,
    parse_int=_short_integer,
    parse_constant=_nothing,
    object_pairs_hook=_doubtful_object,
    strict=False,
)
