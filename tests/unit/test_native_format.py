import json
from datetime import UTC, datetime
from typing import Any

import pytest

from inventory.services.messages import Measurement
from inventory.strict_json import MAX_BYTES, MAX_LEGIBLE, BadPayload, legible, loads
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
        (READING | {"boot": "x", "seq": 3, "first": 4}, "first is 4; expected an integer from 1 to 3"),
        (READING | {"boot": "x", "seq": 3, "first": 0}, "first is 0"),
        (READING | {"boot": "x", "seq": 3, "first": None}, "first is null"),
        (READING | {"boot": "x", "seq": 3, "first": 1.0}, "first is 1.0"),
        (READING | {"first": 1}, "first is 1; expected it only beside boot and seq"),
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
        (b'{"doses":10,"doses":9999}', "key 'doses' is repeated"),
        (b'[{"a":{"b":1,"c":2,"b":1}}]', "key 'b' is repeated"),
        (rb'{"b":1,"\u0062":1}', "key 'b' is repeated"),
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


def test_a_number_is_legible_in_a_malformed_message() -> None:
    assert native.identify(payload(boot="x", seq=3, readings="none")).seq == 3
    with pytest.raises(BadPayload):
        native.identify(payload(boot="x", readings="none"))


def test_the_lowest_number_that_is_kept_is_stated_when_a_message_is_sent() -> None:
    stored = native.encode("b", 3, [MEASUREMENT])
    stated = native.parse(native.stating(stored, 2))
    assert (stated.boot, stated.seq, stated.first, stated.measurements) == ("b", 3, 2, (MEASUREMENT,))
    assert native.parse(stored).first is None
    assert native.parse(payload(**READING, boot="x", seq=3, first=3)).first == 3


NUMBER = b'"boot":"x","seq":2'
GOOD = b'{"sensor":"S1","at":"2026-01-05T00:00:00Z","celsius":4.5}'
UNREADABLE = {
    "NaN": b"{%s,%s" % (NUMBER, GOOD[1:].replace(b"4.5", b"NaN")),
    "Infinity": b"{%s,%s" % (NUMBER, GOOD[1:].replace(b"4.5", b"-Infinity")),
    "an escaped NUL": b"{%s,%s" % (NUMBER, GOOD[1:].replace(b"S1", rb"S\u0000")),
    "a raw NUL": b"{%s,%s" % (NUMBER, GOOD[1:].replace(b"S1", b"S\0")),
    "a lone surrogate": b"{%s,%s" % (NUMBER, GOOD[1:].replace(b"S1", rb"\ud800")),
    "a long number": b"{%s,%s" % (NUMBER, GOOD[1:].replace(b"4.5", b"4" * 5000)),
    "a long fraction": b"{%s,%s" % (NUMBER, GOOD[1:].replace(b"4.5", b"4." + b"5" * 41)),
    "a number out of all range": b"{%s,%s" % (NUMBER, GOOD[1:].replace(b"4.5", b"1e99999999999999999999")),
    "no UTF-8": b"{%s,%s" % (NUMBER, GOOD[1:].replace(b"S1", b"\xff\xc3")),
    "a byte order mark": b"\xef\xbb\xbf{%s,%s" % (NUMBER, GOOD[1:]),
    "a repeated key": b"{%s,%s" % (NUMBER, GOOD[1:].replace(b"4.5", b'4.5,"celsius":3')),
    "the number twice the same": b"{%s,%s,%s" % (NUMBER, NUMBER, GOOD[1:]),
    "too many bytes": b'{"readings":[%s],%s}' % (b",".join([GOOD] * 30_000), NUMBER),
    "nested too deeply": b'{%s,"readings":%s}' % (NUMBER, b"[" * 100_000 + b"]" * 100_000),
    "broken off": b'{%s,"readings":[%s,{"sen' % (NUMBER, GOOD),
    "broken off in a character": b'{%s,"readings":[{"sensor":"\xe5\x86' % NUMBER,
    "junk at its end": b"{%s,%s\0\0" % (NUMBER, GOOD[1:]),
    "a stray first": b'{"first":"all",%s,%s' % (NUMBER, GOOD[1:]),
    "a first above it": b'{"first":3,%s,%s' % (NUMBER, GOOD[1:]),
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_a_number_is_legible_in_an_unreadable_message(text: bytes) -> None:
    with pytest.raises(BadPayload):
        native.parse(text)
    content = native.identify(text)
    assert (content.boot, content.seq, content.first, content.measurements) == ("x", 2, None, ())


def test_what_the_sender_keeps_is_legible_in_an_unreadable_message() -> None:
    assert native.identify(b'{"first":2,"boot":"x","seq":3,"readings":[NaN]}').first == 2


@pytest.mark.parametrize(
    "text",
    [
        b'{"boot":"x","seq":2,"seq":3,"readings":[]}',
        b'{"boot":"x","boot":"y","seq":2}',
        b'{"boot":"x","seq":NaN}',
        b'{"boot":"x","seq":2.0}',
        b'{"boot":"x","seq":9007199254740993}',
        b'{"boot":"x","seq":%s}' % (b"2" * 41),
        b'{"boot":"\xff","seq":2}',
        rb'{"boot":"\u0000","seq":2}',
        rb'{"boot":"\ud800","seq":2}',
        b'{"boot":"x\ny\0","seq":2}',
        b'{"boot":"%s","seq":2}' % (b"x" * 65),
        b'[{"boot":"x","seq":2}]',
        b'{"boot":"x","seq":2',
        b'{"boot":"x","seq":2.5,',
        b'{"boot":"x","seq":2,"seq":2,',
        b'{"boot":"x","seq":2,{"boot":"x"',
        b'{"boot":"\xff","seq":2,',
        rb'{"boot":"\ud800","seq":2,',
        b'{"boot":"x,"seq":2,',
        b'{"boot":7,"seq":2,',
        b'{"boot":"x","seq":"2",',
        b'{"boot":"x","seq":99999999999999999,',
        b"\xff",
        b"",
    ],
)
def test_a_number_that_is_in_doubt_is_none(text: bytes) -> None:
    with pytest.raises(BadPayload):
        native.identify(text)


def test_what_is_legible_ends_somewhere() -> None:
    assert legible(b"[NaN, 1.5, 7]" + b" " * (MAX_LEGIBLE - 13)) == [None, None, 7]
    with pytest.raises(BadPayload, match="bytes long"):
        legible(b" " * (MAX_LEGIBLE + 1))
    with pytest.raises(BadPayload, match="not even legible"):
        legible(b"[" * 1_000_000)
