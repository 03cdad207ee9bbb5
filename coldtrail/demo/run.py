"""One run of the demonstration, from the first process to the last."""

import logging
import socket
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event

import click

from coldtrail.broker import HOST, Broker, BrokerFailed, Kind, start_broker
from coldtrail.demo.api import Api, Refused, Stopped
from coldtrail.demo.county import ZONE, County, build_county
from coldtrail.demo.devices import BrokerAddress
from coldtrail.demo.diary import Diary
from coldtrail.demo.enrolment import enrol
from coldtrail.demo.life import Life, diary_file
from coldtrail.demo.processes import Child, DemoFailed, Processes
from coldtrail.demo.showcase import announcement, find_example
from coldtrail.demo.telling import status_line, waiting_line
from coldtrail.demo.tokens import AUDITOR, TokenFile, Tokens
from coldtrail.demo.world import World
from inventory.clock import ScaledClock, system_clock
from inventory.persistence.database import Database
from inventory.persistence.migrate import upgrade
from inventory.services import rules, verification

_HEAD_START = timedelta(seconds=6)
"""The county's time begins when the processes are up: a few seconds after this one is."""

_START_SECONDS = 60.0
_LOOK_EVERY = 0.5
_KEEP_EVERY = 3.0
_TELL_EVERY = 30.0
_WAITING_EVERY = 10.0
_CONFIRM_SECONDS = 120.0


@dataclass(frozen=True)
class Options:
    """What the user chose; see `run_demo`."""

    folder: Path
    port: int
    mqtt_port: int | None
    speed: float
    days: float | None
    database_url: str | None
    broker: Kind | None

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://{HOST}:{self.port}"

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.folder / 'coldtrail.db'}"
