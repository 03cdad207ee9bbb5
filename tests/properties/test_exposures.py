"""What was seen of a stay, from roll-ups and the readings at its edges, is what its readings alone give."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from inventory.domain.budgets import Budget, Measures
from inventory.domain.exposure import Band, expose
from inventory.domain.instants import counted
from inventory.domain.readings import Reading, Stretch, covered, stretches, within
from inventory.domain.rollup import microseconds
from inventory.domain.seen import Seen, summed, total
from inventory.persistence.database import Database
from inventory.persistence.tables import Appliance, Location, Sensor, SensorAssignment
from inventory.services import monitoring
from inventory.services.exposures import exposures
from inventory.services.watches import Stay
from tests.counties import CountyTemplate
from tests.county import HOUR, NOW, message
from tests.properties.strategies import HOLD, MINUTE, START, as_readings, between, timelines

SENSORS = ("S-A", "S-BOX")
BANDS = (Band(200, 800), Band(-60, 450), Band(300, 900))
BUDGETS = (Budget("WARM", 700, 900, 2 * HOUR), Budget("COLD", -100, 160, HOUR))


class Watched(NamedTuple):
    """A sensor's readings, and when it watched the fridge."""

    serial: str
    since: datetime
    until: datetime | None
    timeline: list[tuple[datetime, int]]

    def readings(self) -> list[Reading]:
        return between(self.timeline, self.since, None)

    def part(self, stay: Stay) -> tuple[datetime, datetime]:
        return max(stay.since, self.since), min(stay.until, self.until or stay.until)

    def seen(self, stay: Stay, measures: Measures) -> Seen:
        """What one pass over the readings says, in integers."""
        since, until = self.part(stay)
        points = [(counted(each.measured_at), each.temperature) for each in self.readings()]
        return summed(points, microseconds(HOLD), counted(since), counted(until), measures.intervals)

    def stretches(self, stay: Stay) -> list[Stretch]:
        """The same by the older pure function, as stretches."""
        since, until = self.part(stay)
        return list(within(stretches(self.readings(), HOLD, until), since, until)) if since < until else []


MOMENTS = st.integers(-70, 3000).map(lambda minutes: START + minutes * MINUTE)


@st.composite
def watches(draw: st.DrawFn) -> list[Watched]:
    """One sensor or two, beside each other or one after the other."""
    found = []
    for serial in SENSORS[: draw(st.integers(1, 2))]:
        since = START + draw(st.sampled_from([0, 7, 60, 135])) * MINUTE
        until = draw(st.sampled_from([None, None, since + 200 * MINUTE, since + 1201 * MINUTE]))
        found.append(Watched(serial, since, until, draw(timelines(least=3))))
    return found


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[datetime, datetime]]:
    chosen = draw(st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1, max_size=5))
    return [(min(pair), max(pair)) for pair in chosen]


def prepare(database: Database, told: list[Watched]) -> Any:
    """The storage of site A's fridge, watched as told, with the readings taken in through the one door."""

    def work(session: Session) -> Any:
        session.execute(delete(SensorAssignment))
        fridge = session.scalars(select(Appliance.id).where(Appliance.code == "A-FRIDGE")).one()
        for each in told:
            sensor = session.scalars(select(Sensor.id).where(Sensor.serial == each.serial)).one()
            row = SensorAssignment(sensor_id=sensor, since=each.since, until=each.until, appliance_id=fridge)
            session.add(row)
        kind = (Location.appliance_id == fridge) & (Location.kind == "storage")
        return session.scalars(select(Location.id).where(kind)).one()

    location = database.write(work)
    for each in told:
        half = len(each.timeline) // 2
        for part in (each.timeline[half:], each.timeline[:half]):
            monitoring.record(database, [message([(each.serial, at, value) for at, value in part])], NOW)
    return location


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=watches(), cut=spans(), band=st.sampled_from(BANDS))
def test_a_stay_is_told_as_one_pass_over_its_readings_tells_it(
    any_county: CountyTemplate, told: list[Watched], cut: list[tuple[datetime, datetime]], band: Band
) -> None:
    measures = Measures(band, BUDGETS)
    with any_county.fresh() as county:
        location = prepare(county.database, told)
        stays = [Stay(location, since, until) for since, until in cut]
        with county.database.read() as session:
            found = exposures(session, stays, measures)
    assert len(found) == len(stays)
    for stay, exposed in zip(stays, found, strict=True):
        mine = [each for each in told if each.part(stay)[0] < each.part(stay)[1] and stay.since < stay.until]
        assert [part.watch.serial for part in exposed.parts] == [each.serial for each in mine]
        for each, part in zip(mine, exposed.parts, strict=True):
            assert part.seen == each.seen(stay, measures)
            older = expose(each.stretches(stay), band)
            newer = part.seen.exposure(part.watch.until - part.watch.since)
            assert (newer.above, newer.below, newer.unseen) == (older.above, older.below, older.unseen)
            assert (newer.lowest, newer.highest, newer.uncertain) == (older.lowest, older.highest, timedelta())
            assert newer.mean_kinetic == pytest.approx(older.mean_kinetic, abs=1e-6)
        seen = [part for each in mine for part in each.stretches(stay) if part.temperature is not None]
        assert exposed.unseen == stay.until - stay.since - covered(seen)
        assert exposed.archived == timedelta()


@given(timelines(), st.lists(MOMENTS, max_size=6), st.sampled_from(BANDS))
def test_what_is_cut_at_hours_adds_up_to_the_whole(
    timeline: list[tuple[datetime, int]], cut: list[datetime], band: Band
) -> None:
    measures = Measures(band, BUDGETS)
    points = [(counted(each.measured_at), each.temperature) for each in as_readings(timeline)]
    hold, begin, end = microseconds(HOLD), counted(START), counted(START + 50 * HOUR)
    hours = {counted(at.replace(minute=0)) for at in cut if START <= at < START + 50 * HOUR}
    edges = sorted({begin, *hours, end})
    parts = [summed(points, hold, since, until, measures.intervals) for since, until in pairwise(edges)]
    assert total(parts, len(measures.intervals)) == summed(points, hold, begin, end, measures.intervals)
