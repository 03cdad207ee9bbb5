"""Readings taken in from messages: what is stored, what is kept aside, and why."""

from datetime import UTC, datetime
from typing import Any

import pytest

from inventory.domain.words import RejectReason
from inventory.services import monitoring
from inventory.services.kept_aside import list_rejected
from inventory.services.messages import Receipt, Rejection
from inventory.services.series import list_readings
from tests.county import GATEWAY, MINUTE, NOW, SHARD, County, message


def at(minute: float) -> datetime:
    """An instant in the hour before now."""
    return NOW - 60 * MINUTE + minute * MINUTE


def stored(county: County, sensor: str) -> dict[datetime, int]:
    found = list_readings(county.database, sensor, None, None, None, 1000)
    return {line.measured_at: line.temperature for line in found.page.items}


def conflicts(county: County, sensor: str) -> int:
    return list_readings(county.database, sensor, None, None, None, 1).conflicts


def rejected(county: County, payload: bytes) -> list[tuple[RejectReason, int]]:
    found = list_rejected(county.database, None, 1000).items
    return [(line.reason, line.times) for line in found if line.payload == payload.decode()]


def test_another_value_of_the_same_instant_is_kept_aside_and_the_first_stays(county: County) -> None:
    for temperature in (450, 460, 460, 450, 470):
        monitoring.record(county.database, [message([("S-CITY", at(0), temperature)])], NOW)
    assert stored(county, "S-CITY") == {at(0): 450}
    assert conflicts(county, "S-CITY") == 2


def test_two_values_of_one_instant_in_one_message_are_a_conflict_too(county: County) -> None:
    monitoring.record(county.database, [message([("S-COUNTY", at(0), 450), ("S-COUNTY", at(0), 999)])], NOW)
    assert stored(county, "S-COUNTY") == {at(0): 450}
    assert conflicts(county, "S-COUNTY") == 1


@pytest.mark.parametrize(
    ("sensor", "when", "reason"),
    [
        ("NO-SUCH", at(1), RejectReason.UNKNOWN_SENSOR),
        ("S-FOREIGN", at(1), RejectReason.FOREIGN_SENSOR),
        ("S-A", NOW + 6 * MINUTE, RejectReason.TIME_IN_FUTURE),
        ("S-A", datetime(1999, 12, 31, 23, 59, tzinfo=UTC), RejectReason.TIME_TOO_OLD),
    ],
)
def test_a_bad_reading_is_kept_with_its_reason_and_the_others_are_stored(
    county: County, sensor: str, when: datetime, reason: RejectReason
) -> None:
    payload = reason.encode()
    good = [("S-BOX", at(2 + len(reason)), 450), ("S-A", at(len(reason)), 460)]
    sent = message([good[0], (sensor, when, 470), good[1]], 1, boot=reason.value, payload=payload)
    told = monitoring.record(county.database, [sent], NOW)
    assert told == [Receipt(GATEWAY, SHARD, boot=reason.value, seq=1)]
    assert rejected(county, payload) == [(reason, 1)]
    assert stored(county, "S-BOX")[good[0][1]] == 450
    assert stored(county, "S-A")[good[1][1]] == 460
    assert when not in stored(county, "S-A")
    assert stored(county, "S-FOREIGN") == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"shard": "0c"}, RejectReason.WRONG_SHARD), ({"gateway": "GW-9"}, RejectReason.UNKNOWN_GATEWAY)],
)
def test_nothing_is_stored_of_a_message_that_is_no_gateways(
    county: County, change: dict[str, Any], reason: RejectReason
) -> None:
    payload = b"nothing of it: " + reason.encode()
    sent = message([("S-FREE", at(30), 450)], 1, payload=payload, **change)
    assert monitoring.record(county.database, [sent], NOW) == []
    assert rejected(county, payload) == [(reason, 1)]
    assert at(30) not in stored(county, "S-FREE")


def test_the_same_rejected_message_again_is_counted_and_not_kept_twice(county: County) -> None:
    payload = b"again and again"
    sent = message([("NO-SUCH", at(5), 450)], payload=payload)
    for chunk in ([sent], [sent, sent], [sent]):
        monitoring.record(county.database, chunk, NOW)
    assert rejected(county, payload) == [(RejectReason.UNKNOWN_SENSOR, 4)]


def test_a_message_with_two_kinds_of_bad_readings_is_kept_under_each(county: County) -> None:
    payload = b"two reasons"
    bad = [("NO-SUCH", at(5), 450), ("NO-SUCH", at(6), 450), ("S-FOREIGN", at(5), 450)]
    monitoring.record(county.database, [message(bad, payload=payload)], NOW)
    assert sorted(rejected(county, payload)) == [(RejectReason.FOREIGN_SENSOR, 1), (RejectReason.UNKNOWN_SENSOR, 1)]


def test_what_could_not_be_read_is_kept_byte_for_byte_whatever_is_in_it(county: County) -> None:
    payload = b"\x00\xff{"
    one = Rejection("coldtrail/v1/0a/GW/readings", payload, NOW, RejectReason.MALFORMED, "payload is \x00 not JSON")
    monitoring.record(county.database, [one, one], NOW)
    (kept,) = [line for line in list_rejected(county.database, None, 1000).items if line.detail.endswith("not JSON")]
    assert (kept.payload, kept.times) == ("\x00\\xff{", 2)


def test_a_sensor_of_no_gateway_may_be_delivered_by_any(county: County) -> None:
    for gateway, shard, minute in ((GATEWAY, SHARD, 40), ("GW-2", "0b", 41)):
        sent = message([("S-FREE", at(minute), 450)], gateway=gateway, shard=shard)
        monitoring.record(county.database, [sent], NOW)
    assert {at(40), at(41)} <= set(stored(county, "S-FREE"))


def test_a_reading_at_the_edge_of_the_clocks_skew_is_stored(county: County) -> None:
    monitoring.record(county.database, [message([("S-BOX-2", NOW + 5 * MINUTE, 450)])], NOW)
    assert stored(county, "S-BOX-2") == {NOW + 5 * MINUTE: 450}


def test_an_empty_chunk_is_nothing(county: County) -> None:
    assert monitoring.record(county.database, [], NOW) == []
