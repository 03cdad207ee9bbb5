"""Faults that a reviewer found, each with the law that it broke."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from inventory.persistence.database import Database
from inventory.services import kept_aside, monitoring, series
from inventory.services.excursions import list_excursions
from inventory.services.messages import Measurement, Message
from inventory.services.posting import Request
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, dispatch
from tests.county import COOL, EXPIRY, GATEWAY, HOUR, MINUTE, NOW, ONE, PAPERS, County, build
from tests.county import series as readings
from tests.http import Client

MANY = 70_000
"""More than the 65,535 parameters that a statement of PostgreSQL takes."""


@pytest.fixture
def alone(database_url: str) -> Iterator[County]:
    """A county of this test's own."""
    with closing(Database(database_url)) as database:
        yield build(database)


def test_a_chunk_that_speaks_of_very_many_sensors_is_no_absent_database(alone: County) -> None:
    strangers = tuple(Measurement(f"unknown-{number}", NOW, 450) for number in range(MANY))
    good = readings("S-COUNTY", NOW - 10 * MINUTE, [450, 450])
    crowd = Message(good.topic, b"crowd", NOW, GATEWAY, good.shard, strangers)
    monitoring.record(alone.database, [crowd, good], NOW)
    assert len(series.list_readings(alone.database, "S-COUNTY", None, None, None, 10).page.items) == 2
    assert len(kept_aside.list_rejected(alone.database, None, 10).items) == 1


def test_an_excursion_keeps_its_identity_when_a_late_reading_cuts_off_a_part(alone: County) -> None:
    begun = NOW - 300 * MINUTE
    calm = readings("S-BOX", begun, [450])
    later = readings("S-BOX", begun + 120 * MINUTE, [450])
    monitoring.record(alone.database, [calm, later], NOW)
    (whole,) = list_excursions(alone.database, "S-BOX", True, None, 10).items
    monitoring.record(alone.database, [readings("S-BOX", begun + 30 * MINUTE, [450])], NOW)
    first, second = list_excursions(alone.database, "S-BOX", True, None, 10).items
    assert (first.ended_at, second.started_at) == (begun + 30 * MINUTE, begun + 30 * MINUTE)
    assert whole.id == second.id, "the longer part is the one that was known"


def test_a_token_without_its_scheme_is_not_repeated_to_whoever_reads_the_answer(client: Client) -> None:
    secret = client.tokens["auditor"]
    answer = client.send("GET", "/api/v1/stock", headers={"Authorization": secret})
    assert answer.status == 401
    assert secret.encode() not in answer.content


def test_a_batch_number_that_begins_with_a_slash_is_not_another_batch(client: Client) -> None:
    answer = client.get(f"/batches/{ONE}//L/trail")
    assert (answer.status, answer.body["value"]) == (404, "/L")


def test_takers_of_many_small_custodies_are_never_told_to_come_back(alone: County) -> None:
    """On PostgreSQL they choose the same custody at once; who was too late waits for the next choice."""
    for number in range(20):
        order = ReceiptOrder("COUNTY", "MAKER", ONE, "SMALL", EXPIRY, 1, "COUNTY-ROOM", NOW - HOUR, PAPERS, COOL)
        receive_goods(alone.database, Request(alone.actor("admin"), NOW, f"receipt-{number}"), order)

    def take(number: int) -> object:
        order = DispatchOrder("COUNTY", "SITE-A", NOW, (Line(ONE, "SMALL", 1),))
        return dispatch(alone.database, Request(alone.actor("admin"), NOW, f"taker-{number}"), order).shipment

    with ThreadPoolExecutor(16) as takers:
        assert len(set(takers.map(take, range(20)))) == 20
