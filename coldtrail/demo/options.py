"""What the user of the demonstration chose, checked before anything is started."""

import socket
from dataclasses import dataclass
from pathlib import Path

from coldtrail.broker import HOST, Kind
from coldtrail.demo.processes import DemoFailed


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
        """Raise `DemoFailed` for a port that is taken or a speed that is none."""
        _require_free(self.port, "COLDTRAIL_PORT")
        if self.mqtt_port is not None:
            _require_free(self.mqtt_port, "COLDTRAIL_MQTT_PORT")
        if self.speed <= 0:
            raise DemoFailed(f"speed is {self.speed:g}; expected more than 0")


def _require_free(port: int, variable: str) -> None:
    """Bind as a server does: a port that only waits for old connections to fade is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise DemoFailed(f"port {port} cannot be used ({error}); choose another with {variable}") from error
