"""What readings look like that come from a bad link: late, twice, out of order, with gaps and contradictions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import strategies as st

from inventory.domain.readings import Reading

T = TypeVar("T")

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOLD = 15 * MINUTE
"""Three intervals of the five minutes at which the county's sensors measure."""

CALM, HOT, COLD, FROZEN, EDGE = (450, 500), (801, 950), (199, 150), (-50, -51), (800, 200, -49)
TEMPERATURES = st.sampled_from([*CALM, *HOT, *HOT, *COLD, *COLD, *FROZEN, *EDGE])
"""On both sides of every limit of the profile strict-2-8, and on the limits."""

STEPS = st.sampled_from([5, 5, 5, 5, 10, 15, 16, 40, 240, 601])
"""Minutes to the next reading: mostly an interval, at times a gap, at times many hours."""


@st.composite
def timelines(draw: st.DrawFn, least: int = 1, most: int = 40) -> list[tuple[datetime, int]]:
    """Readings of one sensor by time, in runs, so that limits are exceeded for long enough to matter."""
    at = START
    found: list[tuple[datetime, int]] = []
    while len(found) < least or (len(found) < most and draw(st.integers(0, 4))):
        temperature = draw(TEMPERATURES)
        for step in draw(st.lists(STEPS, min_size=1, max_size=9)):
            found.append((at, temperature))
            at += step * MINUTE
    return found[:most]


@st.composite
def divisions(draw: st.DrawFn, items: Sequence[T]) -> list[list[T]]:
    """The items in any order, some of them twice, cut into chunks anywhere."""
    sent = draw(st.permutations([*items, *draw(st.lists(st.sampled_from(items), max_size=5))]))
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(sent) - 1)), max_size=6)))
    return [list(sent[since:until]) for since, until in pairwise([0, *cuts, len(sent)]) if since < until]


def as_readings(timeline: Sequence[tuple[datetime, int]]) -> list[Reading]:
    """The timeline for the domain."""
    return [Reading(at, temperature) for at, temperature in sorted(timeline)]


def between(timeline: Sequence[tuple[datetime, int]], since: datetime, until: datetime | None) -> list[Reading]:
    """The readings of the timeline from `since` to `until`, both included."""
    return [
        each for each in as_readings(timeline) if since <= each.measured_at and (not until or each.measured_at <= until)
    ]


def instants(timeline: Sequence[tuple[datetime, int]]) -> st.SearchStrategy[datetime]:
    """An instant of the timeline, or a few minutes beside it."""
    chosen: Any = st.sampled_from([at for at, _ in timeline])
    return st.builds(lambda at, beside: at + beside * MINUTE, chosen, st.sampled_from([-7, 0, 0, 0, 7]))
