"""What it takes to read a delivery beyond its schema, all of which is told; and what its records say."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.services.messages import AlarmState, Measurement
from inventory.strict_json import BadPayload, loads
from mqtt_ingest.formats import cce
from mqtt_ingest.formats.cce_rules import in_minutes, run_seconds, violations
from mqtt_ingest.formats.cce_schema import schema
from tests.envelopes import RECORDS, envelope

EIGHT = datetime(2026, 1, 5, 8, tzinfo=UTC)


def read(delivery: Any) -> Any:
    return loads(json.dumps(delivery).encode())


def told(delivery: Any) -> list[str]:
    """The violations of a delivery that its schema takes."""
    assert list(schema(read(delivery))) == []
    return [str(each) for each in violations(read(delivery))]


def record(**members: Any) -> dict[str, Any]:
    return RECORDS["ems"] | members


@pytest.mark.parametrize("kind", ["ems", "rtm"])
def test_a_complete_delivery_violates_nothing(kind: str) -> None:
    assert violations(read(envelope(kind))) == []


def test_everything_that_is_wrong_is_told_with_its_path() -> None:
    delivery = envelope("ems", record(TVC=60.1, DORV=901), record(SVA="yes"), schemaVersion=8)
    del delivery["data"][0]["LMOD"]
    assert [str(each) for each in violations(read(delivery))] == [
        "meta.schemaVersion is 8; expected a text",
        "data[0].LMOD is missing",
        "data[0].records[0].TVC is 60.1; expected a number from -55 to 60 degrees Celsius or null",
        "data[0].records[0].DORV is 901; expected a number from 0 to 900 s of 900 s or null",
        "data[0].records[1].SVA is 'yes'; expected a number from 0 to 900 s of 900 s or null",
    ]


def test_no_more_is_told_than_can_be_read() -> None:
    delivery = read(envelope("ems") | {"data": [1] * 5000})
    assert len(violations(delivery)) == 1000
    assert len(violations(delivery, 2)) == 2
    with pytest.raises(BadPayload, match=r"data\[2\] is 1; expected an object; and more$"):
        cce.parse(json.dumps(envelope("ems") | {"data": [1] * 5000}).encode())


@pytest.mark.parametrize(
    ("delivery", "path"),
    [
        (envelope("ems", transferId=""), "meta.transferId"),
        (envelope("ems", transferId="x" * 201), "meta.transferId"),
        (envelope("ems", transferSrc=""), "meta.transferSrc"),
        (envelope("ems", schemaVersion="8" * 65), "meta.schemaVersion"),
        (envelope("ems", record(ABST="20260230T080000Z")), "data[0].records[0].ABST"),
        (envelope("ems", record(), record(ALRM="A" * 65)), "data[0].records[1].ALRM"),
        (envelope("ems", record(ALRM=" ".join(map(str, range(33))))), "data[0].records[0].ALRM"),
        (envelope("ems", record(CMPR=16), schemaVersion="0.7.2"), "data[0].records[0].CMPR"),
        (envelope("ems", record(CMPR=15, CMPR2=15.5), schemaVersion="0.7"), "data[0].records[0].CMPR2"),
    ],
)
def test_what_cannot_be_read_is_told_though_the_schema_takes_it(delivery: Any, path: str) -> None:
    assert [each.split(" ")[0] for each in told(delivery)] == [path]


def test_a_serial_that_cannot_be_stored_is_told() -> None:
    logger, monitor = envelope("ems"), envelope("rtm")
    logger["data"][0] |= {"LSER": ""}
    monitor["data"][0] |= {"DLST": {"TVC": {"SID": "s" * 65, "SMFR": "Maker", "SMOD": "M"}}}
    assert [each.split(" ")[0] for each in told(logger) + told(monitor)] == ["data[0].LSER", "data[0].DLST.TVC.SID"]


@pytest.mark.parametrize(
    ("version", "minutes"),
    [
        ("0.7.2", True),
        ("0.6", True),
        ("v0.7.0", True),
        ("0.8.0", False),
        ("0.8.1", False),
        ("1.0.0", False),
        ("DS01.2", False),
        ("", False),
    ],
)
def test_the_run_time_of_a_compressor_was_in_minutes_before_0_8_0(version: str, minutes: bool) -> None:
    assert in_minutes(version) is minutes
    assert run_seconds(Decimal("7.5"), version) == (450 if minutes else Decimal("7.5"))
    assert run_seconds(None, version) is None


def test_a_run_time_at_its_bound_is_taken_in_either_unit() -> None:
    assert told(envelope("ems", record(CMPR=15), schemaVersion="0.7.2")) == []
    assert told(envelope("ems", record(CMPR=900), schemaVersion="0.8.0")) == []


@pytest.mark.parametrize(
    ("stated", "codes"),
    [
        (None, ()),
        ("none", ()),
        (" None ", ()),
        ("", ()),
        ("HEAT", ("HEAT",)),
        ("HEAT  DOOR", ("HEAT", "DOOR")),
        ("HEATACK FRZE HEATACK", ("HEATACK", "FRZE")),
        ("0x01", ("0x01",)),
        ("none HEAT", ("none", "HEAT")),
        ("x" * 64, ("x" * 64,)),
    ],
)
def test_a_devices_own_alarms_are_kept_as_it_states_them(stated: str | None, codes: tuple[str, ...]) -> None:
    for kind, sensor in (("ems", "L-1"), ("rtm", "sensor-1")):
        delivery = json.dumps(envelope(kind, RECORDS[kind] | {"ALRM": stated})).encode()
        assert cce.parse(delivery).alarms == (AlarmState(sensor, EIGHT, codes),)


def test_alarms_are_kept_of_a_record_without_a_temperature() -> None:
    found = cce.parse(json.dumps(envelope("ems", record(TVC=None, LERR="SENS", ALRM="POWR"), record())).encode())
    assert found.alarms == (AlarmState("L-1", EIGHT, ("POWR",)), AlarmState("L-1", EIGHT, ()))
    assert found.measurements == (Measurement("L-1", EIGHT, 450),)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=4), below, max_size=3),
    max_leaves=8,
)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A delivery cut off, or with one of its values replaced by anything."""
    text = json.dumps(envelope(draw(st.sampled_from(["ems", "rtm"]))))
    if draw(st.booleans()):
        return text[: draw(st.integers(0, len(text)))].encode()
    start, end = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    return (text[:start] + json.dumps(draw(JSON)) + text[end:]).encode()


@settings(max_examples=300, deadline=None)
@given(payload=st.binary(max_size=200) | broken() | st.binary(max_size=60).map(lambda tail: b"\x1f\x8b" + tail))
def test_nothing_that_is_sent_raises_anything_but_bad_payload(payload: bytes) -> None:
    for read_it in (cce.parse, cce.identify):
        with suppress(BadPayload):
            read_it(payload)


@settings(max_examples=200, deadline=None)
@given(value=JSON)
def test_anything_may_be_asked_for_its_violations(value: Any) -> None:
    assert violations(value)
    assert violations({"meta": value, "data": [value, {"records": [value]}]})
