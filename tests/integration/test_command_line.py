"""What the command says when it is used wrongly: one line, never a traceback."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coldtrail.cli import main
from coldtrail.importing import LONGEST_DOCUMENT, replayed_document
from mqtt_ingest.client import Publisher, SubscriptionRefused
from tests.services import SqliteTemplate, sqlite_url

RECORD = {"ABST": "20260105T060000Z", "TVC": 4.56}
BROKER = "mqtt://127.0.0.1:1"
BAD_DOCUMENTS = {
    b"[1]": "no JSON object",
    b"7": "no JSON object",
    b"null": "no JSON object",
    b"": "not JSON",
    b"{'records': []}": "not JSON",
    b'{"records": "\xff"}': "not UTF-8",
    b'{"records": [{"TVC": NaN}]}': "NaN is no JSON number",
    b'{"records": [{"TVC": 1e999}]}': "out of all range",
    b"[" * 100_000: "nested too deeply",
    b"{}": "neither 'meta' nor a list of 'records'",
    b'{"records": {}}': "neither 'meta' nor a list of 'records'",
    b'{"meta": 5}': "no meta.transferId",
    b'{"records": []}': "there is nothing to send",
}
BAD_OPTIONS = [
    ("--mqtt", "http://broker", "mqtt://user:password@host:port"),
    ("--mqtt", "mqtt://u:hunter2@broker:abc", "mqtt://user:password@host:port"),
    ("--mqtt", "mqtt://broker:99999", "mqtt://user:password@host:port"),
    ("--mqtt", "mqtt://broker:0", "mqtt://user:password@host:port"),
    ("--mqtt", "mqtt://[::1", "mqtt://user:password@host:port"),
    ("--mqtt", "mqtt://a..b", "mqtt://user:password@host:port"),
    ("--gateway", "a/b", "gateway is 'a/b'"),
    ("--gateway", "", "gateway is ''"),
    ("--gateway", "\udcff", "not UTF-8"),
    ("--shard", "zz", "shard is 'zz'"),
    ("--shard", "", "shard is ''"),
    ("--chunk", "0", "x>=1"),
    ("--chunk", "-1", "x>=1"),
    ("--timeout", "-1", "x>0"),
    ("--timeout", "soon", "not a valid float"),
]
EXPORTS = {
    "binary": bytes(range(256)) * 40,
    "empty": b"",
    "text": "冷链 is kept\nfrom here to there.\n".encode(),
    "pairs": b"Device: Q-tag\nConf:\n Serial: 1\n",
    "control": b"\x1b[31m\x07 no export\n",
}


def run(*arguments: str, url: str | None = None, **environment: str) -> Result:
    """The command's result; what it raised but SystemExit is raised here."""
    settings = {"COLDTRAIL_DATABASE_URL": url or "sqlite:////nowhere/at/all.db"} | environment
    return CliRunner().invoke(main, arguments, env=settings, catch_exceptions=False)


def error(result: Result) -> str:
    """The one line that a refused command says."""
    assert result.exit_code in {1, 2}
    assert not result.stdout
    lines = [line for line in result.stderr.splitlines() if not line.startswith(("Usage: ", "Try "))]
    said = [line for line in lines if line]
    assert len(said) == 1
    assert said[0].startswith("Error: ")
    return said[0]


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "records.json"
    file.write_text(json.dumps({"records": [RECORD]}))
    return file


@pytest.fixture
def url(sqlite_template: SqliteTemplate) -> Iterator[str]:
    with sqlite_template.clone() as clone:
        yield clone


def replay(file: Path, *more: str) -> Result:
    return run("replay", str(file), "--mqtt", BROKER, "--gateway", "GW-1", "--timeout", "0.2", *more)


@pytest.mark.parametrize(("content", "fault"), BAD_DOCUMENTS.items(), ids=range(len(BAD_DOCUMENTS)))
def test_a_file_that_cannot_be_replayed_is_said_so(tmp_path: Path, content: bytes, fault: str) -> None:
    file = tmp_path / "records.json"
    file.write_bytes(content)
    assert fault in error(replay(file))


@pytest.mark.parametrize(("option", "value", "fault"), BAD_OPTIONS)
def test_a_bad_option_of_a_replay_is_said_so(document: Path, option: str, value: str, fault: str) -> None:
    said = error(replay(document, option, value))
    assert fault in said
    assert "hunter2" not in said


def test_a_replay_that_reaches_no_broker_is_said_so(document: Path) -> None:
    assert "1 deliveries were not confirmed within 0.2 s" in error(replay(document))


def test_a_broker_that_refuses_the_receipts_is_said_so(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_publisher: Publisher, _timeout: float) -> None:
        raise SubscriptionRefused("replay may not subscribe to coldtrail/v1/0a/GW-1/receipt")

    monkeypatch.setattr(Publisher, "step", refuse)
    assert "may not subscribe" in error(replay(document))


def test_a_file_to_replay_may_be_longer_than_a_delivery(tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    file.write_text(json.dumps({"records": [RECORD] * 40_000}))
    assert 1 << 20 < file.stat().st_size < LONGEST_DOCUMENT
    assert replayed_document(file) == {"records": [RECORD] * 40_000}


@pytest.mark.parametrize("zone", ["Asia", "Asia/", "", ".", "../etc", "Nowhere/Land", "zone.tab", "a" * 300])
def test_a_zone_that_is_none_is_said_so(document: Path, zone: str) -> None:
    assert "not an IANA time zone" in error(run("import", "fridge-tag", str(document), "--zone", zone))


@pytest.mark.parametrize("content", EXPORTS.values(), ids=EXPORTS)
def test_a_file_that_is_no_export_is_said_so(tmp_path: Path, url: str, content: bytes) -> None:
    file = tmp_path / "export.txt"
    file.write_bytes(content)
    said = error(run("import", "fridge-tag", str(file), "--zone", "Asia/Shanghai", url=url))
    assert said.isprintable()


@pytest.mark.parametrize("command", ["migrate", "verify", "serve", "ingest", "seed", "watch"])
def test_a_file_that_is_no_database_is_said_so(tmp_path: Path, command: str) -> None:
    file = tmp_path / "coldtrail.db"
    file.write_bytes(b"no database at all" * 400)
    assert "database is away" in error(run(command, url=sqlite_url(file)))
    assert file.read_bytes() == b"no database at all" * 400


def test_a_folder_that_cannot_be_made_for_the_database_is_said_so(document: Path) -> None:
    assert "for the database" in error(run("migrate", url=sqlite_url(document / "coldtrail.db")))


@pytest.mark.parametrize("name", ["", "n" * 201, "two\nlines", "\udcff"])
def test_a_tokens_name_that_is_none_is_said_so(url: str, name: str) -> None:
    said = error(run("token", "create", name, "--role", "auditor", url=url))
    assert "expected 1 to 200 printable characters" in said


def test_an_argument_that_is_not_utf8_is_said_so(url: str) -> None:
    assert "not UTF-8" in error(run("token", "revoke", "\udcff", url=url))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COLDTRAIL_BIND", "127.0.0.1:65536"),
        ("COLDTRAIL_BIND", "127.0.0.1:0"),
        ("COLDTRAIL_DATABASE_URL", "postgresql://u:hunter2@h:abc/d"),
        ("COLDTRAIL_CLOCK", "2026-01-05T06:00:00Z,2026-01-05T06:00:00Z,1e300"),
    ],
)
@pytest.mark.parametrize("command", ["migrate", "verify", "serve", "ingest"])
def test_a_wrong_setting_is_said_under_its_name(command: str, name: str, value: str) -> None:
    result = run(command, **{name: value})
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first == "Error: the environment is wrong:"
    assert second.startswith(f"{name} is not ")
    assert "hunter2" not in second


def test_a_file_that_is_not_there_is_no_database_and_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mistyped.db"
    monkeypatch.setenv("COLDTRAIL_DATABASE_URL", sqlite_url(file))
    for command in (["verify"], ["serve"], ["token", "list"]):
        found = CliRunner().invoke(main, command)
        assert (found.exit_code, found.exception.__class__) == (1, SystemExit)
        assert "mistyped.db; run `coldtrail migrate`" in found.output
    assert not file.exists()
