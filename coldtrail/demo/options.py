"""What the user of the demonstration chose, checked before anything is started."""

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from coldtrail.broker import HOST, Kind
from coldtrail.demo.processes import DemoFailed
from coldtrail.settings import DATABASE, postgres_or_sqlite

FASTEST = 600
"""An hour of the county is then six seconds: so long may a transaction take, or the log holds it against its facts."""


@dataclass(frozen=True)
class Options:
    """See `run_demo`."""

    folder: Path
    port: int
    mqtt_port: int | None
    speed: float
    days: float | None
    database_url: str | None
    broker: Kind | None

    @property
    def url(self) -> str:
        """Where the API will be."""
        return f"http://{HOST}:{self.port}"

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.folder / 'coldtrail.db'}"

    def require(self) -> None:
        """Raise `DemoFailed` for a port that is taken, a speed that is none or a database that we do not know."""
        _require_free(self.port, "COLDTRAIL_PORT")
        if self.mqtt_port is not None:
            _require_free(self.mqtt_port, "COLDTRAIL_MQTT_PORT")
        if not 0 < self.speed <= FASTEST:
            raise DemoFailed(f"speed is {self.speed:g}; expected more than 0 and at most {FASTEST}")
        try:
            postgres_or_sqlite(self.database)
        except ValueError as error:
            raise DemoFailed(f"the database URL is not {DATABASE}") from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other demonstrations out of the folder; raise `DemoFailed` where one is there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                where = f"another demonstration is running in {self.folder}"
                raise DemoFailed(f"{where}; end it first, or choose another --folder") from error
            yield


def _require_free(port: int, variable: str) -> None:
    """Bind as a server does: a port that only waits for old connections to fade is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise DemoFailed(f"port {port} cannot be used ({error}); choose another with {variable}") from error
