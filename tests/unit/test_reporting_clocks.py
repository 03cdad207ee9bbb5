"""When an adverse event is to be reported on, and what meets that."""

from datetime import timedelta

import pytest

from inventory.domain.adverse_events import AdverseEventKind, Nature, Reporting, Said, reporting
from inventory.domain.deadlines import Status
from tests.county import HOUR, MINUTE, NOW

GENERAL, SERIOUS, DEATH, CLUSTER = (
    AdverseEventKind.GENERAL,
    AdverseEventKind.SERIOUS,
    AdverseEventKind.DEATH,
    AdverseEventKind.CLUSTER,
)
DAYS = timedelta(days=1)


def first(kind: AdverseEventKind, at: timedelta = timedelta()) -> Said:
    return Said(Nature.FIRST, kind, NOW + at)


def then(kind: AdverseEventKind, at: timedelta) -> Said:
    return Said(Nature.FOLLOW_UP, kind, NOW + at)


def rather(kind: AdverseEventKind, at: timedelta = timedelta()) -> Said:
    return Said(Nature.CORRECTION, kind, NOW + at)


def told(at: timedelta, kind: AdverseEventKind = GENERAL) -> Said:
    return Said(Nature.REPORT, kind, NOW + at)


@pytest.mark.parametrize("kind", AdverseEventKind)
def test_a_site_has_two_days_but_two_hours_for_what_is_urgent(kind: AdverseEventKind) -> None:
    hours = 48 if kind in {GENERAL, SERIOUS} else 2
    assert reporting([first(kind)]) == Reporting(NOW, NOW + hours * HOUR)


CASES = [
    ("a follow-up with nothing urgent leaves the clock", [first(GENERAL), then(SERIOUS, DAYS)], 0, 48, None),
    ("an urgent one shortens it", [first(GENERAL), then(DEATH, 10 * HOUR)], 0, 12, None),
    ("but never lengthens it", [first(GENERAL), then(DEATH, 47 * HOUR)], 0, 48, None),
    ("nor does the same again", [first(DEATH), then(DEATH, HOUR)], 0, 2, None),
    ("a report meets it", [first(GENERAL), told(3 * HOUR)], 0, 48, 3),
    ("the first report counts", [first(GENERAL), told(3 * HOUR), told(2 * DAYS)], 0, 48, 3),
    ("a late one, too", [first(DEATH), told(3 * HOUR)], 0, 2, 3),
    ("what is not urgent needs no second report", [first(GENERAL), told(HOUR), then(SERIOUS, 5 * HOUR)], 0, 48, 1),
    ("what is urgent does", [first(GENERAL), told(HOUR), then(DEATH, 5 * HOUR)], 5, 7, None),
    ("and another urgent thing", [first(CLUSTER), told(HOUR), then(DEATH, 5 * HOUR)], 5, 7, None),
    ("which a report meets", [first(GENERAL), told(HOUR), then(DEATH, 5 * HOUR), told(6 * HOUR)], 5, 7, 6),
    ("what is less urgent later was urgent then", [first(DEATH), then(GENERAL, HOUR)], 0, 2, None),
    ("a slip that is corrected never was", [first(DEATH), rather(GENERAL)], 0, 48, None),
    ("nor was its time", [first(GENERAL), rather(GENERAL, HOUR)], 1, 49, None),
    ("a death that was entered as less was always one", [first(GENERAL), rather(DEATH)], 0, 2, None),
    ("and is to be reported as one", [first(GENERAL), told(HOUR), rather(DEATH)], 0, 2, None),
    ("a corrected detail was reported", [first(DEATH), told(HOUR), rather(DEATH, MINUTE)], 1 / 60, 2 + 1 / 60, 1),
    (
        "only what was said last is corrected",
        [first(GENERAL), told(HOUR), then(DEATH, 5 * HOUR), rather(SERIOUS, 5 * HOUR)],
        0,
        48,
        1,
    ),
]


@pytest.mark.parametrize(("history", "opened", "due", "met"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_what_is_heard_and_reported_moves_the_clock(
    history: list[Said], opened: float, due: float, met: float | None
) -> None:
    expected = Reporting(NOW + opened * HOUR, NOW + due * HOUR, None if met is None else NOW + met * HOUR)
    assert reporting(history) == expected


def test_a_clock_is_open_due_soon_missed_or_met() -> None:
    clock = reporting([first(GENERAL)])
    due = clock.due_at
    assert [clock.status(at) for at in (NOW, due - 6 * HOUR, due - 6 * HOUR + MINUTE, due, due + MINUTE)] == [
        Status.OPEN,
        Status.OPEN,
        Status.DUE_SOON,
        Status.DUE_SOON,
        Status.MISSED,
    ]
    assert Reporting(NOW, due, due).status(due + DAYS) is Status.MET
    assert Reporting(NOW, due, due + MINUTE).status(due + DAYS) is Status.MISSED
