from contextlib import suppress
from dataclasses import astuple
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.domain.words import Side
from inventory.services.messages import AlarmState
from inventory.strict_json import BadPayload
from mqtt_ingest.formats.fridge_tag import DeviceAlarm, DeviceLimit, parse

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
HEAD = """Device: Q-tag Fridge-tag 2 L
Vers: 0.5
Conf:
 Serial: 000000000001
 Lot:
 Temp unit: C
 Alarm:
  0:
   T AL: -0.5, t AL: 60
  1:
   T AL: +8.0, t AL: 600
 Logging Interval: 5
 Test Res: 1, Test TS: 2026-01-01 07:00
Hist:
 TS Actv: 2026-03-01 09:00
 TS Report Creation: 2026-03-02 10:00
 1:
  Date: 2026-03-02
  Min T: +4.0, TS Min T: 00:42
  Alarm:
   0:
    t Acc: 0
   1:
    t Acc: 12
 2:
  Date: 2026-03-01
  Alarm:
   0:
    t Acc: 75, TS A: 16:18, C A: 0
   1:
    t Acc: 0
"""
TABLE = """Data:
\tyyyy-MM-dd hh:mm\tT\tOut of limits
\t2026-03-01 09:00\t4.5\t
\t2026-03-01 09:05\t--.-
\t2026-03-01 09:10\t-0.6\tx
"""
CERT = """Cert:
 Vers: 1.0
 Issuer: Somebody & Co. AG
Sig: 00ff
"""


def rows(*rows: str) -> str:
    return HEAD + "Data:\n\theading\n" + "".join(f"\t{row}\t4.5\n" for row in rows)


def test_an_export_of_a_logger() -> None:
    export = parse((HEAD + TABLE + CERT).replace("\n", "\r\n"), SHANGHAI)
    assert (export.device, export.serial, export.interval) == ("Q-tag Fridge-tag 2 L", "000000000001", 300)
    assert export.limits == (DeviceLimit(Side.BELOW, -50, 60), DeviceLimit(Side.ABOVE, 800, 600))
    assert export.activated_at == datetime(2026, 3, 1, 1, tzinfo=UTC)
    assert export.reported_at == datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert [(each.measured_at.minute, each.temperature) for each in export.readings] == [(0, 450), (10, -60)]
    assert export.readings[0].sensor == export.serial
    assert export.unread == 1
    assert export.alarms == (
        DeviceAlarm(date(2026, 3, 2), 1, 12, None),
        DeviceAlarm(date(2026, 3, 1), 0, 75, datetime(2026, 3, 1, 8, 18, tzinfo=UTC)),
    )


def test_an_export_of_daily_summaries_has_no_readings() -> None:
    export = parse((HEAD + CERT).replace(" Logging Interval: 5\n", ""), SHANGHAI)
    assert (export.interval, export.readings, export.unread) == (None, [], 0)


def test_the_devices_own_alarms_are_told_by_their_limits() -> None:
    assert parse(HEAD + CERT, SHANGHAI).stated() == (
        AlarmState("000000000001", datetime(2026, 3, 1, 1, tzinfo=UTC), ()),
        AlarmState("000000000001", datetime(2026, 3, 1, 8, 18, tzinfo=UTC), ("LOW -0.5/60",)),
    )


def test_two_alarms_of_one_moment_stand_together_and_one_that_is_carried_over_at_midnight() -> None:
    text = HEAD.replace("t Acc: 12", "t Acc: 12, TS A: 00:00, C A: 1").replace(
        "t Acc: 0\n   1:", "t Acc: 1, TS A: 00:00\n   1:"
    )
    carried = datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert AlarmState("000000000001", carried, ("LOW -0.5/60", "HIGH +8.0/600")) in parse(text, SHANGHAI).stated()


ULTRA_LOW = (
    HEAD.replace("Fridge-tag 2 L", "Fridge-tag Ultra Low")
    .replace("Conf:", "Sensor: 1\nExt Sensor: 99\nConf:")
    .replace("T AL: -0.5, t AL: 60", "T AL: -90.0, t AL: 60")
    .replace("T AL: +8.0, t AL: 600", "T AL: -60.0, t AL: 60")
    .replace(
        " Logging", " Ext Sensor:\n  Timeout: 10, Offset: +0.0\n Int Sensor:\n  Timeout: 10, Offset: +0.0\n Logging"
    )
    .replace("t Acc: 12", "t Acc: 474, TS A: 09:06, T Amb: +14.3, C A: 1")
    .replace(
        " 2:\n  Date",
        "  Ext Sensor timeout:\n   t AccST: 17, TS ST: 09:04\n  Events: 16\n  Checked:\n   TS PM: 14:09\n 2:\n  Date",
    )
)
"""As a device with an outer sensor writes: with the ambient temperature of an alarm, and that the sensor was away."""


def test_an_export_of_an_outer_sensor_that_was_away_at_first() -> None:
    table = "Data:\n\tyyyy-MM-dd hh:mm\tT\tOut of limits\n" + "".join(
        f"\t2026-03-01 09:{minute:02}\t{shown}\tx\n" for minute, shown in ((0, "--.-"), (5, "--.-"), (10, "-16.4"))
    )
    export = parse(ULTRA_LOW + table + CERT, SHANGHAI)
    assert (export.unread, [each.temperature for each in export.readings]) == (2, [-1640])
    assert export.limits == (DeviceLimit(Side.BELOW, -9000, 60), DeviceLimit(Side.ABOVE, -6000, 60))
    assert export.stated()[-1] == AlarmState("000000000001", datetime(2026, 3, 2, 1, 6, tzinfo=UTC), ("HIGH -60.0/60",))


def test_an_export_without_a_table_has_alarms_all_the_same() -> None:
    text = ULTRA_LOW.replace(" Logging Interval: 5\n", "")
    export = parse(text + CERT, SHANGHAI)
    assert (export.readings, export.unread, export.interval) == ([], 0, None)
    assert [state.codes for state in export.stated()] == [(), ("LOW -90.0/60",), ("HIGH -60.0/60",)]


def test_a_local_time_that_comes_twice_is_taken_as_the_first() -> None:
    [reading] = parse(rows("2026-10-25 02:30"), BERLIN).readings
    assert reading.measured_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_local_time_that_never_was_is_refused() -> None:
    with pytest.raises(BadPayload, match="never was in Europe/Berlin"):
        parse(rows("2026-03-29 02:30"), BERLIN)
    assert len(parse(rows("2026-03-29 02:30"), ZoneInfo("Etc/GMT-1")).readings) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'Conf' is missing"),
        ("nonsense", "line 1 is no 'key: value'"),
        ("Device: x\n   Deep: 1", "line 2 is indented below nothing"),
        ("\x00\x01" * 50, "line 1 is no"),
        (HEAD.replace("Temp unit: C", "Temp unit: F"), "Temp unit is 'F'"),
        (HEAD.replace(" Serial: 000000000001\n", ""), "'Serial' is missing"),
        (HEAD.replace("+8.0", "hot"), "temperature is 'hot'"),
        (HEAD.replace("+8.0", "1e9999999"), "temperature is '1e9999999'"),
        (HEAD.replace("t AL: 60\n", "t AL: -1\n"), "number is '-1'"),
        (HEAD.replace("2026-03-02 10:00", "yesterday"), "time is 'yesterday'"),
        (HEAD.replace("2026-03-02 10:00", "0001-01-01 00:00"), "out of all range"),
        (HEAD + "Data:\n\thead\n\t2026-03-01 09:00\n", "has no temperature"),
    ],
)
def test_what_is_no_export_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(BadPayload, match=complaint):
        parse(text, SHANGHAI)


def test_a_real_logger(shared_data: Path) -> None:
    text = (shared_data / "fridge_tag" / "130500109088_202206081014.txt").read_text(encoding="utf-8")
    export = parse(text, SHANGHAI)
    assert export.serial == "130500109088"
    assert len(export.readings) == 10_653
    assert export.limits == (DeviceLimit(Side.BELOW, 200, 60), DeviceLimit(Side.ABOVE, 800, 60))
    hot = [alarm.alarmed_at.astimezone(SHANGHAI) for alarm in export.alarms if alarm.limit == 1 and alarm.alarmed_at]
    assert [at.strftime("%m-%d %H:%M") for at in hot[:3]] == ["06-07 14:55", "06-06 13:35", "06-03 16:30"]
    told = {at.astimezone(SHANGHAI).strftime("%m-%d %H:%M"): codes for _, at, codes in map(astuple, export.stated())}
    assert told["06-07 14:55"] == ("HIGH +8.0/60",)
    assert told["06-06 00:00"] == ("LOW +2.0/60",)
    assert told["05-02 04:44"] == ()


def test_a_real_device_of_daily_summaries(shared_data: Path) -> None:
    text = (shared_data / "fridge_tag" / "130400191544_202304201514.txt").read_text(encoding="utf-8")
    export = parse(text, SHANGHAI)
    assert (export.readings, export.interval) == ([], None)
    assert export.limits == (DeviceLimit(Side.BELOW, -50, 60), DeviceLimit(Side.ABOVE, 800, 600))


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=40), cut=st.integers(0, len(HEAD + TABLE)))
def test_nothing_in_a_file_raises_anything_but_bad_payload(text: str, cut: int) -> None:
    whole = HEAD + TABLE
    for each in (text, whole[:cut] + text + whole[cut:], whole[:cut]):
        with suppress(BadPayload):
            parse(each, SHANGHAI).stated()
