"""Many writers at one moment: exactly what is there is given, nothing twice, and nobody is refused for it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from inventory.domain.excursions import detect
from inventory.domain.readings import Reading
from inventory.persistence import tables
from inventory.persistence.database import Database
from inventory.services import monitoring
from inventory.services.rules import EXCURSION_RULES
from inventory.services.verification import verify
from tests.county import HOUR, MINUTE, NOW, ONE, build, message
from tests.crowd import CROWD, at_once, codes, insist, left, statuses
from tests.http import Answer, Server, new_key, serving
from tests.orders import administration, arrival, at_county, at_site, dispatch, new_batch, receipt, stated
from tests.services import PostgresTemplate, SqliteTemplate


@pytest.fixture(scope="module")
def postgres_server(postgresql_template: PostgresTemplate) -> Iterator[Server]:
    with postgresql_template.clone() as url:
        database = Database(url)
        with serving(build(database), connections=CROWD) as server:
            yield server
        database.close()


def test_sixteen_takers_of_the_last_ten_doses_of_a_custody_get_exactly_ten(postgres_server: Server) -> None:
    client = postgres_server.client
    batch = at_site(client, 10)
    answers = at_once(lambda _: client.post("/administrations", administration(batch)))
    assert statuses(answers) == {201: 10, 409: 6}
    assert codes(answers) == {"not_enough_doses"}
    assert left(client, batch) == 0
    assert verify(postgres_server.county.database).holds


def test_sixteen_takers_of_ten_custodies_of_one_dose_get_exactly_ten(postgres_server: Server) -> None:
    client, batch = postgres_server.client, new_batch()
    county = {"facility": "COUNTY", "appliance": "COUNTY-ROOM"}
    for minute in range(10):
        client.post("/receipts", receipt(batch, 1, **county, occurred_at=stated(NOW - 3 * HOUR - minute * MINUTE))).ok()

    def take(_: int) -> Answer:
        key = new_key()
        return insist(lambda: client.post("/shipments", dispatch(batch, 1), key=key))

    answers = at_once(take)
    assert statuses(answers) == {201: 10, 409: 6}
    assert verify(postgres_server.county.database).holds


def test_takers_of_different_numbers_never_take_more_than_there_is(postgres_server: Server) -> None:
    client = postgres_server.client
    batch = at_site(client, 40)

    def take(number: int) -> tuple[int, Answer]:
        key, doses = new_key(), 1 + number % 7
        return doses, insist(lambda: client.post("/administrations", administration(batch, doses), key=key))

    given = [doses for doses, answer in at_once(take) if answer.status == 201]
    assert left(client, batch) == 40 - sum(given)
    assert left(client, batch) < 7
    assert verify(postgres_server.county.database).holds


def test_one_key_posted_sixteen_times_is_one_event_and_sixteen_equal_answers(postgres_server: Server) -> None:
    client = postgres_server.client
    batch, key = at_site(client, 10), new_key()
    answers = at_once(lambda _: client.post("/administrations", administration(batch), key=key))
    assert statuses(answers) == {201: 16}
    assert len({answer.content for answer in answers}) == 1
    assert left(client, batch) == 9


def test_one_key_with_sixteen_contents_is_one_event_and_fifteen_refusals(postgres_server: Server) -> None:
    client = postgres_server.client
    batch, key = at_site(client, 200), new_key()
    answers = at_once(lambda number: client.post("/administrations", administration(batch, number + 1), key=key))
    assert statuses(answers) == {201: 1, 409: 15}
    assert codes(answers) == {"idempotency_key_reused"}


def test_a_shipment_received_by_sixteen_at_once_arrives_once(postgres_server: Server) -> None:
    client = postgres_server.client
    batch = at_county(client, 10)
    shipment = client.post("/shipments", dispatch(batch)).ok()["shipment"]
    answers = at_once(lambda _: client.post(f"/shipments/{shipment}/receipts", arrival()))
    assert statuses(answers) == {201: 1, 409: 15}
    assert client.get(f"/shipments/{shipment}").ok()["lines"][0]["received"] == 10
    assert verify(postgres_server.county.database).holds


def test_parts_of_a_shipment_received_at_once_are_no_more_than_was_sent(postgres_server: Server) -> None:
    client = postgres_server.client
    batch = at_county(client, 10)
    shipment = client.post("/shipments", dispatch(batch)).ok()["shipment"]
    part = arrival(lines=[{"gtin": ONE, "batch": batch, "doses": 3}])
    answers = at_once(lambda _: client.post(f"/shipments/{shipment}/receipts", part))
    assert statuses(answers) == {201: 3, 409: 13}
    assert client.get(f"/shipments/{shipment}").ok()["shortfall"] == 1


def test_a_batch_received_for_the_first_time_by_sixteen_at_once_is_one_batch(postgres_server: Server) -> None:
    client, batch = postgres_server.client, new_batch()
    answers = at_once(lambda _: client.post("/receipts", receipt(batch, 5)))
    assert statuses(answers) == {201: 16}
    assert left(client, batch) == 80


@pytest.mark.parametrize("number", range(8))
def test_a_facility_made_known_by_sixteen_at_once_is_known_once(postgres_server: Server, number: int) -> None:
    body = {"code": f"NEW-{number}", "name": "New", "kind": "fixed-site", "zone": "Asia/Shanghai"}
    answers = at_once(lambda _: postgres_server.client.post("/facilities", body))
    assert statuses(answers) == {201: 1, 409: 15}


def test_a_sensor_sent_on_two_trips_at_once_goes_on_one(postgres_server: Server) -> None:
    client = postgres_server.client
    batches = [at_county(client, 10) for _ in range(8)]

    def leave(number: int) -> Answer:
        left_at = stated(NOW - 2 * HOUR + timedelta(seconds=number))
        return client.post("/shipments", dispatch(batches[number], occurred_at=left_at, sensors=["S-BOX-2"]))

    assert statuses(at_once(leave, 8)) == {201: 1, 409: 7}


def judged_at_once(database: Database, parts: int) -> None:
    """Interleaved readings of one sensor, written at one moment by several; the excursion has to be the one of all."""
    readings = [("S-BOX", NOW - 8 * HOUR + minute * MINUTE, 950) for minute in range(0, 400, 5)]
    at_once(lambda number: monitoring.record(database, [message(readings[number::parts])], NOW), parts)
    (expected,) = detect(
        [Reading(at, value) for _, at, value in readings], EXCURSION_RULES["strict-2-8"][:1], 15 * MINUTE
    )
    with database.read() as session:
        found = session.scalars(select(tables.Excursion).where(tables.Excursion.cancelled_at.is_(None))).all()
        assert [(each.rule_name, each.started_at, each.alarm_at, each.ended_at) for each in found] == [
            ("HOT", expected.started_at, expected.alarm_at, expected.ended_at)
        ]


def test_readings_of_one_sensor_written_at_once_are_judged_together(postgresql_template: PostgresTemplate) -> None:
    for _ in range(3):
        with postgresql_template.clone() as url:
            database = Database(url)
            build(database)
            try:
                judged_at_once(database, 8)
            finally:
                database.close()


def test_eight_writers_on_sqlite_are_never_refused(sqlite_template: SqliteTemplate) -> None:
    with sqlite_template.clone() as url:
        database = Database(url)
        with serving(build(database), connections=8) as server:
            batch = at_site(server.client, 40)

            def give(_: int) -> list[int]:
                return [server.client.post("/administrations", administration(batch)).status for _ in range(5)]

            assert sorted(status for each in at_once(give, 8) for status in each) == [201] * 40
            judged_at_once(database, 8)
            assert left(server.client, batch) == 0
            assert verify(database).holds
        database.close()
