"""No stream is ever blocked: not by a database that was set back to a backup, nor by a message that nobody can read."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from inventory.domain.words import RejectReason
from inventory.persistence.database import Database
from inventory.persistence.tables import Base, MessageAhead, MessageStream, Reading, RejectedMessage
from inventory.services import monitoring
from inventory.services.messages import Measurement
from mqtt_ingest import receipts
from mqtt_ingest.buffer import Buffer
from mqtt_ingest.client import Incoming
from mqtt_ingest.gateway import Gateway
from mqtt_ingest.reader import read
from tests.buffers import OpenBuffer
from tests.county import GATEWAY, MIDNIGHT, MINUTE, NOW, SHARD, build
from tests.services import PostgresTemplate, SqliteTemplate, Template

WINDOW = 20


def backup_of(template: Template, url: str) -> Template:
    """A database to which nobody is connected, as what it can be restored from."""
    if isinstance(template, PostgresTemplate):
        return PostgresTemplate(template.server, url.rpartition("/")[2])
    return SqliteTemplate(Path(url.removeprefix("sqlite:///")))


@contextmanager
def opened(url: str) -> Iterator[Database]:
    with closing(Database(url)) as database:
        yield database


class Service:
    """Broker and ingest worker in one: what is published is committed at the next step, and then receipted."""

    connected = True
    generation = 1

    def __init__(self, database: Database) -> None:
        self.database = database
        self.waiting: list[Incoming] = []
        self.deaf = False
        self.told: list[int] = []

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:  # noqa: ARG002
        self.waiting.append(Incoming(1, 1, topic, payload))
        return True

    def step(self, _timeout: float) -> list[Incoming]:
        chunk = [entry for incoming in self.waiting for entry in read(incoming, NOW)]
        self.waiting.clear()
        told = receipts.newest(monitoring.record(self.database, chunk, NOW))
        self.told += [each.seq for each in told if each.seq is not None]
        return [] if self.deaf else [Incoming(1, 1, "receipt", receipts.encode(each)) for each in told]


def measure(gateway: Gateway, minutes: range) -> None:
    for minute in minutes:
        gateway.take([Measurement("S-A", MIDNIGHT + minute * MINUTE, 450)])


def minutes_stored(database: Database) -> set[int]:
    with database.read() as session:
        found: list[datetime] = list(session.scalars(select(Reading.measured_at)))
    return {(at - MIDNIGHT) // timedelta(minutes=1) for at in found}


def stream(database: Database) -> tuple[int, int]:
    with database.read() as session:
        row = session.scalars(select(MessageStream)).one()
        return row.committed_seq, row.skipped


def rows(database: Database, table: type[Base]) -> int:
    with database.read() as session:
        return len(session.scalars(select(table)).all())


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1000
        return self.now


def run(service: Service, buffer: Buffer, minutes: range, steps: int = 50) -> Gateway:
    """A gateway that was just started and is never patient: it measures, and has `steps` chances to be heard."""
    gateway = Gateway(GATEWAY, SHARD, service, buffer, window=WINDOW, monotonic=Seconds())
    measure(gateway, minutes)
    for _ in range(steps):
        gateway.step()
    return gateway


def test_a_gateway_goes_on_after_the_database_was_set_back(
    database_template: Template, open_buffer: OpenBuffer
) -> None:
    buffer = open_buffer()
    with database_template.clone() as url:
        with opened(url) as database:
            build(database)
            assert run(Service(database), buffer, range(30)).outstanding == 0
        with backup_of(database_template, url).clone() as restored:
            with opened(url) as database:
                service = Service(database)
                assert run(service, buffer, range(30, 100)).outstanding == 0
                service.deaf = True
                assert run(service, buffer, range(100, 150)).outstanding == 50
            with opened(restored) as database:
                assert stream(database) == (30, 0)
                assert run(Service(database), buffer, range(150, 200)).outstanding == 0
                assert stream(database) == (200, 70)
                assert minutes_stored(database) == {*range(30), *range(100, 200)}
                assert rows(database, MessageAhead) == 0


def test_a_gateway_goes_on_in_a_database_that_never_heard_of_it(
    database_template: Template, open_buffer: OpenBuffer
) -> None:
    buffer = open_buffer()
    for minutes in (range(30), range(30, 60)):
        with database_template.clone() as url, opened(url) as database:
            build(database)
            assert run(Service(database), buffer, minutes).outstanding == 0
            assert stream(database) == (minutes.stop, minutes.start)
            assert minutes_stored(database) == set(minutes)


def numbered(seq: int) -> bytes:
    return b'{"boot":"b","seq":%d,"sensor":"S-A","at":"2026-01-05T00:%02d:00Z","celsius":4.5}' % (seq, seq)


UNREADABLE = {
    "NaN": numbered(2).replace(b"4.5", b"NaN"),
    "an escaped NUL": numbered(2).replace(b"S-A", rb"\u0000"),
    "a lone surrogate": numbered(2).replace(b"S-A", rb"\ud800"),
    "a long number": numbered(2).replace(b"4.5", b"4" * 41),
    "no UTF-8": numbered(2).replace(b"S-A", b"\xff"),
    "a repeated key": numbered(2).replace(b"4.5", b'4.5,"celsius":9.5'),
    "too many bytes": numbered(2) + b" " * (1 << 20),
    "broken off": numbered(2)[:-9],
}


@pytest.mark.parametrize("unreadable", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_message_is_kept_aside_and_blocks_none_behind_it(database_url: str, unreadable: bytes) -> None:
    with opened(database_url) as database:
        build(database)
        service = Service(database)
        for payload in (numbered(1), unreadable, numbered(3), numbered(4)):
            service.publish(f"coldtrail/v1/{SHARD}/{GATEWAY}/readings", payload)
            service.step(0)
        assert service.told == [1, 2, 3, 4]
        assert stream(database) == (4, 0)
        assert rows(database, Reading) == 3
        with database.read() as session:
            kept = session.scalars(select(RejectedMessage)).one()
        assert (kept.payload, kept.reason) == (unreadable, RejectReason.MALFORMED)
