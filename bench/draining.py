"""What drains a durable session in the benchmarks, each a process of its own: our ingest worker, a bare paho client.

Prints one JSON line: messages a second, and the resident memory in bytes after a fifth of them and at its most.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from coldtrail.processes import spare_the_collector
from inventory.clock import system_clock
from inventory.persistence.database import Database
from inventory.services.messages import Receipt
from inventory.services.monitoring import Intake
from mqtt_ingest import topics
from mqtt_ingest.client import Subscriber
from mqtt_ingest.ingestor import Ingestor
from mqtt_ingest.reader import Entry
from mqtt_ingest.settings import MqttSettings


def ours(port: int, client_id: str, count: int, url: str) -> dict[str, float]:
    """Our ingest worker, until it has stored so many messages; how many a second after its first chunk."""
    database, stop = Database(url), Event()
    intake = Intake(database)
    commits: list[tuple[float, int]] = []
    memory: dict[str, int] = {}
    done = 0

    def record(chunk: Sequence[Entry]) -> list[Receipt]:
        nonlocal done
        told = intake.record(chunk, system_clock())
        done += len(chunk)
        commits.append((time.perf_counter(), done))
        if done >= count // 5 and "early" not in memory:
            memory["early"] = resident("VmRSS")
        if done >= count:
            stop.set()
        return told

    spare_the_collector()
    subscriber = Subscriber(MqttSettings(client_id, "127.0.0.1", port), topics.filters())
    Ingestor(subscriber, record, system_clock).run(stop)
    subscriber.close()
    database.close()
    return {"rate": _rate(commits), **memory}


def bare(port: int, client_id: str, count: int) -> dict[str, float]:
    """A bare paho client that acknowledges each message and does nothing with it; how many a second."""
    heard_at: list[tuple[float, int]] = []
    seen = 0

    def heard(client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        nonlocal seen
        seen += 1
        client.ack(message.mid, message.qos)
        if seen in {1, count}:
            heard_at.append((time.perf_counter(), seen))
        if seen == count:
            client.disconnect()

    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True
    )
    client.on_message = heard
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = 1000
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    client.loop_forever()
    return {"rate": _rate(heard_at)}


def resident(name: str) -> int:
    """Resident memory of this process in bytes: VmRSS now, VmHWM at its most."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024


def _rate(marks: Sequence[tuple[float, int]]) -> float:
    (began, first), (ended, last) = marks[0], marks[-1]
    return (last - first) / (ended - began)


def main() -> None:
    """`ours|bare PORT CLIENT COUNT [URL]`."""
    kind, port, client_id, count, *url = sys.argv[1:]
    found = ours(int(port), client_id, int(count), *url) if kind == "ours" else bare(int(port), client_id, int(count))
    sys.stdout.write(json.dumps({**found, "most": resident("VmHWM")}) + "\n")


if __name__ == "__main__":
    main()
