"""Whatever bytes come, they are a value that can be stored, or a bad payload; nothing else ever happens."""

import json
import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory.strict_json import MAX_BYTES, MAX_DIGITS, BadPayload, loads

SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


def outcome(payload: bytes) -> object:
    try:
        return loads(payload)
    except BadPayload as error:
        return error


def require_storable(value: object) -> None:
    """Text without NUL that can be encoded, and numbers that are finite."""
    if isinstance(value, str):
        assert "\0" not in value
        value.encode()
    elif isinstance(value, Decimal):
        assert value.is_finite()
    elif isinstance(value, dict | list):
        for each in [*value, *(value.values() if isinstance(value, dict) else [])]:
            require_storable(each)


@given(st.binary())
@example(b"[" * 500_000)
@example(b'{"":' * 100_000)
@example(b"1" * 5_000)
@example(b"1e" + b"9" * 30)
@example(b"-1E-" + b"9" * 30)
@example(b"[NaN]")
@example(b'"\\ud800"')
@example(b'{"\\u0000": 1}')
@example(b"\xef\xbb\xbf{}")
@example(b"")
@example(b" " * (MAX_BYTES + 1))
def test_arbitrary_bytes_are_a_storable_value_or_a_bad_payload(payload: bytes) -> None:
    found = outcome(payload)
    if not isinstance(found, BadPayload):
        require_storable(found)


@given(st.text(alphabet='[]{}",:\\u0d8fe+-.123NaInity \n\0', max_size=60))
def test_almost_json_is_a_storable_value_or_a_bad_payload(text: str) -> None:
    found = outcome(text.encode())
    if not isinstance(found, BadPayload):
        require_storable(found)
        assert found == json.loads(text, parse_float=Decimal)


@given(VALUES)
def test_json_that_can_be_stored_is_read_as_it_was_written(value: object) -> None:
    text = json.dumps(value)
    if not re.search(r"\\u(0000|d[89a-f])", text):
        assert loads(text.encode()) == value
        assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(VALUES, st.sampled_from(["\0", "\ud800", "a\udfffb"]))
def test_text_that_cannot_be_stored_is_refused_wherever_it_stands(value: object, bad: str) -> None:
    for whole in ([value, bad], {"": {bad: value}}, {"a": [[bad]]}):
        assert isinstance(outcome(json.dumps(whole).encode()), BadPayload)


@given(st.decimals(min_value=-1000, max_value=1000, places=4))
def test_a_fraction_is_read_exactly(number: Decimal) -> None:
    assert loads(str(number).encode()) == number


@pytest.mark.parametrize("digits", [MAX_DIGITS, MAX_DIGITS + 1])
def test_a_number_has_a_longest_length(digits: int) -> None:
    found = outcome(b"1" * digits)
    assert isinstance(found, BadPayload) == (digits > MAX_DIGITS)


def test_the_longest_payload_is_read_and_one_byte_more_is_not() -> None:
    assert loads(b"1" + b" " * (MAX_BYTES - 1)) == 1
    with pytest.raises(BadPayload, match="bytes long"):
        loads(b"1" + b" " * MAX_BYTES)


def test_a_repeated_key_is_refused_by_its_name() -> None:
    with pytest.raises(BadPayload, match="repeated"):
        loads(b'{"a": 1, "a": 2}')
