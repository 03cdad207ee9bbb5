"""A gateway's buffer: numbered messages in one SQLite file until the service has them.

The boot id is made with the file and lives as long as it, and a number is given in the transaction that stores its
message. So after a kill at any instant, or a power cut, nothing that was taken is lost and no number is given
twice; and when the file itself is lost, the new one has a new boot id, under which numbers begin again.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS stream (
        one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL, last INTEGER NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS message (seq INTEGER PRIMARY KEY, payload BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS birth (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL)",
)


class Buffer:
    """The messages of one gateway; one process and one thread at a time.

    Attributes:
        boot: the boot id, as long as this file lives.
        last: the number of the newest message ever added, 0 before the first.
        confirmed: the number up to which the service has everything.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open or make the file at `path`; without one, keep messages in memory, for tests.

        Raises:
            sqlite3.Error: the file cannot be opened, or is no buffer.
        """
        self._file = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=FULL")
        with self._transaction():
            for statement in _SCHEMA:
                self._file.execute(statement)
            self._file.execute("INSERT OR IGNORE INTO stream VALUES (1, ?, 0)", (secrets.token_hex(8),))
            self._file.execute("INSERT OR IGNORE INTO birth VALUES (1, 0)")
        self.boot: str
        self.last: int
        self.boot, self.last = self._file.execute("SELECT boot, last FROM stream").fetchone()
        self.confirmed: int = self.last - self._file.execute("SELECT count(*) FROM message").fetchone()[0]

    @property
    def outstanding(self) -> int:
        """How many messages the service has not confirmed yet."""
        return self.last - self.confirmed

    def add(self, encode: Callable[[str, int], bytes]) -> int:
        """Store the message that `encode` makes of the boot id and its number, and return the number.

        Raises:
            sqlite3.Error: it could not be stored (a full disk, say); then it has no number either.
        """
        seq = self.last + 1
        with self._transaction():
            self._file.execute("INSERT INTO message VALUES (?, ?)", (seq, encode(self.boot, seq)))
            self._file.execute("UPDATE stream SET last = ?", (seq,))
        self.last = seq
        return seq

    def next_birth(self) -> int:
        """A number that no birth had before, from 1 on, as long as this file lives."""
        with self._transaction():
            self._file.execute("UPDATE birth SET last = last + 1")
        birth: int = self._file.execute("SELECT last FROM birth").fetchone()[0]
        return birth

    def after(self, seq: int, limit: int) -> list[tuple[int, bytes]]:
        """Up to `limit` messages above `seq`, with their numbers, in order; the bytes are those that were added."""
        query = "SELECT seq, payload FROM message WHERE seq > ? ORDER BY seq LIMIT ?"
        return self._file.execute(query, (seq, limit)).fetchall()

    def confirm(self, boot: str, seq: int) -> bool:
        """Forget all up to `seq`; whether that was news. Of another boot, or a number never given, nothing is."""
        if boot != self.boot or not self.confirmed < seq <= self.last:
            return False
        self._file.execute("DELETE FROM message WHERE seq <= ?", (seq,))
        self.confirmed = seq
        return True

    def close(self) -> None:
        """Close the file; what is in it stays."""
        self._file.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._file.execute("COMMIT")
        except BaseException:
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise
