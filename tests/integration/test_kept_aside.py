"""What was sent and could not be stored: shown, counted, and to be had byte by byte."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from inventory.domain.words import RejectReason
from inventory.persistence.database import Database
from inventory.services import monitoring
from inventory.services.kept_aside import count_rejected, list_conflicts, list_rejected
from inventory.services.messages import Rejection
from tests.county import HOUR, MINUTE, NOW, County, build, message
from tests.http import Client, Server


@pytest.fixture
def alone(database_url: str) -> Iterator[County]:
    """A county of this test's own."""
    with closing(Database(database_url)) as database:
        yield build(database)


def send(county: County, *values: int, sensor: str = "S-A", at: Any = NOW - HOUR) -> None:
    for value in values:
        monitoring.record(county.database, [message([(sensor, at, value)])], NOW)


def test_a_conflict_is_shown_with_the_value_that_stands(alone: County) -> None:
    send(alone, 450, -470, 460, 450)
    found = list_conflicts(alone.database, "S-A", None, 10).items
    assert [(each.sensor, each.temperature, each.standing) for each in found] == [
        ("S-A", -470, 450),
        ("S-A", 460, 450),
    ]
    assert {(each.measured_at, each.received_at, each.standing_received_at) for each in found} == {
        (NOW - HOUR, NOW, NOW)
    }


def test_conflicts_are_paged_each_once(alone: County) -> None:
    for sensor in ("S-A", "S-CITY"):
        for minute in range(3):
            send(alone, 450, -470, 460, sensor=sensor, at=NOW - minute * MINUTE)
    whole = list_conflicts(alone.database, None, None, 100).items
    page = list_conflicts(alone.database, None, None, 1)
    found = [*page.items]
    while page.next is not None:
        page = list_conflicts(alone.database, None, page.next, 1)
        found += page.items
    assert found == list(whole)
    assert len(found) == 12
    assert len(list_conflicts(alone.database, "S-CITY", None, 100).items) == 6


def test_a_reason_is_told_in_500_characters_however_many_readings_share_it(alone: County) -> None:
    future = message([("S-A", NOW + HOUR + minute * MINUTE, 450) for minute in range(2000)], seq=1)
    broken = Rejection("topic", b"{}", NOW, RejectReason.MALFORMED, "x" * 5000)
    for _ in range(2):
        monitoring.record(alone.database, [future, broken], NOW)
    found = list_rejected(alone.database, None, 10).items
    assert {(each.reason, len(each.detail), each.times) for each in found} == {
        (RejectReason.TIME_IN_FUTURE, 500, 2),
        (RejectReason.MALFORMED, 500, 2),
    }
    assert any(each.detail.startswith(f"S-A at {(NOW + HOUR).isoformat()}; S-A at ") for each in found)


def keep(county: County, reason: RejectReason, payload: bytes, times: int = 1) -> None:
    rejection = Rejection("topic", payload, NOW, reason, "detail")
    for _ in range(times):
        monitoring.record(county.database, [rejection], NOW)


def test_rejected_messages_are_counted_by_their_reason(alone: County) -> None:
    keep(alone, RejectReason.MALFORMED, b"a", 3)
    keep(alone, RejectReason.MALFORMED, b"b")
    keep(alone, RejectReason.BAD_TOPIC, b"a")
    monitoring.record(
        alone.database, [replace(Rejection("t", b"c", NOW, RejectReason.BAD_TOPIC, "d"), received_at=NOW + HOUR)], NOW
    )
    assert [(each.reason, each.messages, each.times, each.newest_at) for each in count_rejected(alone.database)] == [
        (RejectReason.BAD_TOPIC, 2, 2, NOW + HOUR),
        (RejectReason.MALFORMED, 2, 4, NOW),
    ]
    found = list_rejected(alone.database, None, 100, RejectReason.MALFORMED).items
    assert {each.payload for each in found} == {"a", "b"}


def test_only_the_beginning_of_a_rejected_message_is_listed(alone: County) -> None:
    keep(alone, RejectReason.MALFORMED, b"\xff" + b"x" * 5000)
    keep(alone, RejectReason.MALFORMED, b"")
    long, empty = sorted(list_rejected(alone.database, None, 10).items, key=lambda each: -each.payload_bytes)
    assert (long.payload, long.payload_bytes) == ("\\xff" + "x" * 1023, 5001)
    assert (empty.payload, empty.payload_bytes) == ("", 0)


def test_all_bytes_of_a_rejected_message_can_be_had(server: Server) -> None:
    payload = bytes(range(256)) * 2 + b"<script>"
    keep(server.county, RejectReason.UNKNOWN_ALIAS, payload)
    (line,) = server.client.get("/rejected-messages", reason="unknown_alias").items
    answer = server.client.get(f"/rejected-messages/{line['id']}/payload")
    assert (answer.status, answer.content) == (200, payload)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_was_kept_aside_over_http(client: Client) -> None:
    summary = {each["reason"]: each for each in client.get("/rejected-messages/summary").items}
    assert summary["unknown_alias"]["messages"] == 1
    missing = "00000000-0000-0000-0000-000000000001"
    assert client.get(f"/rejected-messages/{missing}/payload").status == 404
    assert client.get("/rejected-messages", reason="no_reason").status == 422
    assert client.get("/reading-conflicts", sensor="NO-SUCH").status == 422
    assert client.get("/reading-conflicts").ok() == {"items": [], "next": None}
