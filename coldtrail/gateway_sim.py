"""Simulated gateways: built as a maker would build them, with made-up sensors, on a real broker.

What a maker has to do is in `SimulatedGateway`: open the buffer, give the connection its last will, take measurements,
and call `step` often. All else here is the sensors, the time, and counting.
"""

import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TextIO

from coldtrail.demo import thermal
from inventory.clock import Clock
from inventory.services.equipment import shard_of
from inventory.services.messages import Measurement
from mqtt_ingest import topics
from mqtt_ingest.buffer import Buffer
from mqtt_ingest.client import Publisher
from mqtt_ingest.gateway import Gateway, last_will
from mqtt_ingest.settings import MqttSettings

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where the count of intervals begins, so that every run measures at the same instants."""

_NAP = 0.02
_REPORT = 10.0


@dataclass(frozen=True)
class Every:
    """Something that happens again and again: every `period`, for `length`; at other times for each name."""

    period: timedelta
    length: timedelta

    def begun(self, name: str, at: datetime) -> datetime:
        """When it last began for a name."""
        shift = timedelta(seconds=zlib.crc32(name.encode()) % max(1, int(self.period.total_seconds())))
        return at - (at - EPOCH + shift) % self.period

    def holds(self, name: str, at: datetime) -> bool:
        """Whether it happens now."""
        return at - self.begun(name, at) < self.length


@dataclass(frozen=True)
class Plan:
    """What is simulated: how many sensors a gateway has, how often they measure, and what goes wrong."""

    sensors: int
    interval: timedelta
    outages: Every | None = None
    failures: Every | None = None

    def measured(self, code: str, at: datetime) -> list[Measurement]:
        """What the sensors of a gateway measure: always the same at the same instant."""
        failures = []
        if self.failures:
            begun = self.failures.begun(code, at)
            failures = [thermal.Failure(code, begun, begun + self.failures.length)]
        serials = serials_of(code, self.sensors)
        return [Measurement(each, at, thermal.fridge(each, code, at, failures)) for each in serials]


@dataclass
class Counts:
    """Readings taken, and messages that the service has confirmed and has not."""

    taken: int = 0
    confirmed: int = 0
    waiting: int = 0


def serials_of(code: str, sensors: int) -> list[str]:
    """The serials of a gateway's sensors."""
    return [f"{code}-S{number}" for number in range(1, sensors + 1)]


class SimulatedGateway:
    """A device: its memory, its connection and the reference gateway between them.

    Args:
        code: the gateway's code, as enrolled.
        mqtt: its own connection.
        file: its memory; what it holds from an earlier run is sent first.
        patience: seconds without a receipt before all is sent again.
    """

    def __init__(self, code: str, mqtt: MqttSettings, file: Path, patience: float) -> None:
        shard = shard_of(code)
        self.code = code
        self._buffer = Buffer(file)
        birth = self._buffer.next_birth()
        will = last_will(code, shard, birth, mqtt.root)
        self._publisher = Publisher(mqtt, [topics.receipt_topic(code, shard, mqtt.root)], will=will)
        self._gateway = Gateway(
            code, shard, self._publisher, self._buffer, birth=birth, root=mqtt.root, patience=patience
        )
        self._away = False
        self._found_confirmed = self._buffer.confirmed

    @property
    def waiting(self) -> int:
        """Messages that the service has not confirmed."""
        return self._gateway.outstanding

    @property
    def confirmed(self) -> int:
        """Messages that it has confirmed in this run."""
        return self._buffer.confirmed - self._found_confirmed

    def take(self, measurements: Sequence[Measurement]) -> None:
        """Store measurements, which are safe once this returns."""
        self._gateway.take(measurements)

    def step(self, away: bool) -> None:
        """Send and hear what there is, or be `away` without a connection."""
        if away and not self._away:
            self._publisher.close()
        self._away = away
        if not away:
            self._gateway.step()

    def close(self) -> None:
        """Take leave."""
        self._gateway.leave()
        self._publisher.settle()
        self._publisher.close()
        self._buffer.close()


@dataclass
class Simulation:
    """Gateways that read their sensors until `stop` is set or `until` has come.

    `record` is told of each reading once it is safe in a gateway's buffer: what is in it must reach the database,
    whatever is killed.
    """

    gateways: Sequence[SimulatedGateway]
    plan: Plan
    clock: Clock
    stop: Event
    until: datetime
    record: TextIO | None = None
    counts: Counts = field(default_factory=Counts)

    def run(self, say: Callable[[Counts], None]) -> None:
        """Measure and send; what the clock passed before is not measured."""
        seen, report_at = self.clock(), time.monotonic() + _REPORT
        while not self.stop.is_set() and seen < self.until:
            now = min(self.clock(), self.until)
            for at in self._instants(seen, now):
                self._take(at)
            seen = now
            self._step(now)
            self.stop.wait(_NAP)
            if time.monotonic() > report_at:
                report_at += _REPORT
                say(self.counts)

    def settle(self, seconds: float) -> bool:
        """Measure no more, and send until all is confirmed; whether it was within so many seconds."""
        ends = time.monotonic() + seconds
        self._step(None)
        while self.counts.waiting and time.monotonic() < ends:
            time.sleep(_NAP)
            self._step(None)
        return not self.counts.waiting

    def _instants(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """The instants after `since` up to `until` at which sensors measure: whole intervals, the same in every run."""
        at = since - (since - EPOCH) % self.plan.interval
        while (at := at + self.plan.interval) <= until:
            yield at

    def _take(self, at: datetime) -> None:
        for gateway in self.gateways:
            measurements = self.plan.measured(gateway.code, at)
            gateway.take(measurements)
            self.counts.taken += len(measurements)
            if self.record is not None:
                self.record.writelines(f"{one.sensor},{at.isoformat()},{one.temperature}\n" for one in measurements)
                self.record.flush()

    def _step(self, now: datetime | None) -> None:
        for gateway in self.gateways:
            outages = self.plan.outages
            gateway.step(away=bool(now and outages and outages.holds(gateway.code, now)))
        self.counts.waiting = sum(gateway.waiting for gateway in self.gateways)
        self.counts.confirmed = sum(gateway.confirmed for gateway in self.gateways)
