"""The two processes of an installation: the API under gunicorn, and an ingest worker."""

import gc
import logging
import signal
import threading
from functools import partial
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from api.app import create_app
from coldtrail.delivering import read_delivery
from coldtrail.settings import Settings
from inventory.domain.errors import Unavailable
from inventory.persistence.database import Database
from inventory.persistence.migrate import is_current
from inventory.services import edge_nodes, gateways
from inventory.services.monitoring import Intake
from mqtt_ingest import topics
from mqtt_ingest.client import Subscriber
from mqtt_ingest.edge_nodes import EdgeNodes
from mqtt_ingest.ingestor import Ingestor

SHARDS = 256
_COLLECT_EVERY = 100_000


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
    every = None if len(settings.shards) == SHARDS else settings.shards
    filters, optional = topics.filters(every, settings.mqtt.root), topics.sparkplug_filters(every)
    subscriber = Subscriber(settings.mqtt, filters, optional)
    intake = Intake(database)
    spare_the_collector()
    Ingestor(
        subscriber,
        lambda chunk: intake.record(chunk, settings.clock()),
        settings.clock,
        away=(Unavailable,),
        root=settings.mqtt.root,
        nodes=_known_nodes(database),
        enrolled=lambda: gateways.enrolled(database, settings.shards),
    ).run(stop)
    subscriber.close()
    database.close()


def _known_nodes(database: Database) -> EdgeNodes:
    nodes = EdgeNodes()
    for shard, gateway, births in edge_nodes.remembered(database):
        nodes.load(shard, gateway, births)
    return nodes


def spare_the_collector() -> None:
    """Let Python look for cycles seldom: what a process of ours makes by the thousand has none."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY)


def _set(stop: threading.Event, _number: int, _frame: FrameType | None) -> None:
    stop.set()
