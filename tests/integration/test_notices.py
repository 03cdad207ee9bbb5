"""What people are told: each thing once, with its cause or not at all."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from inventory.domain.notices import NoticeKind
from inventory.persistence import months
from inventory.persistence.database import Database
from inventory.persistence.tables import Excursion
from inventory.services import monitoring, notices
from inventory.services.archive import archive_month
from inventory.services.equipment import SensorRecord, add_sensor
from inventory.services.excursions import list_excursions
from inventory.services.lookups import sensor as sensor_of
from inventory.services.messages import Measurement
from inventory.services.notices import ToldNotice
from inventory.services.silence import list_sensors
from tests.county import HOUR, MIDNIGHT, MINUTE, NOW, ONE, build, series
from tests.http import Server, serving
from tests.integration.test_paging import pages
from tests.orders import administration, arrival, at_county, at_site, dispatch, receipt, stated
from tests.readings_of_months import feed

RECEIVED = NOW - 3 * HOUR
DUE = RECEIVED + 24 * HOUR
DEADLINES = {NoticeKind.DUE_IN_6_HOURS, NoticeKind.DUE_IN_2_HOURS, NoticeKind.MISSED}


@contextmanager
def served_alone(database_url: str) -> Iterator[Server]:
    """A county that no other test uses, behind a real HTTP server."""
    with closing(Database(database_url)) as database, serving(build(database)) as found:
        yield found


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    with served_alone(database_url) as found:
        yield found


def told(server: Server, *kinds: NoticeKind) -> list[ToldNotice]:
    found = notices.list_notices(server.county.database, None, None, None, 1000).items
    return [each for each in found if not kinds or each.kind in kinds]


def stages(server: Server, batch: str) -> list[tuple[str, str, int]]:
    """The stages that were told of a batch, in order, with the facility and the doses."""
    found = [each for each in told(server, *DEADLINES) if each.body["batch"] == batch]
    return [(each.kind.value, str(each.facility), each.body["doses"]) for each in found]


def look(server: Server, *, minutes_before_due: int) -> int:
    return notices.tell_deadlines(server.county.database, DUE - minutes_before_due * MINUTE)


def test_each_stage_of_a_deadline_is_told_once_however_often_one_looks(server: Server) -> None:
    batch = at_county(server.client, 10)
    found = [look(server, minutes_before_due=minutes) for minutes in range(8 * 60, -180, -10)]
    assert sum(found) == 3
    assert stages(server, batch) == [(each, "COUNTY", 10) for each in ("deadline-6h", "deadline-2h", "deadline-missed")]


def test_a_clock_that_is_missed_when_it_is_first_seen_gives_only_that(server: Server) -> None:
    batch = at_county(server.client, 10)
    assert [look(server, minutes_before_due=-600) for _ in range(3)] == [1, 0, 0]
    assert stages(server, batch) == [("deadline-missed", "COUNTY", 10)]


def test_a_notice_of_a_deadline_says_what_where_and_by_when(server: Server) -> None:
    batch = at_county(server.client, 10)
    look(server, minutes_before_due=60)
    (found,) = told(server)
    assert found.body == {
        "facility": "COUNTY",
        "zone": "Asia/Shanghai",
        "deadline": "deliver",
        "rule_set": "double-24",
        "gtin": ONE,
        "product": "One",
        "batch": batch,
        "doses": 10,
        "opened_at": "2026-01-05T01:00:00Z",
        "due_at": "2026-01-06T01:00:00Z",
    }
    assert (found.facility, found.created_at, found.deliveries) == ("COUNTY", DUE - HOUR, ())


def test_of_what_has_met_its_deadline_nothing_is_told(server: Server) -> None:
    batch = at_site(server.client, 10)
    server.client.post("/administrations", administration(batch, 10)).ok()
    assert notices.tell_deadlines(server.county.database, NOW + 100 * HOUR) == 0


def test_doses_under_one_clock_in_several_custodies_of_a_place_are_one_notice(server: Server) -> None:
    batch = at_county(server.client, 10)
    for doses in (3, 4):
        server.client.post("/holds", hold(batch, doses)).ok()
    look(server, minutes_before_due=60)
    assert stages(server, batch) == [("deadline-2h", "COUNTY", 10)]


def hold(batch: str, doses: int) -> dict[str, Any]:
    order = {"facility": "COUNTY", "gtin": ONE, "batch": batch, "doses": doses, "reason": "label torn"}
    return order | {"occurred_at": stated(NOW)}


def test_who_sent_doses_is_told_that_they_are_late_on_their_way(server: Server) -> None:
    batch = at_county(server.client, 10)
    shipment = server.client.post("/shipments", dispatch(batch, 4)).ok()["shipment"]
    look(server, minutes_before_due=60)
    on_its_way = {each.body.get("shipment"): each for each in told(server)}
    assert set(on_its_way) == {None, shipment}
    assert on_its_way[shipment].body["to_facility"] == "SITE-A"
    assert [on_its_way[each].body["doses"] for each in (None, shipment)] == [6, 4]
    assert {each.facility for each in on_its_way.values()} == {"COUNTY"}


def test_two_deliveries_of_a_batch_have_a_notice_each(server: Server) -> None:
    batch = at_county(server.client, 10)
    again = receipt(batch, 5, facility="COUNTY", appliance="COUNTY-ROOM", occurred_at=stated(NOW - HOUR))
    server.client.post("/receipts", again).ok()
    notices.tell_deadlines(server.county.database, NOW + 100 * HOUR)
    assert Counter(doses for *_, doses in stages(server, batch)) == {10: 1, 5: 1}


def test_many_who_look_at_once_tell_once(server: Server, database_url: str) -> None:
    batches = [at_county(server.client, 10) for _ in range(5)]

    def look_alone(_: int) -> int:
        database = Database(database_url)
        try:
            return notices.tell_deadlines(database, DUE + HOUR) + notices.tell_silences(database, DUE + HOUR)
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        found = sum(pool.map(look_alone, range(8)))
    assert found == len(told(server)) == len(batches) + 3
    assert all(len(stages(server, batch)) == 1 for batch in batches)


class Broken(Exception):
    """What breaks a transaction off."""


def test_a_notice_is_there_only_if_its_cause_is(server: Server) -> None:
    database = server.county.database
    warm = [Measurement("S-A", NOW - 4 * HOUR + each * 5 * MINUTE, 1200) for each in range(40)]
    months.ensure(database, [one.measured_at for one in warm])

    def store(session: Session, *, breaks: bool) -> None:
        monitoring.record_readings(session, sensor_of(session, "S-A"), warm, NOW)
        assert session.query(Excursion).count()
        if breaks:
            raise Broken

    with pytest.raises(Broken):
        database.write(lambda session: store(session, breaks=True))
    assert told(server) == []
    database.write(lambda session: store(session, breaks=False))
    found = list_excursions(database, "S-A", True, None, 100).items
    excursions = [each for each in found if each.side != "silence"]
    assert [each.body["excursion"] for each in told(server, NoticeKind.EXCURSION)] == [str(e.id) for e in excursions]


def test_an_excursion_is_told_once_with_what_broke_and_where(server: Server) -> None:
    database = server.county.database
    for since in (NOW - 2 * HOUR, NOW - HOUR):
        monitoring.record(database, [series("S-A", since, [1200] * 12)], NOW)
    (found,) = told(server, NoticeKind.EXCURSION)
    assert found.facility == "SITE-A"
    facts = {name: found.body[name] for name in ("facility", "appliance", "sensor", "side", "started_at", "ended_at")}
    assert facts == {
        "facility": "SITE-A",
        "appliance": "A-FRIDGE",
        "sensor": "S-A",
        "side": "above",
        "started_at": "2026-01-05T02:00:00Z",
        "ended_at": None,
    }
    assert found.body["extreme_celsius"] == 12.0


def test_an_excursion_that_late_readings_take_back_is_not_told_again(server: Server) -> None:
    database = server.county.database
    monitoring.record(database, [series("S-A", NOW - 2 * HOUR, [1200] * 7)], NOW)
    before = told(server, NoticeKind.EXCURSION)
    calm = series("S-A", NOW - 2 * HOUR + MINUTE, [450] * 7)
    monitoring.record(database, [calm], NOW)
    assert len(before) == 1
    assert told(server, NoticeKind.EXCURSION) == before


def test_an_excursion_of_a_sensor_without_a_place_has_no_facility(server: Server) -> None:
    monitoring.record(server.county.database, [series("S-BOX", NOW - 2 * HOUR, [1200] * 20)], NOW)
    (found,) = told(server, NoticeKind.EXCURSION)
    assert found.facility is None
    assert "facility" not in found.body


def silent(server: Server) -> list[tuple[Any, ...]]:
    return [
        (each.facility, each.body["sensor"], each.body["silent_since"]) for each in told(server, NoticeKind.SILENCE)
    ]


def test_a_sensor_that_was_never_heard_is_silent_after_three_intervals(server: Server) -> None:
    database = server.county.database
    assert notices.tell_silences(database, MIDNIGHT + 15 * MINUTE) == 0
    assert notices.tell_silences(database, MIDNIGHT + 16 * MINUTE) == 3
    assert notices.tell_silences(database, NOW) == 0
    began = stated(MIDNIGHT).replace("+00:00", "Z")
    assert sorted(silent(server)) == [
        ("CITY", "S-CITY", began),
        ("COUNTY", "S-COUNTY", began),
        ("SITE-A", "S-A", began),
    ]


def test_a_silence_is_told_once_whether_the_watch_or_a_later_reading_has_found_it(server: Server) -> None:
    database = server.county.database
    monitoring.record(database, [series("S-A", MIDNIGHT, [450] * 3)], MIDNIGHT + 10 * MINUTE)
    last = stated(MIDNIGHT + 10 * MINUTE).replace("+00:00", "Z")
    notices.tell_silences(database, MIDNIGHT + HOUR)
    assert ("SITE-A", "S-A", last) in silent(server)
    monitoring.record(database, [series("S-A", MIDNIGHT + 2 * HOUR, [450] * 3)], MIDNIGHT + 3 * HOUR)
    assert Counter(silent(server))["SITE-A", "S-A", last] == 1
    assert len([each for each in silent(server) if each[1] == "S-A"]) == 1


def test_a_sensor_that_falls_silent_again_is_told_again(server: Server) -> None:
    database = server.county.database
    for hours in (0, 2):
        monitoring.record(database, [series("S-A", MIDNIGHT + hours * HOUR, [450] * 3)], NOW)
        notices.tell_silences(database, MIDNIGHT + (hours + 1) * HOUR)
    assert len([each for each in silent(server) if each[1] == "S-A"]) == 2


def test_a_silence_is_not_told_again_when_its_last_readings_are_archived(database_url: str, tmp_path: Path) -> None:
    began, month = datetime(2025, 9, 20, 8, tzinfo=UTC), (2025, 9)
    with closing(Database(database_url)) as database:
        build(database)
        record = SensorRecord("S-OLD", 300, "strict-2-8", None, "A-FRIDGE", began)
        add_sensor(database, record, NOW)
        feed(database, "S-OLD", began, [450] * 5, 5 * MINUTE)
        notices.tell_silences(database, NOW)
        before = list_sensors(database, NOW, True, None, 100).items
        archive_month(database, month, tmp_path, NOW)
        assert notices.tell_silences(database, NOW) == 0
        assert list_sensors(database, NOW, True, None, 100).items == before
        found = notices.list_notices(database, None, NoticeKind.SILENCE, None, 100).items
    since = [each.body["silent_since"] for each in found if each.body["sensor"] == "S-OLD"]
    assert since == ["2025-09-20T08:20:00Z"]


def test_a_sensor_in_a_cold_box_is_missed_only_while_it_is_on_its_way(server: Server) -> None:
    batch, database = at_county(server.client, 10), server.county.database
    shipment = server.client.post("/shipments", dispatch(batch, sensors=["S-BOX"])).ok()["shipment"]
    notices.tell_silences(database, NOW - 2 * HOUR + 16 * MINUTE)
    (found,) = [each for each in told(server, NoticeKind.SILENCE) if each.body["sensor"] == "S-BOX"]
    assert (found.facility, found.body["shipment"], found.body["to_facility"]) == ("COUNTY", shipment, "SITE-A")
    server.client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    notices.tell_silences(database, NOW + 20 * HOUR)
    assert len([each for each in told(server, NoticeKind.SILENCE) if each.body["sensor"] == "S-BOX"]) == 1


def test_what_was_told_can_be_read_by_facility_and_kind_page_by_page(server: Server) -> None:
    batch = at_county(server.client, 10)
    notices.tell_silences(server.county.database, NOW)
    look(server, minutes_before_due=60)
    client = server.client
    everything = client.get("/notices").items
    assert [each["created_at"] for each in everything] == sorted(each["created_at"] for each in everything)
    assert [each["body"]["batch"] for each in client.get("/notices", kind="deadline-2h").items] == [batch]
    assert {each["kind"] for each in client.get("/notices", facility="COUNTY").items} == {"silence", "deadline-2h"}
    assert pages(client, "/notices", limit=1) == everything


def test_notices_are_for_readers(server: Server) -> None:
    assert server.client.get("/notices", "nurse-a").status == 200
    assert server.client.get("/notices", "gateway").status == 403
    assert server.client.send("GET", "/api/v1/notices").status == 401
    assert server.client.get("/notices", kind="gossip").status == 422
    assert server.client.get("/notices", facility="NOWHERE").status == 422
