"""What was seen of a place over a time: its sensors' readings as exposure, and the excursions found there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import FromClause, Integer, Select, and_, or_, select
from sqlalchemy.orm import Session

from inventory.domain.budgets import Measures, together
from inventory.domain.exposure import Exposure
from inventory.domain.seen import Seen, nothing
from inventory.domain.words import Side
from inventory.persistence.asked import Asked
from inventory.persistence.statements import core
from inventory.persistence.tables import Excursion, Sensor
from inventory.services.exposures import Exposed, Part, exposures
from inventory.services.watches import Stay


@dataclass(frozen=True)
class ExcursionSummary:
    """An excursion with the rule that it broke; temperatures in hundredths of a degree Celsius.

    `window` is what the time beyond is summed over, None where it has to be one run. `version` is that of this
    verdict; the earlier ones are listed by inventory.services.excursions.
    """

    id: UUID
    sensor: str
    side: Side
    rule: str
    threshold: int | None
    inclusive: bool | None
    duration: timedelta | None
    window: timedelta | None
    started_at: datetime
    alarm_at: datetime
    ended_at: datetime | None
    seen: timedelta
    unseen: timedelta
    extreme: int | None
    cancelled_at: datetime | None
    version: int


@dataclass(frozen=True)
class SensorEvidence:
    """What one sensor saw of a place in a part of the time."""

    sensor: str
    since: datetime
    until: datetime
    exposure: Exposure


@dataclass(frozen=True)
class Evidence:
    """What was seen of a place: by each of its sensors, and the excursions there.

    `unseen` is the time that none of them saw: all of it where there is no sensor. Of it, `archived` lies in months
    whose readings are in files, and outside the whole hours that roll-ups tell of: what was seen then is known when
    they are restored. `worst` is what they say together: of sensors beside each other the worst of each figure.
    """

    unseen: timedelta
    archived: timedelta
    sensors: tuple[SensorEvidence, ...]
    excursions: tuple[ExcursionSummary, ...]
    worst: Seen


class Together(NamedTuple):
    """What was seen of a place, by all of its sensors together; see `Evidence`."""

    unseen: timedelta
    archived: timedelta
    worst: Seen


def evidences(session: Session, stays: Sequence[Stay], measures: Measures) -> list[Evidence]:
    """What was seen of each stay, against the band and the budgets of the product that was there."""
    return evidences_and_sums(session, stays, (), measures)[0]


def evidences_and_sums(
    session: Session, stays: Sequence[Stay], others: Sequence[Stay], measures: Measures
) -> tuple[list[Evidence], list[Together]]:
    """The same of stays, and of others the sums alone; what is in both is asked for once."""
    asked = {stay: number for number, stay in enumerate(dict.fromkeys([*stays, *others]))}
    found = exposures(session, list(asked), measures)
    sums = [_together(each, measures) for each in found]
    numbers = [asked[stay] for stay in stays]
    excursions = _excursions(session, {number: found[number] for number in numbers})
    told = [_evidence(found[number], sums[number], excursions[number]) for number in numbers]
    return told, [sums[asked[stay]] for stay in others]


def _together(found: Exposed, measures: Measures) -> Together:
    spans = [(part.watch.since, part.watch.until, part.seen) for part in found.parts]
    return Together(found.unseen, found.archived, together(spans, nothing(len(measures.intervals))))


def _evidence(found: Exposed, sums: Together, excursions: Sequence[ExcursionSummary]) -> Evidence:
    sensors = tuple(SensorEvidence(part.watch.serial, part.since, part.until, _exposure(part)) for part in found.parts)
    ordered = sorted(excursions, key=lambda each: (each.started_at, each.id))
    return Evidence(sums.unseen, sums.archived, sensors, tuple(ordered), sums.worst)


def _exposure(part: Part) -> Exposure:
    return part.seen.exposure(part.watch.until - part.watch.since)


def _meanwhile(asked: FromClause) -> Select[*tuple[Any, ...]]:
    shared = and_(
        Excursion.sensor_id == asked.c.sensor_id,
        Excursion.cancelled_at.is_(None),
        Excursion.started_at < asked.c.until,
        or_(Excursion.ended_at.is_(None), Excursion.ended_at > asked.c.since),
    )
    return select(asked.c.stay, asked.c.serial, *core(Excursion).columns).select_from(asked).join(Excursion, shared)


_EXCURSIONS = Asked(
    {
        "stay": Integer(),
        "serial": Sensor.serial.type,
        "sensor_id": Excursion.sensor_id.type,
        "since": Excursion.started_at.type,
        "until": Excursion.started_at.type,
    },
    _meanwhile,
)


def _excursions(session: Session, found: Mapping[int, Exposed]) -> dict[int, list[ExcursionSummary]]:
    """The standing excursions that share time with each stay, by its number."""
    asked = [
        (number, part.watch.serial, part.watch.sensor_id, part.since, part.until)
        for number, each in found.items()
        for part in each.parts
        if part.watch.excursions
    ]
    by_stay: defaultdict[int, list[ExcursionSummary]] = defaultdict(list)
    for row in _EXCURSIONS.rows(session, asked):
        by_stay[row.stay].append(summary(row, row.serial))
    return by_stay


def excursions_between(session: Session, sensor: Sensor, since: datetime, until: datetime) -> list[ExcursionSummary]:
    """The sensor's standing excursions that share time with a window."""
    query = select(Excursion).where(
        Excursion.sensor_id == sensor.id,
        Excursion.cancelled_at.is_(None),
        Excursion.started_at < until,
        or_(Excursion.ended_at.is_(None), Excursion.ended_at > since),
    )
    return [summary(row, sensor.serial) for row in session.scalars(query)]


def summary(row: Any, serial: str) -> ExcursionSummary:
    """A stored excursion, or a row of its columns, as it is shown."""
    return ExcursionSummary(
        id=row.id,
        sensor=serial,
        side=row.side,
        rule=row.rule_name,
        threshold=row.threshold,
        inclusive=row.inclusive,
        duration=_time(row.duration_seconds),
        window=_time(row.window_seconds),
        started_at=row.started_at,
        alarm_at=row.alarm_at,
        ended_at=row.ended_at,
        seen=timedelta(seconds=row.seen_seconds),
        unseen=timedelta(seconds=row.unseen_seconds),
        extreme=row.extreme,
        cancelled_at=row.cancelled_at,
        version=row.version,
    )


def _time(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
