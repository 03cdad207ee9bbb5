"""About a thousand payloads that nobody should send: each is kept with its reason, and none stops anything."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from coldtrail.broker import start_broker
from inventory.domain.words import RejectReason
from inventory.persistence.database import Database
from soak.plain import publish_all
from tests.county import build
from tests.hostile import CCE, READINGS, Message, good, hostile, kept, take_in
from tests.made_up import CHUNKS, take_in_and_compare
from tests.services import Template, require_mosquitto
from tests.workers import until, worker

LONGEST = 1 << 20


@pytest.fixture(scope="module")
def database(database_template: Template) -> Iterator[Database]:
    """A county's database, shared by the tests, on each engine in turn."""
    with database_template.clone() as url:
        found = Database(url)
        build(found)
        yield found
        found.close()


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return hostile()


def test_each_is_kept_with_its_reason_and_the_good_ones_between_them_are_stored(
    database: Database, messages: list[Message]
) -> None:
    assert len(messages) > 1000
    before = kept(database).readings
    between = [good(seq) for seq in range(1, len(messages) // 10 + 1)]
    mixed = list(messages)
    for index, each in enumerate(between):
        mixed.insert(index * 11, each)
    inbox = take_in(database, mixed)
    after = kept(database)
    assert after.missing(messages) == []
    assert after.readings - before == len(between)
    assert {"boot": "good", "seq": len(between)} in inbox.told
    reasons = {reason for reason, _ in after.reasons.values()}
    assert reasons >= {
        RejectReason.BAD_TOPIC,
        RejectReason.MALFORMED,
        RejectReason.UNKNOWN_GATEWAY,
        RejectReason.UNKNOWN_SENSOR,
        RejectReason.WRONG_SHARD,
        RejectReason.TIME_IN_FUTURE,
        RejectReason.TIME_TOO_OLD,
    }


def test_the_same_again_is_counted_and_not_kept_twice(database: Database, messages: list[Message]) -> None:
    few = messages[:50]
    take_in(database, few)
    before = kept(database)
    take_in(database, few)
    assert kept(database) == before


def test_some_hundreds_come_through_a_real_broker_to_a_worker_that_goes_on(
    database_template: Template, messages: list[Message], tmp_path: Path
) -> None:
    require_mosquitto()
    sent = [(topic, payload) for topic, payload in messages if topic in {READINGS, CCE} and len(payload) <= LONGEST]
    sent = sent[::3]
    assert len(sent) > 300
    with database_template.clone() as url, start_broker(None, tmp_path, prefer="mosquitto") as broker:
        database = Database(url)
        build(database)
        with worker(broker, url):
            for topic in (READINGS, CCE):
                publish_all(broker.url, topic, *[payload for each, payload in sent if each == topic])
            publish_all(broker.url, READINGS, *[good(seq)[1] for seq in range(1, 51)])
            until(lambda: kept(database).readings == 50)
            until(lambda: not kept(database).missing(sent))
        database.close()


@settings(max_examples=40, deadline=None, database=None)
@given(chunk=CHUNKS)
def test_whatever_is_made_up_is_kept_or_stored(database: Database, chunk: list[Message]) -> None:
    take_in_and_compare(database, chunk)


def test_what_is_quoted_in_a_reason_is_short_and_can_be_shown(database: Database, messages: list[Message]) -> None:
    take_in(database, messages[:200])
    details = [detail for _, detail in kept(database).reasons.values()]
    assert max(map(len, details)) <= 600
    assert not any(re.search("[\0\ud800-\udfff]", detail) for detail in details)
