"""Faults that somebody found who had not written the code: the ends of trails, the reach of doubt, hostile numbers."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from inventory.domain.words import ApplianceKind
from inventory.persistence.database import Database
from inventory.services import access, equipment, monitoring
from inventory.services.corrections import CorrectionOrder, correct
from inventory.services.trails import administration_trail
from tests.county import EXPIRY, HOUR, MINUTE, NOW, ONE, build, series
from tests.http import Client, Server
from tests.integration.test_batch_trees import BEGAN, Staff
from tests.orders import administration, arrival, dispatch, new_batch, receipt, stated
from tests.packed import Case
from tests.services import PostgresTemplate, Template


@pytest.fixture
def staff(database_template: Template) -> Iterator[Staff]:
    with database_template.clone() as url, closing(Database(url)) as database:
        yield Staff(build(database))


def test_a_custody_is_empty_when_the_last_standing_entry_says_so(staff: Staff) -> None:
    staff.receive("B1", 10, BEGAN)
    shipment = staff.send("B1", "SITE-A", 10, NOW - 12 * HOUR)
    staff.arrive("B1", shipment, "A-FRIDGE", 10, NOW - 11 * HOUR)
    staff.give("B1", "SITE-A", 5, NOW - 10 * HOUR)
    wrong = staff.give("B1", "SITE-A", 5, NOW - HOUR)
    correct(staff.database, staff.request(), CorrectionOrder(wrong, NOW, "wrong hour"))
    staff.give("B1", "SITE-A", 5, NOW - 9 * HOUR)
    (line,) = [each for each in staff.trail("B1").custodies if each.place.appliance == "A-FRIDGE"]
    assert line.emptied_at == NOW - 9 * HOUR


def test_doubt_reaches_into_every_storage_that_was_picked_from(staff: Staff) -> None:
    record = equipment.ApplianceRecord("A-FRIDGE-2", "SITE-A", "Second", ApplianceKind.FRIDGE)
    equipment.add_appliance(staff.database, record)
    probe = equipment.SensorRecord("S-A2", 300, "strict-2-8", "GW", "A-FRIDGE-2", BEGAN)
    equipment.add_sensor(staff.database, probe, NOW)
    staff.receive("B1", 20, BEGAN)
    for ago, fridge in ((0, "A-FRIDGE"), (1, "A-FRIDGE-2")):
        shipment = staff.send("B1", "SITE-A", 10, NOW - 12 * HOUR + ago * MINUTE)
        staff.arrive("B1", shipment, fridge, 10, NOW - 11 * HOUR + ago * HOUR)
    for sensor, temperature in (("S-A", 500), ("S-A2", 2500)):
        monitoring.record(staff.database, [series(sensor, NOW - 11 * HOUR, [temperature] * 132)], NOW)
    (chain,) = administration_trail(staff.database, staff.give("B1", "SITE-A", 1, NOW)).chains
    assert chain.stages[-1].custody.place.appliance == "A-FRIDGE"
    assert chain.doubt is not None
    assert chain.doubt.highest.value == 2500


def pack(client: Client, doses: int = 10) -> tuple[str, str]:
    """A batch in one pack, at site A."""
    batch = new_batch()
    code, line = f"PK{batch}", [{"gtin": ONE, "batch": batch, "packs": [f"PK{batch}"]}]
    file = {"gtin": ONE, "batch": batch, "expiry": EXPIRY.isoformat(), "packs": [{"code": code, "doses": doses}]}
    client.post("/pack-files", file, "keeper").ok()
    here = {"facility": "COUNTY", "appliance": "COUNTY-ROOM", "packs": [{"code": code}]}
    client.post("/receipts", receipt(batch, doses, **here)).ok()
    shipment = client.post("/shipments", dispatch(batch, lines=line)).ok()["shipment"]
    client.post(f"/shipments/{shipment}/receipts", arrival(lines=line)).ok()
    return batch, code


def end_of(server: Server, code: str) -> tuple[int, str, list[tuple[str, str]]]:
    """What is left of a pack three days later, when its way ended, and what became of its last clocks."""
    server.clock.at = NOW + 72 * HOUR
    trail = server.client.get(f"/packs/{code}/trail").ok()
    last = trail["chain"]["stages"][-1]
    clocks = [(each["name"], each["status"]) for each in last["custody"]["deadlines"]]
    server.clock.at = NOW
    return trail["remaining"], last["until"], clocks


def test_what_is_in_a_case_that_was_wasted_is_there_no_more(server: Server) -> None:
    case = Case(server.client, cartons=1, vials=2).at_site()
    at = stated(NOW - 30 * MINUTE)
    about = {"facility": "SITE-A", "gtin": ONE, "batch": case.batch, "doses": 2, "occurred_at": at}
    server.client.post("/wastages", about | {"cause": "broken", "packs": [case.code]}, "nurse-a").ok()
    ends = {end_of(server, code)[1] for code in (case.code, case.cartons[0], case.vials[0][0])}
    assert len(ends) == 1
    assert end_of(server, case.vials[0][0])[0::2] == (0, [("use", "met")])


def test_a_pack_whose_custody_was_used_up_unscanned_is_there_no_more(server: Server) -> None:
    batch, code = pack(server.client)
    at = NOW - 50 * MINUTE
    given = server.client.post("/administrations", administration(batch, 10, occurred_at=stated(at)), "nurse-a").ok()
    remaining, until, clocks = end_of(server, code)
    assert (remaining, until, clocks) == (0, given["events"][-1]["occurred_at"], [("use", "met")])


def test_uses_from_before_a_move_are_uses(server: Server) -> None:
    client = server.client
    fridge = {"code": "A-FRIDGE-3", "facility": "SITE-A", "name": "Third", "kind": "fridge"}
    assert client.post("/appliances", fridge).status in {201, 409}
    batch, code = pack(client)
    for doses, ago in ((3, 50), (7, 30)):
        order = administration(batch, doses, pack=code, occurred_at=stated(NOW - ago * MINUTE))
        client.post("/administrations", order, "nurse-a").ok()
        if ago == 50:
            about = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "packs": [code]}
            move = about | {"to_appliance": "A-FRIDGE-3", "occurred_at": stated(NOW - 40 * MINUTE)}
            client.post("/moves", move, "nurse-a").ok()
    assert [each["doses"] for each in client.get(f"/packs/{code}/trail").ok()["uses"]] == [3, 7]


def test_a_number_that_no_float_holds_is_refused_by_epcis(client: Client) -> None:
    document = b'{"type": "EPCISDocument", "epcisBody": {"eventList": [{"type": "ObjectEvent", "x:y": 1E400}]}}'
    refused = client.post_raw("/epcis/capture", document)
    assert (refused.status, refused.body["code"]) == (422, "malformed")


def test_a_restart_of_the_database_is_told_to_nobody(postgresql_template: PostgresTemplate) -> None:
    with postgresql_template.clone() as url, closing(Database(url)) as database:
        actor = build(database).tokens["auditor"]
        open_ones = [database.reader.connect() for _ in range(8)]
        for each in open_ones:
            each.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        found: list[Any] = [access.authenticate(database, actor).name for _ in range(8)]
        assert len(found) == 8
