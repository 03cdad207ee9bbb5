"""Whom a worker asks for births: edge nodes that are enrolled here, and no others, each once in a while."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from coldtrail.broker import Broker, start_broker
from inventory.persistence.database import Database
from inventory.services.messages import EdgeNote, Message
from mqtt_ingest.answers import Answers
from mqtt_ingest.client import Publisher
from mqtt_ingest.settings import MqttSettings
from soak.plain import publish_all
from tests.county import GATEWAY, NOW, SHARD, build
from tests.services import require_mosquitto
from tests.sparkplug import FLOAT, a_float, metric, payload
from tests.workers import until, worker

Node = tuple[str, str]


class Outlet:
    """Keeps what it is given; on some days it says that there is no connection."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    def publish(self, topic: str, _payload: bytes) -> bool:
        self.topics.append(topic)
        return True


class Office:
    """Knows who is enrolled, unless it is away."""

    def __init__(self, *nodes: Node) -> None:
        self.nodes: Sequence[Node] = nodes
        self.away = False
        self.times = 0

    def __call__(self) -> Sequence[Node]:
        self.times += 1
        if self.away:
            raise ConnectionError
        return self.nodes


def said(gateway: str, *, rebirth: bool = True, shard: str = "0a") -> Message:
    return Message("topic", b"", NOW, gateway, shard, (), edge=EdgeNote({}, rebirth=rebirth))


class Time:
    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Broker]:
    require_mosquitto()
    with start_broker(None, tmp_path, prefer="mosquitto") as started:
        yield started


def test_only_those_that_are_enrolled_are_asked_each_once_a_minute() -> None:
    outlet, time = Outlet(), Time()
    answers = Answers(outlet, time, Office(("gw", "0a"), ("other", "0a")))
    for _ in range(3):
        answers.ask_for_births([said("gw"), said("stranger"), said("gw", shard="0b"), said("other", rebirth=False)])
    assert outlet.topics == ["spBv1.0/0a/NCMD/gw"]
    time.at += timedelta(minutes=1)
    answers.ask_for_births([said("gw"), said("stranger")])
    assert outlet.topics == ["spBv1.0/0a/NCMD/gw"] * 2


def test_who_is_enrolled_is_asked_for_only_where_somebody_may_have_to_be_asked() -> None:
    office = Office(("gw", "0a"))
    answers = Answers(Outlet(), Time(), office)
    answers.ask_for_births([said("gw", rebirth=False)])
    assert office.times == 0
    for _ in range(3):
        answers.ask_for_births([said("gw"), said("stranger")])
    assert office.times == 1


def test_a_stranger_that_was_enrolled_meanwhile_is_asked() -> None:
    outlet, time, office = Outlet(), Time(), Office()
    answers = Answers(outlet, time, office)
    answers.ask_for_births([said("gw")])
    office.nodes, time.at = [("gw", "0a")], NOW + timedelta(minutes=1)
    answers.ask_for_births([said("gw")])
    assert outlet.topics == ["spBv1.0/0a/NCMD/gw"]


def test_who_could_not_be_looked_up_is_asked_later() -> None:
    outlet, office = Outlet(), Office(("gw", "0a"))
    answers = Answers(outlet, Time(), office)
    office.away = True
    with pytest.raises(ConnectionError):
        answers.ask_for_births([said("gw")])
    office.away = False
    answers.ask_for_births([])
    assert outlet.topics == ["spBv1.0/0a/NCMD/gw"]


def test_a_node_of_another_installation_on_the_same_broker_hears_nothing(mosquitto: Broker, database_url: str) -> None:
    """The stranger speaks first, and the other is asked: so the stranger was heard, and not asked."""
    with closing(Database(database_url)) as database:
        build(database)
    settings = MqttSettings.from_url(mosquitto.url, "nodes", protocol=mosquitto.protocol)
    nodes, asked = Publisher(settings, ["spBv1.0/+/NCMD/+"]), list[str]()

    def heard() -> bool:
        asked.extend(each.topic for each in nodes.step(0.05))
        return bool(asked)

    until(lambda: nodes.step(0.05) == [] and nodes.subscribed)
    data = payload(metric(None, 7, FLOAT, a_float(4.5)), seq=1)
    with closing(nodes), worker(mosquitto, database_url):
        for code in ("STRANGER", GATEWAY):
            publish_all(mosquitto.url, f"spBv1.0/{SHARD}/NDATA/{code}", data)
        until(heard)
    assert asked == [f"spBv1.0/{SHARD}/NCMD/{GATEWAY}"]
