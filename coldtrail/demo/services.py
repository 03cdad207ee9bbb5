"""The parts of an installation that the demonstration starts: broker, ingest worker, API and the keeper of the log."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

from coldtrail.broker import HOST, Broker, BrokerFailed, start_broker
from coldtrail.demo.api import Api
from coldtrail.demo.options import Options
from coldtrail.demo.processes import Child, DemoFailed, Processes
from coldtrail.keys_command import make_key, signing_key
from inventory.clock import ScaledClock

_LOG_NAME = "coldtrail.example/demo"

_START_SECONDS = 60.0
_LOOK_EVERY = 0.1


def start_services(options: Options, processes: Processes, clock: ScaledClock) -> Broker:
    """Start them, those first that the others write for, for they end last.

    Raises:
        DemoFailed: there is no broker to be had.
    """
    try:
        broker = start_broker(options.mqtt_port, options.folder / "broker", options.broker, processes.group)
    except BrokerFailed as failed:
        raise DemoFailed(str(failed)) from failed
    processes.adopt(Child("the broker", broker.process, broker.log))
    environment = {
        "COLDTRAIL_DATABASE_URL": options.database,
        "COLDTRAIL_MQTT_URL": broker.url,
        "COLDTRAIL_MQTT_PROTOCOL": broker.protocol,
        "COLDTRAIL_BIND": f"{HOST}:{options.port}",
        "COLDTRAIL_CLOCK": str(clock),
    }
    processes.start("log", ["log", "run"], environment | {"COLDTRAIL_LOG_KEY_FILE": str(log_key(options.folder)[0])})
    processes.start("ingest", ["ingest"], environment)
    processes.start("api", ["serve"], environment)
    return broker


def log_key(folder: Path) -> tuple[Path, str]:
    """The file of the key that signs the log, made with the first run, and its public half."""
    file = folder / "log.key"
    key = signing_key(file) if file.exists() else make_key(file, _LOG_NAME)
    return file, str(key.verifier)


def await_ready(api: Api, check: Callable[[], None], stop: Event) -> None:
    """Wait until the API can serve; raises `DemoFailed` when it does not within a minute."""
    give_up = time.monotonic() + _START_SECONDS
    while not stop.is_set() and not api.is_ready():
        check()
        if time.monotonic() > give_up:
            raise DemoFailed(f"the API does not answer at {api.url} within {_START_SECONDS:.0f} s")
        stop.wait(_LOOK_EVERY)
