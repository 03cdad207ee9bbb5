"""What devices say of their own alarms, beside what Coldtrail finds by their readings."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event, select

from inventory.domain.errors import Invalid
from inventory.domain.words import Disagreement, RejectReason, Side
from inventory.persistence.database import Database
from inventory.persistence.tables import DeviceAlarm, RejectedMessage, Sensor, SensorState
from inventory.services import device_alarms, lookups, monitoring
from inventory.services.alarm_disagreements import list_differences
from inventory.services.device_alarms import Asked, list_episodes
from inventory.services.messages import AlarmState
from tests.county import HOUR, MINUTE, NOW, County, build, counts, message, series
from tests.http import Client
from tests.orders import stated

START = NOW - 40 * HOUR
STEP = 5 * MINUTE


@pytest.fixture
def alone(database_url: str) -> Iterator[County]:
    """A county of this test's own."""
    with closing(Database(database_url)) as database:
        yield build(database)


def says(county: County, *codes: str, at: datetime = START, times: int = 1, sensor: str = "S-BOX") -> None:
    """A device says some codes at even steps."""

    def work(session: Any) -> None:
        known = lookups.sensor(session, sensor)
        stated = [(known, AlarmState(sensor, at + index * STEP, codes)) for index in range(times)]
        device_alarms.note(session, stated, NOW)

    county.database.write(work)


def state(county: County) -> tuple[int, datetime | None, bool]:
    """What is known of the sensor: its version, its newest reading, and whether it speaks of alarms."""
    query = select(SensorState).join(Sensor, Sensor.id == SensorState.sensor_id).where(Sensor.serial == "S-BOX")
    with county.database.read() as session:
        row = session.scalars(query).one()
        return row.version, row.latest_at, row.self_alarming


def episodes(county: County, **asked: Any) -> list[tuple[str, datetime, datetime, int]]:
    found = list_episodes(county.database, Asked(**asked), None, 1000).items
    return [(each.code, each.began_at, each.last_at, each.records) for each in found]


def differences(county: County, **asked: Any) -> list[tuple[Disagreement, Side]]:
    found = list_differences(county.database, Asked(**asked), None, 1000).items
    return [(each.kind, each.side) for each in found]


def heat(county: County, hours: int = 12, value: int = 900, at: datetime = START) -> None:
    """Readings beyond a limit for so long, and then calm ones."""
    sent = series("S-BOX", at, [450, *[value] * (hours * 12), 450, 450])
    monitoring.record(county.database, [sent], NOW)


def test_saying_the_same_again_is_one_episode_and_changes_nothing(alone: County) -> None:
    for _ in range(2):
        says(alone, "HEAT", times=7)
    assert episodes(alone) == [("HEAT", START, START + 6 * STEP, 7)]


def test_records_in_any_order_are_the_same_episode(alone: County) -> None:
    for at in (3, 0, 2, 1):
        says(alone, "HEAT", at=START + at * STEP)
    assert episodes(alone) == [("HEAT", START, START + 3 * STEP, 4)]


@pytest.mark.parametrize(("gap", "number"), [(3 * STEP, 1), (3 * STEP + MINUTE, 2)])
def test_an_episode_ends_where_nothing_is_said_for_longer_than_a_reading_stands(
    alone: County, gap: Any, number: int
) -> None:
    says(alone, "HEAT")
    says(alone, "HEAT", at=START + gap)
    assert len(episodes(alone)) == number


def test_each_code_and_each_sensor_has_episodes_of_its_own(alone: County) -> None:
    says(alone, "HEAT", "DOOR")
    says(alone, "HEAT", sensor="S-BOX-2")
    says(alone, "HEATACK", at=START + STEP)
    assert sorted(each[0] for each in episodes(alone)) == ["DOOR", "HEAT", "HEAT", "HEATACK"]
    assert len(episodes(alone, sensor="S-BOX")) == 3
    with pytest.raises(Invalid):
        episodes(alone, sensor="NO-SUCH")


def test_a_window_shows_whole_what_shares_time_with_it(alone: County) -> None:
    says(alone, "HEAT", times=7)
    whole = [("HEAT", START, START + 6 * STEP, 7)]
    assert episodes(alone, since=START + 3 * STEP, until=START + 4 * STEP) == whole
    assert episodes(alone, since=START + 6 * STEP) == whole
    assert episodes(alone, since=START + 6 * STEP + MINUTE) == []
    assert episodes(alone, until=START) == []


def test_who_says_that_there_is_no_alarm_is_known_as_one_who_would_say(alone: County) -> None:
    says(alone)
    assert state(alone) == (0, None, True)
    assert counts(alone.database)["device_alarm"] == 0


def test_a_state_that_is_there_already_is_marked_and_otherwise_left_alone(alone: County) -> None:
    heat(alone)
    version, latest_at, speaks = state(alone)
    says(alone)
    assert (latest_at, speaks) == (START + 146 * STEP, False)
    assert state(alone) == (version, latest_at, True)


def test_nothing_is_asked_where_nothing_was_stated_and_nothing_written_where_it_is_known(alone: County) -> None:
    says(alone)
    statements: list[str] = []
    event.listen(alone.database.engine, "before_cursor_execute", lambda *each: statements.append(each[2]))

    def nothing(session: Any) -> None:
        device_alarms.note(session, [], NOW)
        assert not statements
        box = lookups.sensor(session, "S-BOX")
        statements.clear()
        device_alarms.note(session, [(box, AlarmState("S-BOX", START, ()))], NOW)

    alone.database.write(nothing)
    assert [each.split()[0] for each in statements if each.split()[0] in {"SELECT", "INSERT", "UPDATE"}] == ["SELECT"]


def test_many_sensors_are_noted_at_once(alone: County) -> None:
    names = ["S-CITY", "S-COUNTY", "S-A", "S-BOX"]

    def work(session: Any) -> None:
        stated = [(lookups.sensor(session, each), AlarmState(each, START, ("HEAT", "DOOR"))) for each in names]
        device_alarms.note(session, stated * 2, NOW)

    alone.database.write(work)
    assert counts(alone.database)["device_alarm"] == 8


def test_device_and_coldtrail_that_agree_are_not_listed(alone: County) -> None:
    heat(alone)
    says(alone, "HEAT", at=START + 10 * HOUR, times=20)
    assert differences(alone) == []


def test_an_alarm_without_an_excursion_is_told_with_what_our_readings_were(alone: County) -> None:
    monitoring.record(alone.database, [series("S-BOX", START, [600, 700, 790, 300])], NOW)
    says(alone, "HEAT", at=START, times=3)
    (one,) = list_differences(alone.database, Asked(), None, 10).items
    assert (one.kind, one.sensor, one.side, one.found) == (Disagreement.ONLY_DEVICE, "S-BOX", Side.ABOVE, None)
    assert (one.lowest, one.highest) == (600, 790)
    assert one.said is not None
    assert (one.said.code, one.said.records) == ("HEAT", 3)


def test_an_alarm_of_the_other_side_agrees_with_nothing(alone: County) -> None:
    heat(alone)
    says(alone, "FRZE", at=START + 10 * HOUR)
    assert differences(alone) == [
        (Disagreement.ONLY_FOUND, Side.ABOVE),
        (Disagreement.ONLY_DEVICE, Side.BELOW),
    ]


@pytest.mark.parametrize("code", ["DOOR", "POWR", "0x01"])
def test_what_is_no_alarm_of_a_temperature_disagrees_with_nobody(alone: County, code: str) -> None:
    says(alone, code)
    assert differences(alone) == []


def test_an_excursion_is_missed_only_by_a_device_that_speaks_of_its_alarms(alone: County) -> None:
    heat(alone)
    assert differences(alone) == []
    says(alone, at=NOW)
    (one,) = list_differences(alone.database, Asked(), None, 10).items
    assert (one.kind, one.said) == (Disagreement.ONLY_FOUND, None)
    assert one.found is not None
    assert (one.found.rule, one.found.extreme) == ("HEAT", 900)


def test_our_own_stricter_limits_are_nothing_that_a_device_could_say(alone: County) -> None:
    heat(alone, hours=1)
    says(alone)
    assert differences(alone) == []


def test_an_excursion_that_was_taken_back_agrees_with_no_alarm(alone: County) -> None:
    monitoring.record(alone.database, [series("S-BOX", START, [450, 900, 900], 15 * MINUTE)], NOW)
    monitoring.record(alone.database, [series("S-BOX", START + 30 * MINUTE, [900, 900, 450], 15 * MINUTE)], NOW)
    says(alone, "HIGH", at=START + 45 * MINUTE)
    assert differences(alone) == []
    calm = [each.measured_at + MINUTE for each in series("S-BOX", START, [1] * 5, 15 * MINUTE).measurements]
    for at in calm:
        monitoring.record(alone.database, [series("S-BOX", at, [450])], NOW)
    assert differences(alone) == [(Disagreement.ONLY_DEVICE, Side.ABOVE)]


def test_disagreements_are_paged_each_once_and_by_time(alone: County) -> None:
    heat(alone)
    heat(alone, at=START + 20 * HOUR)
    for hour in (1, 2, 16, 17):
        says(alone, "FRZE", "LOW", at=START + hour * HOUR)
    whole = list_differences(alone.database, Asked(), None, 100).items
    page = list_differences(alone.database, Asked(), None, 1)
    found = [*page.items]
    while page.next is not None:
        page = list_differences(alone.database, Asked(), page.next, 1)
        found += page.items
    assert found == list(whole)
    assert len(found) == 10
    assert len(differences(alone, sensor="S-BOX", since=START + 15 * HOUR, until=START + 19 * HOUR)) == 4
    assert differences(alone, sensor="S-BOX-2") == []


def test_both_lists_over_http(server: Any) -> None:
    county, client = server.county, server.client
    heat(county)
    says(county, "FRZE", at=START + 10 * HOUR)
    assert_lists(client)


def assert_lists(client: Client) -> None:
    window = {"sensor": "S-BOX", "from": stated(START), "to": stated(NOW)}
    (episode,) = client.get("/device-alarms", **window).items
    assert (episode["code"], episode["side"], episode["records"]) == ("FRZE", "below", 1)
    found, said = client.get("/alarm-disagreements", **window).items
    assert (found["kind"], found["said"], found["found"]["rule"]) == ("only-found", None, "HEAT")
    assert (said["kind"], said["found"], said["said"]["code"]) == ("only-device", None, "FRZE")
    assert said["highest_celsius"] == 9.0
    assert client.get("/device-alarms", sensor="NO-SUCH").status == 422


def test_an_alarm_of_a_sensor_that_is_not_known_is_kept_aside(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        build(database)
        stated = AlarmState("NOBODY", NOW - HOUR, ("HEAT",))
        monitoring.record(database, [message([])._replace(alarms=(stated,))], NOW)
        with database.read() as session:
            assert [row.reason for row in session.scalars(select(RejectedMessage))] == [RejectReason.UNKNOWN_SENSOR]
            assert session.scalars(select(DeviceAlarm)).all() == []
