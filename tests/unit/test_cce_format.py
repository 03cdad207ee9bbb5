import gzip
import json
import zlib
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inventory.services.messages import Measurement
from inventory.strict_json import MAX_LEGIBLE, BadPayload
from mqtt_ingest.envelope import passed_through, wrapped
from mqtt_ingest.formats import cce
from mqtt_ingest.formats.gzipped import MAX_UNPACKED
from mqtt_ingest.replay import deliveries
from tests.envelopes import META, RECORDS, REPORTS

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
RECORD: dict[str, Any] = RECORDS["ems"] | {"ABST": "20260105T074500Z", "TVC": 4.56}


def ems(*records: dict[str, Any], **meta: Any) -> dict[str, Any]:
    report = REPORTS["ems"] | {"LSER": "L1", "records": list(records or (RECORD,))}
    return {"meta": META | meta, "data": [report]}


def rtm(*records: dict[str, Any]) -> dict[str, Any]:
    report = REPORTS["rtm"] | {"records": list(records or (RECORD,))}
    return {"meta": META | {"transferType": "rtm"}, "data": [report]}


def parse(envelope: dict[str, Any]) -> tuple[Measurement, ...]:
    return cce.parse(json.dumps(envelope).encode()).measurements


def test_a_loggers_records_are_readings_of_the_logger() -> None:
    content = cce.parse(json.dumps(ems(RECORD, RECORD | {"ABST": "20260105T080000.5Z", "TVC": -1})).encode())
    assert content.transfer_id == "T-1"
    assert content.boot is None
    assert content.measurements == (
        Measurement("L1", datetime(2026, 1, 5, 7, 45, tzinfo=UTC), 456),
        Measurement("L1", datetime(2026, 1, 5, 8, 0, 0, 500_000, tzinfo=UTC), -100),
    )


def test_a_remote_monitors_records_are_readings_of_the_sensor_it_names() -> None:
    assert [reading.sensor for reading in parse(rtm())] == ["sensor-1"]


def test_no_temperature_is_no_reading_where_there_is_a_reason() -> None:
    assert parse(ems(RECORD | {"TVC": None, "LERR": "SENS"}, RECORD)) == parse(ems())
    assert parse(rtm(without(RECORD, "TVC"), RECORD)) == parse(rtm())


def without(holder: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in holder.items() if name not in names}


def changed(path: str, value: Any) -> dict[str, Any]:
    envelope: Any = deepcopy(ems())
    *steps, last = path.split(".")
    holder = envelope
    for step in steps:
        holder = holder[int(step)] if step.isdigit() else holder[step]
    holder[last] = value
    return dict(envelope)


@pytest.mark.parametrize(
    ("envelope", "complaint"),
    [
        ({}, "meta is missing"),
        (changed("meta.schemaVersion", 8), "meta.schemaVersion is 8"),
        (changed("meta.transferId", None), "meta.transferId is null"),
        (changed("meta.transferId", "x" * 201), "meta.transferId is"),
        (changed("meta.transferSrc", ""), "meta.transferSrc is ''"),
        (changed("meta.transferredAt", "2026-01-05T08:00:00+08:00"), "meta.transferredAt is"),
        (changed("meta.transferType", "usb"), "meta.transferType is 'usb'; expected rtm or ems"),
        (changed("data", []), "data is an array of 0"),
        (changed("data.0.records", {}), r"data\[0\].records is an object of 0"),
        (changed("data.0.records", []), r"data\[0\].records is an array of 0"),
        (changed("data.0.LSER", None), r"data\[0\].LSER is null"),
        (changed("data.0.records.0.ABST", "2026-01-05T07:45:00Z"), r"data\[0\].records\[0\].ABST is"),
        (changed("data.0.records.0.ABST", "20260105T074500"), "ABST is"),
        (changed("data.0.records.0.ABST", "20261305T074500Z"), "ABST is"),
        (changed("data.0.records.0.TVC", "4.5"), r"data\[0\].records\[0\].TVC is '4.5'; expected a number"),
        (changed("data.0.records.0.TVC", 60.1), "TVC is 60.1"),
        (changed("data.0.records.0.TVC", -56), "TVC is -56"),
        (changed("data.0.records.0.TVC", None), "TVC is missing or null without LERR"),
        (ems(without(RECORD, "TVC")), "TVC is missing or null"),
        (ems(RECORD | {"TVC": None, "LERR": ""}), "TVC is missing or null"),
        (rtm(without(RECORD, "TVC", "TAMB")), "no TVC, TFRZ or TAMB"),
        (rtm() | {"data": [without(REPORTS["rtm"], "DLST") | {"records": [RECORD]}]}, r"data\[0\].DLST is missing"),
    ],
)
def test_a_malformed_delivery_is_refused_by_field(envelope: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadPayload, match=complaint):
        parse(envelope)


def test_gzip_is_unpacked_once() -> None:
    plain = json.dumps(ems()).encode()
    assert cce.parse(gzip.compress(plain)) == cce.parse(plain)
    with pytest.raises(BadPayload, match="gzip in gzip"):
        cce.parse(gzip.compress(gzip.compress(plain)))


def test_a_delivery_may_unpack_to_more_than_a_payload_may_hold() -> None:
    padded = json.dumps(ems()).encode() + b" " * (2 << 20)
    assert cce.parse(gzip.compress(padded)).transfer_id == "T-1"
    with pytest.raises(BadPayload, match="bytes long"):
        cce.parse(padded)


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (gzip.compress(b" " * (MAX_UNPACKED + 1)), "unpacks to more than"),
        (gzip.compress(b"{}")[:-3], "breaks off"),
        (gzip.compress(b"{}") + b"more", "goes on after its end"),
        (b"\x1f\x8bnothing", "damaged gzip"),
        (zlib.compress(b"{}"), "not UTF-8"),
    ],
)
def test_damaged_or_outsized_gzip_is_refused(payload: bytes, complaint: str) -> None:
    with pytest.raises(BadPayload, match=complaint):
        cce.parse(payload)


def test_a_transfer_id_is_legible_in_a_malformed_delivery() -> None:
    assert cce.identify(json.dumps(changed("data", 7)).encode()).transfer_id == "T-1"


def _unreadable() -> dict[str, bytes]:
    plain = json.dumps(ems()).encode()
    packed = gzip.compress(plain)
    return {
        "NaN": plain.replace(b"4.56", b"NaN"),
        "an escaped NUL": plain.replace(b"L1", rb"L\u0000"),
        "no UTF-8": plain.replace(b"L1", b"\xff"),
        "a repeated key": plain.replace(b'"TVC"', b'"TVC": 1, "TVC"'),
        "broken off": plain[:-20],
        "too many bytes": plain + b" " * (1 << 20),
        "packed NaN": gzip.compress(plain.replace(b"4.56", b"NaN")),
        "packed and broken off": packed[:-12],
        "packed with a wrong sum": packed[:-8] + b"\0" * 8,
        "packed with more behind": packed + b"more",
        "packed too well": gzip.compress(plain[:-1] + b" " * (MAX_LEGIBLE + 1) + plain[-1:]),
    }


@pytest.mark.parametrize("name", _unreadable())
def test_a_transfer_id_is_legible_in_an_unreadable_delivery(name: str) -> None:
    text = _unreadable()[name]
    with pytest.raises(BadPayload):
        cce.parse(text)
    assert cce.identify(text).transfer_id == "T-1"


@pytest.mark.parametrize(
    "text",
    [
        b'{"transferId":"T-1","meta":{}}',
        b'{"meta":{"transferId":"T-1","transferId":"T-2"}}',
        b'{"meta":{"transferId":"T-1"},{"transferId":"T-1"',
        b'{"meta":{"transferId":"T-',
        b'{"meta":{"transferId":7},',
        b'{"meta":{"transferId":"\xff"}}',
        b"\x1f\x8bnothing",
    ],
)
def test_a_transfer_id_that_is_in_doubt_is_none(text: bytes) -> None:
    with pytest.raises(BadPayload):
        cce.identify(text)


def test_records_are_wrapped_so_that_a_repeat_is_recognised() -> None:
    first = wrapped([RECORD], "gw", "L1", NOW)
    again = wrapped([RECORD], "gw", "L1", NOW.replace(hour=9))
    assert first.transfer_id == again.transfer_id
    assert first.transfer_id != wrapped([RECORD], "gw", "L2", NOW).transfer_id
    content = cce.parse(first.payload)
    assert content.transfer_id == first.transfer_id
    assert content.measurements == parse(ems())


def test_a_whole_envelope_is_passed_through_and_nothing_else_is() -> None:
    [delivery] = deliveries(ems(), "gw", "L1", lambda: NOW)
    assert delivery == passed_through(ems())
    assert json.loads(delivery.payload) == ems()
    with pytest.raises(BadPayload, match=r"meta\.transferId"):
        passed_through({"meta": {}})
    with pytest.raises(BadPayload, match="neither"):
        list(deliveries({"scenario": "x"}, "gw", "L1", lambda: NOW))


@pytest.mark.parametrize("name", ["mains_normal", "compressor_failure", "power_outage"])
def test_simulated_days_are_read_in_full(shared_data: Path, name: str) -> None:
    document = json.loads((shared_data / "cce" / f"{name}.json").read_text(encoding="utf-8"))
    found = [cce.parse(each.payload) for each in deliveries(document, "gw", "L1", lambda: NOW, chunk=10)]
    assert [len(content.measurements) for content in found] == [10, 10, 4]
    temperatures = [reading.temperature for content in found for reading in content.measurements]
    assert temperatures == [round(record["TVC"] * 100) for record in document["records"]]


def test_a_wrapped_report_has_what_the_schema_requires(shared_data: Path) -> None:
    schema = json.loads((shared_data / "cce" / "cce-interop-0.8.1.json").read_text(encoding="utf-8"))["$defs"]
    envelope = json.loads(wrapped([RECORD], "gw", "L1", NOW).payload)
    report = envelope["data"][0]
    assert set(schema["transmission-metadata"]["required"]) <= envelope["meta"].keys()
    assert {*schema["ems-report"]["required"], "LSV", "EMSV"} <= report.keys()
    nulls = {key for key, value in report.items() if value is None}
    assert all("null" in schema["PQS-DS01-objects"][key]["type"] for key in nulls)
