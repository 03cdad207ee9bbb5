"""The parts of an installation that the demonstration starts: a broker, an ingest worker and the API."""

import time
from collections.abc import Callable
from threading import Event

from coldtrail.broker import HOST, Broker, BrokerFailed, start_broker
from coldtrail.demo.api import Api
from coldtrail.demo.options import Options
from coldtrail.demo.processes import Child, DemoFailed, Processes
from inventory.clock import ScaledClock

_START_SECONDS = 60.0
_LOOK_EVERY = 0.1


def start_services(options: Options, processes: Processes, clock: ScaledClock) -> Broker:
    """Start them; raises `DemoFailed` when there is no broker to be had."""
    try:
        broker = start_broker(options.mqtt_port, options.folder / "broker", options.broker)
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
    processes.start("ingest", ["ingest"], environment)
    processes.start("api", ["serve"], environment)
    return broker


def await_ready(api: Api, check: Callable[[], None], stop: Event) -> None:
    """Wait until the API can serve; raises `DemoFailed` when it does not within a minute."""
    give_up = time.monotonic() + _START_SECONDS
    while not stop.is_set() and not api.is_ready():
        check()
        if time.monotonic() > give_up:
            raise DemoFailed(f"the API does not answer at {api.url} within {_START_SECONDS:.0f} s")
        stop.wait(_LOOK_EVERY)
