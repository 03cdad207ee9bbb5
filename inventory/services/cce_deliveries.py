"""WHO deliveries that come over HTTP: through the same door as messages, and with an answer to their sender."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, NotFound
from inventory.domain.temperature import celsius
from inventory.domain.words import RejectReason
from inventory.persistence.database import Database
from inventory.persistence.prepared import Prepared
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Gateway, Reading, RejectedMessage, Sensor
from inventory.services import monitoring
from inventory.services.messages import AlarmState, Measurement, Message, Rejection

CONFLICT = "conflict"

Key = tuple[str, datetime]


@dataclass(frozen=True)
class Delivery:
    """What a delivery says: its number, readings and the device's own alarms."""

    transfer_id: str
    measurements: tuple[Measurement, ...]
    alarms: tuple[AlarmState, ...] = ()


@dataclass(frozen=True)
class Fault:
    """What is wrong with a delivery at a path such as `data[0].records[3].TVC`."""

    path: str
    message: str


class Faulty(ValueError):
    """A delivery that breaks its schema."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.path} {fault.message}" for fault in faults[:3]))


@dataclass(frozen=True)
class SetAside:
    """Why readings of a delivery are not stored as they were sent."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Delivered:
    """What became of a delivery: how many readings it had, how many of them stand, and why the others do not."""

    gateway: str
    transfer_id: str
    readings: int
    stored: int
    set_aside: tuple[SetAside, ...]


def deliver(database: Database, gateway: str, delivery: Delivery, payload: bytes, now: datetime) -> Delivered:
    """Store a delivery for an enrolled gateway. The same one again changes nothing and has the same answer.

    Raises:
        NotFound: `not_found` for a gateway that is not enrolled; its sender may try again later.
    """
    message = Message(
        topic=_topic(gateway),
        payload=payload,
        received_at=now,
        gateway=gateway,
        shard=shard_of(database, gateway),
        measurements=delivery.measurements,
        transfer_id=delivery.transfer_id,
        alarms=delivery.alarms,
    )
    monitoring.record(database, [message], now)
    sent: dict[Key, int] = {}
    for one in delivery.measurements:
        sent.setdefault((one.sensor, one.measured_at), one.temperature)
    with database.read() as session:
        standing = _standing(session, sent)
        refused = len(standing) < len(sent)
        reasons = list(_conflicts(delivery.measurements, standing)) + (_refusals(session, message) if refused else [])
    stored = sum(standing.get(key) == value for key, value in sent.items())
    return Delivered(gateway, delivery.transfer_id, len(sent), stored, tuple(reasons))


def keep_refused(database: Database, gateway: str, payload: bytes, detail: str, now: datetime) -> None:
    """Keep a delivery that could not be read, as a message that could not: its sender will not send it again.

    Raises:
        NotFound: `not_found` for a gateway that is not enrolled.
    """
    shard_of(database, gateway)
    monitoring.record(database, [Rejection(_topic(gateway), payload, now, RejectReason.MALFORMED, detail)], now)


_SHARD = Prepared(select(Gateway.shard).where(Gateway.code == bindparam("gateway")))


def shard_of(database: Database, gateway: str) -> str:
    """The shard of an enrolled gateway.

    Raises:
        NotFound: `not_found`.
    """
    rows = database.ask(_SHARD, gateway=gateway)
    if not rows:
        raise NotFound(Code.NOT_FOUND, "gateway", gateway, N_("the code of a gateway"))
    shard: str = rows[0].shard
    return shard


def _topic(gateway: str) -> str:
    """What stands where a message has its topic."""
    return f"/api/v1/cce-deliveries?gateway={gateway}"


def _standing(session: Session, sent: dict[Key, int]) -> dict[Key, int]:
    """The temperatures that stand at the sensors and instants of a delivery."""
    serials: dict[UUID, str] = {
        row.id: row.serial
        for row in rows_in(session, select(Sensor.id, Sensor.serial), Sensor.serial, sorted({key[0] for key in sent}))
    }
    ids = {serial: each for each, serial in serials.items()}
    query = select(Reading.sensor_id, Reading.measured_at, Reading.temperature)
    keys = [(ids[serial], at) for serial, at in sorted(sent) if serial in ids]
    rows = rows_in(session, query, tuple_(Reading.sensor_id, Reading.measured_at), keys)
    return {(serials[row.sensor_id], row.measured_at): row.temperature for row in rows}


def _conflicts(measurements: Sequence[Measurement], standing: dict[Key, int]) -> Iterator[SetAside]:
    for one in dict.fromkeys(measurements):
        stands = standing.get((one.sensor, one.measured_at))
        if stands is not None and stands != one.temperature:
            said = f"{one.sensor} at {one.measured_at.isoformat()} is {celsius(one.temperature)}"
            yield SetAside(CONFLICT, f"{said}; {celsius(stands)} stands")


def _refusals(session: Session, message: Message) -> list[SetAside]:
    """The reasons for which a message was kept aside."""
    of = RejectedMessage
    query = select(of.reason, of.detail).where(of.topic == message.topic, of.payload == message.payload)
    return [SetAside(row.reason.value, row.detail) for row in session.execute(query.order_by(of.reason, of.detail))]
