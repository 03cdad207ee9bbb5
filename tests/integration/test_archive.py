"""Months of readings moved to files and back: nothing is lost, whatever breaks and whenever."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from pyarrow import parquet as arrow
from sqlalchemy import select, text

from coldtrail.cli import main
from inventory.domain.errors import Code, ColdtrailError, Conflict, Forbidden, Invalid
from inventory.persistence import month_rows, months, parquet
from inventory.persistence.database import Database
from inventory.persistence.tables import Excursion, ReadingConflict, ReadingHour, Sensor
from inventory.services import archive, restoring
from inventory.services.archive import archive_month, archives
from inventory.services.reading_verification import is_fault, verify_readings
from inventory.services.restoring import restore
from tests.county import MINUTE, NOW, build
from tests.integration.test_months import poor_role as poor_role
from tests.integration.test_months import postgres_database as postgres_database
from tests.readings_of_months import feed, rows

MAY = (2024, 5)
START, END = months.bounds(MAY)
HOT = [500] * 3 + [900] * 20 + [500] * 3
LATER = NOW + timedelta(days=1)


class Broken(Exception):
    """What stops a step."""


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A county whose sensors spoke before May, in May and after it."""
    with closing(Database(database_url)) as found:
        build(found)
        for sensor in ("S-FREE", "S-BOX"):
            feed(found, sensor, START - timedelta(hours=3), [500] * 20)
            feed(found, sensor, START + timedelta(days=9), HOT, 5 * MINUTE)
            feed(found, sensor, END - timedelta(hours=1), [450 + number for number in range(6)], 17 * MINUTE)
        yield found


def of_may(database: Database) -> list[tuple[Any, ...]]:
    return [row for row in rows(database) if START <= row[1] < END]


def derived(database: Database) -> list[Any]:
    """What was made of the readings."""
    with database.read() as session:
        return [
            *session.execute(select(ReadingHour.__table__).order_by(ReadingHour.sensor_id, ReadingHour.hour)).all(),
            *session.execute(select(Excursion.__table__).order_by(Excursion.id)).all(),
        ]


def refused(code: Code, work: Callable[[], object]) -> str:
    """What is said of what is refused."""
    with pytest.raises(ColdtrailError) as caught:
        work()
    assert caught.value.code is code
    return str(caught.value)


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_a_month_goes_to_a_file_and_comes_back_as_it_was(database: Database, tmp_path: Path) -> None:
    before, may, made = rows(database), of_may(database), derived(database)
    assert len(may) > 60
    found = archive_month(database, MAY, tmp_path, NOW)
    assert (found.month, found.readings, found.archived_at) == (MAY, len(may), NOW)
    assert only_file(tmp_path).name == found.file
    assert rows(database) == [row for row in before if row not in may]
    assert archives(database) == [found]
    back = restore(database, tmp_path / found.file, LATER)
    assert (back.month, back.readings, back.late, back.conflicts) == (MAY, len(may), 0, 0)
    assert rows(database) == before
    assert derived(database) == made
    assert [each.restored_at for each in archives(database)] == [LATER]
    assert only_file(tmp_path).name == found.file


def test_roll_ups_and_excursions_stay_in_the_database(database: Database, tmp_path: Path) -> None:
    made = derived(database)
    archive_month(database, MAY, tmp_path, NOW)
    assert derived(database) == made
    assert made


def test_the_file_explains_itself(database: Database, tmp_path: Path) -> None:
    may = of_may(database)
    found = archive_month(database, MAY, tmp_path, NOW)
    table = arrow.read_table(tmp_path / found.file)
    assert table.column_names == ["sensor_id", "serial", "measured_at", "temperature", "received_at"]
    with database.read() as session:
        serials = {row[0]: row[1] for row in session.execute(select(Sensor.id, Sensor.serial))}
    told = zip(*(table[name].to_pylist() for name in table.column_names), strict=True)
    assert list(told) == [(row[0], serials[row[0]], *row[1:]) for row in may]
    facts = parquet.facts(tmp_path / found.file)
    assert (facts["month"], facts["readings"], facts["digest"]) == ("2024-05", str(len(may)), found.digest)
    assert facts["archived_at"] == NOW.isoformat()


def test_the_digest_is_one_that_anybody_can_make(database: Database, tmp_path: Path) -> None:
    lines = [
        f"{row[0]}\t{row[1]:%Y-%m-%dT%H:%M:%S.%f}+00:00\t{row[2]}\t{row[3]:%Y-%m-%dT%H:%M:%S.%f}+00:00\n"
        for row in sorted(of_may(database), key=lambda row: (str(row[0]), row[1]))
    ]
    found = archive_month(database, MAY, tmp_path, NOW)
    assert found.digest == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert found.digest[:16] in found.file


def test_the_digest_is_one_that_psql_can_make(postgresql_template: Any, tmp_path: Path) -> None:
    instant = 'to_char({}, \'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"\')'
    columns = f"sensor_id, {instant.format('measured_at')}, temperature, {instant.format('received_at')}"
    with postgresql_template.clone() as url, closing(Database(url)) as database:
        build(database)
        feed(database, "S-FREE", START, HOT)
        feed(database, "S-BOX", START, HOT)
        with psycopg.connect(url) as connection:
            connection.execute("SET timezone = 'UTC'")
            query = f"COPY (SELECT {columns} FROM reading_2024_05 ORDER BY sensor_id, measured_at) TO STDOUT"  # noqa: S608
            with connection.cursor().copy(query.encode()) as copy:
                digest = hashlib.sha256(b"".join(map(bytes, copy))).hexdigest()
        assert archive_month(database, MAY, tmp_path, NOW).digest == digest


def test_readings_of_nobody_are_archived_too(database: Database, tmp_path: Path) -> None:
    stranger = archive_stranger(database)
    found = archive_month(database, MAY, tmp_path, NOW)
    table = arrow.read_table(tmp_path / found.file)
    serials = dict(zip(table["sensor_id"].to_pylist(), table["serial"].to_pylist(), strict=True))
    assert serials[stranger] is None
    restore(database, tmp_path / found.file, LATER)
    assert stranger in {row[0] for row in rows(database)}


def archive_stranger(database: Database) -> Any:
    """A reading of a sensor that is not registered."""
    from inventory.services.ids import new_id

    stranger = new_id()
    row = (stranger, START + MINUTE, -500, NOW)
    database.write(lambda session: month_rows.bring_back(session, [row]))
    return stranger


@pytest.mark.parametrize("month", [(2026, 1), (2026, 2), (2025, 12), (2025, 10)])
def test_a_month_that_is_not_over_for_long_is_refused(
    database: Database, tmp_path: Path, month: tuple[int, int]
) -> None:
    assert "92 days" in refused(Code.TIME_IN_FUTURE, lambda: archive_month(database, month, tmp_path, NOW))
    assert list(tmp_path.iterdir()) == []


def test_a_month_may_go_as_soon_as_it_is_old_enough(database: Database, tmp_path: Path) -> None:
    before = END + archive.AGE - timedelta(microseconds=1)
    refused(Code.TIME_IN_FUTURE, lambda: archive_month(database, MAY, tmp_path, before))
    assert archive_month(database, MAY, tmp_path, END + archive.AGE).readings


def test_a_month_without_readings_is_refused(database: Database, tmp_path: Path) -> None:
    refused(Code.NOT_FOUND, lambda: archive_month(database, (2023, 5), tmp_path, NOW))
    assert list(tmp_path.iterdir()) == []


def test_a_month_is_not_archived_twice(database: Database, tmp_path: Path) -> None:
    found = archive_month(database, MAY, tmp_path, NOW)
    assert found.file in refused(Code.ALREADY_EXISTS, lambda: archive_month(database, MAY, tmp_path, NOW))
    restore(database, tmp_path / found.file, LATER)
    again = archive_month(database, MAY, tmp_path, LATER)
    assert (again.digest, again.file) == (found.digest, found.file)
    assert len(archives(database)) == 2


def test_a_folder_that_is_none_is_refused(database: Database, tmp_path: Path) -> None:
    refused(Code.MALFORMED, lambda: archive_month(database, MAY, tmp_path / "nowhere", NOW))


STEPS: list[tuple[Any, str]] = [
    (archive, "_write"),
    (archive, "_prove"),
    (archive, "_settle"),
    (archive, "_take_out"),
    (month_rows, "take_out"),
    (os, "fsync"),
    (Path, "replace"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("module", "step"), STEPS, ids=[step for _, step in STEPS])
def test_whatever_breaks_nothing_is_lost_and_it_can_be_done_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, step: str, after: bool
) -> None:
    before = rows(database)
    real = getattr(module, step)

    def broken(*given: Any, **named: Any) -> Any:
        if after:
            real(*given, **named)
        raise Broken

    with monkeypatch.context() as patched:
        patched.setattr(module, step, broken)
        with pytest.raises(Broken):
            archive_month(database, MAY, tmp_path, NOW)
    assert rows(database) == before
    assert archives(database) == []
    assert not list(tmp_path.glob("*.part"))
    found = archive_month(database, MAY, tmp_path, NOW)
    assert only_file(tmp_path).name == found.file
    restore(database, tmp_path / found.file, LATER)
    assert rows(database) == before


@pytest.mark.parametrize("step", ["standing", "proof_of"])
@pytest.mark.parametrize("late", [False, True])
def test_a_restore_that_breaks_leaves_the_month_archived(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, late: bool
) -> None:
    before = rows(database)
    found = archive_month(database, MAY, tmp_path, NOW)

    def broken(*_given: Any, **_named: Any) -> Any:
        raise Broken

    target, name = (archive, step) if not late else (restoring, "_judge_anew")
    with monkeypatch.context() as patched:
        patched.setattr(target, name, broken)
        with pytest.raises(Broken):
            restore(database, tmp_path / found.file, LATER)
    assert of_may(database) == []
    assert archives(database) == [found]
    restore(database, tmp_path / found.file, LATER)
    assert rows(database) == before


def test_a_file_that_is_not_what_was_written_keeps_the_month_here(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(database)
    real = parquet.write

    def lossy(file: Path, parts: Any, serials: Any, facts: Any) -> Any:
        whole = [list(each) for each in parts]
        proof = parquet.tallied(whole)
        real(file, [whole[0][:-1]], serials, facts)
        return proof

    monkeypatch.setattr(parquet, "write", lossy)
    said = refused(Code.ARCHIVE_DIFFERS, lambda: archive_month(database, MAY, tmp_path, NOW))
    assert "readings with the digest" in said
    assert rows(database) == before
    assert list(tmp_path.iterdir()) == []


def test_a_reading_that_comes_meanwhile_keeps_the_month_here(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = archive._settle  # noqa: SLF001  (the moment between the file and the database)

    def meanwhile(*given: Any) -> Path:
        feed(database, "S-FREE", START + timedelta(days=20), [510])
        return real(*given)

    monkeypatch.setattr(archive, "_settle", meanwhile)
    refused(Code.BUSY, lambda: archive_month(database, MAY, tmp_path, NOW))
    assert archives(database) == []
    monkeypatch.setattr(archive, "_settle", real)
    may = of_may(database)
    assert archive_month(database, MAY, tmp_path, NOW).readings == len(may)


def test_what_comes_late_is_kept_and_merged(database: Database, tmp_path: Path) -> None:
    may = of_may(database)
    found = archive_month(database, MAY, tmp_path, NOW)
    sensor = may[0][0]
    new = (sensor, START + timedelta(days=20), 510, NOW)
    same = (sensor, may[0][1], may[0][2], LATER)
    other = (sensor, may[1][1], may[1][2] + 7, LATER)
    database.write(lambda session: month_rows.bring_back(session, sorted([new, same, other])))
    back = restore(database, tmp_path / found.file, LATER)
    assert (back.readings, back.late, back.conflicts) == (len(may), 3, 1)
    assert of_may(database) == sorted([*may, new])
    with database.read() as session:
        kept = session.scalars(select(ReadingConflict)).all()
        assert [(row.sensor_id, row.measured_at, row.temperature, row.received_at) for row in kept] == [other]


def test_what_came_late_is_judged_with_its_month(database: Database, tmp_path: Path) -> None:
    since = START + timedelta(days=15)
    found = archive_month(database, MAY, tmp_path, NOW)
    with database.read() as session:
        sensor = session.scalars(select(Sensor.id).where(Sensor.serial == "S-FREE")).one()
    hot = [(sensor, since + number * 5 * MINUTE, 900, LATER) for number in range(20)]
    database.write(lambda session: month_rows.bring_back(session, hot))
    restore(database, tmp_path / found.file, LATER)
    with database.read() as session:
        begun = session.scalars(select(Excursion.started_at).where(Excursion.sensor_id == sensor)).all()
    assert since in begun


def test_what_the_ingest_takes_in_for_an_archived_month_takes_no_verdict_back(
    database: Database, tmp_path: Path
) -> None:
    with database.read() as session:
        before = session.execute(select(Excursion.__table__).order_by(Excursion.id)).all()
    found = archive_month(database, MAY, tmp_path, NOW)
    feed(database, "S-FREE", START + timedelta(days=9, minutes=31), [500, 900])
    with database.read() as session:
        assert session.execute(select(Excursion.__table__).order_by(Excursion.id)).all() == before
    restore(database, tmp_path / found.file, LATER)
    assert not any(map(is_fault, verify_readings(database)))
    with database.read() as session:
        assert session.execute(select(Excursion.__table__).order_by(Excursion.id)).all() != before


def test_another_file_is_not_restored(database: Database, tmp_path: Path) -> None:
    found = archive_month(database, MAY, tmp_path, NOW)
    file = tmp_path / found.file
    whole = file.read_bytes()
    for content in (b"", b"PAR1", whole[:-9], whole[:200] + bytes(64) + whole[264:]):
        file.write_bytes(content)
        with pytest.raises((Invalid, Conflict)):
            restore(database, file, LATER)
    other = tmp_path / "other.parquet"
    row = of_later(database)
    parquet.write(other, [[row]], {}, {"month": "2024-05"})
    assert "2024-05 alone" in refused(Code.MALFORMED, lambda: restore(database, other, LATER))
    parquet.write(other, [[(row[0], START, 500, NOW)]], {}, {"month": "2024-05"})
    refused(Code.ARCHIVE_DIFFERS, lambda: restore(database, other, LATER))
    assert of_may(database) == []
    file.write_bytes(whole)
    assert restore(database, file, LATER).readings == found.readings


def of_later(database: Database) -> Any:
    return rows(database)[-1]


def test_a_month_that_is_here_is_not_restored(database: Database, tmp_path: Path) -> None:
    found = archive_month(database, MAY, tmp_path, NOW)
    restore(database, tmp_path / found.file, LATER)
    before = rows(database)
    refused(Code.ARCHIVE_DIFFERS, lambda: restore(database, tmp_path / found.file, LATER))
    assert rows(database) == before


def test_readings_out_of_order_have_no_proof() -> None:
    rows = [(archive_id(1), START, 1, NOW), (archive_id(1), START, 2, NOW)]
    with pytest.raises(Invalid):
        parquet.tallied([rows])
    with pytest.raises(Invalid):
        parquet.tallied([rows[:1], rows[1:]])
    with pytest.raises(Invalid):
        parquet.tallied([[(archive_id(2), START, 1, NOW)], [(archive_id(1), START, 1, NOW)]])


def archive_id(number: int) -> Any:
    from uuid import UUID

    return UUID(int=number)


def test_the_digest_tells_every_column_apart() -> None:
    row = (archive_id(1), START, 1, NOW)
    others = [
        (archive_id(2), START, 1, NOW),
        (archive_id(1), START + timedelta(microseconds=1), 1, NOW),
        (archive_id(1), START, 2, NOW),
        (archive_id(1), START, 1, NOW + timedelta(microseconds=1)),
    ]
    digests = {parquet.tallied([[each]]).digest for each in [row, *others]}
    assert len(digests) == 5
    east = datetime.fromisoformat("2024-05-01T08:00:00+08:00")
    assert parquet.tallied([[(archive_id(1), east, 1, NOW)]]) == parquet.tallied([[row]])


def test_a_month_that_somebody_reads_for_long_stays(
    postgresql_template: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(month_rows, "PATIENCE", "100ms")
    with postgresql_template.clone() as url, closing(Database(url)) as database:
        build(database)
        feed(database, "S-FREE", START, [500] * 3)
        with database.engine.begin() as reader:
            reader.execute(text("SELECT count(*) FROM reading_2024_05"))
            refused(Code.BUSY, lambda: archive_month(database, MAY, tmp_path, NOW))
        assert archive_month(database, MAY, tmp_path, NOW).readings == 3


def test_the_month_stays_a_partition_for_what_comes_late(postgresql_template: Any, tmp_path: Path) -> None:
    with postgresql_template.clone() as url, closing(Database(url)) as database, closing(Database(url)) as other:
        build(database)
        feed(database, "S-FREE", START, [500] * 3)
        feed(other, "S-FREE", START + MINUTE, [500])
        archive_month(database, MAY, tmp_path, NOW)
        other.write(lambda session: month_rows.bring_back(session, [(archive_id(7), START, 500, NOW)]))
        assert len(of_may(database)) == 1


def test_a_role_that_may_not_empty_the_month_says_so(
    postgres_database: Database, poor_role: str, tmp_path: Path
) -> None:
    build(postgres_database)
    feed(postgres_database, "S-FREE", START, [500] * 3)
    name = poor_role.split("//")[1].split(":")[0]
    with postgres_database.engine.begin() as connection:
        connection.execute(text(f"GRANT SELECT, INSERT, UPDATE ON reading_2024_05 TO {name}"))
    with closing(Database(poor_role)) as poor, pytest.raises(Forbidden) as caught:
        archive_month(poor, MAY, tmp_path, NOW)
    assert "owns the table reading" in str(caught.value)
    assert len(of_may(postgres_database)) == 3


def run(*arguments: str, url: str) -> Any:
    return CliRunner().invoke(main, arguments, env={"COLDTRAIL_DATABASE_URL": url}, catch_exceptions=False)


def test_the_commands(database: Database, database_url: str, tmp_path: Path) -> None:
    before = rows(database)
    done = run("archive", "2024-05", "--to", str(tmp_path), url=database_url)
    assert done.exit_code == 0, done.output
    file = only_file(tmp_path)
    assert str(file) in done.output
    listed = run("archives", url=database_url)
    assert listed.output.split("\t")[:2] == ["2024-05", "archived"]
    back = run("restore-archive", str(file), url=database_url)
    assert "2024-05: " in back.output
    assert rows(database) == before
    assert "restored" in run("archives", url=database_url).output


@pytest.mark.parametrize("month", ["2024", "2024-13", "24-05", "2024-5", "2024-05-01", "²024-05", "1024-05", ""])
def test_a_month_that_is_none_is_said_so(tmp_path: Path, month: str) -> None:
    done = run("archive", month, "--to", str(tmp_path), url="sqlite:////nowhere.db")
    assert done.exit_code == 2
    assert "such as 2026-01" in done.output
