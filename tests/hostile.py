"""Payloads and topics that nobody should send, each of them surely bad, and a worker that takes them in."""

import gzip
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Any

from sqlalchemy import func, select

from inventory.domain.errors import Unavailable
from inventory.persistence.database import Database
from inventory.persistence.tables import Reading, RejectedMessage
from inventory.services import monitoring
from mqtt_ingest.client import Incoming
from mqtt_ingest.ingestor import Ingestor, Pace
from tests.county import GATEWAY, NOW, SHARD

READINGS = f"coldtrail/v1/{SHARD}/{GATEWAY}/readings"
CCE = f"coldtrail/v1/{SHARD}/{GATEWAY}/cce"

Message = tuple[str, bytes]
"""Topic and payload."""

SINGLE: dict[str, Any] = {"boot": "b", "seq": 5, "sensor": "S-BOX", "at": "2026-01-05T03:00:00Z", "celsius": 4.5}
SEVERAL: dict[str, Any] = {
    "boot": "b",
    "seq": 6,
    "readings": [{key: SINGLE[key] for key in ("sensor", "at", "celsius")}],
}
ENVELOPE: dict[str, Any] = {
    "meta": {
        "schemaVersion": "0.8.1",
        "transferType": "ems",
        "transferId": "T-1",
        "transferSrc": "org.example",
        "transferredAt": "2026-01-05T03:30:00Z",
    },
    "data": [
        dict.fromkeys(("CID", "ADOP", "AMFR", "AMOD", "APQS", "EDOP", "EMFR", "EMOD", "EMSV", "EPQS", "LSV"))
        | {"ASER": "A", "ESER": "E", "LSER": "S-BOX", "LDOP": "", "LMFR": "", "LMOD": "", "LPQS": ""}
        | {"records": [{"ABST": "20260105T030000Z", "TVC": 4.5}]}
    ],
}

_WRONG = (
    "null",
    "true",
    "[]",
    "{}",
    '""',
    "1.5",
    "-1",
    "NaN",
    "Infinity",
    "-Infinity",
    str(2**63),
    str(2**64),
    "1e400",
    "-1e400",
    "9" * 40,
    "9" * 4000,
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"x\\udfff"',
    '"%s"' % ("x" * 70),
    "0x10",
    "01",
    "+1",
    ".5",
    "[" * 60_000,
    '{"a":' * 30_000,
)
_FINE = {("celsius", "1.5"), ("celsius", "-1")}
"""What is wrong elsewhere, but not here."""

_TIMES = (
    "2026-01-05T03:00:00",
    "2026-13-05T03:00:00Z",
    "2026-02-30T03:00:00Z",
    "2026-01-05T03:00:60Z",
    "0001-01-01T00:00:00+08:00",
    "9999-12-31T23:59:59-08:00",
    "1999-12-31T23:59:59Z",
    "2099-01-01T00:00:00Z",
    "2026-01-05T03:00:00+24:00",
    "yesterday",
    "2026-01-05 03:00:00Z",
    "٢٠٢٦-01-05T03:00:00Z",
    "1767582000",
)
_TOPICS = (
    "coldtrail/v1/zz/GW/readings",
    "coldtrail/v1/0A/GW/readings",
    "coldtrail/v1/123/GW/readings",
    f"coldtrail/v1/{SHARD}//readings",
    f"coldtrail/v1/{SHARD}/{'g' * 65}/readings",
    f"coldtrail/v1/{SHARD}/{GATEWAY}/reading",
    f"coldtrail/v1/{SHARD}/{GATEWAY}/receipt",
    "coldtrail/v1",
    "",
    "/",
    "elsewhere",
    "$SYS/broker",
    f"coldtrail/v2/{SHARD}/{GATEWAY}/readings",
    f"{READINGS}/more",
    f"coldtrail/v1/{SHARD}/NOBODY/readings",
    f"coldtrail/v1/ff/{GATEWAY}/readings",
    "coldtrail/v1/\\0a/\\0/readings",
    f"coldtrail/v1/{SHARD}/\N{SNOWMAN}/readings",
    f"spBv1.0/{SHARD}/NDATA",
    "spBv1.0/zz/NBIRTH/GW",
)


def hostile() -> list[Message]:
    """About a thousand, all different, in an order that mixes them."""
    found = [(READINGS, payload) for payload in _native()] + [(CCE, payload) for payload in _cce()]
    found += [(topic, _json(SINGLE)) for topic in _TOPICS]
    different = list(dict.fromkeys(found))
    random.Random(7).shuffle(different)
    return different


def _native() -> Iterator[bytes]:
    for whole in (_json(SINGLE), _json(SEVERAL)):
        yield from (whole[:end] for end in range(len(whole)))
        yield from _no_utf8(whole)
    for name in SINGLE:
        yield from (_with(SINGLE, name, wrong) for wrong in _WRONG if (name, wrong) not in _FINE)
        yield _json({key: value for key, value in SINGLE.items() if key != name} | {name.upper(): SINGLE[name]})
        yield _json(SINGLE)[:-1] + b',"%s":%s}' % (name.encode(), json.dumps(SINGLE[name]).encode())
    yield from (_with(SEVERAL, "readings", wrong) for wrong in _WRONG)
    yield from (_with(SINGLE | {"first": 0}, "first", wrong) for wrong in (*_WRONG, "0", "6"))
    yield from (_json(SINGLE | {"at": at}) for at in _TIMES)
    yield from (_json(SINGLE | {"celsius": value}) for value in (-274, 201, "4.5", [4.5]))
    yield from (_json(SINGLE | {"sensor": serial}) for serial in ("NOBODY", "'; DROP TABLE reading; --", "\N{SNOWMAN}"))
    yield from _alien()
    yield from _huge()


def _cce() -> Iterator[bytes]:
    whole = _json(ENVELOPE)
    yield from (whole[:end] for end in range(0, len(whole), 3))
    packed = gzip.compress(whole, mtime=0)
    yield from (packed[:end] for end in range(2, len(packed), 4))
    yield from (
        packed + b"more",
        gzip.compress(packed, mtime=0),
        packed[:-8] + b"\0" * 8,
        b"\x1f\x8b",
        b"\x1f\x8b\x08\xff" * 9,
    )
    yield from (gzip.compress(b"\0" * (100 << 20), 9, mtime=0), gzip.compress(b" " * (9 << 20) + whole, 9, mtime=0))
    for name in ENVELOPE["meta"]:
        for wrong in _list(None, True, [], {}, "", 7, "\N{SNOWMAN}" * 2001):
            yield _json(ENVELOPE | {"meta": ENVELOPE["meta"] | {name: wrong}})
    yield from (_json(ENVELOPE | {"data": wrong}) for wrong in _list(None, [], {}, [7], [{}], "x"))
    (report,) = ENVELOPE["data"]
    for record in ({}, {"ABST": "20260105T030000Z"}, {"ABST": "20260105T030000", "TVC": 4}, {"ABST": 7, "TVC": 4}):
        yield _json(ENVELOPE | {"data": [report | {"records": [record]}]})
    for warm in _list("4.5", [], {}, True, 1000, -1000):
        yield _json(ENVELOPE | {"data": [report | {"records": [{"ABST": "20260105T030000Z", "TVC": warm}]}]})


def _no_utf8(whole: bytes) -> Iterator[bytes]:
    for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80"):
        yield from (whole[:at] + bad + whole[at:] for at in range(1, len(whole), 4))


def _alien() -> Iterator[bytes]:
    """No JSON, or none of ours."""
    yield from (
        b"null",
        b"[]",
        b"0",
        b'"text"',
        b"{}",
        b"\0",
        b"\xef\xbb\xbf{}",
        _json(SINGLE).decode().encode("utf-16"),
    )
    yield from (
        b"<xml/>",
        b"boot=b&seq=1",
        b"'; DROP TABLE reading; --",
        b"[" * 100_000,
        b'{"":' * 100_000,
        b"9" * 100_000,
    )
    yield from (
        _json(SINGLE) + b" {}",
        b"[" + _json(SINGLE) + b"]",
        _json(SINGLE | {"more": 1}),
        _json(SEVERAL | SINGLE),
    )
    chance = random.Random(11)
    yield from (b"\x80" + chance.randbytes(chance.randrange(200)) for _ in range(220))


def _huge() -> Iterator[bytes]:
    """More than ten megabytes, and a little more than may be."""
    yield from (b"\0" * (10 << 20), b" " * (10 << 20) + _json(SINGLE), _json(SINGLE | {"sensor": "x" * (10 << 20)}))
    yield _json(SINGLE) + b" " * (1 << 20)


def _list(*values: Any) -> list[Any]:
    return list(values)


def _with(message: dict[str, Any], name: str, value: str) -> bytes:
    """The message with the text `value`, be it JSON or not, for one of its members."""
    return _json(message | {name: "@"}).replace(b'"@"', value.encode())


def _json(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def good(seq: int) -> Message:
    """A message of a boot of its own, in which nothing is wrong."""
    at = NOW - timedelta(days=30) + timedelta(seconds=seq)
    reading = {"sensor": "S-BOX", "at": at.isoformat(), "celsius": 4.5}
    return READINGS, _json({"boot": "good", "seq": seq, "readings": [reading]})


class Inbox:
    """Stands for a subscriber: gives messages, and stops the worker when all are acknowledged."""

    lost_sessions = new_sessions = 0
    connected = True

    def __init__(self, messages: Iterable[Message]) -> None:
        self.stop = Event()
        self.told: list[Any] = []
        self._waiting = [Incoming(1, mid, topic, payload) for mid, (topic, payload) in enumerate(messages, 1)]
        self._unacknowledged = len(self._waiting)

    def step(self, _timeout: float) -> list[Incoming]:
        arrived, self._waiting = self._waiting[:40], self._waiting[40:]
        return arrived

    def ack(self, messages: Sequence[Incoming]) -> None:
        self._unacknowledged -= len(messages)
        if not self._unacknowledged:
            self.stop.set()

    def publish(self, _topic: str, payload: bytes) -> bool:
        self.told.append(json.loads(payload))
        return True


def take_in(database: Database, messages: Iterable[Message]) -> Inbox:
    """Let a worker take in messages, as they came to it, until it has acknowledged all."""
    inbox, intake = Inbox(messages), monitoring.Intake(database)
    pace = Pace(chunk=100, gather=0.01, report=3600.0)
    Ingestor(inbox, lambda chunk: intake.record(chunk, NOW), lambda: NOW, away=(Unavailable,), pace=pace).run(
        inbox.stop
    )
    return inbox


@dataclass(frozen=True)
class Kept:
    """What is kept aside: the reason and the detail of each message, and how many readings are stored."""

    reasons: dict[Message, tuple[str, str]]
    readings: int

    def missing(self, messages: Iterable[Message]) -> list[Message]:
        """Those that are not kept aside with a reason."""
        return [each for each in messages if not all(self.reasons.get(each, ("",)))]


def kept(database: Database, among: Iterable[Message] | None = None) -> Kept:
    """What is there now; of what is kept aside only `among`, where that is given."""
    with database.read() as session:
        query = select(RejectedMessage.topic, RejectedMessage.payload, RejectedMessage.reason, RejectedMessage.detail)
        if among is not None:
            query = query.where(RejectedMessage.payload.in_({payload for _, payload in among}))
        reasons = {(row.topic, row.payload): (row.reason, row.detail) for row in session.execute(query)}
        return Kept(reasons, session.scalar(select(func.count()).select_from(Reading)) or 0)
