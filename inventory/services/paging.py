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


_READERS: dict[type, Callable[[str], Any]] = {datetime: _aware, UUID: UUID, str: _printable}


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
    return Page(rows[:limit], _cursor(rows[limit - 1][-len(key) :]) if more else None)


def _cursor(values: Sequence[Any]) -> str:
    texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode()


def _read(cursor: str, key: Sequence[Column]) -> list[Any]:
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        pairs = zip(key, enumerate(texts), strict=True)
        return [_READERS[column.type.python_type](texts[place]) for column, (place, _) in pairs]
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise Invalid(Code.MALFORMED, "after", cursor, N_("the `next` of an earlier page")) from error
