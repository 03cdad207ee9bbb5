"""An ingest worker on a thread, as `coldtrail ingest` is one in a process; its session stays with the broker."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from coldtrail.broker import Broker
from coldtrail.ingest_command import SHARDS
from coldtrail.settings import session_name, shard_list
from inventory.clock import system_clock
from inventory.domain.errors import Unavailable
from inventory.persistence.database import Database
from inventory.services import gateways, monitoring
from inventory.services.messages import Receipt
from mqtt_ingest import topics
from mqtt_ingest.client import Subscriber
from mqtt_ingest.ingestor import Ingestor, Pace
from mqtt_ingest.reader import Entry
from mqtt_ingest.settings import MqttSettings


@contextmanager
def worker(broker: Broker, database_url: str, division: str = "00-ff", name: str | None = None) -> Iterator[None]:
    """A worker that hears a division of the shards, under the name that it would have, or another."""
    shards = shard_list(division)
    settings = MqttSettings.from_url(broker.url, name or session_name(shards), protocol=broker.protocol)
    every = None if len(shards) == SHARDS else shards
    subscriber = Subscriber(settings, topics.filters(every), topics.sparkplug_filters(every))
    database = Database(database_url)
    stop, errors = threading.Event(), list[Exception]()

    def work() -> None:
        try:
            _ingestor(subscriber, database, shards).run(stop)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        until(lambda: subscriber.connected or bool(errors))
        time.sleep(0.3)  # for the subscription, which follows at once
        yield
    finally:
        stop.set()
        thread.join()
        subscriber.close()
        database.close()
    assert errors == []


def _ingestor(subscriber: Subscriber, database: Database, shards: Sequence[str]) -> Ingestor:
    intake = monitoring.Intake(database)

    def record(chunk: Sequence[Entry]) -> list[Receipt]:
        return intake.record(chunk, system_clock())

    return Ingestor(
        subscriber,
        record,
        system_clock,
        away=(Unavailable,),
        pace=Pace(chunk=50, gather=0.02),
        enrolled=lambda: gateways.enrolled(database, shards),
    )


def until(what: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something holds."""
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.02)
