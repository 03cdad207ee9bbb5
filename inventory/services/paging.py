"""Keyset paging: a page begins behind the last key of the page before, however the table has grown meanwhile."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.domain.errors import N_, Code, Invalid

Column = InstrumentedAttribute[Any] | ColumnElement[Any]
T = TypeVar("T")
U = TypeVar("U")


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError(text)
    return text


def _aware(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at


def _small(text: str) -> int:
    value = int(text)
    if abs(value) >= 1 << 31:
        raise ValueError(text)
    return value


_READERS: dict[type, Callable[[str], Any]] = {datetime: _aware, UUID: UUID, str: _printable, int: _small}


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items and, where there are more, the cursor behind which the next page begins."""

    items: Sequence[T]
    next: str | None

    def map(self, change: Callable[[T], U]) -> "Page[U]":
        """The same page of changed items."""
        return Page([change(item) for item in self.items], self.next)


def page(
    session: Session,
    query: Select[*tuple[Any, ...]],
    key: Sequence[Column],
    after: str | None,
    limit: int,
) -> Page[Any]:
    """The rows of a query in the order of a unique key, `limit` at most, behind the cursor `after`.

    Raises:
        Invalid: `malformed` for a cursor that no page gave.
    """
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(*_read(after, key)))
    rows = session.execute(query.add_columns(*key).order_by(*key).limit(limit + 1)).all()
    more = len(rows) > limit
    return Page(rows[:limit], cursor_of(rows[limit - 1][-len(key) :]) if more else None)


def merged(one: Page[Any], other: Page[Any], key_length: int, limit: int) -> Page[Any]:
    """One page of the rows of two that were asked for behind the same cursor, by a key of the same kind."""
    rows = sorted([*one.items, *other.items], key=lambda row: tuple(row[-key_length:]))
    more = len(rows) > limit or one.next is not None or other.next is not None
    return Page(rows[:limit], cursor_of(rows[limit - 1][-key_length:]) if more else None)


def cursor_of(values: Sequence[Any]) -> str:
    """The cursor behind an item whose key has these values."""
    texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode()


def instant_in(cursor: str) -> datetime:
    """The instant that a cursor is made of; Invalid `malformed` for one that is not."""
    (at,) = _values(cursor, [datetime])
    return at  # type: ignore[no-any-return]


def _read(cursor: str, key: Sequence[Column]) -> list[Any]:
    return _values(cursor, [column.type.python_type for column in key])


def _values(cursor: str, kinds: Sequence[type]) -> list[Any]:
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        pairs = zip(kinds, enumerate(texts), strict=True)
        return [_READERS[kind](texts[place]) for kind, (place, _) in pairs]
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise Invalid(Code.MALFORMED, "after", cursor, N_("the `next` of an earlier page")) from error
