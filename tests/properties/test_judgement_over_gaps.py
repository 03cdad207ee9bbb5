"""Law 4 where sums, long gaps and watches meet: a sum has calm readings in it, and one of them may be the nearest."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.domain.excursions import Span, detect
from inventory.domain.limits import ExcursionRule
from inventory.domain.words import Side
from inventory.persistence.database import Database
from inventory.services.assignments import end_watch, watch_shipment
from inventory.services.posting import Request
from inventory.services.receipts import ReceiptOrder, receive_goods
from inventory.services.shipments import DispatchOrder, Line, dispatch
from tests.counties import CountyTemplate
from tests.county import COOL, EXPIRY, NOW, ONE, PAPERS, County
from tests.properties.strategies import HOLD, MINUTE, START
from tests.properties.test_judgement import LATER, SENSOR, expected, send, standing, stored
from tests.properties.test_judgement_of_sums import history_is_whole, judge_by

LIMITS = (
    ExcursionRule("HOT", Side.ABOVE, 800, inclusive=False, duration=30 * MINUTE),
    ExcursionRule("HOT-SUM", Side.ABOVE, 800, inclusive=False, duration=20 * MINUTE, window=30 * MINUTE),
    ExcursionRule("COLD-SUM", Side.BELOW, 200, inclusive=False, duration=15 * MINUTE, window=40 * MINUTE),
)
TEMPERATURES = st.sampled_from([900, 900, 900, 100, 500])
GAPS = st.sampled_from([5, 5, 5, 20, 70, 300])
"""Minutes before a run of readings: no gap, one within the hold or the longest window, and longer ones."""

Timeline = list[tuple[datetime, int]]
Watches = list[tuple[datetime, datetime | None]]

some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
few = settings(some, max_examples=8)


@st.composite
def bursts(draw: st.DrawFn, most: int = 60) -> Timeline:
    """Runs of one temperature, some of one reading only, with gaps between them."""
    found: Timeline = []
    at = START
    while len(found) < most and (len(found) < 9 or draw(st.integers(0, 9))):
        at += draw(GAPS) * MINUTE
        temperature, length = draw(TEMPERATURES), draw(st.sampled_from([1, 2, 4, 8, 16]))
        found += [(at + number * 5 * MINUTE, temperature) for number in range(length)]
        at = found[-1][0]
    return found[:most]


def late_ones(timeline: Timeline) -> st.SearchStrategy[Timeline]:
    """Some readings of a timeline that come when all others are there."""
    return st.lists(st.sampled_from(timeline), max_size=3, unique=True)


def each_by_itself(template: CountyTemplate, timeline: Timeline, late: Timeline) -> None:
    """One reading a chunk; after each what one pass gives."""
    with template.fresh() as county:
        judge_by(county.database, LIMITS)
        for reading in [*(each for each in timeline if each not in late), *late]:
            send(county.database, [[reading]])
            assert standing(county.database) == expected(detect(stored(county.database), LIMITS, HOLD))
        history_is_whole(county.database)


@some
@given(st.data())
def test_readings_one_by_one_give_what_one_pass_gives(sqlite_county: CountyTemplate, data: st.DataObject) -> None:
    timeline = data.draw(bursts())
    each_by_itself(sqlite_county, timeline, data.draw(late_ones(timeline)))


@few
@given(st.data())
def test_so_they_do_on_postgresql(postgresql_county: CountyTemplate, data: st.DataObject) -> None:
    timeline = data.draw(bursts(most=30))
    each_by_itself(postgresql_county, timeline, data.draw(late_ones(timeline)))


def shipment(county: County) -> UUID:
    """A shipment that the sensor may watch, again and again."""
    keys = (Request(county.actor("admin"), NOW, f"step-{number}") for number in count())
    goods = ReceiptOrder("COUNTY", "MAKER", ONE, "B1", EXPIRY, 9, "COUNTY-ROOM", NOW, PAPERS, COOL)
    receive_goods(county.database, next(keys), goods)
    sent = dispatch(county.database, next(keys), DispatchOrder("COUNTY", "SITE-A", NOW, (Line(ONE, "B1", 9),)))
    assert sent.shipment is not None
    return sent.shipment


def watched(database: Database, trip: UUID, timeline: Timeline, edges: Sequence[datetime]) -> None:
    """Readings one by one, while the watch begins at the first edge, ends at the next, begins again and so on."""
    watches: Watches = []
    happenings = sorted([*((at, None) for at in edges), *timeline], key=lambda each: (each[0], each[1] is not None))
    for at, temperature in happenings:
        if temperature is not None:
            send(database, [[(at, temperature)]])
        elif watches and watches[-1][1] is None:
            watches[-1] = (watches[-1][0], at)
            database.write(lambda session, at=at: end_watch(session, trip, at, LATER))  # type: ignore[misc]
        else:
            watches.append((at, None))
            database.write(lambda session, at=at: watch_shipment(session, [SENSOR], trip, at, LATER))  # type: ignore[misc]
        assert standing(database) == expected(in_watches(database, watches))


def in_watches(database: Database, watches: Watches) -> list[Span]:
    """What one pass over the readings of each watch gives."""
    readings = stored(database)
    found: list[Span] = []
    for since, until in watches:
        inside = [each for each in readings if since <= each.measured_at and (not until or each.measured_at <= until)]
        found += detect(inside, LIMITS, HOLD, until, since)
    return found


@some
@given(st.data())
def test_watches_that_end_keep_their_sums_when_others_begin(sqlite_county: CountyTemplate, data: st.DataObject) -> None:
    timeline = data.draw(bursts(most=40))
    later = st.sampled_from([at + beside * MINUTE for at, _ in timeline for beside in (2, 5, 60)])
    edges = [START, *sorted(data.draw(st.sets(later, min_size=2, max_size=5)))]
    with sqlite_county.fresh() as county:
        judge_by(county.database, LIMITS)
        watched(county.database, shipment(county), timeline, edges)
        history_is_whole(county.database)
