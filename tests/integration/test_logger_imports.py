"""Files of LogTags and of WHO loggers, and what a Fridge-tag tells of its own alarms, as they are stored."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from coldtrail.cli import main
from coldtrail.importing import import_fridge_tag, import_logtag, import_usb_logger
from inventory.domain.errors import Invalid
from inventory.domain.words import Side
from inventory.persistence.database import Database
from inventory.persistence.tables import DeviceAlarm
from inventory.services.series import list_readings
from inventory.strict_json import BadPayload
from tests.county import NOW, build, counts

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    build(found)
    yield found
    found.close()


def told(database: Database) -> list[tuple[str, datetime, Side | None]]:
    """What devices stated of their alarms, as stored."""
    with database.read() as session:
        found = session.scalars(select(DeviceAlarm).order_by(DeviceAlarm.at, DeviceAlarm.code))
        return [(each.code, each.at, each.side) for each in found]


def temperatures(database: Database, serial: str) -> list[int]:
    return [line.temperature for line in list_readings(database, serial, None, None, None, 100).page.items]


@pytest.fixture
def logtag(tmp_path: Path) -> Path:
    """Six readings at ten minutes from 08:00 in Shanghai, of which the third and fourth are too warm."""
    head = "Serial #,1010\nReading interval,10 minutes\nNon alert range,2.0  to  8.0 °C\nIndex,Date,Time,Temperature\n"
    values = (4.5, 8.0, 8.1, 9.5, 8.0, 2.0)
    rows = (f"{index},2026-01-01,08:{index}0:00,{value}\n" for index, value in enumerate(values))
    file = tmp_path / "LogTag_1010_1.csv"
    file.write_text(head + "".join(rows), encoding="utf-8")
    return file


def test_a_logtag_is_judged_by_its_range_without_alert(database: Database, logtag: Path) -> None:
    imported, _ = import_logtag(database, logtag, ZONE, "A-FRIDGE", NOW)
    assert (imported.readings, imported.new) == (6, 6)
    assert temperatures(database, "1010") == [450, 800, 810, 950, 800, 200]
    [hot] = imported.excursions
    began = START + timedelta(minutes=20)
    assert (hot.side, hot.started_at, hot.alarm_at) == (Side.ABOVE, began, began)
    assert (hot.ended_at, hot.extreme) == (START + timedelta(minutes=40), 950)


def test_the_same_logtag_again_changes_nothing(database: Database, logtag: Path) -> None:
    first, _ = import_logtag(database, logtag, ZONE, None, NOW)
    before = counts(database)
    again, _ = import_logtag(database, logtag, ZONE, None, NOW)
    assert (again.new, again.excursions) == (0, first.excursions)
    assert counts(database) == before


def test_a_logtag_without_readings_is_refused(database: Database, logtag: Path) -> None:
    logtag.write_text("".join(logtag.read_text(encoding="utf-8").splitlines(keepends=True)[:4]), encoding="utf-8")
    with pytest.raises(BadPayload, match="no readings"):
        import_logtag(database, logtag, ZONE, None, NOW)


def record(minutes: int, celsius: float | None, alarm: str | None = None, base: str = "PT0S") -> dict[str, Any]:
    return {"RELT": f"PT{minutes}M", "RTCW": base, "TVC": celsius, "ALRM": alarm, "LERR": None}


def usb(folder: Path, name: str, *records: dict[str, Any]) -> Path:
    file = folder / name
    file.write_text(json.dumps({"LSER": "L-USB", "AMOD": "M", "records": records}))
    return file


@pytest.fixture
def stick(tmp_path: Path) -> tuple[Path, Path]:
    """A logger that froze for an hour and a quarter, written to two files, and whose clock was reset once before."""
    cold = [record(15 * each, -0.5, "FRZE" if each >= 6 else None) for each in range(2, 8)]
    old = usb(tmp_path, "L_DATA_PT45M_20260101T004500Z.json", record(0, 4.5), record(15, 4.0), *cold[:2])
    new = usb(
        tmp_path,
        "L_CURRENT_DATA_PT2H_20260101T020007Z.json",
        record(7, 20.0, base="PT99S"),
        *cold,
        record(120, 4.5, "none"),
    )
    return old, new


def test_a_usb_stick_is_dated_by_the_earliest_start_and_judged_as_who_loggers_judge(
    database: Database, stick: tuple[Path, Path]
) -> None:
    imported, log = import_usb_logger(database, stick, "A-FRIDGE", NOW)
    assert (log.started_at, log.interval, dict(log.undated)) == (START, 900, {"PT99S": 1})
    assert (imported.readings, imported.new) == (9, 9)
    assert temperatures(database, "L-USB") == [450, 400, -50, -50, -50, -50, -50, -50, 450]
    [cold] = imported.excursions
    assert (cold.side, cold.started_at, cold.alarm_at) == (
        Side.BELOW,
        START + timedelta(minutes=30),
        START + timedelta(minutes=90),
    )
    assert told(database) == [
        ("FRZE", START + timedelta(minutes=90), Side.BELOW),
        ("FRZE", START + timedelta(minutes=105), Side.BELOW),
    ]


def test_the_same_usb_stick_again_changes_nothing(database: Database, stick: tuple[Path, Path]) -> None:
    import_usb_logger(database, stick, None, NOW)
    before = counts(database)
    again, _ = import_usb_logger(database, stick[::-1], None, NOW)
    assert again.new == 0
    assert counts(database) == before


def test_usb_files_that_nothing_dates_are_refused_and_nothing_is_stored(database: Database, tmp_path: Path) -> None:
    before = counts(database)
    with pytest.raises(BadPayload, match="no file has a name that dates it"):
        import_usb_logger(database, [usb(tmp_path, "renamed.json", record(0, 4.5))], None, NOW)
    assert counts(database) == before


def test_a_usb_logger_whose_clock_was_never_set_is_refused(database: Database, tmp_path: Path) -> None:
    file = usb(tmp_path, "L_CURRENT_DATA_PT1H_20990101T000000Z.json", record(0, 4.5))
    with pytest.raises(Invalid):
        import_usb_logger(database, [file], None, NOW)


FRIDGE_TAG = """Device: Q-tag Fridge-tag 2
Conf:
 Serial: 000000000001
 Temp unit: C
 Alarm:
  0:
   T AL: -0.5, t AL: 60
  1:
   T AL: +8.0, t AL: 600
Hist:
 TS Actv: 2026-01-01 09:00
 TS Report Creation: 2026-01-02 10:00
 1:
  Date: 2026-01-01
  Alarm:
   0:
    t Acc: 75, TS A: 16:18, C A: 0
   1:
    t Acc: 840, TS A: 22:00
"""


def test_a_fridge_tags_own_alarms_are_kept_with_their_sides(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "tag.txt"
    file.write_text(FRIDGE_TAG)
    for _ in range(2):
        import_fridge_tag(database, file, ZONE, None, NOW)
        assert told(database) == [
            ("LOW -0.5/60", START + timedelta(hours=8, minutes=18), Side.BELOW),
            ("HIGH +8.0/600", START + timedelta(hours=14), Side.ABOVE),
        ]


def run(url: str, *arguments: str) -> list[str]:
    environment = {"COLDTRAIL_DATABASE_URL": url, "COLDTRAIL_CLOCK": f"{NOW.isoformat()},{NOW.isoformat()},1"}
    result = CliRunner().invoke(main, ["import", *arguments], env=environment, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_the_commands_tell_what_was_taken_and_what_was_not(
    database: Database, database_url: str, logtag: Path, stick: tuple[Path, Path]
) -> None:
    of_tag = run(database_url, "logtag", str(logtag), "--zone", "Asia/Shanghai")
    assert of_tag[0] == "LogTag 1010: 6 readings, 6 new"
    assert of_tag[1].startswith("HOT\t2026-01-01 08:20 to 2026-01-01 08:40")
    of_stick = run(database_url, "usb-logger", *map(str, stick))
    assert of_stick[0] == "logger L-USB: 9 readings, 9 new"
    assert of_stick[-1] == "1 records of the time base PT99S were not taken: no file's name dates it"
