"""Of a month whose readings are in a file, exposures still tell whole hours, and say what they cannot tell."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.domain.budgets import Measures
from inventory.domain.exposure import Band
from inventory.persistence import months
from inventory.persistence.database import Database
from inventory.persistence.tables import Appliance, Location, Sensor, SensorAssignment
from inventory.services.archive import archive_month
from inventory.services.exposures import Exposed, exposures
from inventory.services.restoring import restore
from inventory.services.watches import Stay
from tests.county import HOUR, MINUTE, NOW, build
from tests.readings_of_months import feed

MAY = (2024, 5)
START, END = months.bounds(MAY)
COOL, OTHER = Measures(Band(200, 800)), Measures(Band(200, 600))
SINCE, UNTIL = START + 20 * MINUTE, START + 5 * HOUR + 40 * MINUTE
"""Two parts of hours, and four whole ones, of which two are warm and one is warm in part."""

WARMTH = [500] * 24 + [900] * 24 + [500] * 6 + [700] * 6 + [500] * 24


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A sensor in the fridge of site A that measures every five minutes in May, and again in June."""
    with closing(Database(database_url)) as found:
        build(found)

        def assign(session: Session) -> None:
            sensor = session.scalars(select(Sensor.id).where(Sensor.serial == "S-FREE")).one()
            fridge = session.scalars(select(Appliance.id).where(Appliance.code == "A-FRIDGE")).one()
            since = START - timedelta(days=9)
            session.add(SensorAssignment(sensor_id=sensor, since=since, until=END + 9 * HOUR, appliance_id=fridge))

        found.write(assign)
        feed(found, "S-FREE", START - HOUR, [500] * 12 + WARMTH, 5 * MINUTE)
        feed(found, "S-FREE", END - HOUR, [500] * 48, 5 * MINUTE)
        yield found


def seen(database: Database, since: Any, until: Any, measures: Measures = COOL) -> Exposed:
    with database.read() as session:
        fridge = select(Appliance.id).where(Appliance.code == "A-FRIDGE").scalar_subquery()
        kind = (Location.appliance_id == fridge) & (Location.kind == "storage")
        location = session.scalars(select(Location.id).where(kind)).one()
        (found,) = exposures(session, [Stay(location, since, until)], measures)
        return found


def figures(found: Exposed) -> tuple[object, ...]:
    """What was seen, by whom, and how much was not."""
    return [(part.watch.serial, part.seen) for part in found.parts], found.unseen, found.archived


def test_whole_hours_are_told_from_roll_ups_and_the_edges_are_uncertain(database: Database, tmp_path: Path) -> None:
    before = seen(database, SINCE, UNTIL)
    whole_hours = seen(database, START + HOUR, START + 5 * HOUR)
    found = archive_month(database, MAY, tmp_path, NOW)
    (part,) = seen(database, SINCE, UNTIL).parts
    exposure = part.seen.exposure(part.watch.until - part.watch.since)
    assert (exposure.above, exposure.highest) == (2 * HOUR, 900)
    assert (exposure.uncertain, exposure.unseen) == (80 * MINUTE, timedelta())
    assert figures(seen(database, START + HOUR, START + 5 * HOUR)) == figures(whole_hours)
    assert seen(database, SINCE, UNTIL).archived == seen(database, SINCE, UNTIL).unseen == 80 * MINUTE
    restore(database, tmp_path / found.file, NOW)
    assert seen(database, SINCE, UNTIL) == before
    assert before.unseen == before.archived == timedelta()


def test_an_hour_that_its_roll_up_does_not_decide_is_seen_and_undecided(database: Database, tmp_path: Path) -> None:
    since, until = START + HOUR, START + 5 * HOUR
    (exact,) = seen(database, since, until, OTHER).parts
    assert exact.seen.times[0] == (2 * HOUR + 30 * MINUTE) // timedelta(microseconds=1)
    archive_month(database, MAY, tmp_path, NOW)
    (part,) = seen(database, since, until, OTHER).parts
    exposure = part.seen.exposure(part.watch.until - part.watch.since)
    assert (exposure.above, exposure.uncertain, exposure.unseen) == (2 * HOUR, HOUR, timedelta())
    assert (part.seen.seen, part.seen.kinetic, part.seen.highest) == (exact.seen.seen, exact.seen.kinetic, 900)


def test_right_behind_an_archived_month_its_last_reading_may_have_stood(database: Database, tmp_path: Path) -> None:
    archive_month(database, MAY, tmp_path, NOW)
    (part,) = seen(database, END + MINUTE, END + 30 * MINUTE).parts
    assert part.seen.unknown == 14 * MINUTE // timedelta(microseconds=1)
