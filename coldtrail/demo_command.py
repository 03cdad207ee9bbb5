"""`coldtrail demo`: a simulated county."""

from pathlib import Path

import click

from coldtrail.demo import run_demo


@click.command("demo")
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("var/demo"), show_default=True, help="where data lies"
)
@click.option("--port", type=int, envvar="COLDTRAIL_PORT", default=8000, show_default=True, help="of the API")
@click.option("--mqtt-port", type=int, envvar="COLDTRAIL_MQTT_PORT", help="of the broker; a free one unless set")
@click.option("--speed", type=float, envvar="COLDTRAIL_SPEED", default=60.0, show_default=True, help="times real time")
@click.option("--days", type=click.FloatRange(0, min_open=True), help="end after so many simulated days, and verify")
@click.option("--broker", type=click.Choice(["mosquitto", "amqtt"]), help="the one that is installed unless set")
@click.option("--database-url", help="another database than the folder's SQLite; never one that is in use")
def demo_command(
    folder: Path,
    port: int,
    mqtt_port: int | None,
    speed: float,
    days: float | None,
    broker: str | None,
    database_url: str | None,
) -> None:
    """Run a simulated county against a real broker, database and API; Ctrl-C ends it.

    Example: COLDTRAIL_SPEED=120 coldtrail demo
    """
    raise SystemExit(run_demo(folder, port, mqtt_port, speed, days, database_url, broker))
