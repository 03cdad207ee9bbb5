"""Pages as people see them: in a real browser from a real server, and on paper."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from inventory.domain.words import ApplianceKind, FacilityKind
from inventory.persistence.database import Database
from inventory.services import equipment, facilities, monitoring
from tests.browser import Browser, Printed, browsing
from tests.county import HOUR, MINUTE, NOW, ONE, ZONE, build, series
from tests.http import Client, serving
from tests.orders import administration, arrival, at_county, at_site, dispatch, stated
from tests.services import SqliteTemplate

LONG = "武汉市江夏区经济开发区大桥新区办事处社区卫生服务中心预防接种门诊" + " and its very long other name" * 3
SLY = "<b>Bold</b> & \"quoted\" </style><script>document.title='taken'</script>"
PEOPLE = {"handed_over_by": "张三", "vehicle": SLY, "cooling": "cold-box-passive", "distance_km": 42}
CUSTODIES = 120
"""How often the large batch is divided."""


AS_ON_PAPER = """
document.body.style = 'width: 182mm; max-width: none; padding: 0; margin: 0';
const edge = document.body.getBoundingClientRect().right + 1;
const text = each => [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim());
return [...document.querySelectorAll('main *, footer')].filter(text).filter(each => {
  const range = document.createRange();
  range.selectNodeContents(each);
  const cell = each.closest('td, th');
  const limit = cell ? cell.getBoundingClientRect().right + 1 : edge;
  return range.getBoundingClientRect().right > Math.min(limit, edge);
}).map(each => each.outerHTML);
"""
"""What runs out of its cell, or over the side of a sheet of A4 within its margins."""


@dataclass(frozen=True)
class Paths:
    """The pages of a county with something on each."""

    record: str
    empty: str
    trail: str
    large: str
    dose: str


@dataclass(frozen=True)
class Desk:
    """A browser, the server that it looks at, and its pages."""

    browser: Browser
    client: Client
    paths: Paths
    papers: dict[tuple[str, str], Printed] = field(default_factory=dict)

    def show(self, path: str, lang: str, who: str = "auditor") -> None:
        """Open a page."""
        self.browser.open(f"{self.client.url}{path}?lang={lang}", self.client.tokens[who])

    def paper(self, path: str, lang: str) -> Printed:
        """A page as it is printed."""
        if (path, lang) not in self.papers:
            self.show(path, lang)
            self.papers[path, lang] = self.browser.print()
        return self.papers[path, lang]


@pytest.fixture(scope="module")
def desk(sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One browser and one county for all of these tests."""
    with browsing(tmp_path_factory.mktemp("profile")) as browser, sqlite_template.clone() as url:
        database = Database(url)
        try:
            county = build(database)
            facilities.add_facility(
                database, facilities.FacilityRecord("LONG", LONG, FacilityKind.FIXED_SITE, ZONE, "COUNTY")
            )
            equipment.add_appliance(
                database, equipment.ApplianceRecord("L-FRIDGE", "LONG", "Fridge", ApplianceKind.FRIDGE)
            )
            with serving(county) as server:
                yield Desk(browser, server.client, _paths(server.client, database))
        finally:
            database.close()


def _paths(client: Client, database: Database) -> Paths:
    batch, left = at_county(client, 12_000), NOW - 2 * HOUR
    departure = {"departed_at": stated(left), "departure_celsius": 4.2, "departure_ambient_celsius": 31.5}
    order = dispatch(batch, 10_000, to_facility="LONG", sensors=["S-BOX"], transport=PEOPLE | departure)
    sent = client.post("/shipments", order).ok()["shipment"]
    warm = [450, 500, 990, 1020, 1010, 990, 980, 880, 700, 500, 450, 430]
    monitoring.record(database, [series("S-BOX", left, warm)], NOW)
    ends: dict[str, Any] = {"arrival_celsius": 5.1, "arrival_ambient_celsius": -3.5, "taken_by": "李四"}
    lines = [{"gtin": ONE, "batch": batch, "doses": 9_990}]
    came = arrival(appliance="L-FRIDGE", transport=ends, lines=lines)
    client.post(f"/shipments/{sent}/receipts", came).ok()
    void = client.post("/shipments", dispatch(at_county(client))).ok()
    slip = {"occurred_at": stated(NOW), "reason": "slip"}
    client.post(f"/events/{void['events'][0]['id']}/reversal", slip).ok()
    given = at_site(client)
    dose = client.post("/administrations", administration(given)).ok()["events"][-1]["id"]
    return Paths(
        f"/pages/shipments/{sent}/transport-record",
        f"/pages/shipments/{void['shipment']}/transport-record",
        f"/pages/batches/{ONE}/{given}/trail",
        f"/pages/batches/{ONE}/{_large(client)}/trail",
        f"/pages/administrations/{dose}/trail",
    )


def _large(client: Client) -> str:
    """A batch in hundreds of custodies, for it is moved a few doses at a time."""
    batch = at_county(client, 1_000)
    equipment_of = {"code": "COUNTY-2", "facility": "COUNTY", "name": "Second", "kind": "fridge"}
    client.post("/appliances", equipment_of).ok()
    order = {"facility": "COUNTY", "gtin": ONE, "batch": batch, "doses": 3, "to_appliance": "COUNTY-2"}
    for number in range(CUSTODIES):
        at = stated(NOW - HOUR + number * MINUTE / 60)
        client.post("/moves", order | {"appliance": "COUNTY-ROOM", "occurred_at": at}).ok()
    return batch


def test_a_transport_record_holds_what_the_rules_list(desk: Desk) -> None:
    desk.show(desk.paths.record, "en")
    text = desk.browser.text()
    told = [
        "Vaccine transport record", LONG, "Maker", "One", ONE, "2026-06-30", "10,000", "9,990", "Supply",
        "2026-01-05 10:00 +08:00", "4.2 °C", "31.5 °C", "2026-01-05 11:00 +08:00", "5.1 °C", "-3.5 °C", "42 km",
        "Passive cold box with ice packs", "handed over by 张三", "taken by 李四", "S-BOX", "4.3 °C", "10.2 °C",
        "30 min", "HOT · too warm", "signature",
        "It speaks of 2026-01-05 12:00 +08:00", "Printed 2026-01-05 12:00 +08:00 by auditor",
    ]  # fmt: skip
    assert [each for each in told if each not in text] == []


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        ("record", "Vaccine transport record", "疫苗运输记录"),
        ("trail", "Trail of a batch", "批次追溯"),
        ("large", "Trail of a batch", "批次追溯"),
        ("dose", "Trail of given doses", "接种剂次追溯"),
        ("empty", "Vaccine transport record", "疫苗运输记录"),
    ],
)
def test_every_sheet_of_paper_says_what_it_is_of_and_which_it_is(
    desk: Desk, name: str, english: str, chinese: str
) -> None:
    for lang, title in (("en", english), ("zh-CN", chinese)):
        paper = desk.paper(getattr(desk.paths, name), lang)
        for number in {1, len(paper) // 2 + 1, len(paper)}:
            sheet = paper.sheet(number)
            assert title in sheet
            assert f"{number} / {len(paper)}" in sheet
            assert "2026-01-05 12:00 +08:00" in sheet


def test_paper_is_a4_and_nothing_is_cut_at_its_side(desk: Desk) -> None:
    for path in (desk.paths.record, desk.paths.large, desk.paths.dose):
        assert desk.paper(path, "zh-CN").sizes == {(210, 297)}
        desk.show(path, "zh-CN")
        assert desk.browser.script(AS_ON_PAPER) == [], path


def test_a_large_tree_goes_over_several_sheets_and_repeats_its_head(desk: Desk) -> None:
    paper = desk.paper(desk.paths.large, "en")
    assert len(paper) > 5
    for number in (2, len(paper) - 1):
        assert "What was seen there" in paper.sheet(number)
    desk.show(desk.paths.large, "en")
    rows = desk.browser.script("return document.querySelectorAll('table:last-of-type tbody tr .d1').length")
    assert rows == CUSTODIES


def test_totals_come_before_the_tree(desk: Desk) -> None:
    desk.show(desk.paths.trail, "en")
    text = desk.browser.text()
    assert text.index("administered") < text.index("Where doses are") < text.index("The way of the doses")
    assert desk.browser.script("return document.querySelectorAll('.figures b').length") == 10


def test_a_dose_is_followed_from_the_supplier_to_the_person(desk: Desk) -> None:
    desk.show(desk.paths.dose, "en")
    text = desk.browser.text()
    assert text.index("1. County") < text.index("2. County → Site-A") < text.index("3. Site-A")
    assert "Doses of this batch were picked, not scanned" in text


def test_nothing_that_was_written_is_run_or_taken_for_a_form(desk: Desk) -> None:
    desk.show(desk.paths.record, "en")
    assert SLY in desk.browser.text()
    assert desk.browser.script("return document.querySelectorAll('script, b').length") == 0
    assert "taken" not in desk.browser.driver.title


def test_the_policy_of_a_page_lets_its_own_style_through(desk: Desk) -> None:
    desk.show(desk.paths.record, "en")
    assert desk.browser.script("return getComputedStyle(document.querySelector('h1')).fontWeight") == "600"
    assert desk.browser.complaints() == []


def test_a_shipment_that_never_left_says_so(desk: Desk) -> None:
    desk.show(desk.paths.empty, "zh-CN")
    assert "本次运输无疫苗" in desk.browser.text()


def test_a_wrong_password_shows_no_page(desk: Desk) -> None:
    desk.browser.open(f"{desk.client.url}{desk.paths.dose}?lang=en", "ct_nobody")
    assert "2026" not in desk.browser.text()
