"""Gateways as devices: presence, clocks and holes in their streams; sensors that are silent."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from inventory.domain.words import ClockState
from inventory.persistence.database import Database
from inventory.persistence.tables import Gateway
from inventory.services import monitoring, presence
from inventory.services.gateways import GatewayView, MissingRange, list_gateways, list_streams
from inventory.services.messages import Presence
from inventory.services.silence import SensorView, list_sensors
from tests.county import GATEWAY, HOUR, MIDNIGHT, MINUTE, NOW, County, build, message, series
from tests.http import Client, Server
from tests.integration.test_series import forget
from tests.orders import arrival, at_county, dispatch

SECOND = timedelta(seconds=1)


@pytest.fixture
def alone(database_url: str) -> Iterator[County]:
    """A county of this test's own."""
    with closing(Database(database_url)) as database:
        yield build(database)


def gateway(county: County) -> GatewayView:
    (found,) = [each for each in list_gateways(county.database, None, 100).items if each.code == GATEWAY]
    return found


def say(county: County, online: bool, birth: int | None, at: datetime = NOW) -> GatewayView:
    def work(session: Any) -> None:
        mine = session.scalars(select(Gateway).where(Gateway.code == GATEWAY)).one()
        presence.note(session, mine, Presence(online, birth), at)

    county.database.write(work)
    return gateway(county)


def lag(county: County, milliseconds: int, now: datetime = NOW) -> GatewayView:
    def work(session: Any) -> None:
        ids = dict(session.execute(select(Gateway.code, Gateway.id)).all())
        presence.note_lags(session, {ids[GATEWAY]: milliseconds, ids["GW-2"]: 7}, now)

    county.database.write(work)
    return gateway(county)


def test_a_gateway_that_never_said_anything_is_neither_there_nor_away(alone: County) -> None:
    found = gateway(alone)
    assert (found.online, found.said_at, found.heard_at, found.lag, found.clock, found.streams_with_holes) == (
        None, None, None, None, None, 0,
    )  # fmt: skip


def test_a_birth_and_its_will_are_believed(alone: County) -> None:
    born = say(alone, True, 17)
    assert (born.online, born.said_at, born.heard_at) == (True, NOW, NOW)
    died = say(alone, False, 17, NOW + MINUTE)
    assert (died.online, died.said_at, died.heard_at) == (False, NOW + MINUTE, NOW)


def test_the_will_of_a_replaced_connection_is_ignored(alone: County) -> None:
    say(alone, True, 17)
    say(alone, True, 18, NOW + MINUTE)
    found = say(alone, False, 17, NOW + 2 * MINUTE)
    assert (found.online, found.said_at) == (True, NOW + MINUTE)


def test_a_gateway_that_counts_its_births_anew_is_believed(alone: County) -> None:
    say(alone, True, 17)
    assert say(alone, True, 1, NOW + MINUTE).online
    assert say(alone, False, 1, NOW + 2 * MINUTE).online is False


@pytest.mark.parametrize("birth", [None, 17])
def test_a_will_of_whom_no_birth_was_heard_is_believed(alone: County, birth: int | None) -> None:
    assert say(alone, False, birth).online is False
    assert gateway(alone).heard_at is None


def test_what_is_older_than_what_was_said_last_changes_nothing(alone: County) -> None:
    say(alone, False, 17, NOW + MINUTE)
    found = say(alone, True, 17, NOW)
    assert (found.online, found.said_at, found.heard_at) == (False, NOW + MINUTE, None)


def test_the_same_again_changes_nothing(alone: County) -> None:
    assert say(alone, True, 17) == say(alone, True, 17)


def test_the_least_lag_is_kept_and_the_last_one_shown(alone: County) -> None:
    for milliseconds in (900, 200, 700):
        found = lag(alone, milliseconds)
    assert (found.lag, found.clock_skew, found.clock) == (700 * SECOND / 1000, -SECOND / 5, ClockState.PLAUSIBLE)
    assert (found.clock_since, found.heard_at) == (NOW, NOW)


def test_a_message_that_came_before_it_was_measured_proves_a_clock_ahead(alone: County) -> None:
    lag(alone, 500)
    found = lag(alone, -90_000)
    assert (found.clock, found.clock_skew) == (ClockState.AHEAD, 90 * SECOND)


def test_a_clock_that_is_always_behind_is_told_from_one_late_delivery(alone: County) -> None:
    assert lag(alone, 3_600_000).clock is ClockState.BEHIND_OR_LATE
    assert lag(alone, 1000).clock is ClockState.PLAUSIBLE
    assert lag(alone, 3_600_000).clock is ClockState.PLAUSIBLE


def test_the_least_lag_begins_anew_after_a_day(alone: County) -> None:
    lag(alone, -90_000)
    day = 24 * HOUR
    assert lag(alone, 100, NOW + day - SECOND).clock is ClockState.AHEAD
    found = lag(alone, 200, NOW + day)
    assert (found.clock, found.clock_since, found.clock_skew) == (ClockState.PLAUSIBLE, NOW + day, -SECOND / 5)


def test_lags_and_presence_do_not_undo_each_other(alone: County) -> None:
    say(alone, True, 17)
    lag(alone, 100, NOW + MINUTE)
    found = say(alone, False, 17, NOW + 2 * MINUTE)
    assert (found.online, found.lag, found.heard_at) == (False, SECOND / 10, NOW + MINUTE)
    assert lag(alone, 100, NOW).heard_at == NOW + MINUTE


def sends(county: County, boot: str, *seqs: int) -> None:
    monitoring.record(county.database, [message([], seq, boot=boot) for seq in seqs], NOW)


def test_what_is_missing_of_each_boot_is_told(alone: County) -> None:
    sends(alone, "boot-1", 1, 2, 3)
    sends(alone, "boot-2", 2, 3, 7, 9)
    sends(alone, "boot-3", 1, 4)
    whole, headless, holed = list_streams(alone.database, GATEWAY, None, 100).items
    assert (whole.boot, whole.committed_seq, whole.highest_seq, whole.missing, whole.ranges) == ("boot-1", 3, 3, 0, ())
    assert (headless.committed_seq, headless.highest_seq, headless.missing) == (0, 9, 5)
    assert headless.ranges == (MissingRange(1, 1), MissingRange(4, 6), MissingRange(8, 8))
    assert (holed.committed_seq, holed.ranges, holed.heard_at) == (1, (MissingRange(2, 3),), NOW)
    assert gateway(alone).streams_with_holes == 2


def test_what_the_gateway_gave_up_is_skipped_and_no_hole(alone: County) -> None:
    monitoring.record(alone.database, [message([], 5)._replace(first=4)], NOW)
    (stream,) = list_streams(alone.database, GATEWAY, None, 100).items
    assert (stream.skipped, stream.missing, stream.ranges) == (3, 1, (MissingRange(4, 4),))


def test_only_the_first_holes_are_shown_but_all_are_counted(alone: County) -> None:
    sends(alone, "boot-1", *range(2, 302, 2))
    (stream,) = list_streams(alone.database, GATEWAY, None, 100).items
    assert (stream.missing, len(stream.ranges), stream.ranges[-1]) == (150, 100, MissingRange(199, 199))


def test_streams_over_http(server: Server) -> None:
    sends(server.county, "boot-1", 1, 3)
    sends(server.county, "boot-2", 1)
    first = server.client.get(f"/gateways/{GATEWAY}/streams", limit=1).ok()
    assert first["items"][0]["ranges"] == [{"first": 2, "last": 2}]
    (second,) = server.client.get(f"/gateways/{GATEWAY}/streams", after=first["next"]).items
    assert (second["boot"], second["missing"]) == ("boot-2", 0)
    assert server.client.get("/gateways/NO-SUCH/streams").status == 404
    say(server.county, True, 1)
    lag(server.county, -1500)
    (shown,) = [each for each in server.client.get("/gateways").items if each["code"] == GATEWAY]
    assert (shown["online"], shown["clock"], shown["clock_skew_seconds"], shown["lag_seconds"]) == (
        True, "ahead", 1.5, -1.5,
    )  # fmt: skip
    assert shown["streams_with_holes"] == 1


def sensors(county: County, silent: bool | None = None, now: datetime = NOW) -> dict[str, SensorView]:
    return {each.serial: each for each in list_sensors(county.database, now, silent, None, 100).items}


def hear(county: County, sensor: str, at: datetime, now: datetime = NOW) -> None:
    monitoring.record(county.database, [series(sensor, at, [450])], now)


def test_a_sensor_is_silent_once_its_reading_stands_no_more(alone: County) -> None:
    hear(alone, "S-A", NOW - 15 * MINUTE)
    assert sensors(alone)["S-A"].silent_since is None
    found = sensors(alone, now=NOW + SECOND)["S-A"]
    assert (found.silent_since, found.latest_at) == (NOW - 15 * MINUTE, NOW - 15 * MINUTE)
    hear(alone, "S-A", NOW + MINUTE, NOW + MINUTE)
    assert sensors(alone, now=NOW + MINUTE)["S-A"].silent_since is None


def test_a_sensor_that_was_never_heard_in_its_watch_is_silent_since_it_began(alone: County) -> None:
    found = sensors(alone)
    assert found["S-CITY"].silent_since == MIDNIGHT
    assert found["S-CITY"].latest_at is None


def test_nobody_expects_to_hear_of_no_place(alone: County) -> None:
    assert sensors(alone)["S-BOX"].silent_since is None
    hear(alone, "S-BOX", NOW - HOUR)
    assert sensors(alone)["S-BOX"].silent_since == NOW - HOUR


def test_those_that_are_silent_and_those_that_are_not_are_all(alone: County) -> None:
    hear(alone, "S-A", NOW - MINUTE)
    hear(alone, "S-BOX", NOW - HOUR)
    silent, heard = sensors(alone, True), sensors(alone, False)
    assert set(silent) == {"S-CITY", "S-COUNTY", "S-BOX"}
    assert not set(silent) & set(heard)
    assert silent | heard == sensors(alone)


def test_a_reading_from_before_sensors_were_followed_is_found(alone: County) -> None:
    hear(alone, "S-A", NOW - MINUTE)
    forget(alone)
    assert sensors(alone)["S-A"].latest_at == NOW - MINUTE
    assert sensors(alone)["S-A"].silent_since is None


def test_silent_sensors_over_http(client: Client) -> None:
    found = {each["serial"]: each for each in client.get("/sensors", silent="true").items}
    assert "S-CITY" in found
    assert found["S-CITY"]["silent_since"] == "2026-01-04T16:00:00Z"
    assert client.get("/sensors", silent="perhaps").status == 422


def test_a_sensor_whose_box_has_arrived_is_off_duty(client: Client) -> None:
    sent = dispatch(at_county(client)) | {"sensors": ["S-BOX-2"]}
    shipment = client.post("/shipments", sent).ok()["shipment"]
    by_serial = {each["serial"]: each for each in client.get("/sensors").items}
    assert by_serial["S-BOX-2"]["appliance"] is None
    client.post(f"/shipments/{shipment}/receipts", arrival()).ok()
    assert "S-BOX-2" not in {each["serial"] for each in client.get("/sensors", silent="true").items}
