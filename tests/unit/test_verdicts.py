"""By what name a change of a verdict goes down in its excursion's history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inventory.domain.verdicts import Circumstances, Verdict, reason
from inventory.domain.words import Side, VersionReason

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOTHING = 0 * MINUTE


def at(minute: int) -> datetime:
    return START + minute * MINUTE


OPEN = Verdict(Side.ABOVE, at(0), at(30), None, 40 * MINUTE, 10 * MINUTE, 900)
ENDED = replace(OPEN, ended_at=at(50))
COLD = replace(OPEN, side=Side.BELOW, extreme=100)


@pytest.mark.parametrize(
    ("old", "change", "expected"),
    [
        (OPEN, {"ended_at": at(60), "seen": 50 * MINUTE}, VersionReason.ENDED),
        (OPEN, {"ended_at": at(45), "seen": 35 * MINUTE}, VersionReason.ENDED),
        (ENDED, {"ended_at": None}, VersionReason.RESUMED),
        (ENDED, {"ended_at": at(60)}, VersionReason.EXTENDED),
        (ENDED, {"started_at": at(-5)}, VersionReason.EXTENDED),
        (ENDED, {"ended_at": at(40)}, VersionReason.SHORTENED),
        (ENDED, {"started_at": at(5)}, VersionReason.SHORTENED),
        (OPEN, {"started_at": at(-5), "alarm_at": at(25)}, VersionReason.EXTENDED),
        (OPEN, {"started_at": at(10), "alarm_at": at(40)}, VersionReason.SHORTENED),
        (ENDED, {"seen": 45 * MINUTE, "unseen": 5 * MINUTE}, VersionReason.EXTENDED),
        (OPEN, {"seen": 45 * MINUTE, "unseen": 5 * MINUTE}, VersionReason.EXTENDED),
        (ENDED, {"seen": 35 * MINUTE, "unseen": 15 * MINUTE}, VersionReason.SHORTENED),
        (ENDED, {"extreme": 950}, VersionReason.EXTENDED),
        (replace(COLD, ended_at=at(50)), {"extreme": 50}, VersionReason.EXTENDED),
        (replace(COLD, ended_at=at(50)), {"extreme": 150}, VersionReason.SHORTENED),
        (OPEN, {"seen": 35 * MINUTE, "unseen": 15 * MINUTE}, VersionReason.SHORTENED),
        (OPEN, {"extreme": 850}, VersionReason.SHORTENED),
        (COLD, {"extreme": 150}, VersionReason.SHORTENED),
        (ENDED, {"alarm_at": at(20)}, VersionReason.EXTENDED),
        (ENDED, {"alarm_at": at(40)}, VersionReason.SHORTENED),
    ],
)
def test_what_changed_names_the_version(old: Verdict, change: dict[str, Any], expected: VersionReason) -> None:
    assert reason(old, replace(old, **change)) is expected


@pytest.mark.parametrize(
    ("old", "change"),
    [
        (OPEN, {"seen": 50 * MINUTE}),
        (OPEN, {"seen": 50 * MINUTE, "extreme": 950}),
        (OPEN, {"seen": 50 * MINUTE, "unseen": 30 * MINUTE}),
        (COLD, {"seen": 50 * MINUTE, "extreme": 50}),
        (OPEN, {}),
        (ENDED, {}),
    ],
)
@pytest.mark.parametrize("known", [Circumstances(), Circumstances(given=VersionReason.WATCH_CHANGED)])
def test_what_merely_goes_on_or_stays_is_no_new_version(
    old: Verdict, change: dict[str, Any], known: Circumstances
) -> None:
    assert reason(old, replace(old, **change), known) is None


def test_the_first_is_that_it_was_found_however_it_came_about() -> None:
    assert reason(None, OPEN) is VersionReason.FOUND
    assert reason(None, ENDED, Circumstances(given=VersionReason.WATCH_CHANGED)) is VersionReason.FOUND


def test_what_is_gone_was_taken_back_or_is_part_of_another() -> None:
    assert reason(ENDED, None) is VersionReason.CANCELLED
    assert reason(ENDED, None, Circumstances(given=VersionReason.WATCH_CHANGED)) is VersionReason.CANCELLED
    assert reason(ENDED, None, Circumstances(absorbed=True)) is VersionReason.MERGED


def test_what_was_taken_back_and_is_there_again_is_resumed_even_if_it_is_as_before() -> None:
    assert reason(ENDED, ENDED, Circumstances(was_cancelled=True)) is VersionReason.RESUMED
    assert reason(OPEN, ENDED, Circumstances(was_cancelled=True)) is VersionReason.RESUMED


def test_what_befell_several_goes_before_what_befell_one() -> None:
    longer = replace(ENDED, ended_at=at(90))
    assert reason(ENDED, longer, Circumstances(merged=True)) is VersionReason.MERGED
    assert reason(longer, ENDED, Circumstances(split=True)) is VersionReason.SPLIT
    assert reason(OPEN, ENDED, Circumstances(split=True)) is VersionReason.SPLIT


def test_a_watch_that_became_known_goes_before_all_of_that() -> None:
    given = Circumstances(given=VersionReason.WATCH_CHANGED, split=True)
    assert reason(OPEN, ENDED, given) is VersionReason.WATCH_CHANGED


def test_nothing_that_stays_nothing_has_no_reason() -> None:
    assert reason(None, None) is None


def test_who_merely_touches_has_no_time_in_common() -> None:
    behind = replace(ENDED, started_at=at(50), ended_at=at(90))
    assert not ENDED.overlaps(behind)
    assert OPEN.overlaps(behind)
    assert ENDED.shared(replace(behind, started_at=at(45))) == 5 * MINUTE
