"""Sparkplug B from the topic to the database: births, aliases, a worker that begins anew, and what nobody can know."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select

from inventory.domain.words import RejectReason
from inventory.persistence import tables
from inventory.persistence.database import Database
from inventory.services import edge_nodes
from inventory.services.gateways import list_gateways
from inventory.services.messages import Message
from inventory.services.monitoring import Intake
from mqtt_ingest.client import Incoming
from mqtt_ingest.edge_nodes import EdgeNodes
from mqtt_ingest.reader import read
from tests.county import County, build
from tests.sparkplug import EIGHT, FLOAT, MS, a_float, bdseq, metric, payload, said

LATER = EIGHT + timedelta(hours=1)
MINUTE = 60_000
SENSOR = "S-BOX"


@pytest.fixture
def county(database_url: str) -> Iterator[County]:
    with closing(Database(database_url)) as database:
        yield build(database)


class Worker:
    """An ingest worker as far as Sparkplug goes; it knows what the database remembers."""

    def __init__(self, county: County) -> None:
        self.database = county.database
        self.intake = Intake(county.database)
        self.nodes = EdgeNodes()
        for shard, gateway, births in edge_nodes.remembered(county.database):
            self.nodes.load(shard, gateway, births)
        with county.database.read() as session:
            sensor = session.scalars(select(tables.Sensor).where(tables.Sensor.serial == SENSOR)).one()
            found = session.scalars(select(tables.Gateway).order_by(tables.Gateway.code)).all()
        mine = next(each for each in found if sensor.gateway_id in {None, each.id})
        self.shard, self.gateway = mine.shard, mine.code

    def hear(self, kind: str, content: bytes) -> bool:
        """Take a message in; whether the edge node is to be asked for its births."""
        incoming = Incoming(1, 1, f"spBv1.0/{self.shard}/{kind}/{self.gateway}", content)
        entries = read(incoming, LATER, nodes=self.nodes)
        self.intake.record(entries, LATER)
        return any(isinstance(each, Message) and each.edge is not None and each.edge.rebirth for each in entries)


def born(seq: int = 0) -> bytes:
    return payload(
        bdseq(3), metric(SENSOR, 7, FLOAT, a_float(4.5), at=MS, properties={"engUnit": said("degC")}), seq=seq
    )


def data(minute: int, seq: int, alias: int = 7) -> bytes:
    return payload(metric(None, alias, FLOAT, a_float(5.25), at=MS + minute * MINUTE), seq=seq, at=MS + minute * MINUTE)


def stored(county: County) -> list[tuple[int, int]]:
    with county.database.read() as session:
        rows = session.scalars(select(tables.Reading).order_by(tables.Reading.measured_at))
        return [(int((row.measured_at - EIGHT).total_seconds() // 60), row.temperature) for row in rows]


def rejected(county: County) -> list[RejectReason]:
    with county.database.read() as session:
        return list(session.scalars(select(tables.RejectedMessage.reason)))


def test_a_birth_names_what_later_messages_mean_also_to_a_worker_that_begins_anew(county: County) -> None:
    worker = Worker(county)
    worker.hear("NBIRTH", born())
    assert not worker.hear("NDATA", data(1, seq=1))
    again = Worker(county)
    assert not again.hear("NDATA", data(2, seq=2))
    assert stored(county) == [(0, 450), (1, 525), (2, 525)]
    assert rejected(county) == []
    seen = {each.code: each.online for each in list_gateways(county.database, None, 50).items}
    assert seen[worker.gateway] is True


def test_what_no_birth_explains_is_kept_aside_and_the_node_is_asked(county: County) -> None:
    worker = Worker(county)
    assert worker.hear("NDATA", data(1, seq=1))
    assert stored(county) == []
    assert rejected(county) == [RejectReason.UNKNOWN_ALIAS]


def test_missing_messages_are_counted_and_what_came_is_stored(county: County) -> None:
    worker = Worker(county)
    worker.hear("NBIRTH", born())
    assert worker.hear("NDATA", data(1, seq=4))
    assert stored(county) == [(0, 450), (1, 525)]
    with county.database.read() as session:
        assert session.scalars(select(tables.EdgeNode.missed)).one() == 3


def test_the_will_of_the_connection_that_was_born_is_an_absence(county: County) -> None:
    worker = Worker(county)
    worker.hear("NBIRTH", born())
    worker.hear("NDEATH", payload(bdseq(3), seq=None))
    seen = {each.code: each.online for each in list_gateways(county.database, None, 50).items}
    assert seen[worker.gateway] is False
