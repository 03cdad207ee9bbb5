"""The two processes of an installation: the API under gunicorn, and an ingest worker."""

import logging
import signal
import threading
from functools import partial
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from api.app import create_app
from coldtrail.settings import Settings
from inventory.domain.errors import Unavailable
from inventory.persistence.database import Database
from inventory.persistence.migrate import is_current
from inventory.services import monitoring
from mqtt_ingest import topics
from mqtt_ingest.client import Subscriber
from mqtt_ingest.ingestor import Ingestor

SHARDS = 256


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
        return create_app(Database(self._settings.database_url), self._settings.clock)


class NotMigrated(RuntimeError):
    """The database lacks the schema of this version."""


def opened(url: str) -> Database:
    """The database, once it is sure that it has our schema: better no start than an error at each request.

    Raises:
        NotMigrated: it has not.
        Unavailable: `database_away`.
    """
    database = Database(url)
    if not is_current(database):
        database.close()
        raise NotMigrated("the database has not the schema of this version; run `coldtrail migrate`")
    return database


def serve(settings: Settings) -> None:
    """Serve the API until a signal ends it.

    Raises:
        NotMigrated: the database is not ready.
        Unavailable: `database_away`.
    """
    opened(settings.database_url).close()
    _Gunicorn(settings).run()


def ingest(settings: Settings) -> None:
    """Take in the messages of the shards until SIGTERM or SIGINT; what is not committed then stays with its sender.

    Raises:
        NotMigrated: the database is not ready.
        Unavailable: `database_away` at the start; later it is waited for.
    """
    database = opened(settings.database_url)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, partial(_set, stop))
    every = len(settings.shards) == SHARDS
    filters = topics.filters(None if every else settings.shards, settings.mqtt.root)
    subscriber = Subscriber(settings.mqtt, filters)
    Ingestor(
        subscriber,
        lambda chunk: monitoring.record(database, chunk, settings.clock()),
        settings.clock,
        away=(Unavailable,),
        root=settings.mqtt.root,
    ).run(stop)
    subscriber.close()
    database.close()


def _set(stop: threading.Event, _number: int, _frame: FrameType | None) -> None:
    stop.set()
