"""The figures of the compliance table: which days a span has, and in which figure doses count."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.compliance import MOST_DAYS, Figures, Moved, Timeliness, figures_of, ranks, span, windows
from inventory.domain.errors import Code, Invalid
from inventory.domain.instants import civil_day
from inventory.domain.words import EventKind, FacilityKind, Origin, WasteReason

NOW = datetime(2026, 11, 5, 4, tzinfo=UTC)
DAY = date(2026, 11, 1)
SITE, STORE = FacilityKind.FIXED_SITE, FacilityKind.COUNTY_STORE
CLOCK = Timeliness(in_time=3, late=2, worst=90, seconds=120)


def test_a_span_has_both_of_its_ends() -> None:
    assert span(DAY, DAY, NOW) == [DAY]
    assert span(DAY, DAY + timedelta(days=2), NOW) == [DAY, date(2026, 11, 2), date(2026, 11, 3)]


def test_a_span_is_a_quarter_of_a_year_at_most() -> None:
    assert len(span(DAY, DAY + timedelta(days=MOST_DAYS - 1), NOW)) == MOST_DAYS
    with pytest.raises(Invalid) as refused:
        span(DAY, DAY + timedelta(days=MOST_DAYS), NOW)
    assert (refused.value.code, refused.value.field) == (Code.MALFORMED, "to")


@pytest.mark.parametrize(
    ("first", "last", "code", "field"),
    [
        (DAY, date(2026, 10, 31), Code.MALFORMED, "to"),
        (date(1, 1, 1), date(1, 1, 1), Code.TIME_TOO_OLD, "from"),
        (date(2026, 11, 7), date(2026, 11, 7), Code.TIME_IN_FUTURE, "from"),
        (date(9999, 12, 31), date(9999, 12, 31), Code.TIME_IN_FUTURE, "from"),
        (DAY, date(9999, 12, 31), Code.MALFORMED, "to"),
    ],
)
def test_a_span_that_is_none_is_refused(first: date, last: date, code: Code, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        span(first, last, NOW)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_day_that_has_begun_somewhere_may_be_asked_for() -> None:
    assert span(date(2026, 11, 6), date(2026, 11, 6), NOW)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Asia/Shanghai", DAY, 24),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", DAY, 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ],
)
def test_a_day_is_as_long_as_it_was_there(zone: str, day: date, hours: float) -> None:
    (window,) = windows([day], zone)
    assert window.until - window.since == timedelta(hours=hours)


INSTANTS = st.datetimes(datetime(2000, 1, 3), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(at=INSTANTS, zone=st.sampled_from(sorted(available_timezones())))
def test_an_instant_lies_in_the_window_of_its_civil_day_and_in_no_other(at: datetime, zone: str) -> None:
    around = [civil_day(at, zone) + timedelta(days=each) for each in (-1, 0, 1)]
    found = [window.day for window in windows(around, zone) if window.since <= at < window.until]
    assert found == [civil_day(at, zone)]


@pytest.mark.parametrize(
    ("facility", "moved", "figures"),
    [
        (SITE, Moved(EventKind.RECEIVE, 5, arrived=True, clock=CLOCK), Figures(received=5, delivered=CLOCK)),
        (STORE, Moved(EventKind.RECEIVE, 5, arrived=True, clock=CLOCK), Figures(received=5)),
        (STORE, Moved(EventKind.RECEIVE, 5, arrived=True, origin=Origin.SUPPLIED), Figures(received=5)),
        (SITE, Moved(EventKind.RECEIVE, 5, clock=CLOCK), Figures()),
        (SITE, Moved(EventKind.RECEIVE, 5, arrived=True, origin=Origin.FOUND), Figures(found=5)),
        (SITE, Moved(EventKind.COUNT, 5, arrived=True, origin=Origin.FOUND), Figures(found=5)),
        (SITE, Moved(EventKind.COUNT, 5, clock=CLOCK), Figures(missing=5, left=CLOCK)),
        (SITE, Moved(EventKind.DISPATCH, 5, clock=CLOCK), Figures(transferred=5)),
        (STORE, Moved(EventKind.DISPATCH, 5, clock=CLOCK), Figures(dispatched=5, forwarded=CLOCK)),
        (SITE, Moved(EventKind.ADMINISTER, 5, clock=CLOCK), Figures(administered=5, used=CLOCK)),
        (SITE, Moved(EventKind.RETURN, 5, clock=CLOCK), Figures(returned=5, left=CLOCK)),
        (
            SITE,
            Moved(EventKind.WASTE, 5, cause=WasteReason.HEAT, clock=CLOCK),
            Figures(wasted_by_reason=Counter({WasteReason.HEAT: 5}), left=CLOCK),
        ),
    ],
)
def test_doses_count_in_the_figure_of_what_became_of_them(
    facility: FacilityKind, moved: Moved, figures: Figures
) -> None:
    assert figures_of(facility, moved) == figures


def test_lateness_is_the_worst_and_the_mean_of_the_late_doses() -> None:
    both = Timeliness(in_time=1, late=1, worst=60, seconds=60) + Timeliness(late=3, worst=600, seconds=1800)
    assert both == Timeliness(in_time=1, late=4, worst=600, seconds=1860)
    assert both.most_late == timedelta(minutes=10)
    assert both.mean_late == timedelta(minutes=7, seconds=45)
    assert Timeliness(in_time=9).mean_late is Timeliness(in_time=9).most_late is None


def test_figures_add_up() -> None:
    wasted = Figures(wasted_by_reason=Counter({WasteReason.HEAT: 2}))
    both = wasted + Figures(received=1, wasted_by_reason=Counter({WasteReason.HEAT: 1, WasteReason.LOST: 4}))
    assert both == Figures(received=1, wasted_by_reason=Counter({WasteReason.HEAT: 3, WasteReason.LOST: 4}))
    assert both.wasted == 7


def test_equals_share_a_rank() -> None:
    assert ranks([3, 9, 3, 1]) == [2, 1, 2, 4]
    assert ranks([]) == []
