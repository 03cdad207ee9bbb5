"""New identifiers: UUIDv7, so that rows written together lie together."""

from uuid import UUID

from uuid6 import uuid7


def new_id() -> UUID:
    """A new identifier, ordered by time."""
    return UUID(int=uuid7().int)
