"""That a process without HTTP works is seen by its heartbeat, by the health checks of `docker-compose.yml`."""

from contextlib import closing
from pathlib import Path

import pytest

from inventory.persistence.database import Database
from tests.county import build
from tests.deployment import Deployed
from tests.e2e.processes import environment, running, until
from tests.services import LOOPBACK
from tests.unit.test_compose import is_healthy


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> dict[str, str]:
    with closing(Database(database_url)) as database:
        build(database)
    return environment(COLDTRAIL_DATABASE_URL=database_url, COLDTRAIL_HEARTBEAT=str(tmp_path / "heartbeat"))


@pytest.mark.parametrize("command", [["watch"], ["log", "run"]], ids=["watch", "log"])
def test_who_makes_rounds_is_healthy_after_the_first(
    settings: dict[str, str], command: list[str], tmp_path: Path
) -> None:
    heartbeat = tmp_path / "heartbeat"
    with running(command, settings, tmp_path / "log"):
        until(heartbeat.exists)
    assert is_healthy("watch", heartbeat)


def test_a_worker_is_healthy_where_the_broker_lets_it_in(
    settings: dict[str, str], deployed: Deployed, tmp_path: Path
) -> None:
    url = f"mqtt://ingest:ingest-password@{LOOPBACK}:{deployed.port}"
    with running(["ingest"], settings | {"COLDTRAIL_MQTT_URL": url}, tmp_path / "log"):
        until(lambda: is_healthy("ingest-0", tmp_path / "heartbeat"))


def test_a_worker_that_the_broker_refuses_goes_on_trying_and_is_not_healthy(
    settings: dict[str, str], deployed: Deployed, tmp_path: Path
) -> None:
    heartbeat, log = tmp_path / "heartbeat", tmp_path / "log"
    heartbeat.touch()  # of a former run
    url = f"mqtt://ingest:another@{LOOPBACK}:{deployed.port}"
    with running(["ingest"], settings | {"COLDTRAIL_MQTT_URL": url}, log) as process:
        until(lambda: log.read_text().count("not connected") >= 2)
        assert process.poll() is None
    assert not is_healthy("ingest-0", heartbeat)
