"""The plan of a day: the same each time, never more doses than there are, with the day's troubles and errands in it."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import pytest

from coldtrail.demo.county import COUNTY, DOUBLE, PRODUCTS, SINGLE, ZONE, build_county, gateway
from coldtrail.demo.plan import plan_day
from coldtrail.demo.steps import LISTS, Lot, Step, as_list, in_lists
from coldtrail.demo.story.errands import errands_of
from coldtrail.demo.tokens import SUPERVISOR
from coldtrail.demo.trouble import SHORT_PERCENT, Trouble, trouble_of
from inventory.domain.recipients import opaque
from inventory.domain.words import EventKind, Explanation

DAY = date(2026, 1, 5)
COUNTY_OF_DEMO = build_county()
CALM = Trouble()

KINDS = {
    "/api/v1/receipts": EventKind.RECEIVE,
    "/api/v1/shipments": EventKind.DISPATCH,
    "/api/v1/moves": EventKind.MOVE,
    "/api/v1/openings": EventKind.OPEN,
    "/api/v1/administrations": EventKind.ADMINISTER,
    "/api/v1/wastages": EventKind.WASTE,
    "/api/v1/holds": EventKind.HOLD,
    "/api/v1/releases": EventKind.RELEASE,
    "/api/v1/counts": EventKind.COUNT,
    "/api/v1/returns": EventKind.RETURN,
    "/api/v1/recalls": EventKind.RECALL,
    "/api/v1/overrides": EventKind.OVERRIDE,
    "/api/v1/events/{event}/reversal": EventKind.CORRECT,
}


def planned(trouble: Trouble = CALM, opening: dict[str, list[Lot]] | None = None, day: date = DAY) -> list[Step]:
    return plan_day(COUNTY_OF_DEMO, day, trouble, opening or {})


@cache
def first_day(day: date = DAY) -> list[Step]:
    return planned(trouble_of(COUNTY_OF_DEMO, 0, day), day=day)


def body(step: Step) -> dict[str, Any]:
    return dict(step.body)


def lines(steps: list[Step]) -> list[dict[str, Any]]:
    """Every administration that counts."""
    return [dict(line) for step in steps if step.doses for line in step.administrations]


def given_at(steps: list[Step], site: str) -> list[Step]:
    return [step for step in steps if step.doses and step.site == site]


def local(clock_time: time) -> datetime:
    return datetime.combine(DAY, clock_time, ZONE)


def named(steps: list[Step], part: str) -> list[Step]:
    return [step for step in steps if part in step.key]


def test_is_the_same_each_time() -> None:
    trouble = trouble_of(COUNTY_OF_DEMO, 0, DAY)
    assert planned(trouble) == planned(trouble)


def test_is_in_order_and_every_key_is_there_once() -> None:
    steps = first_day()
    assert steps == sorted(steps, key=lambda step: step.at)
    assert len({step.key for step in steps}) == len(steps)


@pytest.mark.parametrize("number", range(0, 400, 40))
def test_the_first_day_has_every_kind_of_event_on_whichever_day_it_is(number: int) -> None:
    steps = first_day(DAY + timedelta(days=number))
    assert {KINDS[step.path] for step in steps if step.path in KINDS} == set(EventKind)


def test_gives_about_17000_doses_on_a_calm_day_between_eight_and_half_past_five() -> None:
    doses = [step for step in planned() if step.doses]
    assert 16_500 <= len(doses) <= 17_600
    assert local(time(8)) <= doses[0].at < local(time(8, 10))
    assert doses[-1].at <= local(time(17, 30))


def test_each_dose_is_for_another_person_whom_the_reference_does_not_name() -> None:
    references = [line["recipient"] for line in lines(first_day())]
    assert len(set(references)) == len(references)
    assert [opaque(reference) for reference in references] == references


@pytest.mark.parametrize("number", range(0, 40, 8))
def test_somebody_is_unwell_soon_after_an_early_dose_and_that_is_reported_within_a_day(number: int) -> None:
    steps = first_day(DAY + timedelta(days=number))
    (heard,) = [step for step in steps if step.path == "/api/v1/adverse-events"]
    (dose,) = [step for step in steps if step.key == heard.follows]
    (reported,) = [step for step in steps if step.follows == heard.key]
    assert dose.awaited
    assert dose.at.astimezone(ZONE).hour == 8
    assert timedelta() < heard.at - dose.at < timedelta(minutes=30)
    assert timedelta() < reported.at - heard.at < timedelta(days=1)


def test_every_step_follows_one_before_it() -> None:
    steps = {step.key: step for step in first_day()}
    followed = [step for step in steps.values() if step.follows]
    assert all(step.follows for step in steps.values() if "{" in step.path)
    for step in followed:
        assert step.follows is not None
        assert steps[step.follows].at < step.at


@pytest.mark.parametrize("index", range(6))
def test_no_site_gives_or_sends_more_of_a_batch_than_came_there(index: int) -> None:
    shelf: Counter[tuple[str, str]] = Counter()
    sent: dict[str, Step] = {}
    for step in planned(trouble_of(COUNTY_OF_DEMO, index, DAY)):
        for where, line, sign in _changes(step, sent):
            shelf[where, line["batch"]] += sign * int(line["doses"])
        assert all(doses >= 0 for (where, _), doses in shelf.items() if where.startswith("S")), step.key
        shelf += Counter()  # without what is used up


def _changes(step: Step, sent: dict[str, Step]) -> list[tuple[str, dict[str, Any], int]]:
    """What a step adds to a facility's storage, or takes away, as a reader of the requests would see it."""
    content = body(step)
    if step.doses:
        return [(step.site, {**line, "doses": 1}, -1) for line in step.administrations]
    if step.path == "/api/v1/shipments":
        sent[step.key] = step
        return [(content["from_facility"], line, -1) for line in content["lines"]]
    if step.path.endswith("/receipts") and step.follows in sent:
        load = body(sent[step.follows])
        return [(load["to_facility"], line, 1) for line in content.get("lines", load["lines"])]
    if "release-found" in step.key or "release-mis-shipped" in step.key:
        return [(content["facility"], content, 1)]
    if step.path in {"/api/v1/returns", "/api/v1/wastages"} and not content.get("held"):
        return [(content["facility"], line, -1) for line in content.get("lines", [content])]
    return []


def test_two_dose_vials_travel_whole() -> None:
    travelling = [line for step in first_day() for line in body(step).get("lines", [])]
    doubles = [line["doses"] for line in travelling if line["gtin"] == DOUBLE.gtin]
    assert doubles
    assert all(doses % 2 == 0 for doses in doubles)


def test_what_is_left_of_yesterday_is_given_first_and_less_is_sent() -> None:
    old = Lot(PRODUCTS[0].gtin, "A260104", DAY + timedelta(days=364), 30)
    steps = planned(opening={"S01": [old]})
    assert [body(step)["batch"] for step in given_at(steps, "S01")[:31]].count("A260104") >= 29
    assert _sent(steps, "S01") == pytest.approx(_sent(planned(), "S01") - 30, abs=1)


def test_what_the_county_still_has_goes_out_first_and_less_is_ordered() -> None:
    old = Lot(SINGLE.gtin, "A260104", DAY + timedelta(days=364), 100)
    steps = planned(opening={COUNTY: [old]})
    first = next(step for step in steps if body(step).get("to_facility") == "S01")
    assert body(first)["lines"][0] == {"gtin": SINGLE.gtin, "batch": "A260104", "doses": 100}
    assert _received(steps) == _received(planned()) - 100


def test_a_late_site_gives_nothing_before_its_vaccine_comes() -> None:
    (late,) = trouble_of(COUNTY_OF_DEMO, 0, DAY).late
    assert given_at(first_day(), late)[0].at > local(time(10))


def test_a_short_shipment_is_explained_in_three_ways_by_the_afternoon() -> None:
    trouble = trouble_of(COUNTY_OF_DEMO, 0, DAY)
    (short,) = trouble.short
    steps = planned(trouble)
    key = f"{DAY}-dispatch-{short}-morning"
    sent = sum(line["doses"] for step in steps if step.key == key for line in body(step)["lines"])
    followers = [body(step) for step in steps if step.follows == key]
    received = sum(line["doses"] for each in followers for line in each.get("lines", []))
    assert received == pytest.approx(sent * SHORT_PERCENT / 100, abs=4)
    explained = [each for each in followers if "explanation" in each]
    assert {each["explanation"] for each in explained} == set(Explanation)
    assert sum(each["doses"] for each in explained) == sent - received


def test_what_was_given_without_a_network_is_sent_as_one_list() -> None:
    (silence,) = trouble_of(COUNTY_OF_DEMO, 0, DAY).silences
    (sent,) = [step for step in first_day() if step.path == LISTS]
    assert gateway(sent.site) == silence.gateway
    assert sent.at == silence.until
    assert sent.doses == len(sent.administrations) > 40
    assert all(silence.holds(datetime.fromisoformat(line["occurred_at"])) for line in sent.administrations)


def test_doses_leave_a_failing_fridge_before_half_an_hour_is_over_and_come_back() -> None:
    out, back = [step for step in first_day() if step.path.endswith("/moves")]
    failure = trouble_of(COUNTY_OF_DEMO, 0, DAY).failures[1]
    assert (body(out)["appliance"], body(back)["to_appliance"]) == (failure.appliance, failure.appliance)
    assert failure.since < out.at < failure.since + timedelta(minutes=30)
    assert back.at > failure.until


def test_no_exposed_dose_is_given_before_the_supervisor_has_seen_the_excursion() -> None:
    steps = first_day()
    words = [step for step in steps if step.path.endswith("/overrides")]
    assert {body(step)["batch"] for step in words} == {"A260105", "B260105"}
    assert all(step.holder == SUPERVISOR and len(step.looks_at) == 2 for step in words)
    assert max(step.at for step in words) < min(step.at for step in steps if step.doses)


def test_a_recalled_batch_goes_all_the_way_back_to_the_supplier() -> None:
    steps = first_day()
    (recalled,) = [step for step in steps if step.path.endswith("/recalls")]
    batch = body(recalled)["batch"]
    assert recalled.holder == SUPERVISOR
    later = [line for line in lines([step for step in steps if step.at > recalled.at]) if line["batch"] == batch]
    assert later == []
    back = [body(step) for step in steps if step.path.endswith("/returns") and body(step).get("held")]
    assert [each["facility"] for each in back][-2:] == ["COUNTY", "CITY"]
    assert back[-1]["to_facility"] == "SUPPLIER"


def test_every_site_counts_its_fridges_and_two_find_a_difference() -> None:
    counts = [body(step) for step in first_day() if step.path.endswith("/counts")]
    assert {each["facility"] for each in counts} == {site.code for site in COUNTY_OF_DEMO.sites}
    assert len([each for each in counts if "reason" in each]) == 2


def test_a_slip_of_the_finger_is_reversed_and_entered_anew() -> None:
    steps = first_day()
    (typed,), (reversed_,), (anew,) = (named(steps, part) for part in ("mistyped", "correct-", "anew"))
    assert body(typed)["doses"] == 10
    assert reversed_.follows == typed.key
    assert body(anew) == {**body(typed), "doses": 1}


def test_six_things_go_wrong_on_the_first_day_and_one_on_each_other() -> None:
    first = trouble_of(COUNTY_OF_DEMO, 0, DAY)
    assert len(first.failures) == 2
    assert all((first.late, first.short, first.silences, first.recall, first.refused_goods))
    later = [trouble_of(COUNTY_OF_DEMO, index, DAY + timedelta(days=index)) for index in range(1, 5)]
    assert all(len(trouble.told) == 1 for trouble in later)
    kinds = [
        [bool(trouble.failures), bool(trouble.late), bool(trouble.short), bool(trouble.silences)] for trouble in later
    ]
    assert [kind.index(True) for kind in kinds] == [0, 1, 2, 3]


def test_errands_are_for_sites_where_nothing_else_goes_wrong() -> None:
    trouble = trouble_of(COUNTY_OF_DEMO, 0, DAY)
    errands = errands_of(COUNTY_OF_DEMO, DAY, trouble)
    assert {errands.breaks, errands.refuses, errands.mistypes, errands.neighbour}.isdisjoint({"S05", "S09", "S14"})
    assert errands.hands_on != errands.takes_over
    assert errands.noon == "S14"
    assert 8 <= len(errands.returns) <= 10


def test_a_list_has_every_dose_of_its_site_in_order_under_a_key_of_its_own() -> None:
    steps = [step for step in planned() if step.doses][:200]
    groups = in_lists(steps)
    sent = [as_list(group) for group in groups]
    assert sum(step.doses for step in sent) == len(steps)
    assert {step.key for step in sent}.isdisjoint(step.key for step in steps)
    for group, each in zip(groups, sent, strict=True):
        assert each.path == LISTS
        assert [line["occurred_at"] for line in each.administrations] == [body(step)["occurred_at"] for step in group]
        assert {line["facility"] for line in each.administrations} == {each.site}


def test_one_dose_alone_is_no_list() -> None:
    step = next(step for step in planned() if step.doses)
    assert as_list([step]) == step


def _sent(steps: list[Step], site: str) -> int:
    return sum(line["doses"] for step in steps if body(step).get("to_facility") == site for line in body(step)["lines"])


def _received(steps: list[Step]) -> int:
    return sum(body(step)["doses"] for step in steps if step.path.endswith("v1/receipts"))
