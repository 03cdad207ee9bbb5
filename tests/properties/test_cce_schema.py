"""The delivery format as code says of every delivery what its published JSON schema says."""

import json
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.strict_json import loads
from mqtt_ingest.formats.cce_objects import OBJECTS, Thing, Type
from mqtt_ingest.formats.cce_schema import schema
from tests.envelopes import RECORDS, envelope

SENSOR = {"SID": "S", "SMFR": "Maker", "SMOD": "M"}
VALUES: list[Any] = [None, True, 0, -1, 1e5, "", "rtm", [], {}, [1], [{}], {"SID": "S"}]
NAMES = [*OBJECTS, "AMID", "DLST", "SID", "SDOP", "meta", "data", "records", "zown", "other"]
FORMS = {
    "ABST": ["20260105T080000Z", "20260105T080000.25Z", "20269905T290000Z", "20260105T300000Z", "2026-01-05T08:00:00Z"],
    "transferredAt": ["2026-01-05T08:00:00.5Z", "2026-01-05T08:00:00+08:00", "2026-19-39T29:59:59Z", "2026-01-05"],
}


def rich(kind: str) -> dict[str, Any]:
    """A delivery with every object of the standard, but for the supply of a solar appliance."""
    said = {thing.name: valid(thing) for thing in OBJECTS.values()}
    record = said | RECORDS[kind]
    del record["DCSV"], record["DCCD"], record["LSV"], record["EMSV"]
    found = envelope(kind, record)
    found["data"][0] = said | found["data"][0]
    return found


def several() -> dict[str, Any]:
    found = envelope("ems", RECORDS["ems"], RECORDS["ems"])
    found["data"].append(deepcopy(found["data"][0]))
    return found


def valid(thing: Thing) -> Any:
    return {Type.TEXT: "x", Type.NUMBER: 5, Type.BOOLEAN: True}[thing.type]


def solar() -> dict[str, Any]:
    record = {name: value for name, value in RECORDS["ems"].items() if name != "SVA"}
    return envelope("ems", record | {"DCSV": 19.2, "DCCD": 3.8})


def in_records() -> dict[str, Any]:
    """A delivery whose versions stand in every record."""
    versions = {"LSV": "1", "EMSV": "2"}
    found = envelope("ems", RECORDS["ems"] | versions, RECORDS["ems"] | versions)
    for name in versions:
        del found["data"][0][name]
    return found


def sensors() -> dict[str, Any]:
    found = envelope("rtm")
    found["data"][0]["DLST"] = {name: SENSOR | {"SDOP": "2026-01-05"} for name in ("TVC", "TFRZ", "TAMB", "IDRV")}
    return found


BASES = [rich("ems"), rich("rtm"), several(), envelope("rtm"), solar(), in_records(), sensors()]


@pytest.fixture(scope="module")
def validator(shared_data: Path) -> Any:
    return jsonschema.Draft202012Validator(json.loads((shared_data / "cce" / "cce-interop-0.8.1.json").read_text()))


def holders(value: Any) -> Iterator[Any]:
    """Every object and array in a delivery."""
    if isinstance(value, dict | list):
        yield value
        for below in value.values() if isinstance(value, dict) else value:
            yield from holders(below)


def bounds(name: object) -> list[Any]:
    """What lies at and just beyond the range of an object."""
    thing = OBJECTS.get(str(name))
    ends = [end for end in (thing.low, thing.high) if end is not None] if thing else []
    return [float(end + step) for end in ends for step in (Decimal(0), Decimal("0.1"), Decimal("-0.1"))]


def changes(delivery: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The delivery with each of its members removed, and with each set to each value that could matter."""
    for place, holder in enumerate(holders(delivery)):
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            for value in [*VALUES, *bounds(key), *FORMS.get(str(key), [])]:
                yield changed(delivery, place, lambda each, k=key, v=value: each.__setitem__(k, v))
            yield changed(delivery, place, lambda each, k=key: each.__delitem__(k))


def changed(delivery: dict[str, Any], place: int, change: Any) -> dict[str, Any]:
    copy = deepcopy(delivery)
    change(list(holders(copy))[place])
    return copy


def agree(validator: Any, delivery: Any) -> bool:
    """Whether both say the same; true where they say that it is valid."""
    text = json.dumps(delivery)
    found = list(schema(loads(text.encode())))
    assert validator.is_valid(json.loads(text)) is (not found), (found, text)
    return not found


def test_the_bases_are_valid(validator: Any) -> None:
    assert all(agree(validator, base) for base in BASES)


@pytest.mark.parametrize("base", range(len(BASES)))
def test_every_single_change_is_judged_as_the_schema_judges_it(validator: Any, base: int) -> None:
    verdicts = [agree(validator, delivery) for delivery in changes(BASES[base])]
    assert set(verdicts) == {True, False}


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A delivery changed at some places at once, so that rules that hang together meet."""
    delivery = deepcopy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 4))):
        holder = draw(st.sampled_from([each for each in holders(delivery) if each] or [delivery]))
        if isinstance(holder, list):
            holder.append(deepcopy(draw(st.sampled_from(VALUES))))
        elif holder and draw(st.booleans()):
            del holder[draw(st.sampled_from(sorted(holder)))]
        else:
            holder[draw(st.sampled_from(NAMES))] = deepcopy(draw(st.sampled_from(VALUES)))
    return delivery


@settings(max_examples=300, deadline=None)
@given(delivery=mutated())
def test_changes_together_are_judged_as_the_schema_judges_them(validator: Any, delivery: Any) -> None:
    agree(validator, delivery)


def test_the_table_is_the_schemas(shared_data: Path) -> None:
    """Types and ranges of all 71 objects, compared one by one."""
    published = json.loads((shared_data / "cce" / "cce-interop-0.8.1.json").read_text())["$defs"]["PQS-DS01-objects"]
    words = {"string": Type.TEXT, "number": Type.NUMBER, "boolean": Type.BOOLEAN}
    assert set(published) == set(OBJECTS)
    assert len(OBJECTS) == 71
    for name, thing in OBJECTS.items():
        types = published[name]["type"]
        assert thing.type in [words.get(each) for each in ([types] if isinstance(types, str) else types)], name
        assert thing.nullable is (isinstance(types, list) and "null" in types), name
        ends = [None if end is None else float(end) for end in (thing.low, thing.high)]
        assert ends == [published[name].get("minimum"), published[name].get("maximum")], name
