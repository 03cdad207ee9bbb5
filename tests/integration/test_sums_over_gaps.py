"""A sum that was found stays as it is, however long nothing was heard after it, and whatever is judged next."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from inventory.domain.excursions import detect
from inventory.domain.profiles import EXCURSION_RULES
from inventory.persistence.database import Database
from inventory.persistence.tables import Sensor
from inventory.services.assignments import end_watch, watch_shipment
from tests.county import HOUR, MINUTE, NOW, County, build
from tests.properties.strategies import HOLD
from tests.properties.test_judgement import SENSOR, Timeline, Verdict, expected, send, standing, stored
from tests.properties.test_judgement_over_gaps import shipment

DAY = timedelta(days=1)
START = datetime(2025, 10, 6, tzinfo=UTC)
RULES = EXCURSION_RULES["logger-2-8"]
HOT, CALM = 900, 500


@pytest.fixture
def county(database_url: str) -> Iterator[County]:
    """With a sensor that is judged by run and by sum."""
    with closing(Database(database_url)) as database:
        found = build(database)
        by_sum = update(Sensor).where(Sensor.serial == SENSOR).values(profile_code="logger-2-8")
        database.write(lambda session: session.execute(by_sum))
        yield found


def runs(since: datetime, *lengths: tuple[int, int]) -> Timeline:
    """Readings every five minutes: so many of a temperature, then so many of the next."""
    values = [temperature for temperature, length in lengths for _ in range(length)]
    return [(since + number * 5 * MINUTE, each) for number, each in enumerate(values)]


def one_pass(database: Database) -> Verdict:
    return expected(detect(stored(database), RULES, HOLD))


def sums(database: Database) -> list[str]:
    return sorted(str(row[2]) for row in standing(database) if row[1] == "HOT-SUM")


def test_of_a_sum_before_a_gap_when_it_is_hot_for_longer_than_a_window_after_it(county: County) -> None:
    calm = runs(START - 2 * HOUR, (CALM, 24))
    send(county.database, [[*calm, *runs(START, (HOT, 9), (CALM, 1), (HOT, 8))], runs(START + 2 * DAY, (HOT, 288))])
    for reading in runs(START + 3 * DAY, (HOT, 8)):
        send(county.database, [[reading]])
        assert standing(county.database) == one_pass(county.database)
    assert sums(county.database) == [str(START), str(START + 2 * DAY)]


def test_of_a_sum_after_a_gap_when_a_reading_from_before_it_comes_late(county: County) -> None:
    late = (START + 30 * MINUTE, CALM)
    before = [each for each in runs(START, (CALM, 13)) if each != late]
    after = runs(START + 2 * DAY, (HOT, 6), (CALM, 1), (HOT, 10), (CALM, 5))
    send(county.database, [before, after, [late]])
    assert standing(county.database) == one_pass(county.database)
    assert sums(county.database) == [str(START + 2 * DAY)]


def test_of_a_trip_that_is_over_when_its_logger_goes_on_another(county: County) -> None:
    trip = shipment(county)
    county.database.write(lambda session: watch_shipment(session, [SENSOR], trip, START, NOW))
    send(county.database, [runs(START, (HOT, 10), (CALM, 1), (HOT, 6))])
    ended = START + 90 * MINUTE
    county.database.write(lambda session: end_watch(session, trip, ended, NOW))
    found = expected(detect(stored(county.database), RULES, HOLD, ended, START))
    assert standing(county.database) == found
    county.database.write(lambda session: watch_shipment(session, [SENSOR], trip, ended + 3 * DAY, NOW))
    assert standing(county.database) == found
    assert sums(county.database) == [str(START)]
