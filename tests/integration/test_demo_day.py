"""A day of the demonstration's county, with fewer people, played straight through the real API."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, select

from coldtrail.demo import thermal
from coldtrail.demo.api import Api
from coldtrail.demo.county import COUNTY, STORES, ZONE, County, Probe, Site, build_county
from coldtrail.demo.diary import Diary
from coldtrail.demo.enrolment import enrol
from coldtrail.demo.staff import Staff
from coldtrail.demo.steps import Trip
from coldtrail.demo.tally import Tally
from coldtrail.demo.tokens import AUDITOR, TokenFile, Tokens
from coldtrail.demo.trouble import trouble_of
from coldtrail.demo.world import BrokerAddress, World
from inventory.clock import ScaledClock, system_clock
from inventory.domain.words import End, EventKind
from inventory.persistence.database import Database
from inventory.persistence.tables import Movement, StockEvent
from inventory.services import monitoring, rules, verification
from inventory.services.equipment import shard_of
from inventory.services.messages import Measurement, Message
from tests.county import County as Served
from tests.county import SetClock
from tests.http import serving
from tests.services import Template

DAY = date(2026, 1, 5)
MORNING = datetime.combine(DAY, time(6), ZONE)
TOMORROW = MORNING + timedelta(days=1)
MINUTE = timedelta(minutes=1)


class SmallSite(Site):
    """A site where few people come."""

    @property
    def daily_capacity(self) -> int:
        """So that a day takes seconds."""
        return 40 * self.stations


def small_county() -> County:
    """The sites where something goes wrong on the first day, and a few more."""
    wanted = {"S01", "S05", "S09", "S14", "S20", "S21", "S27", "S28"}
    sites = [site for site in build_county().sites if site.code in wanted]
    return County(tuple(SmallSite(**vars(site)) for site in sites))


@dataclass(frozen=True)
class Played:
    """A county after its first days."""

    database: Database
    api: Api
    tokens: Tokens
    tally: Tally

    def given_on(self, day: date) -> int:
        """Doses given on a day, by the movements alone."""
        since = datetime.combine(day, time(), ZONE)
        given = select(func.sum(Movement.doses)).where(
            Movement.end_kind == End.ADMINISTERED,
            Movement.occurred_at >= since,
            Movement.occurred_at < since + timedelta(days=1),
        )
        with self.database.read() as session:
            return session.scalars(given).one() or 0

    def get(self, path: str) -> Any:
        """The answer to an auditor's question."""
        return self.api.get(path, self.tokens[AUDITOR])


@pytest.fixture(scope="module")
def played(database_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Two days, on each engine in turn."""
    with database_template.clone() as url:
        database = Database(url)
        rules.seed(database)
        try:
            with serving(Served(database, {})) as server:
                api = Api(server.client.url, Event(), lambda: None)
                server.clock.at = MORNING.astimezone(UTC)
                yield _play(database, api, server.clock, tmp_path_factory.mktemp("demo"))
        finally:
            database.close()


def _play(database: Database, api: Api, clock: SetClock, folder: Path) -> Played:
    county = small_county()
    tokens_of = TokenFile(folder / "tokens.json", database, clock)
    enrol(api, tokens_of.admin(), county, MORNING)
    tokens, tally = tokens_of.all(county), Tally()
    clock.at = TOMORROW.astimezone(UTC) + timedelta(days=1)
    for probe in county.probes:
        if probe.appliance.startswith(COUNTY):
            _measure(database, county, probe)
    fast = ScaledClock(system_clock(), MORNING, 1e6)
    world = World(api, tokens, BrokerAddress("mqtt://nowhere", "5"), fast, TOMORROW + timedelta(days=1))
    Staff(world, county, Diary.begin(DAY), Event(), tally, list[Trip]().append, lambda: None).run()
    return Played(database, api, tokens, tally)


def _measure(database: Database, county: County, probe: Probe) -> None:
    """What a sensor of the county's cold room saw in the first hours."""
    failures = trouble_of(county, 0, DAY).failures
    instants = [MORNING.astimezone(UTC) + number * MINUTE for number in range(240)]
    measurements = [
        Measurement(probe.serial, at, thermal.fridge(probe.serial, probe.appliance, at, failures)) for at in instants
    ]
    shard = shard_of(probe.gateway)
    topic = f"coldtrail/v1/{shard}/{probe.gateway}/readings"
    message = Message(topic, b"{}", instants[-1], probe.gateway, shard, tuple(measurements))
    monitoring.record(database, [message], instants[-1])


def test_nothing_is_refused(played: Played) -> None:
    assert played.tally.movements_refused == 0
    assert played.tally.refused == 0
    assert played.tally.given > 1000


def test_every_kind_of_event_occurs_on_the_first_day(played: Played) -> None:
    with played.database.read() as session:
        on_first_day = select(StockEvent.kind).where(StockEvent.occurred_at < TOMORROW)
        assert set(session.scalars(on_first_day)) == set(EventKind)


def test_the_ledger_is_whole(played: Played) -> None:
    verdict = verification.verify(played.database)
    assert verdict.holds, verification.report(verdict)


def test_the_stores_are_empty_but_for_what_came_back_in_the_evening(played: Played) -> None:
    left = played.get("/api/v1/stock?limit=1000")["items"]
    stored = [line for line in left if line["place"]["facility"] in STORES]
    assert {(line["place"]["facility"], line["place"]["kind"]) for line in stored} == {(COUNTY, "storage")}


def test_the_day_can_be_read_off_the_compliance_table(played: Played) -> None:
    table = played.get(f"/api/v1/compliance?from={DAY}&to={DAY}&supplied_by={COUNTY}")
    assert len(table["items"]) == len(small_county().sites)
    total = table["totals"]
    assert total["administered"] == played.given_on(DAY)
    assert total["missing"] == 1
    assert total["found"] == 1
    assert total["transferred"] > 0
    assert total["returned"] > 0
    assert total["wasted_by_reason"]["broken"] == 3
    assert total["unexplained"] == 0


def test_the_evening_is_in_the_bulletin(played: Played) -> None:
    evening = datetime.combine(DAY, time(18), ZONE).isoformat().replace("+", "%2B")
    bulletin = played.get(f"/api/v1/bulletins?facility={COUNTY}&at={evening}")
    assert [line["rank"] for line in bulletin["items"]] == sorted(line["rank"] for line in bulletin["items"])
    assert bulletin["totals"]["used"] == played.given_on(DAY)
