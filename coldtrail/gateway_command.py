"""`coldtrail gateway-sim`: gateways for those who have none yet, and a device's behaviour for those who build one."""

import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from pathlib import Path
from threading import Event
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote

import click

from coldtrail.gateway_sim import Counts, Every, Plan, SimulatedGateway, Simulation, serials_of
from coldtrail.settings import BROKER, Settings, broker_settings
from coldtrail.telling import open_database, settings, told
from inventory.clock import Clock, ScaledClock, system_clock
from inventory.domain.errors import Conflict
from inventory.services import equipment
from mqtt_ingest.settings import MqttSettings

P = ParamSpec("P")
R = TypeVar("R")

_PROFILE = "strict-2-8"


class EveryType(click.ParamType[Every]):
    """Two numbers of minutes with a slash between them."""

    name = "every/for"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Every:
        """Period and length."""
        found = _every(str(value))
        if found is None:
            self.fail(f"{value} is not minutes such as 60/10: every 60, for 10", param, ctx)
        return found


def _every(text: str) -> Every | None:
    try:
        period, length = (timedelta(minutes=float(part)) for part in text.split("/"))
    except (ValueError, OverflowError):
        return None
    return Every(period, length) if timedelta(seconds=1) <= length <= period else None


def _options(*options: Callable[[Callable[P, R]], Callable[P, R]]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    return lambda command: reduce(lambda made, option: option(made), reversed(options), command)


_simulated = _options(
    click.option("--gateways", type=click.IntRange(1, 300), default=1, show_default=True, help="how many"),
    click.option("--sensors", type=click.IntRange(1, 1000), default=4, show_default=True, help="of each gateway"),
    click.option("--code", default="SIM", show_default=True, help="their codes are this with -1, -2 and so on"),
    click.option("--interval", type=click.IntRange(1, 86400), default=60, show_default=True, help="seconds"),
    click.option("--outage", type=EveryType(), help="minutes, such as 60/10: every 60 no connection for 10"),
    click.option("--failure", type=EveryType(), help="minutes, such as 720/180: a compressor stands still"),
)
_timed = _options(
    click.option("--hours", type=click.FloatRange(0, 87600, min_open=True), default=24.0, show_default=True),
    click.option("--speed", type=click.FloatRange(1, 100_000), default=60.0, show_default=True, help="times real time"),
    click.option("--patience", type=click.FloatRange(0.1, 900), default=30.0, show_default=True, help="for a receipt"),
    click.option("--timeout", type=click.FloatRange(0), default=60.0, show_default=True, help="for the last receipts"),
)


@click.command("gateway-sim")
@click.option("--mqtt", "url", help="the broker, mqtt://{gateway}:password@host:port; else COLDTRAIL_MQTT_URL")
@_simulated
@_timed
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default="var/gateway-sim", show_default=True
)
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), help="a file to list each reading taken in")
@click.option(
    "--enrol", metavar="FACILITY", help="make the gateways and sensors known first, in COLDTRAIL_DATABASE_URL"
)
def gateway_sim_command(
    url: str | None,
    gateways: int,
    sensors: int,
    code: str,
    interval: int,
    outage: Every | None,
    failure: Every | None,
    hours: float,
    speed: float,
    patience: float,
    timeout: float,
    folder: Path,
    record: Path | None,
    enrol: str | None,
) -> None:
    """Simulate gateways: read sensors, lose connections, and end when the service has confirmed every reading.

    The simulated hours pass `speed` times as fast and end at the present; Ctrl-C ends them earlier. Exits with 1 where
    something is not confirmed: it is still in the folder, and the next run sends it first.

    Example: coldtrail gateway-sim --mqtt mqtt://127.0.0.1:1883 --gateways 3 --enrol SITE-7 --outage 60/10
    """
    given, plan = settings(), Plan(sensors, timedelta(seconds=interval), outage, failure)
    codes = [f"{code}-{number}" for number in range(1, gateways + 1)]
    connections = {each: connection(given, url, each) for each in codes}
    if enrol:
        _enrol(enrol, codes, plan)
    with told(), _files(folder), ExitStack() as opened:
        devices = [
            opened.enter_context(closing(SimulatedGateway(each, mqtt, folder / f"{each}.db", patience)))
            for each, mqtt in connections.items()
        ]
        kept = opened.enter_context(record.open("a", encoding="utf-8")) if record else None
        clock, until = _period(given, timedelta(hours=hours), speed)
        simulation = Simulation(devices, plan, clock, _stopped_by_signals(), until, kept)
        simulation.run(_say)
        settled = simulation.settle(timeout)
    _say(simulation.counts)
    if not settled:
        waiting = simulation.counts.waiting
        raise click.ClickException(f"{waiting} messages were not confirmed; does the service know their gateways?")
    click.echo("every reading is confirmed")


def connection(given: Settings, url: str | None, code: str) -> MqttSettings:
    """A gateway's own connection; a session must not be shared, so each has its name."""
    name = f"coldtrail-{code}"
    if url is None:
        return replace(given.mqtt, client_id=name)
    try:
        own = url.replace("{gateway}", quote(code, safe=""))
        return broker_settings(own, name, given.mqtt.protocol, given.mqtt.root)
    except ValueError:
        raise click.BadParameter(f"the URL is not {BROKER}", param_hint="--mqtt") from None


def _period(given: Settings, length: timedelta, speed: float) -> tuple[Clock, datetime]:
    """A clock that shows the present when the period is over, and its end; the clock of the environment, if any."""
    if given.clock is not system_clock:
        return given.clock, given.clock() + length
    now = system_clock()
    shown = now - length * (1 - 1 / speed)
    return ScaledClock(now, shown, speed), shown + length


def _enrol(facility: str, codes: Sequence[str], plan: Plan) -> None:
    interval = int(plan.interval.total_seconds())
    with open_database() as database:
        for code in codes:
            with suppress(Conflict):
                equipment.add_gateway(database, equipment.GatewayRecord(code, facility))
            for serial in serials_of(code, plan.sensors):
                with suppress(Conflict):
                    record = equipment.SensorRecord(serial, interval, _PROFILE, code)
                    equipment.add_sensor(database, record, system_clock())


def _stopped_by_signals() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


@contextmanager
def _files(folder: Path) -> Iterator[None]:
    """The folder of the buffers, and what goes wrong with it told in one line."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"{folder}: {error}") from error


def _say(counts: Counts) -> None:
    click.echo(
        f"{counts.taken} readings taken; {counts.confirmed} messages confirmed, {counts.waiting} waiting for a receipt"
    )
