from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.strict_json import MAX_BYTES, BadPayload
from mqtt_ingest.edge_nodes import EdgeNodes
from mqtt_ingest.formats import FORMATS
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.metrics import EdgeMessage, Metric
from mqtt_ingest.formats.sparkplug import identify, parse, rebirth
from mqtt_ingest.topics import OF_DEVICES, OF_NODES, Kind, Topic
from tests.sparkplug import (
    BOOLEAN,
    DOUBLE,
    EIGHT,
    FLOAT,
    INT16,
    MS,
    a_boolean,
    a_double,
    a_float,
    a_long,
    an_int,
    bdseq,
    metric,
    payload,
    said,
    scaled,
)
from tests.wire import integer, text


def read(kind: Kind, content: bytes) -> EdgeMessage:
    found = parse(kind, content)
    assert found == Content((), edge=found.edge)
    assert found.edge is not None
    return found.edge


def test_a_payload_of_known_bytes() -> None:
    """A message spelt out: timestamp 1, seq 5, one metric with alias 7, datatype Float and the value 4.5."""
    content = bytes.fromhex("080112091007200965000090401805")
    message = read(Kind.NDATA, content)
    at = datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)
    assert message == EdgeMessage(Kind.NDATA, 5, None, (Metric(None, 7, at, FLOAT, 4.5),), at)


def test_a_birth_with_properties() -> None:
    properties = {"engUnit": said("degC"), "scale": scaled(0.5), "serial": said("S1")}
    content = payload(bdseq(3), metric("Temperature", 17, INT16, an_int(9), at=MS + 500, properties=properties), seq=0)
    message = read(Kind.NBIRTH, content)
    assert (message.seq, message.birth) == (0, 3)
    assert message.metrics[1] == Metric(
        "Temperature",
        17,
        EIGHT + timedelta(milliseconds=500),
        INT16,
        9,
        {"engUnit": "degC", "scale": 0.5, "serial": "S1"},
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (an_int(-5), 0xFFFF_FFFB),
        (a_long(-5), 0xFFFF_FFFF_FFFF_FFFB),
        (a_double(4.005), 4.005),
        (a_boolean(True), True),
        (text(15, "warm"), "warm"),
        (text(16, b"\xff"), None),
        (text(17, b"\x08\x01"), None),
        (b"", None),
        (an_int(1) + a_double(2.5), 2.5),
    ],
)
def test_values_are_as_they_stand_on_the_wire(value: bytes, expected: object) -> None:
    [found] = read(Kind.DDATA, payload(metric(None, 1, None, value))).metrics
    assert found.value == expected
    assert type(found.value) is type(expected)


def test_a_null_has_no_value_and_a_metric_without_a_time_has_the_messages() -> None:
    null, timeless = payload(metric(None, 1, None, a_float(4.5), null=True)), payload(metric("a", None), at=None)
    assert read(Kind.NDATA, null).metrics == (Metric(None, 1, EIGHT, 0, None),)
    assert read(Kind.NDATA, timeless).metrics == (Metric("a", None, None, 0, None),)
    [beyond] = read(Kind.NDATA, payload(metric(None, 1), at=2**64 - 1)).metrics
    assert beyond.at is None


def test_unknown_fields_and_history_are_passed_over() -> None:
    history = integer(5, 1) + integer(6, 1) + text(8, b"\x08\x01") + text(19, b"")
    [found] = read(Kind.DDATA, payload(metric(None, 1, FLOAT, a_float(4.5)) + history) + text(99, "more")).metrics
    assert found.value == 4.5


@pytest.mark.parametrize(
    ("kind", "content", "complaint"),
    [
        (Kind.NDATA, b"\xff", "no Sparkplug B"),
        (Kind.NDATA, b'{"seq": 1}', "no Sparkplug B"),
        (Kind.NDATA, payload(metric("a", 1))[:-3], "no Sparkplug B"),
        (Kind.NDATA, payload(metric("a", 1), seq=None), "seq is missing"),
        (Kind.NDATA, payload(metric("a", 1), seq=256), "seq is 256"),
        (Kind.NDATA, b"", "seq is missing"),
        (Kind.NDATA, payload(metric(None, None, FLOAT)), r"metrics\[0\] has neither name nor alias"),
        (Kind.NDATA, payload(text(1, b"\xff")), "not UTF-8"),
        (Kind.NDATA, payload(metric("a", 1, properties={"serial": text(8, b"\xff")})), "not UTF-8"),
        (Kind.NDATA, payload(text(1, "a") + text(9, text(1, b"\xff") + text(2, said("a")))), "not UTF-8"),
        (Kind.NDATA, payload(metric("a\0", 1)), "NUL"),
        (Kind.NDATA, payload(metric("a", 1, properties={"serial": said("\0")})), "NUL"),
        (Kind.NDATA, payload(text(1, "a") + text(9, text(1, "key"))), "1 keys of properties and 0 values"),
        (Kind.NDATA, payload(*[b"\x10\x01"] * 10_001), "10001 metrics"),
        (Kind.NDATA, b" " * (MAX_BYTES + 1), "bytes long"),
        (Kind.NBIRTH, payload(metric("a", 1)), "no metric bdSeq"),
        (Kind.NBIRTH, payload(metric("bdSeq", None, BOOLEAN, a_boolean(True))), "no metric bdSeq"),
        (Kind.NDEATH, payload(seq=None), "no metric bdSeq"),
        (Kind.NBIRTH, payload(bdseq(2**54)), "no metric bdSeq"),
        (Kind.DBIRTH, payload(metric("a", 1), metric("b", 1)), "one name or one alias"),
        (Kind.DBIRTH, payload(metric("a", 1), metric("a", 2)), "one name or one alias"),
        (Kind.DBIRTH, payload(metric("a", 1), metric(None, 2)), r"metrics\[1\] has no name"),
    ],
)
def test_what_is_no_such_payload_is_refused(kind: Kind, content: bytes, complaint: str) -> None:
    with pytest.raises(BadPayload, match=complaint):
        parse(kind, content)


def test_a_will_has_no_seq() -> None:
    assert read(Kind.NDEATH, payload(bdseq(3), seq=None)).seq is None


def test_nobody_waits_for_a_receipt() -> None:
    with pytest.raises(BadPayload):
        identify(payload(metric("a", 1)))


def test_each_kind_has_its_format() -> None:
    assert FORMATS[Kind.NBIRTH].parse(payload(bdseq(1))) == parse(Kind.NBIRTH, payload(bdseq(1)))
    assert Kind.NCMD not in FORMATS


def test_the_command_for_a_rebirth_byte_by_byte() -> None:
    expected = metric("Node Control/Rebirth", None, at=MS) + integer(4, BOOLEAN) + a_boolean(True)
    assert rebirth(EIGHT) == payload(expected, seq=None)


DEVICE = Topic("0a", "gw", Kind.DDATA, "fridge")
ANY_METRIC = st.builds(
    metric,
    st.none() | st.sampled_from(["Temperature", "bdSeq", "x"]) | st.text(max_size=5).filter(str.isascii),
    st.none() | st.integers(0, 3),
    st.none() | st.integers(0, 40),
    st.sampled_from(
        [b"", an_int(-1), a_long(2**64 - 1), a_float(float("nan")), a_double(float("inf")), a_boolean(False)]
    ),
    at=st.none() | st.integers(0, 2**64 - 1),
    null=st.booleans(),
    properties=st.dictionaries(
        st.sampled_from(["unit", "scale", "serial"]), st.sampled_from([said("degC"), said("1e9999"), scaled(0.1), b""])
    ),
)


@settings(max_examples=400, deadline=None)
@given(
    contents=st.lists(
        st.tuples(
            st.sampled_from([*OF_NODES, *OF_DEVICES]),
            st.binary(max_size=60)
            | st.builds(lambda each, end: payload(*each)[:end], st.lists(ANY_METRIC, max_size=3), st.integers(0, 99))
            | st.builds(lambda each: payload(bdseq(1), *each, seq=3), st.lists(ANY_METRIC, max_size=3)),
        ),
        max_size=4,
    )
)
def test_nothing_that_is_sent_raises_anything_but_bad_payload(contents: list[tuple[Kind, bytes]]) -> None:
    nodes = EdgeNodes()
    for kind, content in contents:
        with suppress(BadPayload):
            message = read(kind, content)
            nodes.resolve(Topic("0a", "gw", kind, "fridge" if kind in OF_DEVICES else None), message)
        nodes.load("0a", "gw", nodes.dump("0a", "gw"))


def test_doubles_are_no_singles() -> None:
    assert read(Kind.NDATA, payload(metric(None, 1, DOUBLE, a_double(4.1)))).metrics[0].value == 4.1
    assert read(Kind.NDATA, payload(metric(None, 1, FLOAT, a_float(4.1)))).metrics[0].value != 4.1
