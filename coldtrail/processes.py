"""What the processes of an installation share: a database with our schema, a heartbeat, a collector that rests."""

import gc
from collections.abc import Callable
from pathlib import Path

from inventory.persistence.database import Database
from inventory.persistence.migrate import is_current

_COLLECT_EVERY = 100_000


class NotMigrated(RuntimeError):
    """The database lacks the schema of this version."""


def opened(url: str) -> Database:
    """The database, once it is sure that it has our schema: better no start than an error at each request.

    Raises:
        NotMigrated: it has not.
        Unavailable: `database_away`.
    """
    database = Database(url)
    file = database.engine.url.database or ""
    if database.is_sqlite and not file.startswith("file:") and not Path(file).exists():  # SQLite would make it
        raise NotMigrated(f"there is no database {file}; run `coldtrail migrate`")
    if not is_current(database):
        database.close()
        raise NotMigrated("the database has not the schema of this version; run `coldtrail migrate`")
    return database


def heartbeat(file: Path | None) -> Callable[[], None]:
    """What a process calls after each good round: it touches a file, if there is one, and so shows that it works.

    Who speaks no HTTP has no other way. What a former run has left is removed, for it says nothing of this one.
    """
    if file is None:
        return no_heartbeat
    file.unlink(missing_ok=True)
    return file.touch


def no_heartbeat() -> None:
    """Nobody looks."""


def spare_the_collector() -> None:
    """Let Python look for cycles seldom: what a process of ours makes by the thousand has none."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY)
