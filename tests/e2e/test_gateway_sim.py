"""`coldtrail gateway-sim` against a real broker: every reading is confirmed, and whoever goes is known to have gone."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from coldtrail.broker import Broker, start_broker
from inventory.domain.words import FacilityKind
from inventory.persistence.database import Database
from inventory.services import facilities, rules
from mqtt_ingest.client import Subscriber
from mqtt_ingest.settings import MqttSettings, Protocol
from soak.proof import prove, recorded
from tests.deployment import Deployed
from tests.e2e.processes import PATIENCE, environment, running, start
from tests.services import LOOPBACK, require_mosquitto
from tests.workers import until, worker

STATES = ["coldtrail/v1/+/+/state"]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    require_mosquitto()
    with start_broker(None, tmp_path / "broker", prefer="mosquitto") as started:
        yield started


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    rules.seed(found)
    facilities.add_facility(found, facilities.FacilityRecord("S", "S", FacilityKind.FIXED_SITE, "Asia/Shanghai"))
    yield found
    found.close()


def simulated(folder: Path, *more: str) -> list[str]:
    return ["gateway-sim", "--folder", str(folder / "buffers"), "--sensors", "2", "--patience", "1", *more]


def test_all_ends_confirmed_in_spite_of_outages(
    database: Database, database_url: str, broker: Broker, tmp_path: Path
) -> None:
    settings = environment(COLDTRAIL_DATABASE_URL=database_url, COLDTRAIL_MQTT_URL=broker.url)
    size = ["--gateways", "2", "--hours", "3", "--speed", "3600", "--outage", "60/20", "--enrol", "S"]
    command = simulated(tmp_path, *size, "--record", str(tmp_path / "taken"))
    with worker(broker, database_url):
        assert start(command, settings, tmp_path / "log").wait(PATIENCE) == 0, (tmp_path / "log").read_text()
    assert "every reading is confirmed" in (tmp_path / "log").read_text()
    proof = prove(database, recorded([tmp_path / "taken"]))
    assert proof.holds, proof
    assert proof.taken == proof.stored > 0.9 * 3 * 60 * 4


def test_what_nobody_confirms_is_said_and_kept_for_the_next_run(
    database: Database, database_url: str, broker: Broker, tmp_path: Path
) -> None:
    settings = environment(COLDTRAIL_DATABASE_URL=database_url, COLDTRAIL_MQTT_URL=broker.url)
    command = simulated(tmp_path, "--hours", "0.2", "--speed", "3600", "--enrol", "S")
    assert start([*command, "--timeout", "0.2"], settings, tmp_path / "log").wait(PATIENCE) == 1
    assert re.search(r"Error: \d+ messages were not confirmed", (tmp_path / "log").read_text())
    with worker(broker, database_url):
        assert start(command, settings, tmp_path / "log").wait(PATIENCE) == 0, (tmp_path / "log").read_text()


class States:
    """What is said on the topics of states, and by whom."""

    def __init__(self, url: str, protocol: Protocol = "5") -> None:
        self._subscriber = Subscriber(MqttSettings.from_url(url, "states", protocol=protocol), STATES)
        self.heard: list[tuple[str, bool, int]] = []
        until(lambda: self.step() and self._subscriber.connected)
        self._subscriber.step(0.3)

    def step(self) -> bool:
        for message in self._subscriber.step(0.05):
            said = json.loads(message.payload)
            self.heard.append((message.topic.split("/")[3], said["online"], said["birth"]))
        return True

    def await_count(self, count: int) -> None:
        until(lambda: self.step() and len(self.heard) >= count)

    def close(self) -> None:
        self._subscriber.close()


def test_a_birth_on_each_start_a_farewell_and_a_will_for_who_goes_without_a_word(
    broker: Broker, tmp_path: Path
) -> None:
    settings = environment(COLDTRAIL_MQTT_URL=broker.url, COLDTRAIL_MQTT_PROTOCOL="3.1.1")
    command = simulated(tmp_path, "--speed", "1", "--timeout", "0")
    with closing(States(broker.url)) as states:
        with running(command, settings, tmp_path / "log"):
            states.await_count(1)
        states.await_count(2)
        with running(command, settings, tmp_path / "log") as process:
            states.await_count(3)
            process.kill()
            states.await_count(4)
    assert states.heard == [("SIM-1", True, 1), ("SIM-1", False, 1), ("SIM-1", True, 2), ("SIM-1", False, 2)]


def test_who_takes_leave_of_a_busy_broker_has_not_gone_without_a_word(broker: Broker, tmp_path: Path) -> None:
    settings = environment(COLDTRAIL_MQTT_URL=broker.url, COLDTRAIL_MQTT_PROTOCOL="3.1.1")
    with closing(States(broker.url)) as states:
        with running(simulated(tmp_path, "--speed", "1", "--timeout", "0"), settings, tmp_path / "log") as process:
            states.await_count(1)
            broker.process.send_signal(signal.SIGSTOP)
            process.terminate()
            time.sleep(1)
            broker.process.send_signal(signal.SIGCONT)
        states.await_count(2)
        for _ in range(10):
            states.step()
    assert states.heard == [("SIM-1", True, 1), ("SIM-1", False, 1)]


def test_who_comes_back_within_the_delay_of_its_will_was_never_away(broker: Broker, tmp_path: Path) -> None:
    settings = environment(COLDTRAIL_MQTT_URL=broker.url)
    command = simulated(tmp_path, "--speed", "1", "--timeout", "0")
    with closing(States(broker.url)) as states:
        for births in (1, 2):
            with running(command, settings, tmp_path / "log") as process:
                states.await_count(births)
                process.kill()
        for _ in range(10):
            states.step()
    assert states.heard == [("SIM-1", True, 1), ("SIM-1", True, 2)]


_WILL = """
import os, sys
from paho.mqtt import client as paho
url, user, topic = sys.argv[1:]
client = paho.Client(paho.CallbackAPIVersion.VERSION2)
client.username_pw_set(user, f"{user}-password")
client.will_set(topic, '{"online":false,"birth":1}', qos=1, retain=True)
client.on_connect = lambda *_: os._exit(0)
client.connect("127.0.0.1", int(url))
client.loop_forever()
"""


def test_nobody_has_a_will_in_the_name_of_another(deployed: Deployed) -> None:
    url = f"mqtt://ingest:ingest-password@{LOOPBACK}:{deployed.port}"
    with closing(States(url)) as states:
        for topic in ("gateway-b", "gateway-a"):
            arguments = [str(deployed.port), "gateway-a", f"coldtrail/v1/07/{topic}/state"]
            subprocess.run([sys.executable, "-c", _WILL, *arguments], check=True, timeout=PATIENCE)
        states.await_count(1)
    assert states.heard == [("gateway-a", False, 1)]
