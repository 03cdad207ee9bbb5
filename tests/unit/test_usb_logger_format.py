import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.services.messages import AlarmState, Measurement
from inventory.strict_json import BadPayload
from mqtt_ingest.formats.usb_logger import parse

ORACLE = "000000000000000000000000_CURRENT_DATA_P0DT1H0M0S_20250701T000000Z.json"
START = datetime(2025, 6, 30, 23, tzinfo=UTC)


def record(running: str = "P0DT0H1M0S", base: str = "PT0S", **members: Any) -> dict[str, Any]:
    return {"RELT": running, "RTCW": base, "TVC": 4.5} | members


def document(*records: Mapping[str, Any], **header: Any) -> bytes:
    return json.dumps({"AMOD": "M-1", "LSER": "L1", "LDOP": None, **header, "records": records or [record()]}).encode()


def named(running: str, at: str) -> str:
    return f"logger_CURRENT_DATA_{running}_{at}.json"


def test_a_record_is_dated_from_the_start_that_the_files_name_tells() -> None:
    log = parse([(ORACLE, document())])
    assert log.started_at == START
    assert log.readings == (Measurement("L1", datetime(2025, 6, 30, 23, 1, tzinfo=UTC), 450),)
    assert (log.serial, log.interval, log.unread, log.undated) == ("L1", 900, 0, {})


def test_a_mark_of_byte_order_is_passed_over() -> None:
    assert parse([(ORACLE, b"\xef\xbb\xbf" + document())]) == parse([(ORACLE, document())])


def test_a_name_dates_only_the_time_base_of_the_last_record() -> None:
    content = document(record(base="PT9S"), record("PT30M", "PT9S"), record("PT1H"))
    log = parse([(ORACLE, content)])
    assert [each.measured_at for each in log.readings] == [datetime(2025, 7, 1, tzinfo=UTC)]
    assert log.undated == {"PT9S": 2}


def test_another_file_dates_what_the_first_cannot() -> None:
    later = (named("PT2H", "20250701T010000Z"), document(record(base="PT9S"), record("PT1H")))
    earlier = (named("PT30M", "20250630T233500Z"), document(record(base="PT9S")))
    log = parse([later, earlier])
    assert log.undated == {}
    assert [each.measured_at for each in log.readings] == [
        datetime(2025, 6, 30, 23, 6, tzinfo=UTC),
        datetime(2025, 7, 1, tzinfo=UTC),
    ]
    assert log.started_at == START


@pytest.mark.parametrize("backwards", [False, True])
def test_the_earliest_start_of_a_time_base_holds_in_whatever_order_the_files_come(backwards: bool) -> None:
    files = [(named("PT1H", "20250701T000010Z"), document()), (named("PT2H", "20250701T010000Z"), document())]
    log = parse(files[::-1] if backwards else files)
    assert log.started_at == START
    assert [each.measured_at for each in log.readings] == [datetime(2025, 6, 30, 23, 1, tzinfo=UTC)]


def test_a_file_of_the_history_dates_too_and_a_name_of_no_form_does_not() -> None:
    history = "000_DATA_P0DT1H0M0S_20250701T000000Z.json"
    assert parse([(history, document())]).started_at == START
    log = parse([("renamed.json", document())])
    assert (log.started_at, log.readings, log.undated) == (None, (), {"PT0S": 1})


def test_records_without_a_temperature_are_counted_and_their_alarms_kept() -> None:
    content = document(record(TVC=None, LERR="SENS", ALRM="POWR DOORACK"), record("PT2M", ALRM=None), record("PT3M"))
    log = parse([(ORACLE, content)])
    assert log.unread == 1
    assert len(log.readings) == 2
    assert log.alarms == (
        AlarmState("L1", datetime(2025, 6, 30, 23, 1, tzinfo=UTC), ("POWR", "DOORACK")),
        AlarmState("L1", datetime(2025, 6, 30, 23, 2, tzinfo=UTC), ()),
    )


def test_the_interval_is_the_commonest_distance() -> None:
    minutes = [0, 10, 20, 30, 45, 60]
    content = document(*(record(f"PT{each}M") for each in minutes))
    assert parse([(ORACLE, content)]).interval == 600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("P100DT9H2M14S", 8672534), ("PT0S", 0), ("P1D", 86400), ("PT90M", 5400), ("P0DT0H0M1S", 1)],
)
def test_durations(text: str, seconds: int) -> None:
    [reading] = parse([(ORACLE, document(record(text)))]).readings
    assert (reading.measured_at - START).total_seconds() == seconds


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ([], "files are of 0 loggers"),
        ([(ORACLE, document()), (ORACLE, document(LSER="L2"))], r"of 2 loggers \(L1, L2\)"),
        ([(ORACLE, b"[]")], "000000_CURRENT_DATA.*: file is an array of 0"),
        ([(ORACLE, document(LSER=None))], "LSER is null"),
        ([(ORACLE, b'{"LSER":"L1","records":[]}')], "records is an array of 0"),
        ([(ORACLE, document({"RTCW": "PT0S"}))], r"records\[0\].RELT is missing"),
        ([(ORACLE, document({"RELT": "PT0S"}))], r"records\[0\].RTCW is missing"),
        ([(ORACLE, document(record("P1M")))], "RELT is 'P1M'; expected a duration"),
        ([(ORACLE, document(record("PT")))], "RELT is 'PT'"),
        ([(ORACLE, document(record("P")))], "RELT is 'P'"),
        ([(ORACLE, document(record("P9999999D")))], "RELT is"),
        ([(ORACLE, document(record(TVC=61)))], "TVC is 61"),
        ([(ORACLE, document(record(TVC="4")))], "TVC is '4'"),
        ([(ORACLE, document(record(ALRM=7)))], "ALRM is 7"),
        ([(ORACLE, document(record(ALRM="A" * 65)))], r"records\[0\].ALRM has the code"),
        ([(named("PT1H", "20251301T000000Z"), document())], "ABST of the name is"),
        ([(named("P999999D", "20250101T000000Z"), document())], "RELT of the name is"),
    ],
)
def test_what_is_no_such_file_is_refused(files: list[tuple[str, bytes]], complaint: str) -> None:
    with pytest.raises(BadPayload, match=complaint):
        parse(files)


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from([ORACLE, "x.json"]) | st.text(max_size=40),
    content=st.binary(max_size=80) | st.integers(0, 200).map(lambda end: document(record(ALRM="HEAT"))[:end]),
    member=st.sampled_from(["RELT", "RTCW", "TVC", "ALRM", "LERR"]),
    value=st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.just([]),
)
def test_nothing_in_a_file_raises_anything_but_bad_payload(name: str, content: bytes, member: str, value: Any) -> None:
    for each in (content, document(record() | {member: value})):
        with suppress(BadPayload):
            parse([(name, each)])
