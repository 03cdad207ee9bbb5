"""Taking in what gateways send: a chunk of messages is one transaction, and only then may receipts go out.

A reading is (sensor, measured_at): the same again changes nothing, another value at the same instant is kept aside as
a conflict. What cannot be stored is kept whole with its reason. Nothing is dropped.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from inventory.domain.instants import counted, instant
from inventory.domain.words import RejectReason
from inventory.persistence import months
from inventory.persistence.bulk import insert_certain
from inventory.persistence.database import ATTEMPT, Database, LostRace
from inventory.persistence.tables import Reading, Sensor, StorageProfile
from inventory.services import growth, rollups, settling, states, streams
from inventory.services.following import Followed, follow
from inventory.services.hearing import Hearing
from inventory.services.judgement import judge
from inventory.services.known import Directory, known_of
from inventory.services.messages import Measurement, Message, Receipt, Rejection
from inventory.services.rejections import keep_aside
from inventory.services.sorting import Sorted, sort_out
from inventory.services.states import Track
from inventory.services.streams import Streams

_MOST_TRACKS = 100_000
_DAY = timedelta(days=1)

Entry = Message | Rejection


class _Taken(NamedTuple):
    """What a transaction did, to be remembered once it is committed."""

    receipts: list[Receipt]
    tracks: dict[UUID, Track]
    committed: dict[streams.Key, int]


class Intake:
    """What one ingest worker remembers between chunks; it can be forgotten at any time, and costs only time then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._directory = Directory()
        self._tracks: dict[UUID, Track] = {}
        self._streams = Streams()
        self._hearing = Hearing()
        self._made_ahead: datetime | None = None

    def record(self, chunk: Sequence[Entry], now: datetime) -> list[Receipt]:
        """Store a chunk in one transaction; the receipts may be sent once this has returned.

        The same chunk again, in any order and division, changes nothing and gives its receipts again.

        Raises:
            Unavailable: `database_away`, `busy`; nothing of it was stored.
        """
        messages = [each for each in chunk if isinstance(each, Message)]
        rejections = [each for each in chunk if isinstance(each, Rejection)]
        self._make_months(messages, now)
        try:
            taken = self._database.write(lambda session: self._record(session, messages, rejections, now))
        except BaseException:
            self._forget()  # should what is remembered be at fault, it shall not be so twice
            raise
        if len(self._tracks) > _MOST_TRACKS:
            self._tracks.clear()
        self._tracks.update(taken.tracks)
        self._streams.learn(taken.committed)
        return taken.receipts

    def _forget(self) -> None:
        """Remember nothing but what is remembered for the sake of others."""
        self._directory = Directory()
        self._tracks.clear()
        self._streams.forget()
        self._database.months.clear()

    def _make_months(self, messages: Sequence[Message], now: datetime) -> None:
        """See to it that there is room for the readings, and once a day for those of the months to come."""
        if self._made_ahead is None or now - self._made_ahead >= _DAY:
            months.ahead(self._database, now)
            self._made_ahead = now
        months.ensure(self._database, self._in_new_months(messages, now))

    def _in_new_months(self, messages: Sequence[Message], now: datetime) -> set[datetime]:
        """When readings were measured that can be stored, if there may be no room yet: no stranger makes months."""
        measured = {one.measured_at for message in messages for one in message.measurements}
        if not months.lacking(self._database, measured):
            return set()
        with self._database.read() as session:
            serials = {one.sensor for message in messages for one in message.measurements}
            self._directory.look_up(session, {message.gateway for message in messages}, serials, now)
        return {row[1] for row in sort_out(messages, self._directory, {}, now).rows}

    def _record(
        self, session: Session, messages: Sequence[Message], rejections: Sequence[Rejection], now: datetime
    ) -> _Taken:
        if session.info[ATTEMPT]:
            self._forget()
        serials = {one.sensor for message in messages for one in message.measurements}
        serials |= {each.sensor for message in messages for each in message.alarms}
        self._directory.look_up(session, {message.gateway for message in messages}, serials, now)
        self._load_tracks(session, serials)
        found = sort_out(messages, self._directory, self._tracks, now)
        if any(each.reason is RejectReason.BEFORE_ASSIGNMENT for each in found.rejections):
            found = self._sort_anew(session, messages, serials, now)
        tracks = self._store(session, found, now)
        self._hearing.note(session, found.accepted, self._directory.gateways, found.alarms, now)
        keep_aside(session, [*rejections, *found.rejections])
        receipts, committed = self._streams.advance(session, found.accepted, self._directory.gateways, now)
        return _Taken(receipts, tracks, committed)

    def _load_tracks(self, session: Session, serials: Iterable[str]) -> None:
        sensors = self._directory.sensors
        ids = {sensors[serial].id for serial in serials if serial in sensors} - self._tracks.keys()
        self._tracks |= states.load(session, ids) if ids else {}

    def _sort_anew(
        self, session: Session, messages: Sequence[Message], serials: Iterable[str], now: datetime
    ) -> Sorted:
        """Sort again by what is known of watches now: a reading may be refused for them only by the newest."""
        for serial in serials:
            if serial in self._directory.sensors:
                self._tracks.pop(self._directory.sensors[serial].id, None)
        self._load_tracks(session, serials)
        return sort_out(messages, self._directory, self._tracks, now)

    def _store(self, session: Session, found: Sorted, now: datetime) -> dict[UUID, Track]:
        """Store the readings that can be; the tracks of the sensors that could be followed."""
        followed = {
            sensor: follow(found.known[sensor], self._tracks.get(sensor), readings)
            for sensor, readings in found.arrived.items()
        }
        late = {sensor: found.arrived[sensor] for sensor, each in followed.items() if each is None}
        if late:
            settling.settle(session, late, found.known, now)
            for sensor in late:
                self._tracks.pop(sensor, None)
        in_order = {sensor: each for sensor, each in followed.items() if each is not None}
        tracks = {sensor: each.track for sensor, each in in_order.items()}
        if not states.go_on(session, tracks):
            raise LostRace
        _store_in_order(session, in_order, found, now)
        return tracks


def record(database: Database, chunk: Sequence[Entry], now: datetime) -> list[Receipt]:
    """Store a chunk with nothing remembered from another; see `Intake.record`."""
    return Intake(database).record(chunk, now)


def record_readings(session: Session, sensor: Sensor, measurements: Iterable[Measurement], now: datetime) -> int:
    """Store the readings of one sensor, from a file rather than a message; how many were new."""
    known = known_of(session, sensor, session.get_one(StorageProfile, sensor.profile_code))
    arrived = {sensor.id: [(counted(one.measured_at), one.temperature) for one in measurements]}
    return settling.settle(session, arrived, {sensor.id: known}, now)


def _store_in_order(session: Session, followed: Mapping[UUID, Followed], found: Sorted, now: datetime) -> None:
    rows = found.rows if len(followed) == len(found.arrived) else [row for row in found.rows if row[0] in followed]
    insert_certain(session, Reading, settling.COLUMNS, rows)
    rollups.add(session, [(sensor, at, hour) for sensor, each in followed.items() for at, hour in each.over])
    growing = {sensor: each for sensor, each in followed.items() if each.grown and not each.must_judge}
    if growing:
        growth.grow(session, growing, now)
    for sensor in sorted(sensor for sensor, each in followed.items() if each.must_judge):
        readings = found.arrived[sensor]
        judge(session, session.get_one(Sensor, sensor), instant(readings[0][0]), instant(readings[-1][0]), now)
