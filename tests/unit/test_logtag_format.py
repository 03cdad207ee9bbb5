from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.services.messages import Measurement
from inventory.strict_json import BadPayload
from mqtt_ingest.formats.logtag import parse

SHANGHAI = ZoneInfo("Asia/Shanghai")
HEAD = """Serial #,1010123456
Description,Store room
Last reading,2026-03-01 09:20:00
Reading interval,10 minutes
Non alert range,2.0  to  8.0 °C
"""
TABLE = """Index,Date,Time,Temperature
1,2026-03-01,09:00:00,4.5
2,2026-03-01,09:10:00,-0.6,x
3,2026-03-01,09:20:00,--.-
"""


def test_an_export_of_a_logtag() -> None:
    export = parse("\ufeff" + (HEAD + TABLE).replace("\n", "\r\n"), SHANGHAI)
    assert (export.serial, export.interval) == ("1010123456", 600)
    assert (export.low, export.high, export.unread) == (200, 800, 1)
    assert export.readings == (
        Measurement("1010123456", datetime(2026, 3, 1, 1, tzinfo=UTC), 450),
        Measurement("1010123456", datetime(2026, 3, 1, 1, 10, tzinfo=UTC), -60),
    )


def test_a_row_without_its_temperature_is_counted() -> None:
    export = parse(HEAD + TABLE + "4,2026-03-01,09:30:00\n5,2026-03-01,09:40:00,\n", SHANGHAI)
    assert (len(export.readings), export.unread) == (2, 3)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10 minutes", 600), ("1 minute", 60), ("30 seconds", 30), ("2 Hours", 7200)]
)
def test_intervals(text: str, seconds: int) -> None:
    assert parse(HEAD.replace("10 minutes", text) + TABLE, SHANGHAI).interval == seconds


@pytest.mark.parametrize(
    ("text", "limits"),
    [("-25.0 to -15.0 °C", (-2500, -1500)), ("2.0  to  8.0 \ufffdC", (200, 800)), ("+2 to 8C", (200, 800))],
)
def test_ranges(text: str, limits: tuple[int, int]) -> None:
    export = parse(HEAD.replace("2.0  to  8.0 °C", text) + TABLE, SHANGHAI)
    assert (export.low, export.high) == limits


def test_cells_may_be_quoted() -> None:
    quoted = "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in (HEAD + TABLE).splitlines())
    assert parse(quoted, SHANGHAI) == parse(HEAD + TABLE, SHANGHAI)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'Non alert range' is missing|'Serial #' is missing"),
        (HEAD.replace("1010123456", ""), "'Serial #' is missing"),
        (HEAD.replace("1010123456", "1" * 65), "Serial # is"),
        (HEAD.replace("1010123456", "1\0"), "NUL"),
        (HEAD.replace("10 minutes", "often"), "Reading interval is 'often'"),
        (HEAD.replace("10 minutes", "0 minutes"), "Reading interval is '0 minutes'"),
        (HEAD.replace("°C", "°F"), "expected degrees Celsius"),
        (HEAD.replace("2.0  to", "9.0  to"), "the lower limit before the higher"),
        (HEAD.replace("2.0  to", "2.0.0  to"), "temperature is '2.0.0'"),
        (HEAD + TABLE.replace("4.5", "warm"), "temperature is 'warm'"),
        (HEAD + TABLE.replace("4.5", "-300"), "temperature is '-300'"),
        (HEAD + TABLE.replace("2026-03-01,09:00", "01/03/2026,09:00"), "time is '01/03/2026 09:00:00'"),
        (HEAD + TABLE + "end,of,the,table\n", "has no index"),
        (HEAD + '1,"2026', "no table"),
    ],
)
def test_what_is_no_export_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(BadPayload, match=complaint):
        parse(text, SHANGHAI)


def test_a_local_time_that_never_was_is_refused() -> None:
    with pytest.raises(BadPayload, match="never was in Europe/Berlin"):
        parse(HEAD + "1,2026-03-29,02:30:00,4.5\n", ZoneInfo("Europe/Berlin"))


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60), cut=st.integers(0, len(HEAD + TABLE)))
def test_nothing_in_a_file_raises_anything_but_bad_payload(text: str, cut: int) -> None:
    whole = HEAD + TABLE
    for each in (text, whole[:cut] + text + whole[cut:], whole[:cut]):
        with suppress(BadPayload):
            parse(each, SHANGHAI)
