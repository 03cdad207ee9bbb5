"""The check before use: each reason, its verdict, and what an override makes of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from inventory.domain.deadlines import Deadline, RuleName
from inventory.domain.reasons import TEXTS, Reason, ReasonCode, Usable, asked, overridden, worst
from inventory.domain.usability import Doses, Exposed, Override, Past, Policies, Ran, Scanned, check
from inventory.domain.words import Policy, Side

AT = datetime(2026, 1, 5, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
GTIN, OTHER = "06901234567892", "09506000134352"
EXCURSION, CHIEF = UUID(int=1), UUID(int=2)
ASK = Policies(Policy.ASK, Policy.ASK)


def doses(**other: Any) -> Doses:
    facts: dict[str, Any] = {"gtin": GTIN, "expiry": date(2026, 6, 30), "facility": "SITE", "zone": "Asia/Shanghai"}
    return Doses(**facts | other)


def codes(reasons: tuple[Reason, ...]) -> list[tuple[str, str]]:
    return [(reason.code, reason.verdict) for reason in reasons]


def limit(name: RuleName, due_at: datetime) -> tuple[Deadline, ...]:
    return (Deadline("product", name, AT - 8 * HOUR, due_at),)


def exposed(side: Side = Side.ABOVE, since: datetime = AT - 4 * HOUR, changed_at: datetime = AT - 2 * HOUR) -> Past:
    started_at = AT - 4 * HOUR
    return Past((Exposed(EXCURSION, "S", side, "HOT", started_at, AT - 3 * HOUR, changed_at, since),))


def missed(due_at: datetime = AT - HOUR, until: datetime = AT + HOUR) -> Past:
    return Past(clocks=(Ran(RuleName.USE, "double-24", due_at, until),))


def override(*covers: ReasonCode, occurred_at: datetime = AT - HOUR, recorded_at: datetime = AT - HOUR) -> Override:
    return Override(CHIEF, frozenset(covers), occurred_at, recorded_at)


def test_doses_that_nothing_speaks_against_are_usable() -> None:
    assert check(doses(), AT, ASK) == ()
    assert worst(()) is Usable.YES


@pytest.mark.parametrize(
    ("facts", "code", "verdict"),
    [
        ({"expiry": date(2026, 1, 4)}, "label_expired", "no"),
        ({"clocks": limit(RuleName.OPEN_VIAL, AT - HOUR)}, "open_vial_limit", "no"),
        ({"clocks": limit(RuleName.THAW, AT - HOUR)}, "thaw_limit", "no"),
        ({"held": True}, "held", "no"),
        ({"recalled": True}, "recalled", "no"),
        ({"is_site": False}, "not_a_site", "no"),
        ({"here": False}, "wrong_facility", "no"),
        ({"pack": Scanned("P", 0, 5)}, "used_up", "no"),
        ({"pack": Scanned("P", 5, 0)}, "used_up", "no"),
        ({"pack": Scanned("P", 5, 4)}, "pack_uncertain", "ask"),
        ({"pack": Scanned("P", 0, 4, opened=True)}, "pack_opened", "no"),
        ({"previous_gtin": OTHER}, "other_product", "ask"),
        ({"past": exposed()}, "exposure", "ask"),
        ({"past": missed()}, "deadline", "ask"),
        ({"past": exposed(Side.SILENCE)}, "unseen", "yes"),
    ],
)
def test_each_reason_has_its_verdict(facts: dict[str, Any], code: str, verdict: str) -> None:
    reasons = check(doses(**facts), AT, ASK)
    assert codes(reasons) == [(code, verdict)]
    assert worst(reasons) == verdict


@pytest.mark.parametrize(
    "facts",
    [
        {"expiry": date(2026, 1, 5)},
        {"clocks": limit(RuleName.OPEN_VIAL, AT)},
        {"clocks": limit(RuleName.USE, AT - HOUR)},
        {"pack": Scanned("P", 4, 5)},
        {"previous_gtin": GTIN},
        {"past": exposed(since=AT)},
        {"past": missed(due_at=AT)},
        {"past": missed(due_at=AT - HOUR, until=AT - 2 * HOUR)},
    ],
)
def test_what_is_within_its_limit_gives_no_reason(facts: dict[str, Any]) -> None:
    assert check(doses(**facts), AT, ASK) == ()


def test_what_a_programme_only_flags_is_shown_beside_a_yes() -> None:
    past = Past(exposed().exposures, missed().clocks)
    reasons = check(doses(past=past), AT, Policies())
    assert codes(reasons) == [("exposure", "yes"), ("deadline", "yes")]
    assert worst(reasons) is Usable.YES


def test_the_worst_reason_decides_and_all_are_told() -> None:
    reasons = check(doses(held=True, previous_gtin=OTHER, past=exposed()), AT, ASK)
    assert codes(reasons) == [("held", "no"), ("other_product", "ask"), ("exposure", "ask")]
    assert worst(reasons) is Usable.NO
    assert asked(reasons) == (ReasonCode.OTHER_PRODUCT, ReasonCode.EXPOSURE)


def test_an_override_for_one_administration_answers_what_asks_and_nothing_else() -> None:
    reasons = overridden(check(doses(held=True, previous_gtin=OTHER, past=exposed()), AT, ASK), CHIEF)
    assert [reason.override for reason in reasons] == [None, CHIEF, CHIEF]
    assert worst(reasons) is Usable.NO
    assert worst(reasons[1:]) is Usable.YES


def test_a_standing_override_covers_what_it_names() -> None:
    past = Past(exposed().exposures, missed().clocks)
    word = override(ReasonCode.EXPOSURE, occurred_at=AT)
    reasons = check(doses(past=past), AT, ASK, [word])
    assert [(reason.code, reason.override) for reason in reasons] == [("exposure", CHIEF), ("deadline", None)]
    assert worst(reasons) is Usable.ASK
    both = check(doses(past=past), AT, ASK, [override(ReasonCode.EXPOSURE, ReasonCode.DEADLINE)])
    assert worst(both) is Usable.YES


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (override(ReasonCode.EXPOSURE, occurred_at=AT + HOUR, recorded_at=AT + HOUR), "it is given later"),
        (override(ReasonCode.EXPOSURE, occurred_at=AT - 5 * HOUR), "the excursion began later"),
        (override(ReasonCode.EXPOSURE, recorded_at=AT - 3 * HOUR), "the excursion has grown since"),
    ],
)
def test_an_override_does_not_cover_an_excursion_that_nobody_knew_so(word: Override, why: str) -> None:
    assert worst(check(doses(past=exposed()), AT, ASK, [word])) is Usable.ASK, why


def test_an_override_does_not_cover_a_deadline_that_was_not_missed_yet() -> None:
    word = override(ReasonCode.DEADLINE, occurred_at=AT - 2 * HOUR)
    assert worst(check(doses(past=missed()), AT, ASK, [word])) is Usable.ASK


def test_what_is_only_shown_needs_no_override() -> None:
    (reason,) = check(doses(past=exposed()), AT, Policies(), [override(ReasonCode.EXPOSURE)])
    assert reason.override is None


def test_every_reason_says_something_over_its_facts() -> None:
    assert set(TEXTS) == set(ReasonCode)
    everything = doses(
        expiry=date(2026, 1, 4), recalled=True, is_site=False, here=False, held=True, previous_gtin=OTHER,
        clocks=limit(RuleName.OPEN_VIAL, AT - HOUR) + limit(RuleName.THAW, AT - HOUR),
        past=Past(exposed().exposures + exposed(Side.SILENCE).exposures, missed().clocks), pack=Scanned("P", 5, 4),
    )  # fmt: skip
    used_up = doses(pack=Scanned("P", 0, 4))
    opened = doses(pack=Scanned("P", 4, 4, opened=True))
    reasons = check(everything, AT, ASK) + check(used_up, AT, ASK) + check(opened, AT, ASK)
    assert {reason.code for reason in reasons} == set(ReasonCode)
    assert all(TEXTS[reason.code] % reason.facts for reason in reasons)
