"""Programmes, rule sets and what products and sites bring: made known over HTTP, and in force from then on."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from inventory.domain.errors import Code
from tests.county import HOUR, MINUTE, NOW, ONE, counts
from tests.http import Client, Server
from tests.orders import Json, new_batch, receipt, stated

PROGRAMME: Json = {"code": "winter", "name": "Winter campaign", "on_missed": "ask", "on_exposure": "flag"}


def rule_set(code: str, *rules: tuple[str, str]) -> Json:
    return {"code": code, "rules": [{"name": name, "window": window} for name, window in rules]}


def assignment(code: str, **other: Any) -> Json:
    return {"rule_set": code, "effective_from": stated(NOW - HOUR)} | other


def refused(client: Client, path: str, body: Json, field: str, code: Code = Code.MALFORMED, status: int = 422) -> Any:
    answer = client.post(path, body)
    assert (answer.status, answer.body["code"], answer.body["field"]) == (status, code, field), answer
    return answer.body


def clocks(client: Client, **receipt_: Any) -> dict[str, tuple[str, str]]:
    """The clocks of a new receipt: the set of each, and when it is due."""
    batch = new_batch()
    client.post("/receipts", receipt(batch, 10, occurred_at=stated(NOW), **receipt_)).ok()
    (custody,) = client.get(f"/batches/{receipt_.get('gtin', ONE)}/{batch}/trail").ok()["custodies"]
    return {clock["name"]: (clock["rule_set"], clock["due_at"]) for clock in custody["deadlines"]}


def test_a_programme_is_made_known_once_and_listed(client: Client) -> None:
    assert client.post("/programmes", PROGRAMME).ok() == PROGRAMME
    refused(client, "/programmes", PROGRAMME, "code", Code.ALREADY_EXISTS, 409)
    listed = {each["code"]: each for each in client.get("/programmes").items}
    assert listed["winter"] == PROGRAMME
    assert (listed["routine"]["on_missed"], listed["routine"]["on_exposure"]) == ("flag", "ask")


def test_a_programme_that_states_no_policy_shows_what_was_missed_and_asks_about_exposure(client: Client) -> None:
    made = client.post("/programmes", {"code": "plain", "name": "Plain"}).ok()
    assert (made["on_missed"], made["on_exposure"]) == ("flag", "ask")


@pytest.mark.parametrize("policy", ["block", "", None, 1])
def test_a_policy_is_one_of_two_words(client: Client, policy: object) -> None:
    refused(client, "/programmes", PROGRAMME | {"code": "odd", "on_missed": policy}, "on_missed")


def test_the_rule_sets_that_come_with_it_are_listed(client: Client) -> None:
    listed = {each["code"]: each["rules"] for each in client.get("/rule-sets").items}
    assert listed["double-24"] == [{"name": "deliver", "window": "PT24H"}, {"name": "use", "window": "PT24H"}]
    assert listed["no-overnight"] == [
        {"name": "forward", "window": "same-day"},
        {"name": "use", "window": "next-day-end"},
    ]


@pytest.mark.parametrize("path", ["/programmes", "/rule-sets"])
def test_a_list_of_one_item_a_page_is_the_same_list(client: Client, path: str) -> None:
    client.post("/programmes", {"code": "another", "name": "Another"})
    whole = client.get(path).items
    found: list[Any] = []
    after: Json = {}
    while len(found) < len(whole):
        page = client.get(path, limit=1, **after).ok()
        found += page["items"]
        after = {"after": page["next"]}
    assert found == whole
    assert (len(whole) > 1, after["after"]) == (True, None)


def test_a_rule_set_is_never_changed(server: Server) -> None:
    made = rule_set("quick", ("deliver", "PT12H"), ("use", "same-day"))
    assert server.client.post("/rule-sets", made).ok() == made
    before = counts(server.county.database)
    for again in (made, rule_set("quick", ("forward", "PT1H")), rule_set("double-24", ("use", "PT48H"))):
        refused(server.client, "/rule-sets", again, "code", Code.ALREADY_EXISTS, 409)
    assert counts(server.county.database) == before


def test_two_halves_of_a_set_that_come_at_the_same_moment_do_not_become_one(client: Client) -> None:
    halves = [rule_set("halves", (name, "PT6H")) for name in ("deliver", "forward", "use")] * 3
    with ThreadPoolExecutor(len(halves)) as pool:
        answers = list(pool.map(lambda half: client.post("/rule-sets", half), halves))
    assert sorted(each.status for each in answers) == [201] + [409] * 8
    (made,) = [each.body for each in answers if each.status == 201]
    assert [each for each in client.get("/rule-sets").items if each["code"] == "halves"] == [made]


WINDOWS = [
    "PT0H",
    "PT24M",
    "PT",
    "PT24h",
    "24",
    "P1D",
    "next-day",
    "PT12345H",
    "PT-1H",
    " PT24H",
    "PT\u0662\u0664H",
    "same-day\n",
]


@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_that_is_none_is_refused_with_what_is_expected(client: Client, window: str) -> None:
    answer = client.post("/rule-sets", rule_set("odd", ("deliver", "PT24H"), ("use", window)))
    assert (answer.status, answer.body["code"]) == (422, "malformed")
    if window.isprintable():
        assert (answer.body["field"], answer.body["value"]) == ("rules.1.window", window)
        assert "next-day-end" in answer.body["detail"]


@pytest.mark.parametrize("name", ["open-vial", "thaw"])
def test_a_set_rules_nothing_that_is_the_products(client: Client, name: str) -> None:
    refused(client, "/rule-sets", rule_set("odd", (name, "PT6H")), "rules.0.name")


def test_a_set_has_rules_and_each_once(client: Client) -> None:
    refused(client, "/rule-sets", rule_set("odd"), "rules")
    refused(client, "/rule-sets", rule_set("odd", ("use", "PT6H"), ("use", "same-day")), "rules.1.name")
    assert client.post("/rule-sets", rule_set("odd", ("vanish", "PT6H"))).status == 422


def test_an_assignment_is_listed_by_its_beginning_and_paged(client: Client) -> None:
    client.post("/rule-sets", rule_set("listed", ("use", "PT5H"))).ok()
    client.post("/programmes", {"code": "listed", "name": "Listed"}).ok()
    made = [
        assignment("listed", programme="listed", facility=facility, effective_from=at)
        for facility, at in (("SITE-B", "2026-01-04T10:00:00Z"), ("SITE-A", "2026-03-01T00:00:00Z"))
    ]
    for each in made[::-1]:
        assert client.post("/rule-assignments", each).ok() == each
    listed = client.get("/rule-assignments", limit=1000).items
    assert [each for each in listed if each["rule_set"] == "listed"] == made
    first = client.get("/rule-assignments", limit=1).ok()
    assert len(first["items"]) == 1
    assert client.get("/rule-assignments", limit=1, after=first["next"]).items == listed[1:2]


UNKNOWN: dict[str, Json] = {
    "rule_set": {"rule_set": "nowhere"},
    "programme": {"programme": "nowhere"},
    "facility": {"facility": "NOWHERE"},
}


@pytest.mark.parametrize(("field", "change"), UNKNOWN.items(), ids=UNKNOWN)
def test_an_assignment_names_what_is_known(client: Client, field: str, change: Json) -> None:
    refused(client, "/rule-assignments", assignment("double-24") | change, field, Code.NOT_FOUND)


def test_an_assignment_begins_at_an_instant_that_can_be(client: Client) -> None:
    late = assignment("double-24", effective_from="1999-12-31T23:59:59Z")
    refused(client, "/rule-assignments", late, "effective_from", Code.TIME_TOO_OLD)
    naive = assignment("double-24", effective_from="2026-01-05T08:00:00")
    refused(client, "/rule-assignments", naive, "effective_from", Code.NAIVE_TIME)


def test_two_sets_are_not_in_force_for_the_same_from_the_same_instant(client: Client) -> None:
    scope = {"facility": "SITE-B", "effective_from": "2026-02-01T08:00:00+08:00"}
    client.post("/rule-assignments", assignment("double-24", **scope)).ok()
    again = assignment("no-overnight", facility="SITE-B", effective_from="2026-02-01T00:00:00Z")
    refused(client, "/rule-assignments", again, "effective_from", Code.ALREADY_EXISTS, 409)


def test_a_set_is_in_force_from_its_assignment_on_and_the_nearest_counts(server: Server) -> None:
    client, at = server.client, {"facility": "COUNTY", "appliance": "COUNTY-ROOM"}
    product = {"gtin": "06901234500004", "name": "Campaign", "doses_per_vial": 1, "storage_profile": "strict-2-8"}
    client.post("/programmes", {"code": "campaign", "name": "Campaign"}).ok()
    client.post("/products", product | {"programme": "campaign"}).ok()
    mine: Json = {"gtin": product["gtin"]} | at
    double = {"deliver": ("double-24", "2026-01-06T04:00:00Z")}
    overnight = {"forward": ("no-overnight", "2026-01-05T16:00:00Z")}

    assert clocks(client, **mine) == double
    ahead = assignment("no-overnight", programme="campaign", effective_from=stated(NOW + MINUTE))
    client.post("/rule-assignments", ahead).ok()
    assert clocks(client, **mine) == double
    server.clock.at = NOW + HOUR
    client.post("/rule-assignments", assignment("no-overnight", programme="campaign", facility="CITY")).ok()
    assert clocks(client, **mine) == overnight
    assert clocks(client, **at) == double  # of another programme
    client.post("/rule-sets", rule_set("nearest", ("deliver", "PT3H"))).ok()
    client.post("/rule-assignments", assignment("nearest", facility="COUNTY", programme="campaign")).ok()
    assert clocks(client, **mine) == {"deliver": ("nearest", "2026-01-05T07:00:00Z")}


def test_an_assignment_behind_leaves_written_deadlines_as_they_are(server: Server) -> None:
    client, batch = server.client, new_batch()
    client.post("/programmes", {"code": "late", "name": "Late"}).ok()
    product = {"gtin": "06901234500011", "name": "Late", "doses_per_vial": 1, "storage_profile": "strict-2-8"}
    client.post("/products", product | {"programme": "late"}).ok()
    client.post("/receipts", receipt(batch, 10, gtin=product["gtin"], occurred_at=stated(NOW))).ok()
    client.post("/rule-sets", rule_set("late", ("deliver", "PT1H"))).ok()
    client.post("/rule-assignments", assignment("late", programme="late", effective_from=stated(NOW - 9 * HOUR))).ok()
    (custody,) = client.get(f"/batches/{product['gtin']}/{batch}/trail").ok()["custodies"]
    assert [clock["rule_set"] for clock in custody["deadlines"]] == ["double-24"]
    assert clocks(client, gtin=product["gtin"])["deliver"][0] == "late"


LIMITS = {
    "one dose a vial": ({"doses_per_vial": 1}, (None, False, None)),
    "several": ({"doses_per_vial": 10}, (6, True, None)),
    "28 days": ({"doses_per_vial": 10, "open_vial_hours": 672}, (672, False, None)),
    "hours and the session": ({"doses_per_vial": 5, "open_vial_hours": 8, "open_vial_session": True}, (8, True, None)),
    "hours alone": ({"doses_per_vial": 5, "open_vial_session": False}, (6, False, None)),
    "frozen": ({"doses_per_vial": 1, "thaw_hours": 720}, (None, False, 720)),
}
GTINS = ("06901234500103", "06901234500110", "06901234500127", "06901234500134", "06901234500141", "06901234500158")


@pytest.mark.parametrize(
    ("gtin", "stated_", "limits"), [(gtin, *LIMITS[name]) for gtin, name in zip(GTINS, LIMITS, strict=True)], ids=LIMITS
)
def test_an_opened_vial_lasts_six_hours_or_to_the_sessions_end_unless_its_product_says_otherwise(
    client: Client, gtin: str, stated_: Json, limits: tuple[Any, ...]
) -> None:
    product = {"gtin": gtin, "name": "Any", "storage_profile": "strict-2-8"} | stated_
    names = ("open_vial_hours", "open_vial_session", "thaw_hours")
    made = client.post("/products", product).ok()
    assert tuple(made[name] for name in names) == limits
    assert made["programme"] == "routine"
    (listed,) = [each for each in client.get("/products", limit=1000).items if each["gtin"] == gtin]
    assert listed == made


@pytest.mark.parametrize("field", ["open_vial_hours", "thaw_hours"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "6"])
def test_a_limit_is_a_whole_number_of_hours(client: Client, field: str, value: object) -> None:
    product = {"gtin": ONE, "name": "Any", "doses_per_vial": 2, "storage_profile": "strict-2-8"}
    refused(client, "/products", product | {field: value}, field)


def test_a_product_is_of_a_programme_that_is_known(client: Client) -> None:
    product = {"gtin": "06901234500165", "name": "Any", "doses_per_vial": 2, "storage_profile": "strict-2-8"}
    refused(client, "/products", product | {"programme": "nowhere"}, "programme", Code.NOT_FOUND)


def site(code: str, **other: Any) -> Json:
    return {"code": code, "name": code, "kind": "fixed-site", "zone": "Asia/Shanghai", "supplied_by": "COUNTY"} | other


def test_a_site_says_when_its_session_ends(client: Client) -> None:
    assert client.post("/facilities", site("SITE-C", session_ends="17:30")).ok()["session_ends"] == "17:30"
    assert client.post("/facilities", site("SITE-D")).ok()["session_ends"] is None


@pytest.mark.parametrize("text", ["24:00", "7:30", "17:60", "17:30:00", "noon", ""])
def test_a_session_ends_at_a_time_of_day(client: Client, text: str) -> None:
    refused(client, "/facilities", site("SITE-E", session_ends=text), "session_ends")
