"""The processes of `docker-compose.yml`, by its own commands, against a real PostgreSQL and the deployed Mosquitto."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from sqlalchemy import func, select

from inventory.persistence.database import Database
from inventory.persistence.tables import LogCheckpoint
from inventory.services.log import sequencer
from inventory.services.messages import Measurement
from mqtt_ingest import topics
from mqtt_ingest.buffer import Buffer
from mqtt_ingest.client import Publisher
from mqtt_ingest.gateway import Gateway
from mqtt_ingest.settings import MqttSettings
from tests.buffers import OpenBuffer
from tests.county import build
from tests.deployment import Deployed, add_user
from tests.e2e.processes import PATIENCE, environment, running, start, until
from tests.http import serving
from tests.orders import at_site
from tests.services import LOOPBACK, Postgres, free_port
from tests.unit.test_compose import SERVICES, command_line

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
SHARDS = {"GW-LOW": "0a", "GW-HIGH": "f3"}


@dataclass(frozen=True)
class Composition:
    """The running services: the API's address, the broker's port and an admin's token."""

    url: str
    mqtt_port: int
    admin: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.admin}"}
        with urllib3.PoolManager() as http:
            answer = http.request(method, f"{self.url}/api/v1/{path}", headers=headers, json=body)
        assert answer.status < 300, answer.data
        return answer.json()


def commands_of(service: str) -> list[list[str]]:
    """What a service runs, as arguments of `coldtrail`: of a shell script, each of its commands."""
    script = command_line(SERVICES[service]).removeprefix("sh -euc ")
    return [shlex.split(command)[1:] for command in script.split(";")]


@pytest.fixture
def composition(postgres: Postgres, deployed: Deployed, tmp_path: Path) -> Iterator[Composition]:
    log, bind = tmp_path / "log", f"{LOOPBACK}:{free_port()}"
    with postgres.database() as name, ExitStack() as services:
        url = f"mqtt://ingest:ingest-password@{LOOPBACK}:{deployed.port}"
        settings = environment(COLDTRAIL_DATABASE_URL=postgres.url(name), COLDTRAIL_MQTT_URL=url, COLDTRAIL_BIND=bind)
        for command in commands_of("migrate"):
            assert start(command, settings, log).wait(PATIENCE) == 0, log.read_text()
        assert start(["token", "create", "admin", "--role", "admin"], settings, tmp_path / "token").wait(PATIENCE) == 0
        for service in ("api", "ingest-0", "ingest-1"):
            (command,) = commands_of(service)
            services.enter_context(running(command, settings, log))
        with urllib3.PoolManager() as http:
            until(lambda: answers(http, f"http://{bind}/readyz"))
        yield Composition(f"http://{bind}", deployed.port, (tmp_path / "token").read_text().strip())


def answers(http: urllib3.PoolManager, url: str) -> bool:
    try:
        return http.request("GET", url, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_two_workers_take_in_what_their_gateways_send(
    composition: Composition, deployed: Deployed, open_buffer: OpenBuffer
) -> None:
    composition.call("POST", "facilities", {"code": "S", "name": "S", "kind": "fixed-site", "zone": "Asia/Shanghai"})
    for code, shard in SHARDS.items():
        add_user(deployed, code)
        deployed.reload()
        composition.call("POST", "gateways", {"code": code, "facility": "S", "shard": shard})
        sensor = {"serial": f"T-{code}", "interval_seconds": 60, "storage_profile": "who-2-8", "gateway": code}
        composition.call("POST", "sensors", sensor)
        send(composition, code, shard, f"T-{code}", open_buffer())
        found = composition.call("GET", f"sensors/T-{code}/readings?limit=1000")
        assert [each["celsius"] for each in found["items"]] == [(400 + number) / 100 for number in range(100)]


def test_the_keeper_of_the_log_makes_its_key_once_and_signs(postgres: Postgres, tmp_path: Path) -> None:
    secret, said = tmp_path / "log.key", tmp_path / "log"
    with postgres.database() as name:
        settings = environment(
            COLDTRAIL_DATABASE_URL=postgres.url(name),
            COLDTRAIL_LOG_KEY_FILE=str(secret),
            LOG_NAME="coldtrail/log",
            PATH=f"{Path(sys.executable).parent}:{os.defpath}",
        )
        assert start(["migrate"], settings, said).wait(PATIENCE) == 0, said.read_text()
        with closing(Database(postgres.url(name))) as database, serving(build(database)) as server:
            at_site(server.client, 10)
            _keep_log(settings, said, lambda: sizes(database))
            key = secret.read_text()
            at_site(server.client, 10)
            assert _keep_log(settings, said, lambda: sizes(database)) == (6, 6)
    assert secret.read_text() == key


def sizes(database: Database) -> tuple[int, int]:
    """How many leaves there are, and how many the newest checkpoint is of."""
    with database.read() as session:
        return sequencer.size(session), session.scalar(select(func.max(LogCheckpoint.size))) or 0


def _keep_log(settings: dict[str, str], said: Path, sizes: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    """Run the service until it has appended what is new, and let it end."""
    before, _ = sizes()
    script = SERVICES["log"]["command"][0].replace("$$", "$")
    with said.open("ab") as output:
        process = subprocess.Popen(["sh", "-euc", script], env=settings, stdout=output, stderr=output)
    until(lambda: sizes()[0] > before)
    process.terminate()
    assert process.wait(PATIENCE) == 0, said.read_text()
    return sizes()


def send(composition: Composition, code: str, shard: str, serial: str, buffer: Buffer) -> None:
    """Send a hundred readings as a gateway does, until all are confirmed."""
    settings = MqttSettings(code, LOOPBACK, composition.mqtt_port, username=code, password=f"{code}-password")
    publisher = Publisher(settings, [topics.receipt_topic(code, shard)])
    gateway = Gateway(code, shard, publisher, buffer)
    for number in range(100):
        gateway.take([Measurement(serial, FIRST + timedelta(minutes=number), 400 + number)])
    until(lambda: confirmed(gateway))
    publisher.close()


def confirmed(gateway: Gateway) -> bool:
    gateway.step(0.1)
    return gateway.outstanding == 0
