"""A sensor whose readings are gone through anew, and what may come of that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.excursions import ExcursionRule
from inventory.domain.exposure import Band
from inventory.domain.instants import BEGINNING, FOREVER
from inventory.domain.readings import Reading as Measured
from inventory.persistence.tables import Reading, Sensor, StorageProfile
from inventory.services.judgement import hold_of
from inventory.services.rules import excursion_rules

Window = tuple[datetime, datetime]

PART = 20_000
"""How many readings are in memory at a time: two weeks at one a minute."""


@dataclass(frozen=True)
class Difference:
    """A column that is not what the readings give; None stands for no row, or no value."""

    sensor: str
    of: str
    column: str
    stored: object
    recomputed: object


@dataclass(frozen=True)
class Subject:
    """A sensor in a consistent view; `archived` is the time whose readings are not in the database."""

    session: Session
    sensor: Sensor
    archived: Sequence[Window]

    @cached_property
    def hold(self) -> timedelta:
        """For how long its readings stand."""
        return hold_of(self.sensor)

    @cached_property
    def rules(self) -> list[ExcursionRule]:
        """The limits that it is judged by."""
        return excursion_rules(self.session, self.sensor.profile_code)

    @cached_property
    def band(self) -> Band:
        """The band that it is rolled up by."""
        profile = self.session.get_one(StorageProfile, self.sensor.profile_code)
        return Band(profile.low, profile.high)

    @property
    def windows(self) -> list[Window]:
        """The time whose readings are all in the database."""
        ends = [BEGINNING, *(at for span in self.archived for at in span), FOREVER]
        return list(zip(ends[::2], ends[1::2], strict=True))

    def lacks(self, at: datetime) -> bool:
        """Whether a reading of that instant is not, or not surely, in the database."""
        return any(since <= at < until for since, until in self.archived)

    def parts(self, since: datetime, until: datetime, *, last: bool = False) -> Iterator[list[Measured]]:
        """The readings from `since` until before `until`, or up to it where the `last` one counts; by time."""
        ends = Reading.measured_at <= until if last else Reading.measured_at < until
        query = select(Reading.measured_at, Reading.temperature).where(
            Reading.sensor_id == self.sensor.id, Reading.measured_at >= since, ends
        )
        ordered = query.order_by(Reading.measured_at).execution_options(yield_per=PART)
        for rows in self.session.execute(ordered).partitions():
            yield [Measured(row[0], row[1]) for row in rows]

    def difference(self, of: str, column: str, stored: object, recomputed: object) -> Iterator[Difference]:
        """The difference, if it is one."""
        if stored != recomputed:
            yield Difference(self.sensor.serial, of, column, _shown(stored), _shown(recomputed))


def _shown(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
