"""Taking in what gateways send: a chunk of messages is one transaction, and only then may receipts go out.

A reading is (sensor, measured_at): the same again changes nothing, another value at the same instant is kept aside as
a conflict. What cannot be stored is kept whole with its reason. Nothing is dropped.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from inventory.domain.instants import CLOCK_SKEW, OLDEST
from inventory.domain.words import RejectReason
from inventory.persistence.database import Database
from inventory.persistence.statements import insert_new, rows_in
from inventory.persistence.tables import Gateway, Reading, ReadingConflict, RejectedMessage, Sensor
from inventory.services import streams
from inventory.services.ids import new_id
from inventory.services.judgement import judge, lock
from inventory.services.messages import Measurement, Message, Receipt, Rejection

Key = tuple[UUID, datetime]
Doubt = tuple[RejectReason, str]


@dataclass(frozen=True)
class _Known:
    """The gateways and sensors that a chunk speaks of."""

    gateways: dict[str, Gateway]
    sensors: dict[str, Sensor]

    def refusal(self, message: Message) -> Doubt | None:
        """Why nothing of a message can be stored."""
        gateway = self.gateways.get(message.gateway)
        if gateway is None:
            return RejectReason.UNKNOWN_GATEWAY, f"gateway {message.gateway} is not enrolled"
        if gateway.shard != message.shard:
            return (
                RejectReason.WRONG_SHARD,
                f"shard {message.shard}; {gateway.code} was given {gateway.shard}",
            )
        return None

    def doubt(self, one: Measurement, gateway: Gateway, now: datetime) -> Doubt | None:
        """Why one reading of a message cannot be stored."""
        sensor = self.sensors.get(one.sensor)
        if sensor is None:
            return RejectReason.UNKNOWN_SENSOR, f"sensor {one.sensor} is not registered"
        if sensor.gateway_id not in {None, gateway.id}:
            return RejectReason.FOREIGN_SENSOR, f"sensor {one.sensor} belongs to another gateway"
        if one.measured_at > now + CLOCK_SKEW:
            return RejectReason.TIME_IN_FUTURE, f"{one.sensor} at {one.measured_at.isoformat()}"
        if one.measured_at < OLDEST:
            return RejectReason.TIME_TOO_OLD, f"{one.sensor} at {one.measured_at.isoformat()}"
        return None


def record(database: Database, chunk: Sequence[Message | Rejection], now: datetime) -> list[Receipt]:
    """Store a chunk in one transaction; the receipts may be sent once this has returned.

    The same chunk again, in any order and division, changes nothing and gives its receipts again.
    """
    return database.write(lambda session: _record(session, chunk, now))


def record_readings(session: Session, sensor: Sensor, measurements: Iterable[Measurement], now: datetime) -> int:
    """Store the readings of one sensor, from a file rather than a message; how many were new."""
    return _store(session, {sensor.serial: sensor}, list(measurements), now)


def _record(session: Session, chunk: Sequence[Message | Rejection], now: datetime) -> list[Receipt]:
    messages = [each for each in chunk if isinstance(each, Message)]
    rejections = [each for each in chunk if isinstance(each, Rejection)]
    known = _known(session, messages)
    accepted: list[Message] = []
    good: list[Measurement] = []
    for message in messages:
        refusal = known.refusal(message)
        if refusal:
            rejections.append(_rejection(message, *refusal))
            continue
        accepted.append(message)
        gateway = known.gateways[message.gateway]
        doubts = {one: known.doubt(one, gateway, now) for one in message.measurements}
        good += [one for one, doubt in doubts.items() if doubt is None]
        rejections += _doubted(message, [doubt for doubt in doubts.values() if doubt is not None])
    _store(session, known.sensors, good, now)
    _keep_aside(session, rejections)
    return streams.advance(session, accepted, known.gateways, now)


def _known(session: Session, messages: Sequence[Message]) -> _Known:
    codes = {message.gateway for message in messages}
    serials = {one.sensor for message in messages for one in message.measurements}
    gateways = rows_in(session, select(Gateway), Gateway.code, codes)
    sensors = rows_in(session, select(Sensor), Sensor.serial, serials)
    return _Known({row[0].code: row[0] for row in gateways}, {row[0].serial: row[0] for row in sensors})


def _doubted(message: Message, doubts: Iterable[Doubt]) -> list[Rejection]:
    """One rejection a reason, however many readings of the message share it."""
    details: dict[RejectReason, dict[str, None]] = defaultdict(dict)
    for reason, detail in doubts:
        details[reason][detail] = None
    return [_rejection(message, reason, "; ".join(each)) for reason, each in details.items()]


def _rejection(message: Message, reason: RejectReason, detail: str) -> Rejection:
    return Rejection(message.topic, message.payload, message.received_at, reason, detail)


def _store(session: Session, sensors: dict[str, Sensor], measurements: Sequence[Measurement], now: datetime) -> int:
    sent: dict[Key, list[int]] = defaultdict(list)
    for one in measurements:
        sent[sensors[one.sensor].id, one.measured_at].append(one.temperature)
    rows = [
        {"sensor_id": sensor_id, "measured_at": at, "temperature": values[0], "received_at": now}
        for (sensor_id, at), values in sent.items()
    ]
    lock(session, {sensor_id for sensor_id, _ in sent})
    new = {(row[0], row[1]) for row in insert_new(session, Reading, rows)}
    _keep_conflicts(session, {key: values for key, values in sent.items() if key not in new or len(values) > 1}, now)
    by_id = {sensor.id: sensor for sensor in sensors.values()}
    touched: dict[UUID, list[datetime]] = defaultdict(list)
    for sensor_id, at in new:
        touched[sensor_id].append(at)
    for sensor_id, instants in sorted(touched.items()):
        judge(session, by_id[sensor_id], min(instants), max(instants), now)
    return len(new)


def _keep_conflicts(session: Session, repeated: dict[Key, list[int]], now: datetime) -> None:
    stored = _stored(session, repeated)
    rows = [
        {"sensor_id": key[0], "measured_at": key[1], "temperature": value, "received_at": now}
        for key, values in repeated.items()
        for value in sorted(set(values) - {stored[key]})
    ]
    insert_new(session, ReadingConflict, rows)


def _stored(session: Session, keys: Iterable[Key]) -> dict[Key, int]:
    """The temperatures that are stored under some keys."""
    query = select(Reading.sensor_id, Reading.measured_at, Reading.temperature)
    found = rows_in(session, query, tuple_(Reading.sensor_id, Reading.measured_at), keys)
    return {(row.sensor_id, row.measured_at): row.temperature for row in found}


def _keep_aside(session: Session, rejections: Sequence[Rejection]) -> None:
    """Keep each rejected message once for each reason, and count how often it came."""
    for rejection in rejections:
        row = _rejected_row(rejection)
        if not insert_new(session, RejectedMessage, [row]):
            session.execute(
                update(RejectedMessage)
                .where(RejectedMessage.digest == row["digest"])
                .values(times=RejectedMessage.times + 1)
            )


def _rejected_row(rejection: Rejection) -> dict[str, Any]:
    detail = rejection.detail.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    topic = rejection.topic.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    whole = b"\x00".join((topic.encode(), rejection.reason.encode(), detail.encode(), rejection.payload))
    return {
        "id": new_id(),
        "digest": hashlib.sha256(whole).hexdigest(),
        "topic": topic,
        "payload": rejection.payload,
        "reason": rejection.reason,
        "detail": detail,
        "received_at": rejection.received_at,
        "times": 1,
    }
