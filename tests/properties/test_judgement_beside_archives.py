"""What comes late near archived months: with these back all is what one pass gives, and until then nothing is false."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from inventory.domain.excursions import detect
from inventory.domain.profiles import EXCURSION_RULES
from inventory.persistence.database import Database
from inventory.services import lookups
from inventory.services.archive import archive_month
from inventory.services.reading_verification import is_fault, verify_readings
from inventory.services.restoring import restore
from inventory.services.unjudged import PutOff, waiting
from tests.counties import CountyTemplate
from tests.properties.strategies import HOLD, MINUTE
from tests.properties.test_judgement import LATER, SENSOR, Timeline, expected, send, standing, stored
from tests.properties.test_judgement_of_sums import history_is_whole, judge_by
from tests.properties.test_judgement_over_gaps import LIMITS, bursts

MAY, JUNE = (2024, 5), (2024, 6)
BORDER = datetime(2024, 6, 1, tzinfo=UTC)
ELSEWHERE = [(BORDER + timedelta(days=days), 500) for days in (-20, 20, 50)]
"""A reading in each month, so that it can be archived, and the sensor was heard after it."""

some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
few = settings(some, max_examples=8)


@st.composite
def around_the_border(draw: st.DrawFn) -> Timeline:
    """Readings some of which lie in May and some in June."""
    timeline = draw(bursts())
    moved = BORDER - draw(st.sampled_from(timeline))[0] + draw(st.sampled_from([-3, 0, 0, 12, 31])) * MINUTE
    return [(at + moved, temperature) for at, temperature in timeline]


def law(template: CountyTemplate, data: st.DataObject, timeline: Timeline) -> None:
    """Archive, bring what is late, restore in any order, and look each time."""
    late = data.draw(st.lists(st.sampled_from(timeline), min_size=1, max_size=len(timeline) // 2, unique=True))
    chunks = [late] if data.draw(st.booleans()) else [[each] for each in late]
    moved = data.draw(st.sampled_from([[MAY], [JUNE], [MAY, JUNE], [JUNE, MAY]]))
    early = [*ELSEWHERE[: data.draw(st.integers(2, 3))], *(each for each in timeline if each not in late)]
    limits = data.draw(st.sampled_from([LIMITS, EXCURSION_RULES["strict-2-8"]]))
    with template.fresh() as county, TemporaryDirectory() as folder:
        database = county.database
        judge_by(database, limits)
        send(database, [sorted(early)])
        files = [Path(folder) / archive_month(database, month, Path(folder), LATER).file for month in sorted(moved)]
        nothing_false(database)
        for chunk in chunks:
            send(database, [chunk])
            nothing_false(database)
        event(f"{len(put_off(database))} put off")
        for file in files if moved == sorted(moved) else reversed(files):
            restore(database, file, LATER)
            nothing_false(database)
        assert put_off(database) == []
        assert standing(database) == expected(detect(stored(database), limits, HOLD))
        history_is_whole(database)


def nothing_false(database: Database) -> None:
    assert [each for each in verify_readings(database, SENSOR) if is_fault(each)] == []


def put_off(database: Database) -> list[PutOff]:
    with database.read() as session:
        return waiting(session, lookups.sensor(session, SENSOR).id)


@some
@given(st.data())
def test_after_the_restore_all_is_what_one_pass_gives(sqlite_county: CountyTemplate, data: st.DataObject) -> None:
    law(sqlite_county, data, data.draw(around_the_border()))


@few
@given(st.data())
def test_so_it_is_on_postgresql(postgresql_county: CountyTemplate, data: st.DataObject) -> None:
    law(postgresql_county, data, data.draw(around_the_border()))
