"""A day of a county, read off the compliance table and the bulletin, as JSON and as CSV."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import event, text

from inventory.domain.compliance import By
from inventory.persistence.database import Database
from inventory.services.compliance import report
from tests.county import HOUR, MINUTE, NOW, ONE
from tests.http import Answer, Client, Server
from tests.orders import administration, arrival, at_county, dispatch, stated

TODAY, TOMORROW = "2026-01-05", "2026-01-06"
EVENING = NOW + 30 * HOUR
"""18:00 of the second day in Shanghai, when everything has been recorded."""
NAME = '=HYPERLINK("http://example.org","Clinic")'


@pytest.fixture(scope="module")
def told(served: Server) -> Server:
    """Two days of a county, told in its evening.

    Site A gets 40 doses and finds 38. It gives 10 in time and 5 half an hour late, wastes 3 an hour late, returns 4 and
    hands 2 on to site B, for which 20 arrive two hours late; 7 were recorded as given by mistake.
    """
    served.clock.at = EVENING
    _happen(served.client)
    return served


def _happen(client: Client) -> None:
    def lines(doses: int) -> dict[str, Any]:
        return {"lines": [{"gtin": ONE, "batch": batch, "doses": doses}]}

    def at(hours: float) -> dict[str, str]:
        return {"occurred_at": stated(NOW + hours * HOUR)}

    facility = {"code": "SITE-C", "name": NAME, "kind": "mobile-site", "zone": "Asia/Kolkata", "supplied_by": "COUNTY"}
    client.post("/facilities", facility | {"daily_capacity": 100}).ok()
    batch = at_county(client, 100)
    first = client.post("/shipments", dispatch(batch, 40)).ok()["shipment"]
    second = client.post("/shipments", dispatch(batch, 20, to_facility="SITE-B")).ok()["shipment"]
    client.post(f"/shipments/{first}/receipts", arrival(**lines(38))).ok()
    client.post(f"/shipments/{second}/receipts", arrival(appliance="B-FRIDGE", **at(23))).ok()
    client.post("/administrations", administration(batch, 10)).ok()
    client.post("/administrations", administration(batch, 5, **at(23.5))).ok()
    wrong = client.post("/administrations", administration(batch, 7, **at(23.75))).ok()["events"][0]["id"]
    client.post(f"/events/{wrong}/reversal", at(30) | {"reason": "the other site's"}).ok()
    heat = {"facility": "SITE-A", "gtin": ONE, "batch": batch, "doses": 3, "cause": "heat"}
    client.post("/wastages", heat | at(24)).ok()
    client.post("/returns", {"facility": "SITE-A", "reason": "too many"} | lines(4) | at(22)).ok()
    client.post("/shipments", dispatch(batch, 2, from_facility="SITE-A", to_facility="SITE-B", **at(22))).ok()
    lost = {"facility": "SITE-A", "appliance": "A-FRIDGE", "gtin": ONE, "batch": batch, "reason": "counted twice"}
    client.post("/counts", lost | at(25) | {"counted": 12}).ok()


def lines(client: Client, **query: object) -> list[Any]:
    found: list[Any] = client.get("/compliance", **{"from": TODAY, "to": TOMORROW} | query).ok()["items"]
    return found


def something(line: dict[str, Any]) -> dict[str, Any]:
    """What is not nothing."""
    return {name: value for name, value in line.items() if value}


SITE_A_TODAY = {
    "facility": "SITE-A", "name": "Site-A", "day": TODAY, "received": 38, "delivered_in_time": 38, "administered": 10,
    "used_in_time": 10, "unexplained": 2,
}  # fmt: skip
SITE_A_TOMORROW = {
    "facility": "SITE-A", "name": "Site-A", "day": TOMORROW, "administered": 5, "used_late": 5,
    "used_late_minutes_max": 30, "used_late_minutes_mean": 30, "transferred": 2, "returned": 4, "wasted": 3,
    "wasted_by_reason": {"heat": 3}, "missing": 2, "left_late": 5, "left_late_minutes_max": 120,
    "left_late_minutes_mean": 84,
}  # fmt: skip


def test_the_table_says_what_became_of_doses_and_how_late(told: Server) -> None:
    site_a = lines(told.client, facility="SITE-A")
    assert [something(line) for line in site_a] == [SITE_A_TODAY, SITE_A_TOMORROW]
    (site_b,) = lines(told.client, facility="SITE-B")
    assert something(site_b) == {
        "facility": "SITE-B", "name": "Site-B", "day": TOMORROW, "received": 20, "delivered_late": 20,
        "delivered_late_minutes_max": 120, "delivered_late_minutes_mean": 120,
    }  # fmt: skip
    (store,) = lines(told.client, facility="COUNTY")
    assert something(store) == {
        "facility": "COUNTY", "name": "County", "day": TODAY, "received": 100, "dispatched": 60,
    }  # fmt: skip


def test_figures_are_summed_by_facility_or_by_day(told: Server) -> None:
    by_facility = lines(told.client, by="facility", supplied_by="COUNTY")
    assert [(line["facility"], line["day"], line["received"]) for line in by_facility] == [
        ("SITE-A", None, 38), ("SITE-B", None, 20),
    ]  # fmt: skip
    by_day = lines(told.client, by="day", supplied_by="COUNTY")
    assert [(line["facility"], line["day"], line["delivered_in_time"], line["delivered_late"]) for line in by_day] == [
        (None, TODAY, 38, 0), (None, TOMORROW, 0, 20),
    ]  # fmt: skip


def test_the_sum_is_that_of_the_lines(told: Server) -> None:
    found = told.client.get("/compliance", **{"from": TODAY, "to": TOMORROW}).ok()
    assert (found["from"], found["to"], found["by"]) == (TODAY, TOMORROW, "facility-day")
    for name in ("received", "administered", "wasted", "unexplained", "used_late"):
        assert found["totals"][name] == sum(line[name] for line in found["items"])
    assert found["totals"]["wasted_by_reason"] == {"heat": 3}


def test_what_nothing_happened_to_has_no_line(told: Server) -> None:
    assert (
        lines(told.client, facility="SITE-C") == lines(told.client, **{"from": "2025-01-01", "to": "2025-01-05"}) == []
    )


def test_the_table_as_csv_has_its_titles_in_the_readers_language(told: Server) -> None:
    chinese = _csv(told.client, "/compliance", "zh-CN", **{"from": TODAY, "to": TODAY, "facility": "SITE-A"})
    english = _csv(told.client, "/compliance", "en", **{"from": TODAY, "to": TODAY, "facility": "SITE-A"})
    assert english[0][:5] == ["Facility", "Name", "Day", "Received", "Found"]
    assert english[1][:6] == ["SITE-A", "Site-A", TODAY, "38", "0", "38"]
    assert len(chinese[0]) == len(english[0]) == len(english[1])
    assert chinese[1] == english[1]


def _csv(client: Client, path: str, language: str, **query: object) -> list[list[str]]:
    address = f"/api/v1{path}?" + "&".join(f"{name}={value}" for name, value in query.items())
    headers = {"Accept": "text/csv", "Accept-Language": language} | client.bearer("auditor")
    return _rows(client.send("GET", address, headers=headers))


def _rows(answer: Answer) -> list[list[str]]:
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_the_bulletin_ranks_the_sites_of_a_store(told: Server) -> None:
    found = told.client.get("/bulletins", facility="COUNTY", at=stated(NOW)).ok()
    assert (found["facility"], found["name"], found["at"]) == ("COUNTY", "County", "2026-01-05T04:00:00Z")
    shown = ("rank", "facility", "day", "used", "opening", "received", "available", "completion", "at_risk", "overdue")
    assert [tuple(line[name] for name in shown) for line in found["items"]] == [
        (1, "SITE-A", TODAY, 10, 0, 38, 38, 0.2632, 0, 0),
        (2, "SITE-B", TODAY, 0, 0, 0, 0, None, 0, 0),
        (2, "SITE-C", TODAY, 0, 0, 0, 0, None, 0, 0),
    ]
    assert found["items"][2]["capacity_used"] == 0
    assert (found["totals"]["used"], found["totals"]["completion"]) == (10, 0.2632)


def test_the_bulletin_of_the_next_day_begins_with_what_was_left(told: Server) -> None:
    first, second, _ = told.client.get("/bulletins", facility="COUNTY", at=stated(NOW + 24 * HOUR)).ok()["items"]
    assert (first["facility"], first["opening"], first["received"], first["used"]) == ("SITE-A", 28, 0, 5)
    assert (first["wasted"], first["used_late"], first["overdue"], first["at_risk"]) == (3, 5, 14, 0)
    assert (first["sent"], first["found"], first["missing"], first["held"]) == (6, 0, 0, 14)
    assert (second["facility"], second["received"], second["delivered_late"]) == ("SITE-B", 20, 20)
    assert (second["at_risk"], second["overdue"]) == (0, 0)


def test_doses_are_at_risk_from_twelve_hours_before_their_clock_ends(told: Server) -> None:
    due = NOW + 23 * HOUR
    for at, expected in (
        (due - 12 * HOUR, (0, 0)),
        (due - 12 * HOUR + MINUTE, (28, 0)),
        (due, (22, 0)),  # four were returned and two handed on
        (due + MINUTE, (0, 22)),
    ):
        first = told.client.get("/bulletins", facility="COUNTY", at=stated(at)).ok()["items"]
        (line,) = [line for line in first if line["facility"] == "SITE-A"]
        assert (line["at_risk"], line["overdue"]) == expected, at


def test_the_bulletin_is_of_now_unless_an_instant_is_stated(told: Server) -> None:
    told.clock.at = EVENING
    assert told.client.get("/bulletins", facility="COUNTY").ok()["at"] == "2026-01-06T10:00:00Z"


def test_a_name_in_the_bulletin_is_no_formula(told: Server) -> None:
    answer = told.client.get("/bulletins", facility="COUNTY", at=stated(NOW), format="csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bulletin-COUNTY-20260105T0400Z.csv"'
    titles, *rows = _rows(answer)
    assert titles[:5] == ["Rank", "Facility", "Name", "Day", "Doses used"]
    assert rows[0][:5] == ["1", "SITE-A", "Site-A", TODAY, "10"]
    assert rows[2][2] == "'" + NAME


@pytest.mark.parametrize(
    ("accept", "stated_format", "is_csv"),
    [
        ("*/*", None, False),
        ("application/json, text/csv;q=0.5", None, False),
        ("text/csv, application/json;q=0.5", None, True),
        ("text/csv", "json", False),
        ("application/json", "csv", True),
        ("text/html", None, False),
    ],
)
def test_an_answer_is_json_unless_csv_is_wanted(
    told: Server, accept: str, stated_format: str | None, is_csv: bool
) -> None:
    address = "/api/v1/bulletins?facility=COUNTY" + (f"&format={stated_format}" if stated_format else "")
    headers = {"Accept": accept} | told.client.bearer("auditor")
    answer = told.client.send("GET", address, headers=headers)
    assert answer.headers["Content-Type"].startswith("text/csv" if is_csv else "application/json")
    assert stated_format or "Accept" in answer.headers["Vary"].split(", ")


@pytest.mark.parametrize(
    ("path", "query", "code", "field"),
    [
        ("/compliance", {"to": TODAY}, "malformed", "from"),
        ("/compliance", {"from": TODAY, "to": "soon"}, "malformed", "to"),
        ("/compliance", {"from": TOMORROW, "to": TODAY}, "malformed", "to"),
        ("/compliance", {"from": TODAY, "to": "2026-12-31"}, "malformed", "to"),
        ("/compliance", {"from": "0001-01-01", "to": "0001-01-01"}, "time_too_old", "from"),
        ("/compliance", {"from": "9999-12-31", "to": "9999-12-31"}, "time_in_future", "from"),
        ("/compliance", {"from": TODAY, "to": TODAY, "by": "month"}, "malformed", "by"),
        ("/compliance", {"from": TODAY, "to": TODAY, "site": "SITE-A"}, "malformed", "site"),
        ("/compliance", {"from": TODAY, "to": TODAY, "format": "xls"}, "malformed", "format"),
        ("/compliance", {"from": TODAY, "to": TODAY, "facility": "NOWHERE"}, "not_found", "facility"),
        ("/compliance", {"from": TODAY, "to": TODAY, "supplied_by": "NOWHERE"}, "not_found", "supplied_by"),
        ("/bulletins", {}, "malformed", "facility"),
        ("/bulletins", {"facility": "NOWHERE"}, "not_found", "facility"),
        ("/bulletins", {"facility": "SITE-A"}, "wrong_facility_kind", "facility"),
        ("/bulletins", {"facility": "COUNTY", "at": "2026-01-05T12:00:00"}, "naive_time", "at"),
        ("/bulletins", {"facility": "COUNTY", "at": "2030-01-01T00:00:00Z"}, "time_in_future", "at"),
        ("/bulletins", {"facility": "COUNTY", "at": "0001-01-01T00:00:00Z"}, "time_too_old", "at"),
    ],
)
def test_a_question_that_is_none_is_refused(
    told: Server, path: str, query: dict[str, str], code: str, field: str
) -> None:
    answer = told.client.get(path, **query)
    assert (answer.status, answer.body["code"], answer.body["field"]) == (422, code, field), answer


def test_the_ledger_is_read_by_facility_and_time_and_not_as_a_whole(told: Server) -> None:
    """What an answer costs grows with the days that are asked for, and not with the history."""
    database = told.county.database
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.reader, "before_cursor_execute", note)
    first = NOW.date()
    report(database, first, first, By.FACILITY_DAY, None, None, EVENING)
    event.remove(database.reader, "before_cursor_execute", note)
    plans = [plan(database, *each) for each in asked if "stock_event" in each[0]]
    assert len(plans) == 2 * 2  # two questions in each of two zones
    for steps in plans:
        assert "ix_stock_event_facility_time" in steps
        assert "SCAN stock_event" not in steps
        assert "Seq Scan on stock_event" not in steps


def plan(database: Database, statement: str, parameters: Any) -> str:
    """How the database would answer, were its tables large."""
    with database.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        found = connection.exec_driver_sql(explain + statement, parameters)
        return "\n".join(str(row) for row in found)
