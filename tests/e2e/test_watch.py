"""`coldtrail watch` as an operator runs it, against a real receiver of webhooks and a real mail server."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.persistence.database import Database
from tests.county import build
from tests.e2e.processes import PATIENCE, environment, start, until
from tests.receivers import Mailbox, Receiver, mailbox, receiving
from tests.services import LOOPBACK

SILENT = {"S-CITY", "S-COUNTY", "S-A"}
"""The sensors of the county that watch a place; none has ever been heard."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


@pytest.fixture
def settings(database_url: str, receiver: Receiver, box: Mailbox) -> dict[str, str]:
    """The settings of a watch over a county, with both channels."""
    database = Database(database_url)
    build(database)
    database.close()
    return environment(
        COLDTRAIL_DATABASE_URL=database_url,
        COLDTRAIL_WEBHOOK_URL=receiver.url,
        COLDTRAIL_WEBHOOK_SECRET="a secret for this test",
        COLDTRAIL_SMTP_URL=f"smtp://{LOOPBACK}:{box.port}",
        COLDTRAIL_MAIL_FROM="coldtrail@example.org",
        COLDTRAIL_MAIL_TO="keeper@example.org, duty@example.org",
        COLDTRAIL_LANGUAGE="zh",
        COLDTRAIL_WATCH_SECONDS="1",
    )


def test_a_watch_tells_what_it_finds_and_ends_quietly_when_it_is_asked_to(
    settings: dict[str, str], receiver: Receiver, box: Mailbox, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    process = start(["watch"], settings, log)
    try:
        until(lambda: len(receiver.hits) >= 3 and len(box.mails) >= 3)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
    finally:
        process.terminate()
    assert process.wait(PATIENCE) == 0, log.read_text()
    assert {json.loads(hit.body)["body"]["sensor"] for hit in receiver.hits} == SILENT
    assert (len(receiver.hits), len(box.mails)) == (3, 3)
    assert "a secret for this test" not in log.read_text()


def test_a_watch_that_waits_for_an_answer_ends_after_it(
    settings: dict[str, str], receiver: Receiver, tmp_path: Path
) -> None:
    receiver.seconds = 2.0
    process = start(["watch"], settings, tmp_path / "log")
    until(lambda: len(receiver.hits) == 1)
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert len(receiver.hits) == 1


def test_a_single_round_sends_what_is_due_and_ends(
    settings: dict[str, str], receiver: Receiver, box: Mailbox, tmp_path: Path
) -> None:
    for _ in range(2):
        assert start(["watch", "--once"], settings, tmp_path / "log").wait(PATIENCE) == 0
    assert (len(receiver.hits), len(box.mails)) == (3, 3)


def test_a_watch_without_a_channel_keeps_what_it_finds_and_says_so(settings: dict[str, str], tmp_path: Path) -> None:
    log, quiet = tmp_path / "log", settings | {"COLDTRAIL_WEBHOOK_URL": "", "COLDTRAIL_SMTP_URL": ""}
    assert start(["watch", "--once"], quiet, log).wait(PATIENCE) == 0
    assert "no channel is set up" in log.read_text()
