"""Messages that Hypothesis makes up, and what must become of any of them."""

import json
from itertools import count

from hypothesis import strategies as st
from sqlalchemy import func, select

from inventory.persistence.database import Database
from inventory.persistence.tables import Reading, ReadingConflict, Sensor
from inventory.services.messages import Measurement, Rejection
from mqtt_ingest.client import Incoming
from mqtt_ingest.reader import read
from tests.county import GATEWAY, NOW, SHARD
from tests.hostile import CCE, ENVELOPE, READINGS, SEVERAL, SINGLE, Message, good, kept, take_in

_FIRST = 10_000
_numbers = count(_FIRST)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("2026-01-05T03:00:00Z")
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@st.composite
def _altered(draw: st.DrawFn) -> bytes:
    """A good message with one member put wrong, or some bytes of it."""
    whole = draw(st.sampled_from([SINGLE, SEVERAL, ENVELOPE]))
    name = draw(st.sampled_from([*whole, "first", "more"]))
    text = json.dumps(whole | {name: draw(_VALUES)}).encode()
    start = draw(st.integers(0, len(text)))
    if draw(st.booleans()):
        text = text[:start] + draw(st.binary(max_size=8)) + text[start + draw(st.integers(0, 8)) :]
    return text


_PAYLOADS = (
    st.binary(max_size=200) | _altered() | st.text(alphabet='[]{}",:\\u0d8fe+-.123NaIn \0', max_size=80).map(str.encode)
)
_TOPICS = (
    st.sampled_from([READINGS, READINGS, READINGS, CCE, f"coldtrail/v1/{SHARD}/{GATEWAY}/state"])
    | st.text(max_size=30)
    | st.lists(st.text(max_size=5), max_size=5).map("/".join)
)

CHUNKS = st.lists(st.tuples(_TOPICS.filter(lambda topic: topic.isprintable()), _PAYLOADS), max_size=12)
"""Messages as a client hands them on: no topic holds NUL or a lone surrogate."""


def take_in_and_compare(database: Database, chunk: list[Message]) -> None:
    """Take in a chunk and a good message: each is kept aside with a reason, or its readings are stored."""
    fine = good(next(_numbers))
    take_in(database, [*chunk, fine])
    after = kept(database, chunk)
    for topic, payload in [*chunk, fine]:
        entry = read(Incoming(1, 1, topic, payload), NOW)[0]
        if isinstance(entry, Rejection):
            assert all(after.reasons[topic, payload]), (topic, payload)
        elif (topic, payload) not in after.reasons:
            assert all(holds(database, one) for one in entry.measurements), (topic, payload)


def holds(database: Database, one: Measurement) -> bool:
    """Whether a reading is stored, or is kept as a conflict with another."""
    with database.read() as session:
        return any(
            session.scalar(
                select(func.count())
                .select_from(table)
                .join(Sensor, Sensor.id == table.sensor_id)
                .where(
                    Sensor.serial == one.sensor,
                    table.measured_at == one.measured_at,
                    table.temperature == one.temperature,
                )
            )
            for table in (Reading, ReadingConflict)
        )
