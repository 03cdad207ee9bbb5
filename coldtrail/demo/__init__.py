"""A simulated county that drives a real broker, database and API, only through MQTT and HTTP."""

from pathlib import Path
from typing import cast

import click

from coldtrail.broker import Kind
from coldtrail.demo.options import Options
from coldtrail.demo.processes import DemoFailed
from coldtrail.demo.session import run
from coldtrail.demo.signals import stop_on_signals


def run_demo(
    folder: Path,
    port: int,
    mqtt_port: int | None,
    speed: float,
    days: float | None,
    database_url: str | None,
    broker: str | None,
) -> int:
    """Run the county until a signal or its last day ends it; the exit status.

    Args:
        folder: where data, logs and secrets lie; a second run in the same one goes on.
        port: of the API, on the loopback interface.
        mqtt_port: of the broker; None for a free one.
        speed: how many times as fast as real time.
        days: simulated days after which to end and verify; None for never.
        database_url: None for SQLite in the folder.
        broker: None for Mosquitto where it is installed, else amqtt.
    """
    try:
        with stop_on_signals() as stop:
            kind = cast(Kind | None, broker)  # the command line offers no other
            return run(Options(folder.resolve(), port, mqtt_port, speed, days, database_url, kind), stop)
    except DemoFailed as failed:
        click.echo(f"the demonstration cannot go on: {failed}", err=True)
        return 1
