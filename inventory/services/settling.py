"""The slow way of readings: late, contradicting, of a file, or where a watch begins or ends.

What is stored already stays; the excursions and roll-ups around what is new are made anew from all readings there.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from inventory.domain import following
from inventory.domain.following import Runs
from inventory.domain.instants import BEGINNING, instant
from inventory.domain.readings import Reading as Stored
from inventory.persistence import months
from inventory.persistence.bulk import insert_unknown
from inventory.persistence.database import LostRace
from inventory.persistence.statements import insert_new, rows_with
from inventory.persistence.tables import Reading, ReadingConflict, Sensor
from inventory.services import rollups, states
from inventory.services.archived_stretches import heard_before, runs_of, sure_hours
from inventory.services.following import Known, Measured
from inventory.services.judgement import judge, read_between
from inventory.services.states import Track
from inventory.services.unjudged import put_off

Key = tuple[UUID, datetime]

COLUMNS = ("sensor_id", "measured_at", "temperature", "received_at")


def settle(
    session: Session, arrived: Mapping[UUID, Sequence[Measured]], known: Mapping[UUID, Known], now: datetime
) -> int:
    """Store readings of some sensors, which this claims, and make right what comes of them; how many were new."""
    states.claim(session, arrived)
    archived = months.archived(session)
    new = _store(session, arrived, now)
    for sensor, instants in sorted(new.items()):
        for first, last in runs_of(session, instants):
            make_right(session, known[sensor], first, last, now)
    if months.archived(session) != archived:
        raise LostRace  # readings that had a say were taken away meanwhile
    return sum(map(len, new.values()))


def _renewed(session: Session, known: Known, track: Track, newest: Stored) -> Runs | None:
    """The runs that the newest reading stands in, from the readings of its watch; None where some are archived."""
    at = newest.measured_at
    if track.first_watch is not None and not (track.watch is not None and track.watch <= at):
        return {}
    begins = max(_calm_before(session, known, at), track.watch or BEGINNING)
    spans = months.spans(months.archived(session))
    if any(gone < at and begins < back and heard_before(session, known.id, back) for gone, back in spans):
        return None
    return following.anew(read_between(session, known.id, begins, at), known.rules, known.hold)


def make_right(session: Session, known: Known, first: datetime, last: datetime, now: datetime) -> None:
    """Make right what comes of readings of a claimed sensor from `first` to `last`, which were just stored.

    What of it needs readings of an archived month is put off until that is restored.
    """
    judge(session, session.get_one(Sensor, known.id), first, last, now)
    track = states.load(session, [known.id])[known.id]
    began, newest = rollups.extent(session, known.id)
    if track.rolling is None:
        first, last = began, newest.measured_at
    elif newest.measured_at < instant(track.rolling.at):
        newest = Stored(instant(track.rolling.at), track.rolling.value)  # its month is archived
    elif newest.measured_at > instant(track.rolling.at):
        rollups.close(session, known.id, known.held, known.band, track.rolling)
    hours, lacks = sure_hours(session, first, last, known.hold)
    for month in lacks:
        put_off(session, known.id, month, first, last)
    rolling = rollups.renew(session, known.id, known.hold, known.band, hours, newest, track.rolling)
    runs = _renewed(session, known, track, newest)
    states.settle(session, known.id, Track(track.version, rolling, runs))


def _calm_before(session: Session, known: Known, at: datetime) -> datetime:
    """The last reading within all limits, up to an instant."""
    low, high = known.calm
    calm = and_(Reading.sensor_id == known.id, Reading.measured_at <= at, Reading.temperature.between(low, high))
    return session.scalar(select(func.max(Reading.measured_at)).where(calm)) or BEGINNING


def _store(session: Session, arrived: Mapping[UUID, Sequence[Measured]], now: datetime) -> dict[UUID, list[datetime]]:
    """Store what is new, keep contradictions aside; the instants that were new."""
    sent: dict[Key, list[int]] = {}
    for sensor, readings in arrived.items():
        for at, value in readings:
            sent.setdefault((sensor, instant(at)), []).append(value)
    rows = [(*key, values[0], now) for key, values in sent.items()]
    new = insert_unknown(session, Reading, COLUMNS, rows)
    _keep_conflicts(session, {key: values for key, values in sent.items() if key not in new or len(values) > 1}, now)
    found: dict[UUID, list[datetime]] = {}
    for sensor, at in new:
        found.setdefault(sensor, []).append(at)
    return found


def _keep_conflicts(session: Session, repeated: dict[Key, list[int]], now: datetime) -> None:
    stored = _stored(session, repeated)
    rows = [
        {"sensor_id": key[0], "measured_at": key[1], "temperature": value, "received_at": now}
        for key, values in repeated.items()
        for value in sorted(set(values) - {stored[key]})
    ]
    insert_new(session, ReadingConflict, rows)


def _stored(session: Session, keys: Mapping[Key, object]) -> dict[Key, int]:
    """The temperatures that are stored under some keys."""
    query = select(Reading.sensor_id, Reading.measured_at, Reading.temperature)
    found = rows_with(session, query, (Reading.sensor_id, Reading.measured_at), keys)
    return {(row.sensor_id, row.measured_at): row.temperature for row in found}
