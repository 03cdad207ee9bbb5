"""What the births of an edge node said, and what its later messages mean by it."""

import json
from datetime import timedelta
from math import inf, nan
from typing import Any

import pytest

from inventory.services.messages import Measurement, Presence
from mqtt_ingest.edge_nodes import EdgeNodes, Resolved
from mqtt_ingest.formats.content import Content
from mqtt_ingest.formats.sparkplug import parse
from mqtt_ingest.topics import OF_DEVICES, Kind, Topic
from tests.sparkplug import (
    BOOLEAN,
    DOUBLE,
    EIGHT,
    FLOAT,
    INT16,
    INT32,
    INT64,
    MS,
    STRING,
    UINT64,
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

FRIDGE = metric("Temperature", 17, FLOAT, a_float(4.1))
DOOR = metric("Door open", 18, BOOLEAN, a_boolean(False))


def send(
    nodes: EdgeNodes, kind: Kind, *metrics: bytes, seq: int | None = 0, device: str = "fridge", at: int | None = MS
) -> Resolved:
    message = parse(kind, payload(*metrics, seq=seq, at=at)).edge
    assert message is not None
    return nodes.resolve(Topic("0a", "gw", kind, device if kind in OF_DEVICES else None), message)


def born(*metrics: bytes, seq: int = 0) -> EdgeNodes:
    """An edge node whose device "fridge" has these metrics; its next message is number `seq` + 2."""
    nodes = EdgeNodes()
    send(nodes, Kind.NBIRTH, bdseq(7), seq=seq)
    send(nodes, Kind.DBIRTH, *(metrics or (FRIDGE, DOOR)), seq=(seq + 1) % 256)
    return nodes


def test_a_birth_is_a_presence_and_its_values_are_readings() -> None:
    nodes = EdgeNodes()
    came = send(nodes, Kind.NBIRTH, bdseq(7), metric("Room temperature", 1, DOUBLE, a_double(21.5)))
    assert came == Resolved(Content((Measurement("Room temperature", EIGHT, 2150),), presence=Presence(True, 7)))
    assert send(nodes, Kind.DBIRTH, FRIDGE, DOOR, seq=1) == Resolved(
        Content((Measurement("fridge/Temperature", EIGHT, 410),))
    )


def test_an_alias_is_the_metric_that_the_birth_named() -> None:
    data = send(born(), Kind.DDATA, metric(None, 17, None, a_float(8.25), at=MS + 60_000), seq=2)
    assert data == Resolved(Content((Measurement("fridge/Temperature", EIGHT + timedelta(minutes=1), 825),)))


def test_a_name_is_as_good_as_an_alias_and_aliases_are_a_devices_own() -> None:
    nodes = born()
    send(nodes, Kind.DBIRTH, metric("Temperature", 17, FLOAT), seq=2, device="freezer")
    named = send(nodes, Kind.DDATA, metric("Temperature", None, None, a_float(5)), seq=3)
    other = send(nodes, Kind.DDATA, metric(None, 17, None, a_float(-20)), seq=4, device="freezer")
    assert named.content.measurements == (Measurement("fridge/Temperature", EIGHT, 500),)
    assert other.content.measurements == (Measurement("freezer/Temperature", EIGHT, -2000),)


def test_the_serial_is_a_property_of_the_birth() -> None:
    nodes = born(metric("Temperature", 17, FLOAT, properties={"serial": said("S-1")}))
    data = send(nodes, Kind.DDATA, metric(None, 17, None, a_float(5)), seq=2)
    assert data.content.measurements == (Measurement("S-1", EIGHT, 500),)


@pytest.mark.parametrize(
    ("datatype", "value", "properties", "expected"),
    [
        (FLOAT, a_float(4.1), {}, 410),
        (FLOAT, a_float(4.005), {}, 400),
        (FLOAT, a_float(-0.5), {}, -50),
        (DOUBLE, a_double(4.0999999), {}, 410),
        (DOUBLE, a_double(4.015), {}, 402),
        (DOUBLE, a_double(4), {"engUnit": said("°C")}, 400),
        (FLOAT, an_int(4), {}, 400),
        (INT16, an_int(-5), {"scale": scaled(0.1)}, -50),
        (INT16, an_int(0xFFFB), {"scale": scaled(0.1)}, -50),
        (INT32, an_int(-5), {"scale": said("0.01")}, -5),
        (INT64, a_long(-205), {"scale": scaled(0.1)}, -2050),
        (UINT64, a_long(205), {"scale": scaled(0.1)}, 2050),
        (INT16, an_int(41), {"scale": scaled(0.1), "unit": said("degC")}, 410),
    ],
)
def test_values_are_hundredths_of_a_degree(
    datatype: int, value: bytes, properties: dict[str, bytes], expected: int
) -> None:
    nodes = born(metric("Temperature", 17, datatype, properties=properties))
    data = send(nodes, Kind.DDATA, metric(None, 17, None, value), seq=2)
    assert [each.temperature for each in data.content.measurements] == [expected]
    assert data.malformed is None


@pytest.mark.parametrize(
    ("name", "datatype", "properties", "taken"),
    [
        ("Inner TEMPERATURE", FLOAT, {}, True),
        ("TVC", FLOAT, {"engUnit": said("degC")}, True),
        ("TVC", FLOAT, {"unit": said("DegC")}, True),
        ("TVC", FLOAT, {}, False),
        ("TVC", FLOAT, {"unit": said("%")}, False),
        ("Temperature alarm", FLOAT, {}, False),
        ("Temperature", STRING, {}, False),
        ("Temperature", BOOLEAN, {}, False),
    ],
)
def test_only_what_is_a_temperature_is_a_reading(
    name: str, datatype: int, properties: dict[str, bytes], taken: bool
) -> None:
    nodes = born(metric(name, 17, datatype, properties=properties))
    data = send(nodes, Kind.DDATA, metric(None, 17, None, a_float(4)), seq=2)
    assert data == Resolved(Content((Measurement(f"fridge/{name}", EIGHT, 400),) if taken else ()))


@pytest.mark.parametrize(
    ("datatype", "properties", "value", "complaint"),
    [
        (FLOAT, {"engUnit": said("degF")}, a_float(4), "'Temperature': unit is 'degf'; expected degC"),
        (INT16, {}, an_int(4), "'Temperature': scale is null"),
        (INT16, {"scale": said("much")}, an_int(4), "'Temperature': "),
        (INT16, {"scale": scaled(0)}, an_int(4), "scale is 0.0"),
        (INT16, {"scale": scaled(nan)}, an_int(4), "not finite"),
        (INT16, {"scale": scaled(0.1)}, a_float(4), "4.0 is no integer"),
        (FLOAT, {"serial": said("s" * 65)}, a_float(4), "serial of 'Temperature' is"),
        (FLOAT, {}, a_float(200.5), "not a temperature"),
        (FLOAT, {}, a_double(-1e300), "not a temperature"),
        (FLOAT, {}, a_boolean(True), "no temperature"),
    ],
)
def test_a_temperature_that_cannot_be_taken_is_kept_aside_with_its_reason(
    datatype: int, properties: dict[str, bytes], value: bytes, complaint: str
) -> None:
    nodes = born(metric("Temperature", 17, datatype, properties=properties))
    data = send(nodes, Kind.DDATA, metric(None, 17, None, value), seq=2)
    assert data.content == Content(())
    assert complaint in str(data.malformed)
    assert data.unknown is None


def test_two_metrics_of_one_serial_are_both_kept_aside() -> None:
    serial = {"serial": said("S-1")}
    target = metric("Target temperature", 18, FLOAT, properties=serial)
    nodes = born(metric("Temperature", 17, FLOAT, properties=serial), target, metric("Outer temperature", 19, FLOAT))
    data = send(nodes, Kind.DDATA, *(metric(None, alias, None, a_float(4)) for alias in (17, 18, 19)), seq=2)
    assert [each.sensor for each in data.content.measurements] == ["fridge/Outer temperature"]
    assert str(data.malformed).count("S-1 is the serial of several metrics") == 2


def test_a_temperature_without_a_time_is_kept_aside() -> None:
    nodes = born()
    message = parse(Kind.DDATA, payload(metric(None, 17, None, a_float(4)), seq=2, at=None)).edge
    assert message is not None
    assert "no time" in str(nodes.resolve(Topic("0a", "gw", Kind.DDATA, "fridge"), message).malformed)


def test_what_is_null_or_not_finite_is_counted() -> None:
    values = (a_float(nan), a_double(inf), b"")
    data = send(born(), Kind.DDATA, *(metric(None, 17, None, each) for each in values), seq=2)
    assert data == Resolved(Content(()), unread=3)


def test_an_alias_of_no_birth_is_kept_aside_and_a_rebirth_asked_for_and_the_others_are_taken() -> None:
    data = send(born(), Kind.DDATA, metric(None, 99, None, a_float(4)), metric(None, 17, None, a_float(5)), seq=2)
    assert data.content.measurements == (Measurement("fridge/Temperature", EIGHT, 500),)
    assert data.unknown == "no birth says what these metrics are: alias 99"
    assert (data.rebirth, data.malformed) == (True, None)


def test_many_unknown_metrics_are_told_shortly() -> None:
    data = send(EdgeNodes(), Kind.DDATA, *(metric(None, each, None, a_float(4)) for each in range(9)))
    assert (
        data.unknown == "no birth says what these metrics are: alias 0, alias 1, alias 2, alias 3, alias 4 and 4 more"
    )


def test_an_unknown_metric_that_cannot_be_a_temperature_only_asks_for_a_rebirth() -> None:
    data = send(born(), Kind.DDATA, metric("Lid", None, None, a_boolean(True)), metric(None, 98), seq=2)
    assert data == Resolved(Content(()), rebirth=True)


def test_a_name_that_no_birth_told_is_not_guessed_at() -> None:
    """Its birth could have given it another serial."""
    data = send(EdgeNodes(), Kind.DDATA, metric("Temperature", None, FLOAT, a_float(4)))
    assert data.unknown == "no birth says what these metrics are: 'Temperature'"


@pytest.mark.parametrize(
    ("last", "seq", "missed"),
    [(1, 2, 0), (255, 0, 0), (1, 4, 2), (254, 1, 2), (5, 5, 0), (5, 3, 0), (1, 255, 0), (1, 100, 98)],
)
def test_missing_messages_are_counted_and_late_ones_are_not(last: int, seq: int, missed: int) -> None:
    nodes = born(seq=(last - 1) % 256)
    data = send(nodes, Kind.DDATA, metric(None, 17, None, a_float(5)), seq=seq)
    assert (data.missed, data.rebirth) == (missed, missed > 0)
    assert len(data.content.measurements) == 1


@pytest.mark.parametrize(
    ("seq", "seconds", "missed"),
    [
        (2, 1, 0),
        (130, 1, 128),
        (201, 1, 199),
        (0, 1, 254),
        (1, 1, 255),
        (5, 1, 3),
        (0, -1, 0),
        (201, -1, 0),
        (57, -1, 0),
        (1, 0, 0),
        (201, 0, 0),
        (5, 0, 3),
    ],
)
def test_a_newer_message_tells_that_others_are_missing_and_an_older_one_is_late(
    seq: int, seconds: int, missed: int
) -> None:
    nodes = born()
    data = send(nodes, Kind.DDATA, seq=seq, at=MS + seconds * 1000)
    assert (data.missed, data.rebirth) == (missed, missed > 0)
    late = seconds < 0 or (seconds == 0 and not missed)
    following = send(nodes, Kind.DDATA, seq=2 if late else (seq + 1) % 256, at=MS + 2000)
    assert (following.missed, following.rebirth) == (0, False)


@pytest.mark.parametrize("again", [0, 44, 50, 200, 299])
def test_what_a_broker_sends_again_is_not_missing_however_much_it_is(again: int) -> None:
    nodes = born()
    sent = [(seq % 256, MS + seq * 1000) for seq in range(2, 302)]
    coming = [*sent, *sent[again:], (302 % 256, MS + 302_000)]
    found = [send(nodes, Kind.DDATA, seq=seq, at=at).missed for seq, at in coming]
    assert not any(found)


def test_a_clock_that_is_set_back_makes_the_next_message_neither_late_nor_others_missing() -> None:
    nodes = born()
    times = [MS + 9_000_000, MS, MS + 1000, MS + 2000]
    assert [send(nodes, Kind.DDATA, seq=2 + index, at=at).missed for index, at in enumerate(times)] == [0, 0, 0, 0]
    assert send(nodes, Kind.DDATA, seq=8, at=MS + 3000).missed == 2


def test_where_there_is_no_time_half_of_all_numbers_are_late() -> None:
    nodes = born()
    assert [send(nodes, Kind.DDATA, seq=seq, at=None).missed for seq in (128, 1, 129)] == [126, 0, 0]


def test_the_time_of_the_last_message_outlives_a_worker() -> None:
    nodes, later = born(), EdgeNodes()
    later.load("0a", "gw", json.loads(json.dumps(nodes.dump("0a", "gw"))))
    assert send(later, Kind.DDATA, seq=201, at=MS + 1000).missed == 199
    former = {key: value for key, value in nodes.dump("0a", "gw").items() if key != "at"}
    later.load("0a", "gw", former)
    assert send(later, Kind.DDATA, seq=201, at=MS + 1000).missed == 0


def test_a_late_message_does_not_set_the_count_back() -> None:
    nodes = born()
    assert [send(nodes, Kind.DDATA, seq=seq).missed for seq in (2, 3, 2, 4)] == [0, 0, 0, 0]


def test_a_birth_of_the_edge_node_ends_all_that_was_known() -> None:
    nodes = born()
    again = send(nodes, Kind.NBIRTH, bdseq(8), seq=0)
    assert (again.content.presence, again.missed) == (Presence(True, 8), 0)
    assert send(nodes, Kind.DDATA, metric(None, 17, None, a_float(4)), seq=1).unknown is not None


def test_a_death_of_a_device_ends_what_was_known_of_it() -> None:
    nodes = born()
    send(nodes, Kind.DBIRTH, FRIDGE, seq=2, device="freezer")
    assert send(nodes, Kind.DDEATH, seq=3) == Resolved(Content(()))
    assert send(nodes, Kind.DDATA, metric(None, 17, None, a_float(4)), seq=4).unknown is not None
    assert send(nodes, Kind.DDATA, metric(None, 17, None, a_float(4)), seq=5, device="freezer").unknown is None


def test_a_will_of_its_own_connection_is_an_absence() -> None:
    nodes = born()
    assert send(nodes, Kind.NDEATH, bdseq(7), seq=None) == Resolved(Content((), presence=Presence(False, 7)))
    data = send(nodes, Kind.DDATA, metric(None, 17, None, a_float(4)), seq=3)
    assert (data.unknown is not None, data.missed, data.rebirth) == (True, 0, True)


def test_a_will_of_another_connection_is_no_absence_but_what_is_known_is_in_doubt() -> None:
    nodes = born()
    assert send(nodes, Kind.NDEATH, bdseq(6), seq=None) == Resolved(Content(()), rebirth=True)
    assert send(nodes, Kind.DDATA, metric(None, 17, None, a_float(4)), seq=2).unknown is not None


def test_a_connection_whose_birth_was_lost_leaves_nothing_to_the_next() -> None:
    nodes = born()
    send(nodes, Kind.NDEATH, bdseq(7), seq=None)
    send(nodes, Kind.DBIRTH, FRIDGE, seq=1)
    assert send(nodes, Kind.NDEATH, bdseq(8), seq=None).content.presence == Presence(False, 8)
    assert send(nodes, Kind.DDATA, metric(None, 17, None, a_float(4)), seq=3).unknown is not None


def test_a_will_of_an_edge_node_never_heard_is_believed() -> None:
    assert send(EdgeNodes(), Kind.NDEATH, bdseq(6), seq=None).content.presence == Presence(False, 6)


def test_what_births_said_outlives_a_worker() -> None:
    scaled_one = metric("Temperature", 17, INT16, properties={"scale": scaled(0.1), "serial": said("S-1")})
    faulty = metric("Outer temperature", 18, FLOAT, properties={"unit": said("K")})
    nodes, later = born(scaled_one, faulty, DOOR.replace(b"\x10\x12", b"\x10\x13")), EdgeNodes()
    stored: Any = json.loads(json.dumps(nodes.dump("0a", "gw")))
    later.load("0a", "gw", stored)
    assert later.dump("0a", "gw") == stored
    data = (metric(None, 17, None, an_int(-5)), metric(None, 18, None, a_float(5)))
    assert send(later, Kind.DDATA, *data, seq=4) == send(nodes, Kind.DDATA, *data, seq=4)
    assert send(later, Kind.DDATA, *data, seq=5).content.measurements == (Measurement("S-1", EIGHT, -50),)


def test_what_is_forgotten_is_asked_for() -> None:
    nodes = born()
    nodes.forget_all()
    data = send(nodes, Kind.DDATA, metric(None, 17, None, a_float(4)), seq=2)
    assert (data.unknown is not None, data.rebirth, data.missed) == (True, True, 0)
