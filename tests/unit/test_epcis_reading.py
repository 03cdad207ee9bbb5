"""Whatever a stranger writes is read or refused by its path; nothing else ever happens."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.domain.epcis.capture import events_in, is_movement, movement
from inventory.domain.epcis.goods import around
from inventory.domain.errors import Invalid

GOOD: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2026-01-05T01:30:00Z",
    "eventTimeZoneOffset": "+08:00",
    "action": "OBSERVE",
    "bizStep": "receiving",
    "quantityList": [{"epcClass": "https://id.gs1.org/01/06901234567892/10/A", "quantity": 2}],
    "bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:x:1"}],
    "sourceList": [{"type": "possessing_party", "source": "urn:x-coldtrail:facility:MAKER"}],
    "readPoint": {"id": "https://id.gs1.org/414/6901234000009"},
    "ilmd": {"cbvmda:itemExpirationDate": "2026-06-30"},
    "coldtrail:pack": [{"coldtrail:epc": "urn:x-coldtrail:pack:A1", "coldtrail:doses": 1}],
    "epcList": ["urn:x-coldtrail:pack:A1"],
    "errorDeclaration": {"declarationTime": "2026-01-05T02:00:00Z"},
}
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.sampled_from(
    ["", "x", "1e999", "receiving", "0001-01-01T00:00:00+14:00", "urn:epc:id:sgtin:4012345.011111.9", "https://id.gs1.org/01/1"]
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "id"]), inner, max_size=3),
)


@given(name=st.sampled_from(sorted({*GOOD, "disposition", "sensorElementList", "destinationList"})), value=ANYTHING)
@settings(max_examples=150, deadline=None)
def test_a_field_that_is_anything_is_read_or_refused(name: str, value: Any) -> None:
    event = GOOD | {name: value}
    with suppress(Invalid):
        around([event])
        if is_movement(event):
            movement(event, {"coldtrail": "urn:x-coldtrail:"}, "here")


@given(document=ANYTHING)
@settings(max_examples=50, deadline=None)
def test_a_document_that_is_anything_is_read_or_refused(document: Any) -> None:
    with pytest.raises(Invalid):
        events_in(document)


def test_an_event_that_is_nested_without_end_is_refused() -> None:
    nested: Any = "deep"
    for _ in range(5000):
        nested = {"x": nested}
    with pytest.raises(Invalid):
        movement(GOOD | {"x": nested}, {}, "here")


def test_the_good_one_is_read() -> None:
    told = movement(GOOD, {}, "here")
    assert (told.step, told.advice, told.source.code if told.source else None) == ("receiving", "urn:x:1", "MAKER")
    assert [(each.batch.number, each.total(10)) for each in told.goods] == [("A", 21)]
