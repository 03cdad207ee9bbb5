"""The plan of a day: the same each time, never more doses than there are, and with the day's troubles in it."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from coldtrail.demo.county import COUNTY, PRODUCTS, ZONE, build_county
from coldtrail.demo.plan import plan_day
from coldtrail.demo.steps import Lot, Step, merged
from coldtrail.demo.trouble import SHORT_PERCENT, Trouble, trouble_of

DAY = date(2026, 1, 5)
COUNTY_OF_DEMO = build_county()
CALM = Trouble()


def planned(trouble: Trouble = CALM, opening: dict[str, list[Lot]] | None = None) -> list[Step]:
    return plan_day(COUNTY_OF_DEMO, DAY, trouble, opening or {})


def body(step: Step) -> dict[str, Any]:
    return dict(step.body)


def given_at(steps: list[Step], site: str) -> list[Step]:
    return [step for step in steps if step.doses and step.body["facility"] == site]


def local(clock_time: time) -> datetime:
    return datetime.combine(DAY, clock_time, ZONE)


def test_is_the_same_each_time() -> None:
    assert planned() == planned()


def test_is_in_order_and_every_key_is_there_once() -> None:
    steps = planned()
    assert steps == sorted(steps, key=lambda step: step.at)
    assert len({step.key for step in steps}) == len(steps)


def test_gives_about_17000_doses_on_a_calm_day_between_eight_and_half_past_five() -> None:
    doses = [step for step in planned() if step.doses]
    assert 16_500 <= len(doses) <= 17_600
    assert local(time(8)) <= doses[0].at < local(time(8, 10))
    assert doses[-1].at <= local(time(17, 30))


def test_every_shipment_is_received_after_it_left() -> None:
    steps = {step.key: step for step in planned()}
    followed = [step for step in steps.values() if step.follows]
    assert len({step.follows for step in followed}) == 29
    for step in followed:
        assert step.follows is not None
        assert steps[step.follows].at < step.at


@pytest.mark.parametrize("index", range(6))
def test_no_site_gives_more_of_a_batch_than_it_received(index: int) -> None:
    shelf: Counter[tuple[str, str]] = Counter()
    routes: dict[str, str] = {}
    for step in planned(trouble_of(COUNTY_OF_DEMO, index, DAY)):
        content = body(step)
        if "to_facility" in content:
            routes[step.key] = content["to_facility"]
        elif step.follows and routes[step.follows] != COUNTY:
            for line in content["lines"]:
                shelf[routes[step.follows], line["batch"]] += line["doses"]
        elif step.doses:
            shelf[content["facility"], content["batch"]] -= step.doses
            assert shelf[content["facility"], content["batch"]] >= 0


def test_two_dose_vials_travel_whole() -> None:
    lines = [line for step in planned(trouble_of(COUNTY_OF_DEMO, 0, DAY)) for line in body(step).get("lines", [])]
    doubles = [line["doses"] for line in lines if line["gtin"] == PRODUCTS[1].gtin]
    assert doubles
    assert all(doses % 2 == 0 for doses in doubles)


def test_what_is_left_of_yesterday_is_given_first_and_less_is_sent() -> None:
    old = Lot(PRODUCTS[0].gtin, "A260104", DAY + timedelta(days=364), 30)
    steps = planned(opening={"S01": [old]})
    assert [body(step)["batch"] for step in given_at(steps, "S01")[:31]].count("A260104") == 30
    assert _sent(steps, "S01") == pytest.approx(_sent(planned(), "S01") - 30, abs=1)


def test_a_late_site_gives_nothing_before_its_vaccine_comes() -> None:
    trouble = trouble_of(COUNTY_OF_DEMO, 0, DAY)
    (late,) = trouble.late
    first = given_at(planned(trouble), late)[0]
    assert first.at > local(time(10))


def test_a_short_shipment_leaves_doses_in_transit() -> None:
    trouble = trouble_of(COUNTY_OF_DEMO, 0, DAY)
    (short,) = trouble.short
    steps = planned(trouble)
    received = sum(
        line["doses"] for step in steps if step.follows == f"{DAY}-dispatch-{short}" for line in body(step)["lines"]
    )
    assert received == pytest.approx(_sent(steps, short) * SHORT_PERCENT / 100, abs=4)


def test_four_things_go_wrong_on_the_first_day_and_one_on_each_other() -> None:
    first = trouble_of(COUNTY_OF_DEMO, 0, DAY)
    assert all((first.failures, first.late, first.short, first.silences))
    later = [trouble_of(COUNTY_OF_DEMO, index, DAY + timedelta(days=index)) for index in range(1, 5)]
    assert all(len(trouble.told) == 1 for trouble in later)
    kinds = [
        [bool(trouble.failures), bool(trouble.late), bool(trouble.short), bool(trouble.silences)] for trouble in later
    ]
    assert [kind.index(True) for kind in kinds] == [0, 1, 2, 3]


def test_merged_steps_give_the_same_doses_at_the_time_of_their_last() -> None:
    steps = given_at(planned(), "S01")[:20]
    groups = merged(steps)
    assert sum(body(group)["doses"] for group in groups) == sum(group.doses for group in groups) == 20
    assert len(groups) == 2
    for group in groups:
        same = [step for step in steps if step.body["batch"] == group.body["batch"]]
        assert (group.key, group.at) == (same[0].key, same[0].at)
        assert group.body["occurred_at"] == same[-1].body["occurred_at"]


def _sent(steps: list[Step], site: str) -> int:
    return sum(line["doses"] for step in steps if body(step).get("to_facility") == site for line in body(step)["lines"])
