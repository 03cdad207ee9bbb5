"""JSON from strangers, with the traps of the standard parser closed.

Python's parser takes NaN and Infinity (a NaN reading never alarms), raises RecursionError, which is no
ValueError, on deep nesting, and lets through what a database refuses for the whole chunk: NUL, lone surrogates,
integers of any size. Numbers with a fraction are read as Decimal, so that 4.56 is exactly 456 hundredths.
"""

import json
from decimal import Decimal
from typing import NoReturn

MAX_BYTES = 1 << 20
"""The longest payload that is looked at: the 1 MB (1,048,576 bytes) that WHO DS01 allows a delivery."""

MAX_DIGITS = 40
"""The longest number that is read; no measurement or sequence number comes near it."""


class BadPayload(ValueError):
    """A payload that cannot be read; `detail` says which field, what it was and what was expected."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


def loads(payload: bytes, longest: int = MAX_BYTES) -> object:
    """The JSON value in `payload`: dict, list, str, int, Decimal, bool or None; of a repeated key, the last.

    Raises:
        BadPayload: it is longer than `longest` bytes, not UTF-8, not JSON (RFC 8259), nested too deeply, or
            holds a number or text that cannot be stored.
    """
    if len(payload) > longest:
        raise BadPayload(f"payload is {len(payload)} bytes long; expected at most {longest}")
    try:
        text = payload.decode()
        value = _DECODER.decode(text)
        if "\\u" in text:
            _require_storable(value)
    except UnicodeDecodeError as error:
        raise BadPayload(f"payload is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise BadPayload(f"payload is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise BadPayload("payload is nested too deeply") from None
    return value


def _require_storable(value: object) -> None:
    """Refuse NUL and lone surrogates, which only an escape can bring in."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise BadPayload(f"text {value[:40]!r} holds NUL or half a surrogate pair")
    elif isinstance(value, dict):
        for key, member in value.items():
            _require_storable(key)
            _require_storable(member)
    elif isinstance(value, list):
        for member in value:
            _require_storable(member)


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


_DECODER = json.JSONDecoder(parse_float=_fraction, parse_int=_integer, parse_constant=_constant)
