"""Moving whole months of readings to Parquet files, and back.

Nothing is deleted: readings leave the database only when their file was written, synced, read back and found equal,
and in the transaction that writes down where they are. Roll-ups, excursions, states and conflicts stay.
"""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.errors import N_, Code, Conflict, Invalid, NotFound, Unavailable
from inventory.persistence import month_rows, months, parquet
from inventory.persistence.database import Database
from inventory.persistence.months import Month
from inventory.persistence.parquet import Proof, Row
from inventory.persistence.tables import ArchivedMonth, Sensor

AGE = timedelta(days=92)
"""How long a month has to be over: what is new is asked for every day, and gateways may bring readings late."""

_SPELLING = re.compile(r"(2\d{3})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class Archive:
    """A month's readings in a file; `restored_at` says when they were brought back."""

    month: Month
    readings: int
    digest: str
    file: str
    archived_at: datetime
    restored_at: datetime | None


@dataclass(frozen=True)
class _Written:
    """A file of a month, what is in it, and what the database said of that month at the same moment."""

    part: Path
    proof: Proof
    sums: tuple[Any, ...]


def archive_month(database: Database, month: Month, folder: Path, now: datetime) -> Archive:
    """Move the readings of a month to a new file in a folder; when anything goes wrong they stay where they are.

    Raises:
        Invalid: `time_in_future` for a month that was not over for `AGE` yet, `malformed` for a folder that cannot
            be written.
        NotFound: `not_found` for a month without readings.
        Conflict: `already_exists` for a month that is archived, `archive_differs` when the file is not what was
            written to it.
        Unavailable: `busy` while others read or write readings of that month.
        Forbidden: `forbidden` for a database role that may not.
    """
    if months.bounds(month)[1] + AGE > now:
        expected = N_("a month that has been over for %(days)s days")
        raise Invalid(Code.TIME_IN_FUTURE, "month", spelled(month), expected, days=AGE.days)
    with _part(folder, month) as part:
        written = _write(database, month, part, now)
        _prove(part, month, written.proof)
        file = _settle(part, month, written.proof)
        return database.write(lambda session: _take_out(session, month, written, file.name, now))


def archives(database: Database) -> list[Archive]:
    """What was ever archived, by month."""
    with database.read() as session:
        rows = session.scalars(select(ArchivedMonth).order_by(ArchivedMonth.month, ArchivedMonth.archived_at))
        return [_told(row) for row in rows]


def spelled(month: Month) -> str:
    """A month as people write it, such as 2026-01."""
    return f"{month[0]:04}-{month[1]:02}"


def spelling(text: str) -> Month:
    """The month that is written so.

    Raises:
        Invalid: `malformed`.
    """
    found = _SPELLING.fullmatch(text)
    if found:
        return int(found[1]), int(found[2])
    raise Invalid(Code.MALFORMED, "month", text, N_("a year and a month, such as 2026-01"))


def standing(session: Session, month: Month) -> ArchivedMonth | None:
    """The archive in which a month lies, if it does."""
    query = select(ArchivedMonth).where(
        ArchivedMonth.month == months.bounds(month)[0], ArchivedMonth.restored_at.is_(None)
    )
    return session.scalar(query)


@contextmanager
def _part(folder: Path, month: Month) -> Iterator[Path]:
    """A new file in the folder, gone at the end unless it was given its name."""
    try:
        handle, name = tempfile.mkstemp(prefix=f"{months.name_of(month)}-", suffix=".part", dir=folder)
    except OSError as error:
        raise Invalid(Code.MALFORMED, "folder", folder, N_("a folder that can be written")) from error
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _write(database: Database, month: Month, part: Path, now: datetime) -> _Written:
    facts = {
        "month": spelled(month),
        "archived_at": now.isoformat(),
        "temperature": "hundredths of a degree Celsius",
        "digest_of": "SHA-256 of lines sensor_id, measured_at, temperature, received_at by sensor_id and measured_at",
    }
    with database.read() as session:
        _refuse_archived(session, month)
        sums = month_rows.sums(session, month)
        if not sums[0]:
            raise NotFound(Code.NOT_FOUND, "month", spelled(month), N_("a month with readings"))
        serials = {row.id: row.serial for row in session.execute(select(Sensor.id, Sensor.serial))}
        return _Written(part, parquet.write(part, month_rows.rows_of(session, month), serials, facts), sums)


def _refuse_archived(session: Session, month: Month) -> None:
    found = standing(session, month)
    if found is not None:
        expected = N_("a month that is not archived; %(file)s holds it")
        raise Conflict(Code.ALREADY_EXISTS, "month", spelled(month), expected, file=found.file)


def _prove(part: Path, month: Month, expected: Proof) -> None:
    """Have the file on the disk, and find in it what was read from the database."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    found = proof_of(part, month)
    if found != expected:
        raise differs(part, found, expected)


def proof_of(file: Path, month: Month) -> Proof:
    """What is in a file, all of which has to be of its month.

    Raises:
        Invalid: `malformed` where it is not.
    """
    since, until = months.bounds(month)

    def inside(rows: Sequence[Row]) -> Sequence[Row]:
        if not all(since <= row[1] < until for row in rows):
            raise Invalid(Code.MALFORMED, "file", file, N_("readings of %(month)s alone"), month=spelled(month))
        return rows

    return parquet.tallied(inside(rows) for rows in parquet.read(file))


def differs(file: Path, found: Proof, expected: Proof) -> Conflict:
    """The error that a file and the database do not hold the same."""
    value = f"{file}: {found.readings} readings, {found.digest}"
    told = N_("%(readings)s readings with the digest %(digest)s")
    return Conflict(Code.ARCHIVE_DIFFERS, "file", value, told, readings=expected.readings, digest=expected.digest)


def _settle(part: Path, month: Month, proof: Proof) -> Path:
    """Give the file its name, which holds its digest: what it replaces, if anything, holds the same."""
    file = part.with_name(f"{months.name_of(month)}-{proof.digest[:16]}.parquet")
    part.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return file


def _take_out(session: Session, month: Month, written: _Written, file: str, now: datetime) -> Archive:
    month_rows.hold_still(session, month)
    _refuse_archived(session, month)
    if month_rows.sums(session, month) != written.sums:
        expected = N_("a month for which no reading comes meanwhile; try again")
        raise Unavailable(Code.BUSY, "month", spelled(month), expected)
    row = ArchivedMonth(
        month=months.bounds(month)[0],
        archived_at=now,
        readings=written.proof.readings,
        digest=written.proof.digest,
        file=file,
        restored_at=None,
    )
    session.add(row)
    session.flush()
    month_rows.take_out(session, month)
    return _told(row)


def _told(row: ArchivedMonth) -> Archive:
    return Archive(months.month_of(row.month), row.readings, row.digest, row.file, row.archived_at, row.restored_at)
