"""`coldtrail log run` as an operator runs it: it appends and signs, is killed, goes on, and ends when it is told to."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from inventory.clock import system_clock
from inventory.domain.checkpoints import Note, VerifierKey
from inventory.persistence.database import Database
from inventory.persistence.tables import LogCheckpoint
from inventory.services.log import keys, sequencer
from inventory.services.log.verification import Checked, verify_log
from tests.county import NOW, County, build
from tests.e2e.processes import PATIENCE, environment, start, until
from tests.http import serving
from tests.logs import ORIGIN
from tests.orders import administration, at_site


@pytest.fixture
def county(database_url: str) -> Iterator[County]:
    with closing(Database(database_url)) as database:
        yield build(database)


def leaves(county: County) -> int:
    with county.database.read() as session:
        return sequencer.size(session)


def test_it_goes_on_after_a_kill_and_signs_when_it_is_asked_to_end(
    county: County, database_url: str, tmp_path: Path
) -> None:
    secret, log = tmp_path / "log.key", tmp_path / "log"
    assert start(["keys", "generate", str(secret), "--name", ORIGIN], environment(), log).wait(PATIENCE) == 0
    key = VerifierKey.parse(log.read_text())
    settings = environment(
        COLDTRAIL_DATABASE_URL=database_url,
        COLDTRAIL_LOG_KEY_FILE=str(secret),
        COLDTRAIL_CLOCK=f"{system_clock().isoformat()},{NOW.isoformat()},1",
    )
    with serving(county) as server:
        batch = at_site(server.client, 10)
        killed = start(["log", "run"], settings, log)
        until(lambda: leaves(county) == 3)
        killed.kill()
        killed.wait(PATIENCE)
        server.client.post("/administrations", administration(batch), "nurse-a").ok()
        process = start(["log", "run"], settings, log)
        until(lambda: leaves(county) == 4)
        server.client.post("/administrations", administration(batch), "nurse-a").ok()
        process.terminate()
        assert process.wait(PATIENCE) == 0, log.read_text()
    with county.database.read() as session:
        newest = session.get_one(LogCheckpoint, 5)
    assert Note.parse(newest.note).is_signed_by(key, keys.verify)
    *faults, checked = verify_log(county.database, [key])
    assert faults == []
    assert isinstance(checked, Checked)
    assert (checked.leaves, checked.waiting) == (5, 0)
    assert re.search("PRIVATE", log.read_text()) is None


def test_without_a_key_it_appends_and_says_that_nothing_is_signed(
    county: County, database_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    assert start(["log", "run", "--once"], environment(COLDTRAIL_DATABASE_URL=database_url), log).wait(PATIENCE) == 0
    assert "no checkpoint is signed" in log.read_text()
