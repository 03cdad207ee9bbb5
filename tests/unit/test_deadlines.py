from datetime import UTC, datetime, timedelta

import pytest

from inventory.domain.deadlines import SOON, Deadline, DeadlineRule, RuleName, Status, due, on_arrival, status
from inventory.domain.words import FacilityKind

SHANGHAI = "Asia/Shanghai"
AT = datetime(2026, 1, 5, 1, tzinfo=UTC)
DAY = timedelta(hours=24)
RULES = [DeadlineRule("double-24", RuleName.DELIVER, "PT24H"), DeadlineRule("double-24", RuleName.USE, "PT24H")]
STORES = [kind for kind in FacilityKind if kind.is_store]
SITES = [kind for kind in FacilityKind if kind.is_site]


def clock(name: RuleName, opened_at: datetime = AT - timedelta(hours=3)) -> Deadline:
    return Deadline("double-24", name, opened_at, opened_at + DAY)


@pytest.mark.parametrize(
    ("opened", "zone", "end"),
    [
        ("2026-01-05T08:00:00+08:00", SHANGHAI, "2026-01-06T08:00:00+08:00"),
        # 24 hours are elapsed time: on the wall it is 09:00 after the night that the clocks go forward.
        ("2026-03-07T08:00:00-05:00", "America/New_York", "2026-03-08T09:00:00-04:00"),
        ("2026-10-31T08:00:00-04:00", "America/New_York", "2026-11-01T07:00:00-05:00"),
        ("2026-10-24T08:00:00+01:00", "Europe/London", "2026-10-25T07:00:00+00:00"),
    ],
)
def test_24_hours_are_elapsed_time(opened: str, zone: str, end: str) -> None:
    assert due("PT24H", datetime.fromisoformat(opened), zone) == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    ("opened", "zone", "end"),
    [
        ("2026-01-05T00:00:00+08:00", SHANGHAI, "2026-01-06T00:00:00+08:00"),
        ("2026-01-05T23:59:59+08:00", SHANGHAI, "2026-01-06T00:00:00+08:00"),
        ("2026-03-08T00:30:00-05:00", "America/New_York", "2026-03-09T00:00:00-04:00"),
        ("2026-11-01T00:30:00-04:00", "America/New_York", "2026-11-02T00:00:00-05:00"),
        ("2026-03-29T00:30:00+00:00", "Europe/London", "2026-03-30T00:00:00+01:00"),
        ("2026-10-25T00:30:00+01:00", "Europe/London", "2026-10-26T00:00:00+00:00"),
    ],
)
def test_the_same_day_ends_at_midnight_of_the_facilitys_zone(opened: str, zone: str, end: str) -> None:
    assert due("same-day", datetime.fromisoformat(opened), zone) == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    ("opened", "zone", "end"),
    [
        ("2026-01-05T09:00:00+08:00", SHANGHAI, "2026-01-07T00:00:00+08:00"),
        ("2026-03-07T09:00:00-05:00", "America/New_York", "2026-03-09T00:00:00-04:00"),
        ("2026-10-31T09:00:00-04:00", "America/New_York", "2026-11-02T00:00:00-05:00"),
        ("2026-03-28T09:00:00+00:00", "Europe/London", "2026-03-30T00:00:00+01:00"),
        ("2026-10-24T09:00:00+01:00", "Europe/London", "2026-10-26T00:00:00+00:00"),
    ],
)
def test_the_next_days_end_is_a_civil_days_end_and_not_so_many_hours(opened: str, zone: str, end: str) -> None:
    assert due("next-day-end", datetime.fromisoformat(opened), zone) == datetime.fromisoformat(end)


@pytest.mark.parametrize("window", ["", "24h", "PT24M", "PTH", "PT-1H", "PT24H ", "next-day", "PT99999H"])
def test_a_window_that_is_none_is_an_error(window: str) -> None:
    with pytest.raises(ValueError, match="not a window"):
        due(window, AT, SHANGHAI)


@pytest.mark.parametrize("kind", STORES)
def test_an_arrival_at_a_store_opens_the_delivery_clock(kind: FacilityKind) -> None:
    assert on_arrival(RULES, kind, SHANGHAI, AT, []) == [Deadline("double-24", RuleName.DELIVER, AT, AT + DAY)]


@pytest.mark.parametrize("kind", STORES)
def test_a_delivery_clock_that_runs_goes_on_through_a_store_and_does_not_restart(kind: FacilityKind) -> None:
    running = clock(RuleName.DELIVER)
    assert on_arrival(RULES, kind, SHANGHAI, AT, [running]) == [running]


@pytest.mark.parametrize("kind", STORES)
def test_a_clock_that_runs_keeps_its_due_time_when_the_rule_has_changed(kind: FacilityKind) -> None:
    changed = [DeadlineRule("no-overnight", RuleName.DELIVER, "same-day")]
    running = clock(RuleName.DELIVER)
    assert on_arrival(changed, kind, SHANGHAI, AT, [running]) == [running]


@pytest.mark.parametrize("kind", SITES)
def test_an_arrival_at_a_site_ends_the_delivery_clock_and_opens_that_of_use(kind: FacilityKind) -> None:
    found = on_arrival(RULES, kind, SHANGHAI, AT, [clock(RuleName.DELIVER)])
    assert found == [Deadline("double-24", RuleName.USE, AT, AT + DAY)]


def test_use_by_the_end_of_the_next_day_is_reckoned_in_the_sites_zone() -> None:
    rules = [DeadlineRule("no-overnight", RuleName.USE, "next-day-end")]
    (found,) = on_arrival(rules, FacilityKind.FIXED_SITE, SHANGHAI, AT, [])
    assert found.due_at == datetime.fromisoformat("2026-01-07T00:00:00+08:00")


def test_without_rules_no_clock_is_opened() -> None:
    assert on_arrival([], FacilityKind.COUNTY_STORE, SHANGHAI, AT, []) == []


@pytest.mark.parametrize(
    ("left", "late", "after_due", "expected"),
    [
        (5, 0, -DAY, Status.OPEN),
        (5, 0, -SOON, Status.OPEN),
        (5, 0, -SOON + timedelta(microseconds=1), Status.DUE_SOON),
        (5, 0, timedelta(), Status.DUE_SOON),
        (5, 0, timedelta(microseconds=1), Status.MISSED),
        (0, 0, -DAY, Status.MET),
        (0, 0, DAY, Status.MET),
        (0, 1, DAY, Status.MISSED),
        (5, 1, -DAY, Status.MISSED),
    ],
)
def test_a_status_follows_from_doses_and_now(left: int, late: int, after_due: timedelta, expected: Status) -> None:
    assert status(AT, left, late, AT + after_due) is expected
