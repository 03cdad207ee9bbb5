"""Typed access to parsed JSON; every refusal names the field, its value and what was expected."""

import json
from collections.abc import Collection, Mapping
from decimal import Decimal

from inventory.domain.temperature import centi
from inventory.strict_json import BadPayload, require_storable

CODE = 64
"""The longest code, serial or boot id, in characters."""

TRANSFER_ID = 200
"""The longest identifier of a WHO delivery, in characters."""

_MISSING = object()


def refusal(field: str, value: object, expected: str) -> BadPayload:
    """The error for a field that is not what was expected."""
    return BadPayload(f"{field} is {shown(value)}; expected {expected}")


def shown(value: object) -> str:
    """A value, shortened for a message; a container only by its kind, for it may be deep and large."""
    if value is _MISSING:
        return "missing"
    if isinstance(value, dict | list):
        return f"an {'object' if isinstance(value, dict) else 'array'} of {len(value)}"
    if isinstance(value, str):
        return repr(value) if len(value) <= CODE else f"{value[:CODE]!r}..."
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def mapping(value: object, field: str) -> dict[str, object]:
    """The object that `value` must be, or BadPayload."""
    if not isinstance(value, dict):
        raise refusal(field, value, "an object")
    return value


def array(holder: Mapping[str, object], name: str, path: str = "") -> list[object]:
    """The array, not empty, that member `name` of `holder` must be, or BadPayload."""
    value = holder.get(name, _MISSING)
    if not isinstance(value, list) or not value:
        raise refusal(path + name, value, "an array of at least one")
    return value


def member(holder: Mapping[str, object], name: str, path: str = "") -> dict[str, object]:
    """The object that member `name` of `holder` must be, or BadPayload."""
    return mapping(holder.get(name, _MISSING), path + name)


def text(holder: Mapping[str, object], name: str, path: str = "", longest: int = CODE) -> str:
    """The text of 1 to `longest` characters that member `name` of `holder` must be, or BadPayload."""
    value = holder.get(name, _MISSING)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise refusal(path + name, value, f"a text of 1 to {longest} characters")
    return value


def integer(holder: Mapping[str, object], name: str, low: int, high: int, path: str = "") -> int:
    """The integer from `low` to `high` that member `name` must be, or BadPayload; 17.0 is none."""
    value = holder.get(name, _MISSING)
    if type(value) is not int or not low <= value <= high:
        raise refusal(path + name, value, f"an integer from {low} to {high}")
    return value


def temperature(
    holder: Mapping[str, object], name: str, low: Decimal | int, high: Decimal | int, path: str = ""
) -> int:
    """Hundredths of a degree from the degrees Celsius, `low` to `high`, in member `name`, or BadPayload."""
    value = holder.get(name, _MISSING)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not low <= value <= high:
        raise refusal(path + name, value, f"a number of degrees Celsius from {low} to {high}")
    return centi(value)


def require_serial(serial: str, field: str) -> str:
    """The serial itself, 1 to `CODE` characters that can be stored, or BadPayload."""
    if not 1 <= len(serial) <= CODE:
        raise refusal(field, serial, f"a text of 1 to {CODE} characters")
    require_storable(serial)
    return serial


def require_known(holder: Mapping[str, object], known: Collection[str], path: str = "") -> None:
    """Refuse members beside `known`: a misspelt one would be lost in silence."""
    for name in holder:
        if name not in known:
            raise BadPayload(f"{path}{shown(name)} is unknown; expected only {', '.join(sorted(known))}")
