"""The gateways of the county: each reads its sensors once a minute and keeps what has no receipt yet, on disk."""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event

from coldtrail.demo import thermal
from coldtrail.demo.county import ZONE, County, Probe
from coldtrail.demo.diary import Diary
from coldtrail.demo.steps import Trip
from coldtrail.demo.tally import Tally
from coldtrail.demo.trouble import Trouble, trouble_of
from coldtrail.demo.world import BrokerAddress, World
from inventory.services.equipment import shard_of
from inventory.services.messages import Measurement
from mqtt_ingest import topics
from mqtt_ingest.buffer import Buffer
from mqtt_ingest.client import Publisher
from mqtt_ingest.gateway import Gateway
from mqtt_ingest.settings import MqttSettings

MINUTE = timedelta(minutes=1)

_PATIENCE = 10.0
_NAP = 0.05

_log = logging.getLogger(__name__)


@dataclass
class Device:
    """One gateway with its sensors."""

    code: str
    probes: Sequence[Probe]
    buffer: Buffer
    publisher: Publisher
    gateway: Gateway
    silent: bool = False
    _unconfirmed: deque[tuple[int, int]] = field(default_factory=deque)

    def take(self, measurements: Sequence[Measurement]) -> None:
        """Store measurements on disk, and send them when the gateway can be reached."""
        if measurements:
            self.gateway.take(measurements)
            self._unconfirmed.append((self.buffer.last, len(measurements)))

    def step(self) -> int:
        """Keep the connection, unless it is silent; how many readings have been confirmed meanwhile."""
        if not self.silent:
            self.gateway.step()
        confirmed = 0
        while self._unconfirmed and self._unconfirmed[0][0] <= self.buffer.confirmed:
            confirmed += self._unconfirmed.popleft()[1]
        return confirmed

    def be_silent(self, silent: bool) -> None:
        """Lose the connection for a while, or find it again."""
        if silent and not self.silent:
            self.publisher.close()
        self.silent = silent

    def close(self) -> None:
        """Take leave."""
        self.publisher.close()
        self.buffer.close()


def open_device(code: str, probes: Sequence[Probe], folder: Path, broker: BrokerAddress) -> Device:
    """A gateway over its buffer in a folder; it has to be used in the thread that opened it."""
    shard = shard_of(code)
    settings = MqttSettings.from_url(broker.url, f"demo-{code}", protocol=broker.protocol)
    publisher = Publisher(settings, [topics.receipt_topic(code, shard)])
    buffer = Buffer(folder / f"{code}.db")
    return Device(code, probes, buffer, publisher, Gateway(code, shard, publisher, buffer, patience=_PATIENCE))


class Devices:
    """All gateways, driven by one thread until `stop` is set.

    Args:
        county: whose sensors they read.
        world: the broker where they publish, and the county's time, after whose end nothing is read.
        diary: says up to when the sensors have been read, and is told.
        folder: where their buffers lie.
        stop: ends it.
        tally: is told what was taken and confirmed.
    """

    def __init__(self, county: County, world: World, diary: Diary, folder: Path, stop: Event, tally: Tally) -> None:
        self._county = county
        self._world = world
        self._diary = diary
        self._folder = folder
        self._stop = stop
        self._tally = tally
        self._trips: SimpleQueue[Trip] = SimpleQueue()

    def arrived(self, trip: Trip) -> None:
        """A trip has ended: its receiver's gateway is to send what the loggers saw. For any thread."""
        self._trips.put(trip)

    def run(self) -> None:
        """Read and send until the end; what is not confirmed then stays on disk for the next run."""
        self._folder.mkdir(parents=True, exist_ok=True)
        devices = self._opened()
        try:
            while not self._stop.is_set():
                self._read(devices)
                self._hand_over(devices)
                self._send(devices)
                self._stop.wait(_NAP)
        finally:
            for device in devices.values():
                device.close()

    def _opened(self) -> dict[str, Device]:
        of: dict[str, list[Probe]] = {}
        for probe in self._county.probes:
            of.setdefault(probe.gateway, []).append(probe)
        return {code: open_device(code, probes, self._folder, self._world.broker) for code, probes in of.items()}

    def _read(self, devices: dict[str, Device]) -> None:
        """Read every sensor for each minute that has come since the last time."""
        now = self._now().replace(second=0, microsecond=0)
        first = self._diary.read_until.astimezone(UTC)
        instants = [first + MINUTE * number for number in range(1, (now - first) // MINUTE + 1)]
        if not instants:
            return
        trouble = self._trouble(now)
        for device in devices.values():
            device.be_silent(any(each.gateway == device.code and each.holds(now) for each in trouble.silences))
            self._take(device, [_measured(probe, at, trouble) for at in instants for probe in device.probes])
        self._diary.read_until = now

    def _now(self) -> datetime:
        now, until = self._world.clock(), self._world.until
        return now if until is None else min(now, until.astimezone(UTC))

    def _trouble(self, now: datetime) -> Trouble:
        day = now.astimezone(ZONE).date()
        return trouble_of(self._county, self._diary.index(day), day)

    def _hand_over(self, devices: dict[str, Device]) -> None:
        """Give what the loggers of ended trips saw to the gateways of their receivers."""
        while True:
            try:
                trip = self._trips.get_nowait()
            except Empty:
                return
            self._take(devices[trip.gateway], list(_logged(trip)))

    def _take(self, device: Device, measurements: list[Measurement]) -> None:
        device.take(measurements)
        with self._tally.change() as tally:
            tally.taken += len(measurements)

    def _send(self, devices: dict[str, Device]) -> None:
        confirmed = sum(device.step() for device in devices.values())
        with self._tally.change() as tally:
            tally.confirmed += confirmed


def _measured(probe: Probe, at: datetime, trouble: Trouble) -> Measurement:
    return Measurement(probe.serial, at, thermal.fridge(probe.serial, probe.appliance, at, trouble.failures))


def _logged(trip: Trip) -> list[Measurement]:
    """A reading of each logger each minute from the departure to the arrival."""
    since = trip.since.astimezone(UTC)
    instants = [since + MINUTE * number for number in range((trip.until - trip.since) // MINUTE + 1)]
    return [Measurement(logger, at, thermal.cold_box(logger, at)) for logger in trip.loggers for at in instants]
