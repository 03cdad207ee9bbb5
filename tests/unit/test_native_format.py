import json
from datetime import UTC, datetime
from typing import Any

import pytest

from inventory.services.messages import Measurement
from inventory.strict_json import MAX_BYTES, BadPayload, loads
from mqtt_ingest.formats import native

READING: dict[str, Any] = {"sensor": "S1", "at": "2026-01-05T08:00:00+08:00", "celsius": 4.5}
MEASUREMENT = Measurement("S1", datetime(2026, 1, 5, tzinfo=UTC), 450)


def payload(**members: Any) -> bytes:
    return json.dumps(members).encode()


def test_a_message_of_several_readings() -> None:
    other = READING | {"sensor": "S2", "at": "2026-01-05T00:00:00.25Z", "celsius": -3}
    content = native.parse(payload(boot="x", seq=17, readings=[READING, other]))
    assert content.boot == "x"
    assert content.seq == 17
    assert content.measurements == (
        MEASUREMENT,
        Measurement("S2", datetime(2026, 1, 5, 0, 0, 0, 250_000, tzinfo=UTC), -300),
    )


def test_a_single_reading_with_and_without_a_number() -> None:
    assert native.parse(payload(**READING)).measurements == (MEASUREMENT,)
    assert native.parse(payload(**READING)).boot is None
    assert native.parse(payload(**READING, boot="x", seq=1)).seq == 1


@pytest.mark.parametrize(
    ("written", "hundredths"),
    [
        ("4.56", 456),
        ("4.565", 456),
        ("4.575", 458),
        ("-0.5", -50),
        ("8", 800),
        ("8.0", 800),
        ("1e1", 1000),
        ("2.675", 268),
    ],
)
def test_degrees_are_exact_hundredths(written: str, hundredths: int) -> None:
    text = f'{{"sensor":"S","at":"2026-01-05T00:00:00Z","celsius":{written}}}'
    assert native.parse(text.encode()).measurements[0].temperature == hundredths


def test_what_is_encoded_is_read_back() -> None:
    taken = [MEASUREMENT, Measurement("冰箱", datetime(2026, 1, 5, 1, tzinfo=UTC), -1999)]
    content = native.parse(native.encode("b", 3, taken))
    assert (content.boot, content.seq, content.measurements) == ("b", 3, tuple(taken))
    assert native.encode("b", 3, taken) == native.encode("b", 3, taken)


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"readings": []}, "readings is an array of 0; expected an array of at least one"),
        ({"readings": [7]}, r"readings\[0\] is 7; expected an object"),
        ({"readings": [READING | {"sensor": ""}]}, r"readings\[0\].sensor is ''"),
        ({"readings": [READING | {"sensor": "s" * 65}]}, r"readings\[0\].sensor is 's+'\.\.\."),
        ({"readings": [READING | {"celsius": "4.5"}]}, r"readings\[0\].celsius is '4.5'; expected a number"),
        ({"readings": [READING | {"celsius": True}]}, "celsius is true"),
        ({"readings": [READING | {"celsius": None}]}, "celsius is null"),
        ({"readings": [READING | {"celsius": -273.5}]}, "celsius is -273.5"),
        ({"readings": [READING | {"celsius": 201}]}, "celsius is 201"),
        (
            {"readings": [READING | {"at": "2026-01-05T08:00:00"}]},
            "at is '2026-01-05T08:00:00'; expected a time with an",
        ),
        ({"readings": [READING | {"at": "2026-13-05T08:00:00Z"}]}, "at is"),
        ({"readings": [READING | {"at": "0001-01-01T00:00:00+08:00"}]}, "at is"),
        ({"readings": [READING | {"at": 1767571200}]}, "at is 1767571200; expected a text"),
        ({"readings": [READING | {"humidity": 3}]}, r"readings\[0\].'humidity' is unknown"),
        ({"readings": [READING], "extra": 1}, "'extra' is unknown"),
        ({"readings": [READING], "sensor": "S1"}, "'sensor' is unknown"),
        (READING | {"boot": "x"}, "seq is missing; expected an integer from 1"),
        (READING | {"seq": 1}, "boot is missing"),
        (READING | {"boot": "x", "seq": 0}, "seq is 0"),
        (READING | {"boot": "x", "seq": 2**53 + 1}, "seq is 9007199254740993"),
        (READING | {"boot": "x", "seq": 17.0}, "seq is 17.0"),
        (READING | {"boot": "x", "seq": True}, "seq is true"),
        (READING | {"boot": "", "seq": 1}, "boot is ''"),
        ({}, "sensor is missing"),
    ],
)
def test_a_malformed_message_is_refused_by_field(members: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadPayload, match=complaint):
        native.parse(payload(**members))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "not JSON"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"NaN", "NaN is no JSON number"),
        (b'{"celsius":-Infinity}', "-Infinity is no JSON number"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (rb'"\ud800"', "half a surrogate pair"),
        (rb'{"a\u0000":1}', "holds NUL"),
        (rb'[{"a":["\u0000"]}]', "holds NUL"),
        (b"9" * 5000, "longer than 40 characters"),
        (b"1." + b"0" * 5000, "longer than 40 characters"),
        (b"1e99999999999999999999", "out of all range"),
        (b" " * (MAX_BYTES + 1), "payload is 1048577 bytes long"),
        (b"{} x", "not JSON"),
        (b"'a'", "not JSON"),
    ],
)
def test_the_traps_of_json_are_closed(text: bytes, complaint: str) -> None:
    with pytest.raises(BadPayload, match=complaint):
        loads(text)


@pytest.mark.parametrize("number", ["1e999999", "-1e999999", "1e30", "9" * 30])
def test_a_number_beyond_all_temperatures_is_refused(number: str) -> None:
    with pytest.raises(BadPayload, match="celsius is"):
        native.parse(f'{{"sensor":"S","at":"2026-01-05T00:00:00Z","celsius":{number}}}'.encode())


def test_escapes_of_whole_characters_are_read() -> None:
    assert loads(rb'"\u51b0\ud83d\ude00"') == "冰😀"


def test_of_a_repeated_key_the_last_counts() -> None:
    assert loads(b'{"a":1,"a":2}') == {"a": 2}


def test_a_number_is_legible_in_a_malformed_message() -> None:
    assert native.identify(payload(boot="x", seq=3, readings="none")).seq == 3
    with pytest.raises(BadPayload):
        native.identify(payload(boot="x", readings="none"))
