"""A database of the foundation that is in use: upgraded, nothing of it is lost and the ledger is whole."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, func, inspect, select

from inventory.domain.words import LocationKind, Origin, Role
from inventory.persistence import migrate, tables
from inventory.persistence.columns import Instant
from inventory.persistence.database import Database
from inventory.services.access import Actor
from inventory.services.administrations import AdministrationOrder, administer
from inventory.services.corrections import CorrectionOrder, correct
from inventory.services.deliveries import ArrivalOrder, receive_shipment
from inventory.services.posting import Request
from inventory.services.verification import verify
from tests.county import COOL, EXPIRY, HOUR, MIDNIGHT, NOW, ONE, TWO
from tests.integration.test_migrations import alembic, differences

FOUNDATION = "0001"
RECEIVED, SENT, ARRIVED = NOW - 5 * HOUR, NOW - 4 * HOUR, NOW - 3 * HOUR


def key(number: int) -> UUID:
    """An id."""
    return UUID(int=number)


CITY, SITE, MAKER, TOKEN, NURSE = (key(each) for each in range(1, 6))
ROOM, FRIDGE, GATEWAY, SENSOR, BOX = (key(each) for each in range(11, 16))
BATCH, VIALS, HERE, THERE, ROAD, ROAD_2, APART, APART_2 = (key(each) for each in range(21, 29))
TRIP, TRIP_2 = key(31), key(32)
RECEIVE, LEAVE, LEAVE_2, ARRIVE, GIVE = (key(each) for each in range(41, 46))
ROOT, ABOARD, ABOARD_2, AT_SITE = (key(each) for each in range(51, 55))

Rows = list[tuple[str, dict[str, Any]]]


def reference() -> Rows:
    """Facilities, people, equipment, products and rules."""
    facility = {"zone": "Asia/Shanghai", "supplied_by_id": None, "daily_capacity": None, "stations": None}
    profile = {"profile_code": "strict-2-8"}
    return [
        *(("deadline_rule", {"rule_set": "double-24", "name": name, "window": "PT24H"}) for name in ("deliver", "use")),
        ("storage_profile", {"code": "strict-2-8", "low": 200, "high": 800}),
        ("excursion_rule", profile | {"name": "HOT", "side": "above", "threshold": 800, "inclusive": False,
                                      "duration_seconds": 1800}),
        ("facility", facility | {"id": CITY, "code": "CITY", "name": "City", "kind": "city-store"}),
        ("facility", facility | {"id": SITE, "code": "SITE", "name": "Site", "kind": "fixed-site",
                                 "supplied_by_id": CITY}),
        ("facility", facility | {"id": MAKER, "code": "MAKER", "name": "Maker", "kind": "supplier"}),
        ("token", {"id": TOKEN, "name": "admin", "role": "admin", "digest": "a", "created_at": MIDNIGHT}),
        ("token", {"id": NURSE, "name": "nurse", "role": "staff", "digest": "b", "created_at": MIDNIGHT}),
        ("token_facility", {"token_id": NURSE, "facility_id": SITE}),
        ("appliance", {"id": ROOM, "code": "ROOM", "facility_id": CITY, "name": "Room", "kind": "cold-room"}),
        ("appliance", {"id": FRIDGE, "code": "FRIDGE", "facility_id": SITE, "name": "Fridge", "kind": "fridge"}),
        ("gateway", {"id": GATEWAY, "code": "GW", "facility_id": CITY, "shard": "0a"}),
        *(("sensor", profile | {"id": each, "serial": str(each), "interval_seconds": 300, "gateway_id": GATEWAY})
          for each in (SENSOR, BOX)),
        ("product", profile | {"gtin": ONE, "name": "One", "doses_per_vial": 1}),
        ("product", profile | {"gtin": TWO, "name": "Two", "doses_per_vial": 2}),
        ("batch", {"id": BATCH, "gtin": ONE, "number": "B", "expiry": EXPIRY}),
        ("batch", {"id": VIALS, "gtin": TWO, "number": "B", "expiry": EXPIRY}),
    ]  # fmt: skip


def cold_chain() -> Rows:
    """Messages, readings, an excursion, and what each sensor watched."""
    at = {"measured_at": SENT, "received_at": NOW}
    excursion = {"rule_name": "HOT", "threshold": 800, "inclusive": False, "duration_seconds": 1800, "extreme": 900,
                 "started_at": SENT, "alarm_at": ARRIVED, "seen_seconds": 3600, "unseen_seconds": 0,
                 "recorded_at": NOW, "changed_at": NOW}  # fmt: skip
    return [
        ("message_stream", {"gateway_id": GATEWAY, "boot": "b", "committed_seq": 4, "skipped": 0, "heard_at": NOW}),
        ("message_ahead", {"gateway_id": GATEWAY, "boot": "b", "seq": 6}),
        ("rejected_message", {"id": key(91), "digest": "d", "topic": "t", "payload": b"{}", "reason": "malformed",
                              "detail": "not JSON", "received_at": NOW, "times": 1}),
        ("reading", at | {"sensor_id": SENSOR, "temperature": 900}),
        ("reading_conflict", at | {"sensor_id": SENSOR, "temperature": 500}),
        ("excursion", excursion | {"id": key(92), "sensor_id": SENSOR, "side": "above"}),
        ("sensor_assignment", {"sensor_id": SENSOR, "since": MIDNIGHT, "appliance_id": ROOM}),
        ("sensor_assignment", {"sensor_id": BOX, "since": SENT, "until": ARRIVED, "shipment_id": TRIP}),
    ]  # fmt: skip


def ledger() -> Rows:
    """Twenty doses came in; ten went to the site, where four were given; five are still on their way."""
    appliances = [
        ("location", {"id": HERE, "kind": "storage", "appliance_id": ROOM}),
        ("location", {"id": APART, "kind": "quarantine", "appliance_id": ROOM}),
        ("location", {"id": THERE, "kind": "storage", "appliance_id": FRIDGE}),
        ("location", {"id": APART_2, "kind": "quarantine", "appliance_id": FRIDGE}),
    ]
    trip = {"from_facility_id": CITY, "to_facility_id": SITE, "dispatched_at": SENT}
    trips = [
        ("shipment", trip | {"id": TRIP, "arrived_at": ARRIVED}),
        ("shipment", trip | {"id": TRIP_2, "arrived_at": None}),
        ("location", {"id": ROAD, "kind": "transit", "shipment_id": TRIP}),
        ("location", {"id": ROAD_2, "kind": "transit", "shipment_id": TRIP_2}),
    ]
    kept = {"actor_id": TOKEN, "key": "k", "digest": "d", "outcome": {}, "recorded_at": NOW}
    return [
        *appliances,
        *trips,
        ("idempotency_key", kept),
        *event(RECEIVE, "receive", CITY, RECEIVED),
        *custody(ROOT, RECEIVE, None, HERE, RECEIVED, 20, 5),
        *event(LEAVE, "dispatch", CITY, SENT, TRIP),
        *custody(ABOARD, LEAVE, ROOT, ROAD, SENT, 10, 0),
        *event(LEAVE_2, "dispatch", CITY, SENT, TRIP_2),
        *custody(ABOARD_2, LEAVE_2, ROOT, ROAD_2, SENT, 5, 5),
        *event(ARRIVE, "receive", SITE, ARRIVED, TRIP),
        *custody(AT_SITE, ARRIVE, ABOARD, THERE, ARRIVED, 10, 6, clock="use"),
        *event(GIVE, "administer", SITE, NOW),
        ("movement", {"id": key(99), "batch_id": BATCH, "event_id": GIVE, "from_custody_id": AT_SITE,
                      "to_custody_id": None, "end_kind": "administered", "doses": 4, "occurred_at": NOW,
                      "chosen": "picked"}),
    ]  # fmt: skip


def event(name: UUID, kind: str, facility: UUID, at: datetime, trip: UUID | None = None) -> Rows:
    """An event of the batch."""
    row = {"id": name, "batch_id": BATCH, "kind": kind, "facility_id": facility, "shipment_id": trip,
           "occurred_at": at, "recorded_at": NOW, "actor_id": TOKEN, "reason": None, "details": None}  # fmt: skip
    return [("stock_event", row)]


def custody(
    name: UUID, by: UUID, parent: UUID | None, place: UUID, at: datetime, doses: int, left: int, clock: str = "deliver"
) -> Rows:
    """A custody with its clock, and the movement that opened it."""
    mine = {"batch_id": BATCH, "event_id": by}
    began = ARRIVED if clock == "use" else RECEIVED
    return [
        ("custody", mine | {"id": name, "parent_id": parent, "location_id": place, "opened_at": at, "doses": doses,
                            "remaining": left}),
        ("deadline", {"custody_id": name, "batch_id": BATCH, "name": clock, "rule_set": "double-24",
                      "opened_at": began, "due_at": began + 24 * HOUR}),
        ("movement", mine | {"id": UUID(int=name.int + 1000), "from_custody_id": parent, "to_custody_id": name,
                             "end_kind": None, "doses": doses, "occurred_at": at,
                             "chosen": "picked" if parent else None}),
    ]  # fmt: skip


TYPES: dict[type, Any] = {UUID: sa.Uuid(), datetime: Instant(), date: sa.Date(), dict: sa.JSON(), bool: sa.Boolean()}


def fill(connection: Connection) -> None:
    """Write the rows by SQL, as the tables were then."""
    for name, row in [*reference(), *ledger()[:8], *cold_chain(), *ledger()[8:]]:
        given = {column: value for column, value in row.items() if value is not None}
        columns = [sa.column(column, TYPES.get(type(value))) for column, value in given.items()]
        connection.execute(sa.table(name, *columns).insert().values(given))


def sizes(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    names = set(inspect(connection).get_table_names()) - {"alembic_version"}
    return {name: connection.scalar(select(func.count()).select_from(sa.table(name))) or 0 for name in sorted(names)}


def settings(connection: Connection) -> Config:
    """Alembic's, for a connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


@pytest.fixture
def before(database_url: str) -> Iterator[tuple[Database, dict[str, int]]]:
    """A database that was filled at the foundation and is upgraded, and how many rows it had."""
    database = Database(database_url)
    with alembic(database) as (config, _):
        command.downgrade(config, "base")
    with alembic(database) as (config, connection):
        command.upgrade(config, FOUNDATION)
        fill(connection)
        had = sizes(connection)
    migrate.upgrade(database_url)
    yield database, had
    database.close()


def test_the_foundations_every_table_has_rows_that_are_all_still_there(before: tuple[Database, dict[str, int]]) -> None:
    database, had = before
    assert all(had.values()), had
    with database.engine.connect() as connection:
        now = sizes(connection)
        assert differences(connection) == []
        if database.is_sqlite:  # which looks at foreign keys only when it is asked, where they were put off
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    shipments = had["shipment"]
    assert {name: now[name] for name in had} == had | {"location": had["location"] + shipments}


def test_the_ledger_is_whole_after_it(before: tuple[Database, dict[str, int]]) -> None:
    verdict = verify(before[0])
    assert verdict.holds, verdict
    balance = next(each for each in verdict.balances if each.gtin == ONE)
    assert (balance.received, balance.on_hand, balance.in_transit, balance.administered) == (20, 11, 5, 4)


def test_what_is_new_has_the_values_that_the_old_rows_mean(before: tuple[Database, dict[str, int]]) -> None:
    with before[0].read() as session:
        kinds = select(tables.Location.kind).where(tables.Location.shipment_id == TRIP)
        assert set(session.scalars(kinds)) == {LocationKind.TRANSIT, LocationKind.QUARANTINE}
        origins = {each.id: each.origin for each in session.scalars(select(tables.Custody))}
        assert origins == {ROOT: Origin.SUPPLIED, ABOARD: None, ABOARD_2: None, AT_SITE: None}
        one, two = (session.get_one(tables.Product, gtin) for gtin in (ONE, TWO))
        assert (one.open_vial_hours, one.open_vial_session) == (None, False)
        assert (two.open_vial_hours, two.open_vial_session, two.programme_code) == (6, True, "routine")
        assert {each.purpose for each in session.scalars(select(tables.Shipment))} == {"supply"}


def test_work_goes_on_where_it_was_left(before: tuple[Database, dict[str, int]]) -> None:
    database, _ = before
    actor = Actor(TOKEN, "admin", Role.ADMIN, frozenset())
    receive_shipment(database, Request(actor, NOW, "1"), ArrivalOrder(TRIP_2, "FRIDGE", NOW, transport=COOL))
    administer(database, Request(actor, NOW, "2"), AdministrationOrder("SITE", ONE, "B", 8, NOW))
    correct(database, Request(actor, NOW, "3"), CorrectionOrder(GIVE, NOW, "a slip"))
    verdict = verify(database)
    assert verdict.holds, verdict
    balance = next(each for each in verdict.balances if each.gtin == ONE)
    assert (balance.on_hand, balance.in_transit, balance.administered) == (12, 0, 8)


def test_taken_back_to_the_foundation_its_rows_are_as_they_were(before: tuple[Database, dict[str, int]]) -> None:
    database, had = before
    with database.engine.connect() as connection:
        if database.is_sqlite:  # where a table is altered by making it anew
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        with connection.begin():
            command.downgrade(settings(connection), FOUNDATION)
            assert sizes(connection) == had
