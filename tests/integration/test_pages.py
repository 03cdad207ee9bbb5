"""Pages over HTTP: who is let in, what a browser may make of them, and what is refused, on both databases."""

import base64
import hashlib
import re
from html import unescape
from urllib.parse import quote
from uuid import UUID

import pytest

from api.routes import pages
from inventory.services.log import checkpoints, keys, sequencer
from tests.county import NOW, ONE, County
from tests.http import Answer, Client, Server
from tests.orders import administration, at_site, receipt, stated

HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
NOBODY = UUID(int=1)


@pytest.fixture(scope="module")
def paths(served: Server) -> dict[str, str]:
    """A page of each kind."""
    client = served.client
    batch = at_site(client)
    given = client.post("/administrations", administration(batch)).ok()["events"][-1]["id"]
    (shipment,) = {each["shipment"] for each in client.get("/bills", gtin=ONE, batch=batch).items} - {None}
    return {
        "record": f"/pages/shipments/{shipment}/transport-record",
        "batch": f"/pages/batches/{ONE}/{batch}/trail",
        "dose": f"/pages/administrations/{given}/trail",
    }


def basic(password: str, name: str = "anybody") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def show(client: Client, path: str, who: str = "auditor", **headers: str) -> Answer:
    return client.send("GET", path, headers=basic(client.tokens[who]) | {"Accept": HTML} | headers)


@pytest.mark.parametrize("name", ["record", "batch", "dose"])
def test_a_page_is_shown_by_password_or_by_token(client: Client, paths: dict[str, str], name: str) -> None:
    page = show(client, paths[name])
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert client.send("GET", paths[name], headers=client.bearer("auditor")).content == page.content


@pytest.mark.parametrize(
    "header",
    [None, "Basic", "Basic x", "Basic eDo=", "Bearer nobody's", "Basic " + base64.b64encode(b"\xff:\xff").decode()],
)
def test_who_is_not_known_is_asked_for_a_password(client: Client, paths: dict[str, str], header: str | None) -> None:
    given = {} if header is None else {"Authorization": header}
    page = client.send("GET", paths["dose"], headers=given | {"Accept": HTML, "Accept-Language": "en"})
    assert page.status == 401
    assert page.headers["WWW-Authenticate"] == 'Basic realm="Coldtrail", charset="UTF-8"'
    assert "A valid token is needed" in page.content.decode()
    assert "2026" not in page.content.decode()


def test_a_password_opens_nothing_but_pages(client: Client) -> None:
    for path in ("/api/v1/stock", "/api/v1/events?facility=CITY"):
        answer = client.send("GET", path, headers=basic(client.tokens["admin"]))
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    body = b'{"gtin": "06901234567892"}'
    assert client.send("POST", "/api/v1/receipts", body, basic(client.tokens["admin"])).status == 401


def test_a_gateway_reads_no_pages(client: Client, paths: dict[str, str]) -> None:
    assert show(client, paths["batch"], "gateway").status == 403


@pytest.mark.parametrize("name", ["record", "batch", "dose"])
def test_a_page_loads_nothing_runs_nothing_and_is_kept_by_nobody(
    client: Client, paths: dict[str, str], name: str
) -> None:
    page = show(client, paths[name])
    text, headers = page.content.decode(), page.headers
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in styles]
    allowed = " ".join(f"'sha256-{each}'" for each in digests)
    assert headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert len(styles) == 2
    assert re.findall(r"<script|<link|<img|<iframe|<form|\son\w+=|\sstyle=|url\(|@import|https?://", text) == []
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Vary"] == "Accept-Language, Authorization"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize(
    ("asked", "header", "lang", "title"),
    [
        ("", "en", "en", "Trail of a batch"),
        ("", "zh-CN,en;q=0.5", "zh-CN", "批次追溯"),
        ("?lang=zh-CN", "en", "zh-CN", "批次追溯"),
        ("?lang=en", "zh-CN", "en", "Trail of a batch"),
    ],
)
def test_the_language_is_the_reader_s_or_the_one_that_is_asked_for(
    client: Client, paths: dict[str, str], asked: str, header: str, lang: str, title: str
) -> None:
    text = show(client, paths["batch"] + asked, **{"Accept-Language": header}).content.decode()
    assert f'<html lang="{lang}">' in text
    assert f"<h1>{title}</h1>" in text


def test_the_language_of_the_api_is_not_asked_for_in_its_address(client: Client) -> None:
    headers = client.bearer("auditor") | {"Accept-Language": "en"}
    answer = client.send("GET", "/api/v1/batches/06901234567892/NONE/trail?lang=zh-CN", headers=headers)
    assert answer.headers["Content-Language"] == "en"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/pages/administrations/{NOBODY}/trail", 404),
        (f"/pages/shipments/{NOBODY}/transport-record", 404),
        (f"/pages/batches/{ONE}/NONE/trail", 404),
        ("/pages/batches/1/NONE/trail", 422),
        (f"/pages/batches/{ONE}/NONE/trail?lang=xx", 422),
        (f"/pages/batches/{ONE}/NONE/trail?at=2026-01-05", 422),
        (f"/pages/administrations/{NOBODY}/trail?depth=1", 422),
    ],
)
def test_what_cannot_be_shown_is_said_on_a_page_to_people_and_as_a_problem_to_programs(
    client: Client, path: str, status: int
) -> None:
    page = show(client, path)
    assert (page.status, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    problem = client.send("GET", path, headers=client.bearer("auditor"))
    assert (problem.status, problem.headers["Content-Type"]) == (status, "application/problem+json")


def test_a_tree_is_shown_as_it_was_and_down_to_a_depth(client: Client) -> None:
    batch = at_site(client)
    path = f"/pages/batches/{ONE}/{batch}/trail?lang=en"
    assert "SITE-A · A-FRIDGE" in show(client, path).content.decode()
    for asked in ("&depth=0", "&at=2026-01-05T02:30:00Z", "&facility=COUNTY"):
        assert "SITE-A · A-FRIDGE" not in show(client, path + asked).content.decode(), asked
    before = show(client, path + "&at=2026-01-05T00:30:00Z").content.decode()
    assert "Nothing of it was received." in before
    assert "It speaks of 2026-01-05 00:30 +00:00." in before
    under_way = show(client, path + "&at=2026-01-05T02:30:00Z").content.decode()
    assert "It speaks of 2026-01-05 10:30 +08:00." in under_way


def test_a_page_names_its_own_address_whatever_the_number_of_the_batch(client: Client) -> None:
    number = "A/1?%41&\"<b>'+"
    client.post("/receipts", receipt(number)).ok()
    path = f"/pages/batches/{ONE}/{quote(number)}/trail"
    text = show(client, f"{path}?depth=2&lang=en").content.decode()
    chinese, english = (unescape(each) for each in re.findall(r'href="([^"]*)"', text))
    assert (chinese, english) == (f"{path}?depth=2&lang=zh-CN", f"{path}?depth=2&lang=en")
    assert "<b>" not in text.replace('<b class="bad">', "").split("<main>")[0]
    assert show(client, english).content.decode() == text


def test_a_page_says_which_checkpoint_the_log_had(client: Client, county: County) -> None:
    batch = at_site(client)
    path = f"/pages/batches/{ONE}/{batch}/trail?lang=en"
    assert "The log has no checkpoint yet." in show(client, path).content.decode()
    sequencer.append(county.database, NOW)
    note = checkpoints.sign(county.database, keys.generate("log.example"), NOW)
    assert note is not None
    _, leaves, root = note.splitlines()[:3]
    said = f"Newest checkpoint of the log: {int(leaves):,} leaves, root {root}, signed 2026-01-05 12:00 +08:00."
    assert said in unescape(show(client, path).content.decode())


def test_a_tree_that_is_too_large_for_a_page_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/pages/batches/{ONE}/{at_site(client)}/trail?lang=en"
    told = "There are more custodies than fit on one page"
    assert told not in show(client, path).content.decode()
    monkeypatch.setattr(pages, "MOST_CUSTODIES", 2)
    assert told in show(client, path).content.decode()


def test_a_dose_that_was_corrected_says_so(client: Client) -> None:
    batch = at_site(client)
    given = client.post("/administrations", administration(batch)).ok()["events"][-1]["id"]
    client.post(f"/events/{given}/reversal", {"occurred_at": stated(NOW), "reason": "slip"}).ok()
    text = show(client, f"/pages/administrations/{given}/trail?lang=en").content.decode()
    assert "This administration was corrected" in text
