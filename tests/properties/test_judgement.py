"""Law 4: readings in any order, with any duplicates, in any chunking: the same readings, the same excursions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.excursions import Span, detect
from inventory.domain.readings import Reading
from inventory.persistence import tables
from inventory.persistence.database import Database
from inventory.services import monitoring
from inventory.services.messages import Message
from inventory.services.rules import EXCURSION_RULES
from tests.counties import CountyTemplate
from tests.county import message
from tests.properties.strategies import HOLD, START, as_readings, between, divisions, instants, timelines

SENSOR = "S-BOX"
RULES = EXCURSION_RULES["strict-2-8"]
LATER = START + timedelta(days=60)
"""The service's now: after everything that a timeline holds."""

Verdict = set[tuple[object, ...]]
Timeline = list[tuple[datetime, int]]

few = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def standing(database: Database) -> Verdict:
    with database.read() as session:
        return {
            (
                row.side,
                row.rule_name,
                row.started_at,
                row.alarm_at,
                row.ended_at,
                row.seen_seconds,
                row.unseen_seconds,
                row.extreme,
            )
            for row in session.scalars(select(tables.Excursion).where(tables.Excursion.cancelled_at.is_(None)))
        }


def stored(database: Database) -> list[Reading]:
    with database.read() as session:
        rows = session.scalars(select(tables.Reading).order_by(tables.Reading.measured_at))
        return [Reading(row.measured_at, row.temperature) for row in rows]


def expected(spans: Sequence[Span]) -> Verdict:
    return {
        (
            span.side,
            span.rule.name if span.rule else "SILENCE",
            span.started_at,
            span.alarm_at,
            span.ended_at,
            int(span.seen.total_seconds()),
            int(span.unseen.total_seconds()),
            span.extreme,
        )
        for span in spans
    }


def send(database: Database, chunks: Sequence[Sequence[tuple[datetime, int]]]) -> None:
    """Each chunk as several messages of one or a few readings."""
    for chunk in chunks:
        parts = [chunk[start : start + 3] for start in range(0, len(chunk), 3)]
        messages: list[Message] = [message([(SENSOR, at, value) for at, value in part]) for part in parts]
        monitoring.record(database, messages, LATER)


@few
@given(st.data())
def test_any_order_and_chunking_gives_what_one_pass_gives(sqlite_county: CountyTemplate, data: st.DataObject) -> None:
    timeline = data.draw(timelines())
    with sqlite_county.fresh() as county:
        send(county.database, data.draw(divisions(timeline)))
        assert stored(county.database) == as_readings(timeline)
        assert standing(county.database) == expected(detect(as_readings(timeline), RULES, HOLD))


@few
@given(st.data())
def test_it_holds_after_each_chunk_and_not_only_at_the_end(sqlite_county: CountyTemplate, data: st.DataObject) -> None:
    timeline = data.draw(timelines(most=20))
    with sqlite_county.fresh() as county:
        for chunk in data.draw(divisions(timeline)):
            send(county.database, [chunk])
            assert standing(county.database) == expected(detect(stored(county.database), RULES, HOLD))


@few
@given(st.data())
def test_contradictions_are_kept_aside_and_what_stands_is_judged(
    sqlite_county: CountyTemplate, data: st.DataObject
) -> None:
    timeline = data.draw(timelines(most=20))
    contradicted = [(at, 1000 - value) for at, value in data.draw(st.lists(st.sampled_from(timeline), max_size=5))]
    with sqlite_county.fresh() as county:
        send(county.database, data.draw(divisions([*timeline, *contradicted])))
        found = stored(county.database)
        assert [each.measured_at for each in found] == sorted({at for at, _ in timeline})
        assert {(each.measured_at, each.temperature) for each in found} <= {*timeline, *contradicted}
        assert standing(county.database) == expected(detect(found, RULES, HOLD))


def assign(database: Database, since: datetime, until: datetime | None) -> None:
    """A duty of the sensor in the city's room, written as a fact that was known before."""

    def work(session: Session) -> None:
        sensor = session.scalars(select(tables.Sensor).where(tables.Sensor.serial == SENSOR)).one()
        room = session.scalars(select(tables.Appliance).where(tables.Appliance.code == "CITY-ROOM")).one()
        session.add(tables.SensorAssignment(sensor_id=sensor.id, since=since, until=until, appliance_id=room.id))

    database.write(work)


@few
@given(st.data())
def test_only_what_lies_in_a_duty_is_judged_and_each_duty_by_itself(
    sqlite_county: CountyTemplate, data: st.DataObject
) -> None:
    timeline = data.draw(timelines(least=4))
    edges = sorted(data.draw(st.sets(instants(timeline), min_size=2, max_size=5)))
    duties: list[tuple[datetime, datetime | None]] = list(pairwise(edges))
    if data.draw(st.booleans()):
        duties = duties[::2]
    if data.draw(st.booleans()):
        duties[-1] = (duties[-1][0], None)
    with sqlite_county.fresh() as county:
        for since, until in duties:
            assign(county.database, since, until)
        send(county.database, data.draw(divisions(timeline)))
        assert stored(county.database) == [each for each in as_readings(timeline) if each.measured_at >= duties[0][0]]
        spans: list[Span] = []
        for since, until in duties:
            spans += detect(between(timeline, since, until), RULES, HOLD, until, since)
        assert standing(county.database) == expected(spans)
