"""`coldtrail serve`: the API under gunicorn."""

from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from api.app import create_app
from coldtrail.delivering import read_delivery
from coldtrail.processes import opened, spare_the_collector
from coldtrail.settings import Settings
from coldtrail.telling import settings, told
from inventory.persistence.database import Database


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured by us; each worker opens its own database after the fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Our settings, in gunicorn's words."""
        options: dict[str, Any] = {
            "bind": self._settings.bind,
            "workers": self._settings.workers,
            "threads": self._settings.threads,
            "worker_class": "gthread",
            "keepalive": 75,
            "graceful_timeout": 10,
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, in a worker."""
        app = create_app(Database(self._settings.database_url), self._settings.clock, read_delivery)
        spare_the_collector()
        return app


def serve(settings: Settings) -> None:
    """Serve the API until a signal ends it.

    Raises:
        NotMigrated: the database is not ready.
        Unavailable: `database_away`.
    """
    opened(settings.database_url).close()
    _Gunicorn(settings).run()


@click.command("serve")
def serve_command() -> None:
    """Serve the HTTP API.

    Example: COLDTRAIL_BIND=127.0.0.1:8000 coldtrail serve
    """
    with told():
        serve(settings())
