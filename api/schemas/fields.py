"""Fields that hold a rule of ours: strict integers, instants with an offset, exact temperatures, plain text."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from marshmallow import Schema as BaseSchema
from marshmallow import ValidationError, fields, validate

from inventory.domain.errors import N_, Code, ColdtrailError, Invalid
from inventory.domain.packs import MOST_DOSES
from inventory.domain.temperature import celsius, centi


class Schema(BaseSchema):
    """A schema that refuses unknown fields and dumps in the order they are written in."""


class Instant(fields.Field[datetime]):
    """An ISO 8601 time with an offset; dumped in UTC."""

    default_error_messages = {"invalid": "Expected an ISO 8601 time with an offset, such as 2026-01-05T08:30:00+08:00."}  # noqa: RUF012

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        try:
            at = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
            if at.tzinfo is not None:
                return at.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self.make_error("invalid") from error
        raise Invalid(
            Code.NAIVE_TIME, attr or "time", value, N_("a time with an offset, such as 2026-01-05T08:30:00+08:00")
        )


class Celsius(fields.Field[int]):
    """A temperature: degrees Celsius outside, a whole number of hundredths inside."""

    default_error_messages = {"invalid": "Expected a temperature in degrees Celsius, such as 4.5."}  # noqa: RUF012

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **kwargs: Any) -> float | None:
        return None if value is None else float(celsius(value))

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.make_error("invalid")
        try:
            return centi(value)
        except ValueError as error:
            raise self.make_error("invalid") from error


class Minutes(fields.Field[timedelta]):
    """A duration, dumped in minutes to a tenth of a second's worth."""

    def _serialize(self, value: timedelta | None, attr: str | None, obj: Any, **kwargs: Any) -> float | None:
        return None if value is None else round(value.total_seconds() / 60, 3)


class Seconds(fields.Field[timedelta]):
    """A duration, dumped in seconds to a thousandth of one."""

    def _serialize(self, value: timedelta | None, attr: str | None, obj: Any, **kwargs: Any) -> float | None:
        return None if value is None else round(value.total_seconds(), 3)


@dataclass(frozen=True)
class Malformed:
    """An item of a list that cannot be read, as JSON, and why."""

    text: str
    why: ValidationError | ColdtrailError


class OneByOne(fields.List[Any]):
    """A list in which an item that is malformed leaves the others as they are: `Malformed` stands in its place."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return [self._read(item, **kwargs) for item in value]

    def _read(self, item: Any, **kwargs: Any) -> Any:
        try:
            return self.inner.deserialize(item, **kwargs)
        except (ValidationError, ColdtrailError) as refused:
            return Malformed(json.dumps(item, sort_keys=True, default=str), refused)


def doses(**kwargs: Any) -> fields.Integer:
    """A whole number of doses, at least one."""
    return fields.Integer(strict=True, validate=validate.Range(1, MOST_DOSES), **kwargs)


def some_doses(**kwargs: Any) -> fields.Integer:
    """A whole number of doses, or none."""
    return fields.Integer(strict=True, validate=validate.Range(0, MOST_DOSES), **kwargs)


def count(**kwargs: Any) -> fields.Integer:
    """A whole number, at least one."""
    return fields.Integer(strict=True, validate=validate.Range(1, 1_000_000), **kwargs)


def code(**kwargs: Any) -> fields.String:
    """A code or serial: what may stand in an address, a topic and on a label."""
    return matching("^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$", **kwargs)


def batch_number(**kwargs: Any) -> fields.String:
    """A batch/lot as GS1 AI 10 allows it: 1 to 20 characters of set 82."""
    return matching('^[!"%-/0-9:-?A-Z_a-z]{1,20}$', **kwargs)


def matching(pattern: str, **kwargs: Any) -> fields.String:
    """Text of a pattern that clients in any language can read; Python's `$` would let a line end through."""
    return fields.String(validate=[validate.Regexp(pattern), _printable], **kwargs)


def text(longest: int, **kwargs: Any) -> fields.String:
    """Plain text for people, without control characters or halves of characters."""
    return fields.String(validate=[validate.Length(1, longest), _printable], **kwargs)


def word(words: type[StrEnum], **kwargs: Any) -> fields.Enum[Any]:
    """One of a closed list of words."""
    return fields.Enum(words, by_value=True, **kwargs)


def _printable(value: str) -> None:
    if not value.isprintable() and any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise ValidationError("Expected text without control characters.")
