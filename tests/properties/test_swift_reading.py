"""The quick reader of native messages says what the strict one says, or nothing."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inventory.services.messages import Measurement
from inventory.strict_json import BadPayload
from mqtt_ingest.formats import native, swift
from mqtt_ingest.formats.content import Content

AT = datetime(2026, 1, 5, tzinfo=UTC)

TEXTS = ["S1", "sensor", "at", "", "x" * 64, "x" * 65, "疫苗", "a\nb", "a\tb", "\x7f", "a\\b", 'q"']
TIMES = (
    "2026-01-05T08:00:00+08:00,2026-01-05T08:00Z,2026-01-05 08:00:00Z,2026-01-05t08:00:00z,2026-01-05T08:00:00,now,"
    "2026-02-30T08:00:00Z,0001-01-01T00:00:00+14:00,2026-01-05T08:00:00.123456789Z"
)
NUMBERS = (
    "4.5,4,-0,4.565,4.5650000001,1e1,1E+2,1e99,-273.15,-273.16,200,200.01,NaN,Infinity,04,4.,.5,+4,4.5.6,null,true,"
    '"4.5",[4],4 5,1e,- 4,0x10,4444444444444444444444444444444444444444444444444'
)
INTEGERS = '1,17,0,-1,17.0,1e2,9007199254740992,9007199254740993,null,"1",01,2'

texts, integers = st.sampled_from(TEXTS), st.sampled_from(INTEGERS.split(","))
times, numbers = st.sampled_from(TIMES.split(",")), st.sampled_from(NUMBERS.split(","))
members = st.one_of(
    st.tuples(st.just("sensor"), texts.map(json.dumps)),
    st.tuples(st.just("sensor"), texts.map(lambda text: f'"{text}"')),
    st.tuples(st.just("at"), times.map(json.dumps)),
    st.tuples(st.just("celsius"), numbers),
    st.tuples(st.just("boot"), texts.map(json.dumps)),
    st.tuples(st.sampled_from(["seq", "first"]), integers),
    st.tuples(st.sampled_from(["unknown", "\\u0061t", "Boot"]), numbers),
)


def an_object(found: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f'"{name}": {value}' for name, value in found) + "}"


def an_array(found: Iterable[str]) -> str:
    return f"[{','.join(found)}]"


good_readings = st.tuples(
    texts.map(lambda text: ("sensor", json.dumps(text, ensure_ascii=False))),
    times.map(lambda at: ("at", f'"{at}"')),
    numbers.map(lambda number: ("celsius", number)),
).map(an_object)
readings = st.one_of(good_readings, st.lists(members, max_size=5).map(an_object))
odd_messages = st.tuples(st.lists(members, max_size=4), st.lists(readings, max_size=3)).map(
    lambda parts: an_object([*parts[0], ("readings", an_array(parts[1]))])
)
good_messages = st.tuples(texts, integers, st.one_of(st.none(), integers), st.lists(good_readings, max_size=3)).map(
    lambda parts: an_object(
        [
            ("boot", json.dumps(parts[0])),
            ("seq", parts[1]),
            *([("first", parts[2])] if parts[2] else []),
            ("readings", an_array(parts[3])),
        ]
    )
)
messages = st.one_of(st.lists(members, max_size=7).map(an_object), odd_messages, good_messages)


def strict(payload: bytes) -> Content | None:
    try:
        return native.strictly(payload)
    except BadPayload:
        return None


@given(messages.map(str.encode))
@example(b'{"sensor":"S1","at":"2026-01-05T08:00Z","celsius":4.5,"celsius":4.5}')
@example(b'{"sensor":"S\n1","at":"2026-01-05T08:00Z","celsius":4.5}')
@example(b'{"sensor":"S\xff1","at":"2026-01-05T08:00Z","celsius":4.5}')
@example(b'{"sensor":"S\xed\xa0\x801","at":"2026-01-05T08:00Z","celsius":4.5}')
@example(b'\xef\xbb\xbf{"sensor":"S1","at":"2026-01-05T08:00Z","celsius":4.5}')
@example(b'{"sensor":"S1","at":"2026-01-05T08:00Z","celsius":4.5} ')
@example(b'{"sensor":"S1","at":"2026-01-05T08:00Z","celsius":4.5}x')
@example(b'{"sensor":"S1","at":"2026-01-05T08:00Z","celsius":4.5,"readings":null}')
@example(b'{"sensor":"S1","at":"2026-01-05T08:00Z","celsius":4.5,"first":null}')
def test_it_says_what_the_strict_reader_says_or_nothing(payload: bytes) -> None:
    found = swift.read(payload)
    assert found is None or found == strict(payload)


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 5))
def test_a_message_with_some_bytes_changed(noise: bytes, at: int, removed: int) -> None:
    whole = native.encode("boot", 17, [Measurement("S1", AT, 450), Measurement("S2", AT, -50)])
    payload = whole[:at] + noise[:3] + whole[at + removed :]
    found = swift.read(payload)
    assert found is None or found == strict(payload)


@pytest.mark.parametrize("count", [1, 2, 50])
def test_what_gateways_send_is_read_quickly(count: int) -> None:
    made: list[Any] = [Measurement(f"S{number}", AT, 450 + number) for number in range(count)]
    payload = native.stating(native.encode("9f2c", 17, made), 3)
    assert swift.read(payload) == Content(tuple(made), "9f2c", 17, first=3)
