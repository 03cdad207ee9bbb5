"""Law 4 for cumulative limits, and the history of verdicts: in any order what one pass gives, and no gap in it."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from inventory.domain.excursions import detect
from inventory.domain.limits import ExcursionRule
from inventory.domain.profiles import EXCURSION_RULES
from inventory.domain.words import Side, VersionReason
from inventory.persistence import tables
from inventory.persistence.database import Database
from inventory.services import rules
from inventory.services.excursions import get_excursion, list_versions
from tests.counties import CountyTemplate
from tests.properties.strategies import HOLD, MINUTE, as_readings, between, divisions, instants, timelines
from tests.properties.test_judgement import SENSOR, assign, expected, send, standing, stored

SHORT = ExcursionRule("SHORT-SUM", Side.ABOVE, 800, inclusive=True, duration=20 * MINUTE, window=45 * MINUTE)
LONG = ExcursionRule("LONG-SUM", Side.BELOW, 200, inclusive=False, duration=50 * MINUTE, window=700 * MINUTE)
SUMS = (SHORT, LONG, *EXCURSION_RULES["strict-2-8"])

Timeline = Sequence[tuple[datetime, int]]

few = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
very_few = settings(few, max_examples=8)


def judge_by(database: Database, limits: Sequence[ExcursionRule]) -> None:
    """Give the sensor a storage profile of these limits."""

    def work(session: Session) -> None:
        rules.add_profile(session, "sums", 200, 800, limits)
        session.execute(update(tables.Sensor).where(tables.Sensor.serial == SENSOR).values(profile_code="sums"))

    database.write(work)


def sent_in_chunks(template: CountyTemplate, chunks: Sequence[Timeline]) -> None:
    with template.fresh() as county:
        judge_by(county.database, SUMS)
        for chunk in chunks:
            send(county.database, [chunk])
            assert standing(county.database) == expected(detect(stored(county.database), SUMS, HOLD))
        history_is_whole(county.database)


def history_is_whole(database: Database) -> None:
    """Every excursion was found once, each verdict on it is numbered, and the last one is what it is now."""
    with database.read() as session:
        rows = list(session.scalars(select(tables.Excursion)))
    for row in rows:
        now, versions = get_excursion(database, row.id), list_versions(database, row.id)
        reasons = [each.reason for each in versions]
        event(f"last {reasons[-1]}")
        assert [each.version for each in versions] == list(range(1, now.version + 1))
        assert reasons[0] is VersionReason.FOUND
        assert VersionReason.FOUND not in reasons[1:]
        gone = {VersionReason.CANCELLED, VersionReason.MERGED}
        assert reasons[-1] in gone if now.cancelled_at else reasons[-1] is not VersionReason.CANCELLED
        if now.ended_at is not None:
            assert said(versions[-1]) == said(now)
        else:
            assert (versions[-1].started_at, versions[-1].alarm_at) == (now.started_at, now.alarm_at)


def said(each: object) -> tuple[object, ...]:
    names = ("started_at", "alarm_at", "ended_at", "seen", "unseen", "extreme")
    return tuple(getattr(each, name) for name in names)


@few
@given(st.data())
def test_any_order_and_chunking_gives_the_sums_that_one_pass_gives(
    sqlite_county: CountyTemplate, data: st.DataObject
) -> None:
    sent_in_chunks(sqlite_county, data.draw(divisions(data.draw(timelines(most=30)))))


@very_few
@given(st.data())
def test_so_it_does_on_postgresql(postgresql_county: CountyTemplate, data: st.DataObject) -> None:
    sent_in_chunks(postgresql_county, data.draw(divisions(data.draw(timelines(most=20)))))


@settings(few, max_examples=25)
@given(st.data())
def test_each_watch_adds_up_by_itself(sqlite_county: CountyTemplate, data: st.DataObject) -> None:
    timeline = data.draw(timelines(least=4, most=30))
    edges = sorted(data.draw(st.sets(instants(timeline), min_size=2, max_size=4)))
    with sqlite_county.fresh() as county:
        judge_by(county.database, SUMS)
        for since, until in pairwise(edges):
            assign(county.database, since, until)
        send(county.database, data.draw(divisions(timeline)))
        spans = [
            span
            for since, until in pairwise(edges)
            for span in detect(between(timeline, since, until), SUMS, HOLD, until, since)
        ]
        assert standing(county.database) == expected(spans)
        history_is_whole(county.database)


@settings(few, max_examples=25)
@given(timelines(most=30))
def test_readings_in_order_never_take_anything_back(sqlite_county: CountyTemplate, timeline: Timeline) -> None:
    with sqlite_county.fresh() as county:
        judge_by(county.database, EXCURSION_RULES["strict-2-8"])
        for reading in timeline:
            send(county.database, [[reading]])
        assert standing(county.database) == expected(detect(as_readings(timeline), EXCURSION_RULES["strict-2-8"], HOLD))
        with county.database.read() as session:
            ids = list(session.scalars(select(tables.Excursion.id)))
        for each in ids:
            reasons = [version.reason for version in list_versions(county.database, each)]
            assert reasons in ([VersionReason.FOUND], [VersionReason.FOUND, VersionReason.ENDED])
