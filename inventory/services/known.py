"""The gateways and sensors that an ingest worker knows, so that it need not ask for each message.

What is known here never changes once it is written. A code that is not known is asked for each time, for it may have
been enrolled a moment ago; and now and then all is asked for anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.exposure import Band
from inventory.domain.following import calm_band
from inventory.domain.limits import ExcursionRule
from inventory.domain.rollup import microseconds
from inventory.persistence.statements import rows_in
from inventory.persistence.tables import Gateway, Sensor, StorageProfile
from inventory.services.following import Known
from inventory.services.judgement import hold_of
from inventory.services.rules import excursion_rules

_LASTS = timedelta(minutes=5)
_MOST = 200_000


class Enrolled(NamedTuple):
    """A gateway as the ingest knows it."""

    id: UUID
    code: str
    shard: str


@dataclass
class Directory:
    """Gateways by code, sensors by serial."""

    gateways: dict[str, Enrolled] = field(default_factory=dict)
    sensors: dict[str, Known] = field(default_factory=dict)
    asked_at: datetime | None = None

    def look_up(self, session: Session, codes: Iterable[str], serials: Iterable[str], now: datetime) -> None:
        """Make known those of some gateways and sensors that there are."""
        if self.asked_at is None or not self.asked_at <= now < self.asked_at + _LASTS or len(self.sensors) > _MOST:
            self.gateways.clear()
            self.sensors.clear()
            self.asked_at = now
        unknown = set(codes) - self.gateways.keys()
        for row in rows_in(session, select(Gateway.id, Gateway.code, Gateway.shard), Gateway.code, unknown):
            self.gateways[row.code] = Enrolled(*row)
        query = select(Sensor, StorageProfile).join(StorageProfile, StorageProfile.code == Sensor.profile_code)
        rules: dict[str, tuple[ExcursionRule, ...]] = {}
        for sensor, profile in rows_in(session, query, Sensor.serial, set(serials) - self.sensors.keys()):
            if profile.code not in rules:
                rules[profile.code] = tuple(excursion_rules(session, profile.code))
            self.sensors[sensor.serial] = _known(sensor, profile, rules[profile.code])


def known_of(session: Session, sensor: Sensor, profile: StorageProfile) -> Known:
    """A sensor as the ingest knows it."""
    return _known(sensor, profile, tuple(excursion_rules(session, profile.code)))


def _known(sensor: Sensor, profile: StorageProfile, rules: tuple[ExcursionRule, ...]) -> Known:
    hold = hold_of(sensor)
    band = Band(profile.low, profile.high)
    return Known(sensor.id, sensor.serial, sensor.gateway_id, hold, microseconds(hold), band, rules, calm_band(rules))
