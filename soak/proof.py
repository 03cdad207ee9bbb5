"""What is compared at the end: what was taken, what is stored, and what one pass over the stored readings finds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.domain.excursions import Span, detect
from inventory.domain.instants import BEGINNING
from inventory.domain.readings import Reading as Measured
from inventory.persistence.database import Database
from inventory.persistence.tables import Excursion, ReadingConflict, RejectedMessage, Sensor
from inventory.services.judgement import hold_of, read_between
from inventory.services.rules import excursion_rules

Key = tuple[str, datetime]
"""A sensor's serial and an instant."""

Taken = dict[Key, int]
"""The temperature of each reading, in hundredths of a degree."""

PROBE = "PROBE"
"""A gateway that nobody enrolled: what it says is kept aside, and so shows that a worker hears."""

_LINE = re.compile(r"([A-Za-z0-9-]+),([0-9T:.-]{19,26}[+]00:00),(-?[0-9]+)")


@dataclass(frozen=True)
class Proof:
    """The comparison.

    `lost` were taken and are not stored, `altered` are stored with another temperature, `unrecorded` are stored
    though their taker died before it could note that it took them; `conflicts` and `rejected` are what was kept aside.
    """

    taken: int
    stored: int
    lost: int
    altered: int
    duplicated: int
    unrecorded: int
    conflicts: int
    rejected: int
    excursions: int
    excursions_equal: bool

    @property
    def holds(self) -> bool:
        """Whether every reading taken is there once, and the excursions are those of one pass."""
        kept = self.lost == self.altered == self.duplicated == self.conflicts == self.rejected == 0
        return kept and self.excursions_equal


def recorded(files: Iterable[Path]) -> Taken:
    """The readings that takers noted, `serial,instant,temperature` a line; one that a kill broke off is none."""
    lines = (line for file in files if file.exists() for line in file.read_text(encoding="utf-8").splitlines())
    found = (_LINE.fullmatch(line) for line in lines)
    return {(line[1], datetime.fromisoformat(line[2])): int(line[3]) for line in found if line}


def prove(database: Database, taken: Taken) -> Proof:
    """Compare what was taken with what is stored."""
    with database.read() as session:
        sensors = list(session.scalars(select(Sensor)))
        by_sensor = {sensor.serial: read_between(session, sensor.id, BEGINNING, None) for sensor in sensors}
        stored = {(serial, each.measured_at): each.temperature for serial, found in by_sensor.items() for each in found}
        verdicts = [_judged(session, sensor, by_sensor[sensor.serial]) for sensor in sensors]
        rows = sum(map(len, by_sensor.values()))
        return Proof(
            taken=len(taken),
            stored=rows,
            lost=len(taken.keys() - stored.keys()),
            altered=sum(stored[key] != value for key, value in taken.items() if key in stored),
            duplicated=rows - len(stored),
            unrecorded=len(stored.keys() - taken.keys()),
            conflicts=_conflicts(session),
            rejected=_rejected(session),
            excursions=sum(len(standing) for standing, _ in verdicts),
            excursions_equal=all(standing == found for standing, found in verdicts),
        )


def _judged(session: Session, sensor: Sensor, readings: list[Measured]) -> tuple[set[object], set[object]]:
    """The excursions that stand, and those that one pass over the readings finds."""
    living = select(Excursion).where(Excursion.sensor_id == sensor.id, Excursion.cancelled_at.is_(None))
    rules = excursion_rules(session, sensor.profile_code)
    found = detect(readings, rules, hold_of(sensor))
    return {_of_row(row) for row in session.scalars(living)}, {_of_span(span) for span in found}


def _of_row(row: Excursion) -> object:
    return (row.rule_name, row.side, row.started_at, row.alarm_at, row.ended_at, row.extreme, row.seen_seconds)


def _of_span(span: Span) -> object:
    name = span.rule.name if span.rule else "SILENCE"
    seen = int(span.seen.total_seconds())
    return (name, span.side, span.started_at, span.alarm_at, span.ended_at, span.extreme, seen)


def _conflicts(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ReadingConflict)) or 0


def _rejected(session: Session) -> int:
    """Without the probes, which are meant to be."""
    query = select(func.count()).select_from(RejectedMessage)
    return session.scalar(query.where(RejectedMessage.topic.not_like(f"%/{PROBE}/%"))) or 0
