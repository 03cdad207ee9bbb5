"""Putting what people are to be told into the outbox, in the transaction of its cause: both are there, or neither."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cattrs.preconf.json import make_converter
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from inventory.domain.notices import NoticeKind, key
from inventory.domain.temperature import celsius
from inventory.domain.words import Side
from inventory.persistence.statements import insert_new
from inventory.persistence.tables import (
    Appliance,
    Excursion,
    Facility,
    Location,
    Notice,
    Sensor,
    SensorAssignment,
    Shipment,
)
from inventory.services.ids import new_id

_plain = make_converter()
_plain.register_unstructure_hook(UUID, str)
_plain.register_unstructure_hook(datetime, lambda at: at.astimezone(UTC).isoformat().replace("+00:00", "Z"))

_receiver = aliased(Facility)


@dataclass(frozen=True)
class Post:
    """Where somebody has to act: a facility, with its appliance or with the shipment that it has sent."""

    facility_id: UUID | None = None
    facility: str | None = None
    zone: str | None = None
    appliance: str | None = None
    shipment: UUID | None = None
    to_facility: str | None = None

    def facts(self) -> dict[str, Any]:
        """What a notice says of it."""
        facts = {name: value for name, value in vars(self).items() if value is not None}
        facts.pop("facility_id", None)
        return facts


NOWHERE = Post()
"""Of a sensor that never had a place."""


def put(
    session: Session, kind: NoticeKind, notice_key: str, post: Post, facts: Mapping[str, Any], now: datetime
) -> bool:
    """Put a notice into the caller's transaction unless its key is known; whether it is new."""
    row = {
        "id": new_id(),
        "kind": kind,
        "key": notice_key,
        "facility_id": post.facility_id,
        "body": _plain.unstructure({**post.facts(), **facts}),
        "created_at": now,
    }
    return bool(insert_new(session, Notice, [row]))


def with_post(query: Select[*tuple[Any, ...]], place: type[Location] | type[SensorAssignment]) -> Select[Any]:
    """Add to a query that has `place` where somebody has to act: an appliance's facility, a shipment's sender."""
    return (
        query.add_columns(
            Facility.id.label("post_id"),
            Facility.code.label("post_facility"),
            Facility.zone.label("post_zone"),
            Appliance.code.label("post_appliance"),
            Shipment.id.label("post_shipment"),
            _receiver.code.label("post_receiver"),
        )
        .outerjoin(Appliance, Appliance.id == place.appliance_id)
        .outerjoin(Shipment, Shipment.id == place.shipment_id)
        .outerjoin(_receiver, _receiver.id == Shipment.to_facility_id)
        .join(Facility, Facility.id == func.coalesce(Appliance.facility_id, Shipment.from_facility_id))
    )


def post_of(row: Any) -> Post:
    """The post in a row of a query of `with_post`."""
    return Post(row.post_id, row.post_facility, row.post_zone, row.post_appliance, row.post_shipment, row.post_receiver)


def tell_excursion(session: Session, sensor: Sensor, found: Excursion, now: datetime) -> None:
    """Tell of an excursion that is newly stored, however old: of what late readings show nobody knew."""
    post = _watched(session, sensor, found.alarm_at)
    if found.side is Side.SILENCE:
        tell_silence(session, sensor, post, found.started_at, found.ended_at, now)
        return
    facts = {
        "excursion": found.id,
        "sensor": sensor.serial,
        "side": found.side,
        "rule": found.rule_name,
        "threshold_celsius": _degrees(found.threshold),
        "extreme_celsius": _degrees(found.extreme),
        "started_at": found.started_at,
        "alarm_at": found.alarm_at,
        "ended_at": found.ended_at,
    }
    put(session, NoticeKind.EXCURSION, key(NoticeKind.EXCURSION, found.id), post, facts, now)


def tell_silence(
    session: Session, sensor: Sensor, post: Post, silent_since: datetime, ended_at: datetime | None, now: datetime
) -> bool:
    """Tell that a sensor is silent, or was: once, whether the watch or a later reading has found it; whether it is new.

    `silent_since` is its last reading, or the beginning of its assignment where there was none.
    """
    facts = {"sensor": sensor.serial, "silent_since": silent_since, "ended_at": ended_at}
    return put(session, NoticeKind.SILENCE, silence_key(sensor, silent_since), post, facts, now)


def silence_key(sensor: Sensor, silent_since: datetime) -> str:
    """The key of a silence, which the watch and the judgement of readings share."""
    return key(NoticeKind.SILENCE, sensor.id, silent_since)


def _watched(session: Session, sensor: Sensor, at: datetime) -> Post:
    """Where a sensor watched last at an instant."""
    query = with_post(select(SensorAssignment.since), SensorAssignment).where(
        SensorAssignment.sensor_id == sensor.id, SensorAssignment.since <= at
    )
    row = session.execute(query.order_by(SensorAssignment.since.desc()).limit(1)).one_or_none()
    return post_of(row) if row else NOWHERE


def _degrees(temperature: int | None) -> float | None:
    return None if temperature is None else float(celsius(temperature))
