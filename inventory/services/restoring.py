"""Bringing the readings of an archived month back into the database.

What came for the month meanwhile stays, where it says nothing else. Where it does, the archived value came first and
stands, and the later one is kept aside as a conflict, as it would have been.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, tuple_
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Conflict
from inventory.persistence import month_rows, months, parquet
from inventory.persistence.database import Database
from inventory.persistence.months import Month
from inventory.persistence.parquet import Proof, Row
from inventory.persistence.statements import PART, insert_new
from inventory.persistence.tables import Reading, ReadingConflict, Sensor, StorageProfile
from inventory.services import archive, settling, states
from inventory.services.archived_stretches import Stretch, runs_of
from inventory.services.judgement import judge
from inventory.services.known import known_of
from inventory.services.unjudged import taken_up

Key = tuple[UUID, datetime]


@dataclass(frozen=True)
class Restored:
    """How many readings a file gave back, how many had come meanwhile, and how many of these contradict it."""

    month: Month
    readings: int
    late: int
    conflicts: int


@dataclass
class _Merge:
    """The readings that came for an archived month, by their keys, and what the file says of them."""

    late: dict[Key, Row]
    repeated: set[Key] = field(default_factory=set)
    contradicted: list[Row] = field(default_factory=list)

    def meets(self, row: Row) -> bool:
        """Whether the database has a reading of the same sensor and instant; its own value is noted, if another."""
        mine = self.late.get(row[:2])
        if mine is None:
            return False
        self.repeated.add(row[:2])
        if mine[2] != row[2]:
            self.contradicted.append(mine)
        return True


def restore(database: Database, file: Path, now: datetime) -> Restored:
    """Bring an archived month back, and prove in the same transaction that the database holds it.

    Raises:
        Invalid: `malformed` for a file that is no archive or is damaged.
        Conflict: `archive_differs` for a file that is not what was archived.
        Forbidden: `forbidden` for a database role that may not.
    """
    told = parquet.facts(file)
    month = archive.spelling(told["month"])
    proof = archive.proof_of(file, month)
    if (str(proof.readings), proof.digest) != (told["readings"], told["digest"]):
        raise Conflict(Code.ARCHIVE_DIFFERS, "file", file, N_("readings with the digest that the file names"))
    months.ensure(database, [months.bounds(month)[0]])
    return database.write(lambda session: _restore(session, file, month, proof, now))


def _restore(session: Session, file: Path, month: Month, proof: Proof, now: datetime) -> Restored:
    month_rows.hold_still(session, month)
    row = archive.standing(session, month)
    if row is None or row.digest != proof.digest:
        expected = N_("the file of an archived month, with the digest that coldtrail archives lists")
        raise Conflict(Code.ARCHIVE_DIFFERS, "file", f"{file}: {proof.digest}", expected)
    merge = _Merge({each[:2]: each for rows in month_rows.rows_of(session, month) for each in rows})
    for rows in parquet.read(file):
        _forget(session, [each[:2] for each in rows if merge.meets(each)])
        month_rows.bring_back(session, rows)
    _keep_aside(session, merge.contradicted)
    found = parquet.tallied(_without(month_rows.rows_of(session, month), merge.late.keys() - merge.repeated))
    if found != proof:
        raise archive.differs(file, found, proof)
    row.restored_at = now
    session.flush()
    _judge_anew(session, month, merge, now)
    return Restored(month, proof.readings, len(merge.late), len(merge.contradicted))


def _forget(session: Session, keys: Sequence[Key]) -> None:
    """Make room for what the file holds of the same sensor and instant."""
    for start in range(0, len(keys), PART):
        mine = tuple_(Reading.sensor_id, Reading.measured_at).in_(keys[start : start + PART])
        session.execute(delete(Reading).where(mine), execution_options={"synchronize_session": False})


def _keep_aside(session: Session, rows: Sequence[Row]) -> None:
    names = ("sensor_id", "measured_at", "temperature", "received_at")
    insert_new(session, ReadingConflict, [dict(zip(names, row, strict=True)) for row in rows])


def _without(parts: Iterator[list[Row]], keys: set[Key]) -> Iterator[list[Row]]:
    return ([row for row in rows if row[:2] not in keys] for rows in parts) if keys else parts


def _judge_anew(session: Session, month: Month, merge: _Merge, now: datetime) -> None:
    """Make right what comes of what came late, and of what was put off, without the rest of the month."""
    late: dict[UUID, list[datetime]] = {}
    for sensor_id, at in sorted(merge.late):
        late.setdefault(sensor_id, []).append(at)
    put_off = taken_up(session, month)
    touched = late.keys() | {each.sensor_id for each in put_off}
    registered = {each: sensor for each in touched if (sensor := session.get(Sensor, each)) is not None}
    states.claim(session, registered)
    for sensor_id, sensor in sorted(registered.items()):
        known = known_of(session, sensor, session.get_one(StorageProfile, sensor.profile_code))
        changed: list[Stretch] = [*runs_of(session, late.get(sensor_id, []))]
        changed += [(each.first, each.last) for each in put_off if each.sensor_id == sensor_id]
        for first, last in changed:
            if last is None:
                judge(session, sensor, first, last, now)
            else:
                settling.make_right(session, known, first, last, now)
