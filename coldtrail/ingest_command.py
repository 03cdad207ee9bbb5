"""`coldtrail ingest`: an ingest worker."""

import logging
import os
import signal
import threading
from functools import partial
from types import FrameType

import click

from coldtrail.processes import heartbeat, opened, spare_the_collector
from coldtrail.settings import Settings
from coldtrail.telling import settings, told
from inventory.domain.errors import Unavailable
from inventory.persistence.database import Database
from inventory.services import edge_nodes, gateways
from inventory.services.monitoring import Intake
from mqtt_ingest import topics
from mqtt_ingest.client import Subscriber
from mqtt_ingest.edge_nodes import EdgeNodes
from mqtt_ingest.ingestor import Ingestor

SHARDS = 256


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
    ).run(stop, heartbeat(settings.heartbeat))
    subscriber.close()
    database.close()


def _known_nodes(database: Database) -> EdgeNodes:
    nodes = EdgeNodes()
    for shard, gateway, births in edge_nodes.remembered(database):
        nodes.load(shard, gateway, births)
    return nodes


def _set(stop: threading.Event, _number: int, _frame: FrameType | None) -> None:
    stop.set()


@click.command("ingest")
@click.option("--shards", help="the shards that this worker reads, such as 00-7f; else COLDTRAIL_SHARDS, else all")
def ingest_command(shards: str | None) -> None:
    """Take in readings from the broker.

    Example: COLDTRAIL_MQTT_URL=mqtt://ingest:secret@broker:1883 coldtrail ingest --shards 00-7f
    """
    if shards is not None:
        os.environ["COLDTRAIL_SHARDS"] = shards
    with told():
        ingest(settings())
