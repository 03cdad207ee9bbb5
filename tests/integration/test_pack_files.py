"""A maker's association file: all of it or nothing, every line that cannot be named, and again the same."""

import csv
import io
import json
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result

from coldtrail.cli import main as cli
from tests.county import EXPIRY, ONE, TWO
from tests.http import Answer, Client, Server
from tests.orders import administration, arrival, dispatch, new_batch, receipt
from tests.packed import Case

Json = dict[str, Any]


def file(batch: str, *packs: Json, **other: Any) -> Json:
    return {"gtin": ONE, "batch": batch, "expiry": EXPIRY.isoformat(), "packs": list(packs)} | other


def announce(client: Client, document: Json, who: str = "keeper") -> Answer:
    return client.post("/pack-files", document, who)


def as_csv(document: Json) -> bytes:
    """The same file as CSV."""
    text = io.StringIO()
    names = ["gtin", "batch", "expiry", "code", "parent", "doses"]
    rows = csv.DictWriter(text, names, restval="")
    rows.writeheader()
    of_batch = {name: document[name] for name in names[:3]}
    rows.writerows((of_batch if number == 0 else {}) | pack for number, pack in enumerate(document["packs"]))
    return text.getvalue().encode("utf-8-sig")


def imported(server: Server, path: Path) -> Result:
    """What the command line says to a file."""
    url = server.county.database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    return CliRunner().invoke(cli, ["import", "packs", str(path)], env={"COLDTRAIL_DATABASE_URL": url})


def test_a_file_is_taken_once(client: Client) -> None:
    case = Case(client)
    again = announce(client, case.file()).ok()
    assert again == {"packs": 9, "new": 0, "outermost": 1, "doses": 6}
    more = case.file()
    more["packs"] += [{"code": f"{case.code}X", "doses": 4}]
    assert announce(client, more).ok() == {"packs": 10, "new": 1, "outermost": 2, "doses": 10}


def test_csv_says_the_same(client: Client) -> None:
    case = Case(client)
    headers = {"Content-Type": "text/csv; charset=utf-8"} | client.bearer("keeper")
    answer = client.send("POST", "/api/v1/pack-files", as_csv(case.file()), headers)
    assert answer.ok() == {"packs": 9, "new": 0, "outermost": 1, "doses": 6}


def test_the_command_line_takes_both(server: Server, tmp_path: Path) -> None:
    case = Case(server.client)
    (tmp_path / "packs.json").write_text(json.dumps(case.file()))
    (tmp_path / "packs.CSV").write_bytes(as_csv(case.file()))
    for path in sorted(tmp_path.iterdir()):
        result = imported(server, path)
        assert (result.exit_code, result.stdout) == (0, f"batch {case.batch}: 9 packs, 0 new, 6 doses\n"), result.output


def test_the_command_line_names_every_bad_line_and_takes_none(server: Server, tmp_path: Path) -> None:
    batch, path = new_batch(), tmp_path / "packs.json"
    packs = [{"code": f"{batch}-1"}, {"code": "x\u001dy"}, {"code": f"{batch}-2"}, {"code": "00106141412345678909"}]
    path.write_text(json.dumps(file(batch, *packs)))
    result = imported(server, path)
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == ["pack 2", "pack 4", "Error"]
    assert "\x1d" not in result.output
    assert server.client.get(f"/packs/{batch}-1").status == 404


def test_codes_of_a_file_are_read_as_scans_are(client: Client) -> None:
    batch = new_batch()
    carton, vial = "(00)106141412345678908", f"]d201{ONE}17260630102{batch}\x1d21V1"
    packs = [{"code": carton}, {"code": vial, "parent": "https://id.gs1.org/00/106141412345678908"}]
    refused = announce(client, file(batch, *packs))
    assert [(each["line"], each["code"], each["value"]) for each in refused.body["errors"]] == [
        (2, "pack_differs", f"2{batch}")
    ]
    packs[1]["code"] = f"]d201{ONE}1726063010{batch}\x1d21{batch}"
    announce(client, file(batch, *packs)).ok()
    found = client.get(f"/packs/01{ONE}21{batch}").ok()
    assert (found["parent"], found["level"]) == ("00106141412345678908", 1)


def test_every_bad_line_is_named_and_nothing_is_taken(client: Client) -> None:
    batch = new_batch()
    packs = [{"code": "AAAA1"}, {"code": "AAAA1"}, {"code": "AAAA2", "parent": "NOBODY"}, {"code": "AAAA3"}]
    refused = announce(client, file(batch, *packs))
    assert refused.status == 422
    assert [(each["line"], each["code"], each["field"]) for each in refused.body["errors"]] == [
        (2, "repeated_line", "code"),
        (3, "not_found", "parent"),
    ]
    assert client.get("/packs/AAAA3").status == 404
    assert client.get(f"/batches/{ONE}/{batch}/usability", facility="SITE-A").status == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"gtin": "06901234567893"}, "wrong_check_digit"),
        ({"gtin": "00000000000000"}, "unknown_product"),
        ({"expiry": "2026-02-30"}, "malformed"),
        ({"batch": "中文"}, "malformed"),
        ({"batch": ""}, "malformed"),
        ({"packs": []}, "malformed"),
        ({"packs": [7]}, "malformed"),
        ({"packs": [{"code": "AAAA1", "serial": 1}]}, "malformed"),
        ({"packs": [{"code": 7}]}, "malformed"),
        ({"packs": [{"code": "AAAA1", "doses": 0}]}, "malformed"),
        ({"packs": [{"code": "AAAA1", "doses": True}]}, "malformed"),
        ({"packs": [{"code": "AAAA1", "doses": 1.5}]}, "malformed"),
        ({"packs": [{"code": "AAAA1", "parent": ["A"]}]}, "malformed"),
        ({"gtin": TWO, "packs": [{"code": "AAAA1", "doses": 3}]}, "not_whole_vials"),
        ({"more": 1}, "malformed"),
    ],
)
def test_a_file_that_cannot_be_is_refused(client: Client, change: Json, code: str) -> None:
    answer = announce(client, file(new_batch(), {"code": "AAAA1"}) | change)
    assert (answer.status, answer.body["code"]) == (422, code)
    assert client.get("/packs/AAAA1").status == 404


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"gtin": "1", "gtin": "2"}',
        b'"' + b"a" * 200,
    ],
)
def test_what_is_no_file_is_refused(client: Client, content: bytes) -> None:
    for kind in ("application/json", "text/csv"):
        headers = {"Content-Type": kind} | client.bearer("keeper")
        answer = client.send("POST", "/api/v1/pack-files", content, headers)
        assert (answer.status, answer.body["code"]) == (422, "malformed")


@pytest.mark.parametrize(
    "rows",
    [
        "gtin,batch,expiry\n{0},{1},2026-06-30\n",
        "gtin,batch,expiry,code,colour\n{0},{1},2026-06-30,AAAA1,red\n",
        "gtin,batch,expiry,code\n{0},{1},2026-06-30,AAAA1,more\n",
        "gtin,batch,expiry,code\n{0},{1},2026-06-30,AAAA1\n{0},OTHER,2026-06-30,AAAA2\n",
        'gtin,batch,expiry,code\n{0},{1},2026-06-30,"AAAA1',
        "gtin,batch,expiry,code,doses\n{0},{1},2026-06-30,AAAA1,１\n",
        "gtin,batch,expiry,code,doses\n{0},{1},2026-06-30,AAAA1,-1\n",
    ],
)
def test_rows_that_cannot_be_are_refused(client: Client, rows: str) -> None:
    headers = {"Content-Type": "text/csv"} | client.bearer("keeper")
    answer = client.send("POST", "/api/v1/pack-files", rows.format(ONE, new_batch()).encode(), headers)
    assert (answer.status, answer.body["code"]) == (422, "malformed")


def test_a_code_is_announced_once(client: Client) -> None:
    case = Case(client)
    other = file(case.batch, {"code": case.vials[0][0], "doses": 2}, {"code": case.vials[0][1]})
    refused = announce(client, other)
    assert [(each["line"], each["code"]) for each in refused.body["errors"]] == [
        (1, "already_exists"),
        (2, "already_exists"),
    ]
    moved = case.file() | {"batch": new_batch()}
    announce(client, moved).ok()  # the first was a slip: nothing of it was received
    case.receive().ok()
    assert case.get(case.code)["batch"] == case.batch
    late = announce(client, moved)
    assert {each["code"] for each in late.body["errors"]} == {"already_exists"}
    assert len(late.body["errors"]) == 9


def test_a_batch_keeps_its_expiry(client: Client) -> None:
    case = Case(client)
    answer = announce(client, case.file() | {"expiry": "2026-07-31"})
    assert (answer.status, answer.body["code"]) == (409, "batch_expiry_differs")


@pytest.mark.parametrize(("who", "status"), [("nurse-a", 403), ("auditor", 403), ("county", 200), ("chief", 200)])
def test_a_stores_people_announce_packs(client: Client, who: str, status: int) -> None:
    batch = new_batch()
    assert announce(client, file(batch, {"code": f"{batch}-{who}"}), who).status == status


def test_a_tree_comes_with_its_receipt(client: Client) -> None:
    batch = new_batch()
    codes = [f"{batch}-{each}" for each in ("CASE", "V1", "V2")]
    packs = [{"code": codes[0]}, *({"code": each, "parent": codes[0]} for each in codes[1:])]
    client.post("/receipts", receipt(batch, 2, packs=packs)).ok()
    found = [client.get(f"/packs/{each}").ok() for each in codes]
    assert [each["holder"] for each in found] == [codes[0]] * 3
    assert [each["doses"] for each in found] == [2, 1, 1]


@pytest.mark.parametrize(
    ("packs", "code"),
    [
        ([{"code": "{case}"}, {"code": "{case}"}], "repeated_line"),
        ([{"code": "{case}"}, {"code": "{vial}"}], "repeated_line"),
        ([{"code": "{case}", "doses": 5}], "already_exists"),
        ([{"code": "{vial}", "parent": "{case}"}], "already_exists"),
        ([{"code": "BBBB1"}], "malformed"),
        ([{"code": "(01)06901234567892(10)OTHER(21)A1", "doses": 1}], "pack_differs"),
        ([{"code": "(01)06901234567892(17)270630(21)A1", "doses": 1}], "pack_differs"),
    ],
)
def test_packs_of_a_receipt_that_cannot_be_are_refused(client: Client, packs: list[Json], code: str) -> None:
    case = Case(client)
    names = {"case": case.code, "vial": case.vials[0][0]}
    lines = [{name: each.format(**names) if isinstance(each, str) else each for name, each in p.items()} for p in packs]
    here = {"facility": "COUNTY", "appliance": "COUNTY-ROOM", "packs": lines}
    answer = client.post("/receipts", receipt(case.batch, 100, **here))
    assert (answer.status, answer.body["code"]) in {(409, code), (422, code)}
    assert client.get("/packs/BBBB1").status == 404
    case.receive().ok()


def test_more_packs_than_doses_are_refused(client: Client) -> None:
    case = Case(client)
    assert case.receive(doses=5).body["code"] == "malformed"


def test_a_scan_says_what_it_likes_of_its_pack_only_if_it_is_so(client: Client) -> None:
    batch = new_batch()
    announce(client, file(batch, {"code": f"01{ONE}21{batch}/a"})).ok()
    label = f"01{ONE}1726063010{batch}\x1d21{batch}/a"
    link = f"https://id.gs1.org/01/{ONE}/10/{batch}/21/{batch}%2Fa?17=260630"
    for scan in (label, f"]d2{label}", f"(01){ONE}(10){batch}(21){batch}/a", link):
        assert client.get(f"/packs/{quote(scan, safe='')}").ok()["code"] == f"01{ONE}21{batch}/a"
        assert client.get(f"/packs/{quote(scan, safe='')}/usability", facility="SITE-A").ok()["pack"]
    differs = client.get(f"/packs/{quote(label.replace('260630', '260629'), safe='')}")
    assert (differs.status, differs.body["code"], differs.body["value"]) == (409, "pack_differs", "260629")
    assert "2026-06-30" in differs.body["expected"]
    assert client.get(f"/packs/01{ONE}21{batch}/A").status == 404
    assert client.get(f"/packs/01{ONE[:-1]}321{batch}").body["code"] == "wrong_check_digit"


def test_a_label_is_scanned_wherever_packs_are(client: Client) -> None:
    batch = new_batch()
    vials = [f"01{ONE}21{batch}{each}" for each in range(2)]
    announce(
        client, file(batch, {"code": f"{batch}-BOX"}, *({"code": v, "parent": f"{batch}-BOX"} for v in vials))
    ).ok()
    labels = [f"]d201{ONE}1726063010{batch}\x1d21{batch}{each}" for each in range(2)]
    here = {"facility": "COUNTY", "appliance": "COUNTY-ROOM", "packs": [{"code": f"{batch}-BOX"}]}
    client.post("/receipts", receipt(batch, 2, **here)).ok()
    twice = dispatch(batch, lines=[{"gtin": ONE, "batch": batch, "packs": [labels[0], vials[0]]}])
    assert client.post("/shipments", twice).body["code"] == "repeated_line"
    sent = dispatch(batch, lines=[{"gtin": ONE, "batch": batch, "packs": labels}])
    shipment = client.post("/shipments", sent).ok()["shipment"]
    door = arrival(lines=[{"gtin": ONE, "batch": batch, "packs": labels}])
    client.post(f"/shipments/{shipment}/receipts", door).ok()
    client.post("/administrations", administration(batch, pack=labels[0])).ok()
    lines = [administration(batch, pack=each) for each in (vials[1], labels[1], labels[1].replace(batch, "OTHER", 1))]
    results = client.post("/administration-lists", {"administrations": lines}).ok()["results"]
    assert [each["status"] for each in results] == [201, 409, 409]
    assert results[2]["problem"]["code"] == "pack_differs"
    assert client.get(f"/packs/{batch}-BOX").ok()["remaining"] == 0


def test_a_case_of_twelve_thousand_vials_is_announced_in_seconds(client: Client) -> None:
    began = monotonic()
    case = Case(client, cartons=100, vials=120)
    assert monotonic() - began < 20  # some three seconds on a quiet machine
    case.receive().ok()
    assert case.get(case.vials[99][119])["holder"] == case.code
