"""New identifiers: UUIDv7, so that rows written together lie together."""

from datetime import timedelta
from uuid import UUID

from uuid6 import uuid7


def new_id() -> UUID:
    """A new identifier, ordered by time."""
    return UUID(int=uuid7().int)


def first_id_of_the_last(window: timedelta) -> UUID:
    """The least identifier that could have been made within a time before now, by the clock that ids are made by."""
    since = (uuid7().int >> 80) - window // timedelta(milliseconds=1)
    return UUID(int=max(since, 0) << 80)
