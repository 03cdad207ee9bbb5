"""The event hash is that of CBV 2.0: by the published examples, and by the reference implementation."""

import json
import socket
import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from epcis_event_hash_generator import hash_generator, json_to_py  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.domain.epcis import uris
from inventory.domain.epcis.events import CONTEXT, NAMESPACES
from inventory.domain.epcis.hashing import event_hash, namespaces_of, pre_hash

EXAMPLES = ("ReferenceEventHashAlgorithm", "epcisDocHavingEventWithIgnoreFields", "epcisDocWithSensorDataObjectEvent")
SENSOR = {
    "sensorMetadata": {
        "startTime": "2026-01-04T22:00:00.000Z",
        "endTime": "2026-01-05T01:30:00Z",
        "deviceID": "https://id.gs1.org/8004/69012340007",
    },
    "sensorReport": [
        {"type": "Temperature", "minValue": 3.10, "maxValue": 6.8, "meanValue": 5.0, "uom": "CEL",
         "exception": "ALARM_CONDITION"},
    ],
}  # fmt: skip
FIELDS: dict[str, list[Any]] = {
    "epcList": [
        ["urn:epc:id:sgtin:4012345.011111.9876", "https://id.gs1.org/00/040123451111111127"],
        ["https://example.org/here/01/06901234567892/21/A-B", "urn:x-coldtrail:pack:81000000000000000001"],
    ],
    "quantityList": [
        [{"epcClass": uris.batch("06901234567892", "A/1%?"), "quantity": 480}],
        [
            {"epcClass": "urn:epc:class:lgtin:4012345.011111.LOT1", "quantity": 4.50, "uom": "E27"},
            {"epcClass": uris.batch("09506000134352", "A")},
        ],
    ],
    "bizStep": ["receiving", "https://ref.gs1.org/cbv/BizStep-shipping", "urn:epcglobal:cbv:bizstep:holding"],
    "disposition": ["in_transit", "non_conformant"],
    "persistentDisposition": [{"set": ["recalled", "non_conformant"]}, {"set": ["recalled"], "unset": ["damaged"]}],
    "readPoint": [{"id": "https://id.gs1.org/414/6901234000009"}, {"id": "urn:epc:id:sgln:4012345.00011.987"}],
    "bizLocation": [{"id": "urn:x-coldtrail:facility:CITY"}, {"id": "urn:epc:id:sgln:4012345.00005.0"}],
    "bizTransactionList": [
        [{"type": "desadv", "bizTransaction": "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}],
        [{"type": "recadv", "bizTransaction": "urn:x:2"}, {"type": "desadv", "bizTransaction": "urn:x:1"}],
    ],
    "sourceList": [[{"type": "possessing_party", "source": "urn:epc:id:pgln:4012345.00005"}]],
    "destinationList": [[{"type": "owning_party", "destination": "https://id.gs1.org/417/6901234000023"}]],
    "sensorElementList": [[SENSOR], [SENSOR, {"sensorReport": [{"type": "Temperature", "value": 4.25, "uom": "CEL"}]}]],
    "ilmd": [{"cbvmda:lotNumber": "A", "cbvmda:itemExpirationDate": "2026-06-30"}],
    "coldtrail:event": ["0191e1a0-0000-7000-8000-000000000001"],
    "coldtrail:arrivalCelsius": [4.5, 5, -0.25],
    "coldtrail:paper": [["lot-release-certificate", "delivery-note"]],
    "coldtrail:pack": [
        [{"coldtrail:epc": "urn:x:b", "coldtrail:doses": 2}, {"coldtrail:epc": "urn:x:a", "coldtrail:doses": 1}]
    ],
    "errorDeclaration": [{"declarationTime": "2026-01-05T01:30:00Z", "reason": "did_not_occur"}],
    "recordTime": ["2026-01-06T00:00:00Z"],
}
TIMES = ["2026-01-05T01:30:00Z", "2026-01-05T09:30:00.1234+08:00", "2026-01-05T01:30:00.000Z"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_published_examples_have_their_published_hashes(shared_data: Path, name: str) -> None:
    read = {kind: (shared_data / "epcis" / f"{name}.{kind}").read_text() for kind in ("jsonld", "prehashes", "hashes")}
    document = json.loads(read["jsonld"])
    events = document["epcisBody"]["eventList"]
    prefixes = namespaces_of(document["@context"])
    ignored = document.get("repository-x:ignoreFields", ())
    assert [pre_hash(event, prefixes, ignored) for event in events] == read["prehashes"].splitlines()
    assert [event_hash(event, prefixes, ignored) for event in events] == read["hashes"].splitlines()


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event of any fields that are known, in any order."""
    names = draw(st.lists(st.sampled_from(sorted(FIELDS)), unique=True, min_size=1))
    drawn = {name: draw(st.sampled_from(FIELDS[name])) for name in names}
    kind = draw(st.sampled_from(["ObjectEvent", "AggregationEvent"]))
    return {
        "type": kind, "eventTime": draw(st.sampled_from(TIMES)), "eventTimeZoneOffset": "+08:00", "action": "OBSERVE",
    } | drawn  # fmt: skip


@given(event=events())
@settings(max_examples=60, deadline=None)
def test_it_is_the_hash_of_the_reference_implementation(event: dict[str, Any]) -> None:
    assert event_hash(event, NAMESPACES) == by_the_reference(event)


def lot(number: str) -> dict[str, Any]:
    return {
        "type": "ObjectEvent", "eventTime": TIMES[0], "eventTimeZoneOffset": "+08:00", "action": "ADD",
        "ilmd": {"cbvmda:lotNumber": number},
    }  # fmt: skip


@pytest.mark.parametrize("number", ["007", "1E5", "22E-4567", ".5", "1_000", "+3.", "0x10", "1e 5", "AB1E5"])
def test_the_number_of_a_batch_is_hashed_as_the_reference_does(number: str) -> None:
    assert event_hash(lot(number), NAMESPACES) == by_the_reference(lot(number))


@pytest.mark.parametrize("number", ["22E4567", "nan", "INF", "infinity"])
def test_a_batch_that_looks_like_no_number_there_is_has_a_hash(number: str) -> None:
    """The reference breaks off here."""
    assert pre_hash(lot(number), NAMESPACES).endswith(f"lotNumber={number}")


def by_the_reference(event: dict[str, Any]) -> str:
    """The hash by the authors of the standard; it has the contexts with it, and asks nobody."""
    document = {"@context": CONTEXT, "type": "EPCISDocument", "epcisBody": {"eventList": [event]}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        read = json_to_py.event_list_from_epcis_document_json(deepcopy(document))
    found: list[str] = hash_generator.epcis_hashes_from_events(read)
    return found[0]


def test_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    event = {"type": "ObjectEvent", "eventTime": TIMES[0], "eventTimeZoneOffset": "+08:00", "action": "OBSERVE",
             "bizStep": "receiving"}  # fmt: skip
    assert event_hash(event, NAMESPACES) == by_the_reference(event)


@pytest.mark.parametrize(
    ("urn", "link"),
    [
        ("urn:epc:id:sgtin:4012345.011111.9876", "https://id.gs1.org/01/04012345111118/21/9876"),
        ("urn:epc:id:sscc:4012345.0000000111", "https://id.gs1.org/00/040123450000001112"),
        ("urn:epc:id:sgln:4012345.00011.987", "https://id.gs1.org/414/4012345000115/254/987"),
        ("urn:epc:id:sgln:4012345.00005.0", "https://id.gs1.org/414/4012345000054"),
        ("urn:epc:id:pgln:4012345.00005", "https://id.gs1.org/417/4012345000054"),
        ("urn:epc:id:giai:4000001.111", "https://id.gs1.org/8004/4000001111"),
        ("urn:epc:class:lgtin:4012345.011111.LOT1", "https://id.gs1.org/01/04012345111118/10/LOT1"),
        (
            "https://example.org/some/01/04012345111118/10/LOT1?17=260630",
            "https://id.gs1.org/01/04012345111118/10/LOT1",
        ),
        ("urn:x-coldtrail:pack:81000000000000000001", "urn:x-coldtrail:pack:81000000000000000001"),
    ],
)
def test_a_key_has_one_canonical_name(urn: str, link: str) -> None:
    assert uris.canonical(urn) == link


@pytest.mark.parametrize("number", ["A1", "A/1", "A%1?&+*(),!'\"", "202512A03"])
def test_a_batch_is_read_back_from_its_name(number: str) -> None:
    assert uris.batch_of(uris.batch("06901234567892", number)) == uris.Batch("06901234567892", number)


@pytest.mark.parametrize(
    ("code", "uri"),
    [
        ("010690123456789221A/1", "https://id.gs1.org/01/06901234567892/21/A%2F1"),
        ("00040123451111111127", "https://id.gs1.org/00/040123451111111127"),
        ("00040123451111111128", "urn:x-coldtrail:pack:00040123451111111128"),
        ("81000000000000000001", "urn:x-coldtrail:pack:81000000000000000001"),
        ("case 1/2", "urn:x-coldtrail:pack:case%201%2F2"),
    ],
)
def test_a_pack_is_read_back_from_its_name(code: str, uri: str) -> None:
    assert uris.pack(code) == uri
    assert uris.pack_of(uri) == code


def test_a_place_without_a_gln_has_no_invented_one() -> None:
    assert uris.location(None, "CITY") == uris.party(None, "CITY") == "urn:x-coldtrail:facility:CITY"
    assert uris.place_of("urn:x-coldtrail:facility:CITY") == uris.Place(None, "CITY")
    assert uris.place_of(uris.location("6901234000009", "CITY")) == uris.Place("6901234000009", None)
    assert uris.place_of(uris.party("6901234000009", "CITY")) == uris.Place("6901234000009", None)
    assert uris.place_of("https://example.org/site") is None
