from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from inventory.domain.errors import Code, Invalid
from inventory.domain.instants import CLOCK_SKEW, OLDEST, civil_day, end_of_day, stated

NOW = datetime(2026, 1, 5, 0, 30, tzinfo=UTC)


def test_a_stated_time_is_kept_in_utc() -> None:
    at = stated("occurred_at", datetime(2026, 1, 5, 8, 0, tzinfo=timezone(timedelta(hours=8))), NOW)
    assert at == datetime(2026, 1, 5, tzinfo=UTC)
    assert at.tzinfo is UTC


def test_a_time_without_an_offset_is_refused_and_the_field_named() -> None:
    with pytest.raises(Invalid) as refused:
        stated("occurred_at", datetime(2026, 1, 5), NOW)  # noqa: DTZ001  (a naive one is what is tried)
    assert (refused.value.code, refused.value.field) == (Code.NAIVE_TIME, "occurred_at")


def test_the_skew_of_a_clock_is_allowed_and_not_a_microsecond_more() -> None:
    assert stated("at", NOW + CLOCK_SKEW, NOW) == NOW + CLOCK_SKEW
    with pytest.raises(Invalid) as refused:
        stated("at", NOW + CLOCK_SKEW + timedelta(microseconds=1), NOW)
    assert refused.value.code is Code.TIME_IN_FUTURE


def test_what_no_clock_of_ours_showed_is_refused() -> None:
    assert stated("at", OLDEST, NOW) == OLDEST
    with pytest.raises(Invalid) as refused:
        stated("at", OLDEST - timedelta(microseconds=1), NOW)
    assert refused.value.code is Code.TIME_TOO_OLD


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        ("2026-01-04T15:59:59+00:00", "Asia/Shanghai", "2026-01-04"),
        ("2026-01-04T16:00:00+00:00", "Asia/Shanghai", "2026-01-05"),
        ("2026-01-05T04:59:59+00:00", "America/New_York", "2026-01-04"),
        ("2026-07-05T04:00:00+00:00", "America/New_York", "2026-07-05"),
        ("2026-01-05T00:00:00+00:00", "Etc/UTC", "2026-01-05"),
    ],
)
def test_a_civil_day_is_that_of_the_facilitys_own_zone(at: str, zone: str, day: str) -> None:
    assert civil_day(datetime.fromisoformat(at), zone) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        ("2026-01-05", "Asia/Shanghai", "2026-01-05T16:00:00+00:00"),
        ("2026-03-08", "America/New_York", "2026-03-09T04:00:00+00:00"),
        ("2026-11-01", "America/New_York", "2026-11-02T05:00:00+00:00"),
        ("2026-03-29", "Europe/London", "2026-03-29T23:00:00+00:00"),
        ("2026-10-25", "Europe/London", "2026-10-26T00:00:00+00:00"),
        # Beirut goes forward at midnight: 2026-03-29 begins at 01:00, and the day before ends there.
        ("2026-03-28", "Asia/Beirut", "2026-03-28T22:00:00+00:00"),
        # Sao Paulo went back at midnight to 23:00: 2019-02-16 had 25 hours.
        ("2019-02-16", "America/Sao_Paulo", "2019-02-17T03:00:00+00:00"),
    ],
)
def test_a_civil_day_ends_at_its_own_midnight_whatever_its_length(day: str, zone: str, end: str) -> None:
    assert end_of_day(date.fromisoformat(day), zone) == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-03-08", "America/New_York", 23),
        ("2026-11-01", "America/New_York", 25),
        ("2026-06-01", "Asia/Shanghai", 24),
    ],
)
def test_days_of_a_clock_change_have_23_or_25_hours(day: str, zone: str, hours: int) -> None:
    this = date.fromisoformat(day)
    assert end_of_day(this, zone) - end_of_day(this - timedelta(days=1), zone) == timedelta(hours=hours)
