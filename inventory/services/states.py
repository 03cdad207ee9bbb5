"""States of sensors: how far each was followed, and who may go on from there.

Whoever follows a sensor remembers its state and, when the next readings come, writes the new one on the condition that
the version is still the same. Whoever changes anything else of a sensor - its watches, or readings in the past -
claims it first, which makes void what others remember.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session

from inventory.domain.following import Runs, from_plain, to_plain
from inventory.domain.instants import counted, instant
from inventory.domain.rollup import Hour, Rolling
from inventory.persistence.bulk import Row, update_where
from inventory.persistence.statements import insert_new, rows_in
from inventory.persistence.tables import Reading, Sensor, SensorAssignment, SensorState

_UNKNOWN = "null"
_UNWATCHED = (None, None, None)
_STATES = select(
    SensorState.sensor_id,
    SensorState.version,
    SensorState.latest_at,
    SensorState.latest,
    SensorState.open_hour,
    SensorState.runs,
)
_HEARD = select(Sensor.id.label("sensor_id")).where(exists().where(Reading.sensor_id == Sensor.id))
_FOLLOWED = ("version", "latest_at", "latest", "open_hour", "runs")


class Track(NamedTuple):
    """A sensor's state, and what is known of its watches.

    `rolling` is None before the first reading that was followed; `is_new` says that there is no other either. `runs`
    are those that the newest one stands in, None where they have to be found out anew. `first_watch` is when its first
    assignment began, `watch` when the one that goes on did, `watched_until` when the last that ended did.
    """

    version: int
    rolling: Rolling | None
    runs: Runs | None
    first_watch: datetime | None = None
    watch: datetime | None = None
    watched_until: datetime | None = None
    is_new: bool = False

    def gone_on(self, rolling: Rolling, runs: Runs) -> "Track":
        """The track after more readings."""
        return Track(self.version + 1, rolling, runs, self.first_watch, self.watch, self.watched_until)


def claim(session: Session, sensors: Iterable[UUID]) -> dict[UUID, int]:
    """Let nobody else write readings, watches or excursions of these sensors until the transaction ends.

    Whoever writes one of them at the same moment would judge without seeing what the other stored. Returns the version
    that each now has. What the newest reading's runs rest on may be about to change, so they are not known any more.
    """
    ids = sorted(sensors)
    insert_new(session, SensorState, [{"sensor_id": each, "version": 0, "self_alarming": False} for each in ids])
    query = select(SensorState.sensor_id, SensorState.version).order_by(SensorState.sensor_id).with_for_update()
    versions = {row.sensor_id: row.version + 1 for row in rows_in(session, query, SensorState.sensor_id, ids)}
    rows = [(sensor, version, _UNKNOWN) for sensor, version in versions.items()]
    update_where(session, SensorState, ["sensor_id"], ["version", "runs"], rows)
    return versions


def load(session: Session, sensors: Iterable[UUID]) -> dict[UUID, Track]:
    """The states of sensors as they are stored; that of a sensor that was never followed knows no readings."""
    ids = sorted(sensors)
    stored = {row.sensor_id: row for row in rows_in(session, _STATES, SensorState.sensor_id, ids)}
    watches = _watches(session, ids)  # after the states: a watch that is not seen here has a newer version
    unknown = [each for each in ids if each not in stored or stored[each].latest_at is None]
    heard = {row.sensor_id for row in rows_in(session, _HEARD, Sensor.id, unknown)}
    new = set(unknown) - heard
    return {each: _track(stored.get(each), watches.get(each, _UNWATCHED), each in new) for each in ids}


def go_on(session: Session, followed: Mapping[UUID, Track]) -> bool:
    """Write states that follow from the versions before them; False, and all is void, where one was not the newest."""
    begun = [sensor for sensor, track in followed.items() if track.version == 1]
    insert_new(session, SensorState, [{"sensor_id": each, "version": 0, "self_alarming": False} for each in begun])
    rows = [(sensor, track.version - 1, *_row(track)) for sensor, track in followed.items()]
    return update_where(session, SensorState, ["sensor_id", "version"], _FOLLOWED, rows) == len(rows)


def settle(session: Session, sensor: UUID, track: Track) -> None:
    """Write the state of a sensor that was claimed."""
    update_where(session, SensorState, ["sensor_id"], _FOLLOWED, [(sensor, *_row(track))])


def _watches(session: Session, ids: list[UUID]) -> dict[UUID, Row]:
    """For each sensor: when its first watch began, when the one that goes on did, when the last that ended did."""
    going_on = case((SensorAssignment.until.is_(None), SensorAssignment.since))
    query = select(
        SensorAssignment.sensor_id,
        func.min(SensorAssignment.since),
        func.max(going_on),
        func.max(SensorAssignment.until),
    ).group_by(SensorAssignment.sensor_id)
    return {row[0]: tuple(row)[1:] for row in rows_in(session, query, SensorAssignment.sensor_id, ids)}


def _track(row: Any | None, watches: Row, is_new: bool) -> Track:
    first, going_on, ended = watches
    if row is None:
        return Track(0, None, {}, first, going_on, ended, is_new)
    return Track(row.version, _rolling(row), _runs(row.runs), first, going_on, ended, is_new)


def _rolling(row: Any) -> Rolling | None:
    if row.latest_at is None or row.latest is None or row.open_hour is None:
        return None
    hour, *rolled = json.loads(row.open_hour)
    return Rolling(counted(row.latest_at), row.latest, counted(datetime.fromisoformat(hour)), Hour(*rolled))


def _runs(text: str | None) -> Runs | None:
    if text is None:
        return {}
    return None if text == _UNKNOWN else from_plain(json.loads(text))


def _row(track: Track) -> tuple[Any, ...]:
    rolling = track.rolling
    runs = json.dumps(track.runs if track.runs is None else to_plain(track.runs)) if track.runs != {} else None
    if rolling is None:
        return track.version, None, None, None, runs
    return track.version, instant(rolling.at), rolling.value, _open_hour(rolling), runs


def _open_hour(rolling: Rolling) -> str:
    readings, lowest, highest, above, below, seen, kinetic = rolling.rolled
    return f'["{_hour(rolling.hour)}", {readings}, {lowest}, {highest}, {above}, {below}, {seen}, {kinetic}]'


@lru_cache(maxsize=1024)
def _hour(microseconds: int) -> str:
    return instant(microseconds).isoformat()
