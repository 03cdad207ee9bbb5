"""Sorting a chunk: which readings can be stored, for which sensors, and why the others cannot."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from inventory.domain.instants import CLOCK_SKEW, OLDEST, counted
from inventory.domain.words import RejectReason
from inventory.persistence.bulk import Row
from inventory.services.following import Known, Measured
from inventory.services.known import Directory, Enrolled
from inventory.services.messages import AlarmState, Message, Rejection
from inventory.services.states import Track

Doubt = tuple[RejectReason, str]


@dataclass
class Sorted:
    """What of a chunk can be stored: by sensor, in the order in which it came, and as rows of the readings."""

    accepted: list[Message] = field(default_factory=list)
    arrived: dict[UUID, list[Measured]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    alarms: list[tuple[Known, AlarmState]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    known: dict[UUID, Known] = field(default_factory=dict)


def sort_out(messages: Sequence[Message], directory: Directory, tracks: Mapping[UUID, Track], now: datetime) -> Sorted:
    """Sort the messages of a chunk; one with a doubtful reading is kept aside whole, and its others are stored."""
    sorter = _Sorter(directory, tracks, now)
    for message in messages:
        sorter.sort(message)
    return sorter.found


class _Sorter:
    """Sorts messages by what is known of gateways, sensors and their watches."""

    def __init__(self, directory: Directory, tracks: Mapping[UUID, Track], now: datetime) -> None:
        self.found = Sorted()
        self._directory = directory
        self._tracks = tracks
        self._now = now
        self._latest = now + CLOCK_SKEW

    def sort(self, message: Message) -> None:
        """Take of a message what can be stored, and keep it aside where that is not all."""
        gateway = self._directory.gateways.get(message.gateway)
        refusal = _refusal(message, gateway)
        if gateway is None or refusal is not None:
            self.found.rejections += _kept(message, [refusal])
            return
        self.found.accepted.append(message)
        doubts = self._readings(message, gateway.id) + self._alarms(message, gateway.id)
        if doubts:
            self.found.rejections += _kept(message, doubts)

    def _readings(self, message: Message, gateway: UUID) -> list[Doubt | None]:
        doubts: list[Doubt | None] = []
        for serial, at, temperature in message.measurements:
            known = self._taken(serial, at, gateway)
            if known is None:
                doubts.append(self._doubt(serial, at, gateway))
                continue
            readings = self.found.arrived.get(known.id)
            if readings is None:
                self.found.known[known.id] = known
                self.found.arrived[known.id] = readings = []
            readings.append((counted(at), temperature))
            self.found.rows.append((known.id, at, temperature, self._now))
        return doubts

    def _alarms(self, message: Message, gateway: UUID) -> list[Doubt | None]:
        """What devices say of their own alarms; where there is an alarm that cannot be taken, its doubt is told."""
        doubts: list[Doubt | None] = []
        for state in message.alarms:
            known = self._taken(state.sensor, state.at, gateway)
            if known is not None:
                self.found.alarms.append((known, state))
            elif state.codes:
                doubts.append(self._doubt(state.sensor, state.at, gateway))
        return doubts

    def _taken(self, serial: str, at: datetime, gateway: UUID) -> Known | None:
        """The sensor, if a gateway may say something of it at an instant."""
        known = self._directory.sensors.get(serial)
        if known is None or known.gateway_id not in (None, gateway) or not OLDEST <= at <= self._latest:
            return None
        track = self._tracks.get(known.id)
        before = track is not None and track.first_watch is not None and at < track.first_watch
        return None if before else known

    def _doubt(self, serial: str, at: datetime, gateway: UUID) -> Doubt:
        """Why what is said of a sensor at an instant cannot be stored."""
        known = self._directory.sensors.get(serial)
        if known is None:
            return RejectReason.UNKNOWN_SENSOR, f"sensor {serial} is not registered"
        if known.gateway_id not in (None, gateway):
            return RejectReason.FOREIGN_SENSOR, f"sensor {serial} belongs to another gateway"
        said = f"{serial} at {at.isoformat()}"
        if at > self._latest:
            return RejectReason.TIME_IN_FUTURE, said
        if at < OLDEST:
            return RejectReason.TIME_TOO_OLD, said
        since = self._tracks[known.id].first_watch
        return RejectReason.BEFORE_ASSIGNMENT, f"{said}; it is assigned from {since} on"


def _refusal(message: Message, gateway: Enrolled | None) -> Doubt | None:
    """Why nothing of a message can be stored."""
    if gateway is None:
        return RejectReason.UNKNOWN_GATEWAY, f"gateway {message.gateway} is not enrolled"
    if gateway.shard != message.shard:
        return RejectReason.WRONG_SHARD, f"shard {message.shard}; {gateway.code} was given {gateway.shard}"
    return None


def _kept(message: Message, doubts: Iterable[Doubt | None]) -> list[Rejection]:
    """One rejection a reason, however many readings of the message share it."""
    details: dict[RejectReason, dict[str, None]] = defaultdict(dict)
    for doubt in doubts:
        if doubt is not None:
            details[doubt[0]][doubt[1]] = None
    return [
        Rejection(message.topic, message.payload, message.received_at, reason, "; ".join(each))
        for reason, each in details.items()
    ]
