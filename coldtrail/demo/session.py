"""One run of the demonstration, from the first process to the last."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

import click

from coldtrail.broker import Broker
from coldtrail.demo.api import Api, Refused, Stopped
from coldtrail.demo.county import ZONE, build_county
from coldtrail.demo.diary import Diary
from coldtrail.demo.enrolment import enrol
from coldtrail.demo.life import Life, diary_file
from coldtrail.demo.options import Options
from coldtrail.demo.processes import DemoFailed, Processes
from coldtrail.demo.services import await_ready, log_key, start_services
from coldtrail.demo.telling import Teller
from coldtrail.demo.tokens import TokenFile, Tokens
from coldtrail.demo.world import BrokerAddress, World
from inventory.clock import ScaledClock, system_clock
from inventory.domain.errors import ColdtrailError
from inventory.persistence.database import Database
from inventory.persistence.migrate import upgrade
from inventory.services import rules, verification

_HEAD_START = timedelta(seconds=6)
"""The county's time begins when the processes are up, a few seconds from now."""

_LOOK_EVERY = 0.5
_KEEP_EVERY = 3.0
_CONFIRM_SECONDS = 120.0


def run(options: Options, stop: Event) -> int:
    """Run until `stop` is set or the days are over; the exit status.

    Raises:
        DemoFailed: something that is needed could not be started, or ended by itself.
    """
    options.require()
    with options.alone():
        return _carry_out(options, stop)


def _carry_out(options: Options, stop: Event) -> int:
    click.echo(f"data, logs and secrets lie in {options.folder}")
    upgrade(options.database)
    _log_to(options)
    database = Database(options.database)
    try:
        rules.seed(database)
        over = _Run(options, database, stop).live()
        return _verified(database) if over else 0
    except (Refused, Stopped, ColdtrailError) as error:
        if stop.is_set():
            return 0
        raise DemoFailed(str(error)) from error
    finally:
        database.close()


def _log_to(options: Options) -> None:
    logs = options.folder / "logs"
    logs.mkdir(exist_ok=True)
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(filename=logs / "county.log", level=logging.INFO, format=form, force=True)


def _described(broker: Broker) -> str:
    about = {"amqtt": "amqtt, which keeps nothing for a client that is away: for a demonstration only"}
    return f"{broker.url} ({about.get(broker.kind, broker.kind)})"


def _verified(database: Database) -> int:
    verdict = verification.verify(database)
    for line in verification.report(verdict):
        click.echo(line)
    return 0 if verdict.holds else 1


@dataclass
class _Run:
    """The parts of a run while it lasts."""

    options: Options
    database: Database
    stop: Event

    def __post_init__(self) -> None:
        self.county = build_county()
        now = system_clock()
        self.diary = Diary.load(diary_file(self.options.folder), now.astimezone(ZONE).date())
        self.clock = ScaledClock(now + _HEAD_START, self.diary.shown, self.options.speed)

    @property
    def until(self) -> datetime | None:
        """When the run ends."""
        days = self.options.days
        return None if days is None else self.clock.shown + timedelta(days=days)

    def live(self) -> bool:
        """Start everything, live, end everything; whether the days are over."""
        with Processes(self.options.folder / "logs") as processes:
            broker = start_services(self.options, processes, self.clock)
            api = Api(self.options.url, self.stop, processes.check)
            await_ready(api, processes.check, self.stop)
            tokens = self._enrolled(api)
            life = self._begin(tokens, broker, processes)
            teller = Teller(api, tokens, self.county, life, self._facts(broker))
            try:
                self._watch(life, teller, processes)
                return life.is_over
            finally:
                click.echo("ending the county")
                life.end()
                click.echo(
                    f"ended at {self.diary.shown.astimezone(ZONE):%Y-%m-%d %H:%M}; a second run goes on from there"
                )

    def _facts(self, broker: Broker) -> tuple[tuple[str, str], ...]:
        """What else a user may need to know."""
        return (
            ("broker", _described(broker)),
            ("log key", log_key(self.options.folder)[1]),
            ("clock", str(self.clock)),
            ("database", "that of --database-url" if self.options.database_url else self.options.database),
        )

    def _enrolled(self, api: Api) -> Tokens:
        """The tokens, for staff belong to facilities that have to be enrolled first."""
        file = TokenFile(self.options.folder / "demo-tokens.json", self.database, self.clock)
        enrol(api, file.admin(), self.county, self.clock.shown)
        return file.all(self.county)

    def _begin(self, tokens: Tokens, broker: Broker, processes: Processes) -> Life:
        abandon = Event()
        api = Api(self.options.url, abandon, processes.check)
        world = World(api, tokens, BrokerAddress(broker.url, broker.protocol), self.clock, self.until)
        return Life(self.county, world, self.diary, self.options.folder, abandon)

    def _watch(self, life: Life, teller: Teller, processes: Processes) -> None:
        """Until the end: keep the diary, tell what happens, fail when a part has failed."""
        keep_at = give_up = time.monotonic()
        while not self.stop.wait(_LOOK_EVERY):
            processes.check()
            life.check()
            teller.tell(self.clock())
            if not life.is_over:
                give_up = time.monotonic() + _CONFIRM_SECONDS
            elif life.is_confirmed or time.monotonic() > give_up:
                return
            if time.monotonic() > keep_at:
                life.keep()
                keep_at = time.monotonic() + _KEEP_EVERY
