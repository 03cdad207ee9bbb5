import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import deque
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from inventory.services.messages import Measurement, Receipt
from inventory.strict_json import BadPayload
from mqtt_ingest import receipts
from mqtt_ingest.buffer import Buffer
from mqtt_ingest.client import Incoming
from mqtt_ingest.envelope import wrapped
from mqtt_ingest.formats import native
from mqtt_ingest.gateway import LONGEST_PATIENCE, Gateway, last_will
from mqtt_ingest.replay import Replayer, replay
from tests.buffers import OpenBuffer

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def one(minute: int = 0) -> list[Measurement]:
    return [Measurement("S1", NOW + timedelta(minutes=minute), 450)]


def add(buffer: Buffer, count: int = 1) -> None:
    for minute in range(count):
        buffer.add(partial(native.encode, measurements=one(minute)))


class Line:
    """Stands for a publisher: keeps what was published, gives what was prepared."""

    def __init__(self) -> None:
        self.connected = True
        self.generation = 1
        self.sent: list[bytes] = []
        self.arriving: deque[bytes] = deque()
        self.states: list[tuple[str, bytes, bool]] = []
        self.room = 1000

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        if not self.connected or len(self.sent) >= self.room:
            return False
        if topic.endswith("/state"):
            self.states.append((topic, payload, retain))
        else:
            assert not retain
            self.sent.append(payload)
        return True

    def step(self, _timeout: float) -> list[Incoming]:
        arrived = [Incoming(self.generation, 1, "t", payload) for payload in self.arriving]
        self.arriving.clear()
        return arrived

    def confirm(self, boot: str, seq: int) -> None:
        self.arriving.append(receipts.encode(Receipt("gw", "0a", boot, seq)))

    @property
    def numbers(self) -> list[int | None]:
        return [native.parse(payload).seq for payload in self.sent]


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_numbers_and_boot_id_outlive_the_process(tmp_path: Path, open_buffer: OpenBuffer) -> None:
    buffer = open_buffer(tmp_path / "gw.db")
    add(buffer, 3)
    assert buffer.confirm(buffer.boot, 2)
    before = buffer.after(0, 10)
    buffer.close()
    again = open_buffer(tmp_path / "gw.db")
    assert (again.boot, again.last, again.confirmed, again.outstanding) == (buffer.boot, 3, 2, 1)
    assert again.after(0, 10) == before
    assert again.confirm(again.boot, 3)
    again.close()
    empty = open_buffer(tmp_path / "gw.db")
    assert (empty.last, empty.outstanding) == (3, 0)
    assert empty.add(lambda _boot, _seq: b"") == 4
    empty.close()


def test_a_lost_buffer_has_a_new_boot_id(open_buffer: OpenBuffer) -> None:
    assert open_buffer().boot != open_buffer().boot


def test_only_news_of_ones_own_numbers_are_believed(open_buffer: OpenBuffer) -> None:
    buffer = open_buffer()
    add(buffer, 2)
    assert not buffer.confirm("another", 2)
    assert not buffer.confirm(buffer.boot, 3)
    assert not buffer.confirm(buffer.boot, 0)
    assert buffer.confirm(buffer.boot, 2)
    assert not buffer.confirm(buffer.boot, 1)
    assert buffer.outstanding == 0


def test_a_message_that_cannot_be_stored_takes_no_number(open_buffer: OpenBuffer) -> None:
    def broken(_boot: str, _seq: int) -> bytes:
        raise OSError

    buffer = open_buffer()
    with pytest.raises(OSError):  # noqa: PT011  (any will do)
        buffer.add(broken)
    assert buffer.add(lambda _boot, _seq: b"") == 1


_ADDER = """
import sys
from pathlib import Path
from mqtt_ingest.buffer import Buffer

buffer = Buffer(Path(sys.argv[1]))
while True:
    seq = buffer.add(lambda boot, seq: f"{boot} {seq}".encode())
    sys.stdout.write(f"{seq}\\n")
    sys.stdout.flush()
"""


def test_a_kill_at_any_instant_loses_and_repeats_no_number(tmp_path: Path, open_buffer: OpenBuffer) -> None:
    file = tmp_path / "gw.db"
    boots, said = set(), 0
    for lines in (1, 7, 40):
        with subprocess.Popen([sys.executable, "-c", _ADDER, file], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            for _ in range(lines):
                said = int(process.stdout.readline())
            os.kill(process.pid, signal.SIGKILL)
            said = max([said, *map(int, process.stdout.read().split())])
        buffer = open_buffer(file)
        boots.add(buffer.boot)
        assert buffer.last in {said, said + 1}
        assert buffer.after(0, 10**6) == [(seq, f"{buffer.boot} {seq}".encode()) for seq in range(1, buffer.last + 1)]
        buffer.close()
    assert len(boots) == 1


def test_measurements_are_stored_before_they_are_sent_and_kept_until_the_receipt(open_buffer: OpenBuffer) -> None:
    line, buffer = Line(), open_buffer()
    line.connected = False
    gateway = Gateway("gw", "0a", line, buffer)
    gateway.take(one())
    assert (gateway.outstanding, line.sent) == (1, [])
    line.connected = True
    gateway.step()
    assert line.numbers == [1]
    line.confirm(buffer.boot, 1)
    gateway.step()
    assert gateway.outstanding == 0


def test_many_measurements_are_several_messages(open_buffer: OpenBuffer) -> None:
    line = Line()
    Gateway("gw", "0a", line, open_buffer()).take([one(minute)[0] for minute in range(250)])
    assert [len(native.parse(payload).measurements) for payload in line.sent] == [100, 100, 50]


def test_after_a_reconnect_all_that_is_not_confirmed_is_sent_again_unchanged(open_buffer: OpenBuffer) -> None:
    line, buffer = Line(), open_buffer()
    gateway = Gateway("gw", "0a", line, buffer)
    for minute in range(3):
        gateway.take(one(minute))
    line.confirm(buffer.boot, 1)
    gateway.step()
    line.generation += 1
    gateway.take(one(3))
    gateway.step()
    assert line.numbers == [1, 2, 3, 2, 3, 4]
    assert [native.parse(payload).first for payload in line.sent] == [1, 1, 1, 2, 2, 2]
    assert line.sent[3] == line.sent[1].replace(b'"first":1,', b'"first":2,')


def test_what_is_stored_does_not_say_what_is_kept_when_it_is_sent(open_buffer: OpenBuffer) -> None:
    line, buffer = Line(), open_buffer()
    add(buffer, 3)
    buffer.confirm(buffer.boot, 2)
    Gateway("gw", "0a", line, buffer).step()
    [(_, stored)] = buffer.after(0, 10)
    assert line.sent == [native.stating(stored, 3)]
    assert native.parse(stored) == replace(native.parse(line.sent[0]), first=None)


def test_without_receipts_it_sends_again_ever_less_often(open_buffer: OpenBuffer) -> None:
    line, seconds = Line(), Seconds()
    gateway = Gateway("gw", "0a", line, open_buffer(), patience=30, monotonic=seconds)
    gateway.take(one())
    resent = []
    for now in range(1, 4000, 10):
        seconds.now = now
        before = len(line.sent)
        gateway.step()
        resent += [now] if len(line.sent) > before else []
    gaps = [later - earlier for earlier, later in pairwise(resent)]
    assert resent[0] == 31
    assert gaps == sorted(gaps)
    assert max(gaps) <= LONGEST_PATIENCE + 10


@pytest.mark.parametrize("named", [False, True])
def test_asked_to_resend_it_starts_over_at_once_from_the_last_confirmed_number(
    open_buffer: OpenBuffer, named: bool
) -> None:
    line, buffer, seconds = Line(), open_buffer(), Seconds()
    gateway = Gateway("gw", "0a", line, buffer, patience=30, monotonic=seconds)
    add(buffer, 3)
    gateway.step()
    line.confirm(buffer.boot, 1)
    gateway.step()
    line.arriving.append(receipts.resend(buffer.boot if named else None))
    gateway.step()
    assert line.numbers == [1, 2, 3, 2, 3]
    gateway.step()
    assert line.numbers == [1, 2, 3, 2, 3]


def test_who_asks_to_resend_is_there_so_patience_begins_anew(open_buffer: OpenBuffer) -> None:
    line, seconds = Line(), Seconds()
    gateway = Gateway("gw", "0a", line, open_buffer(), patience=30, monotonic=seconds)
    gateway.take(one())
    for seconds.now in (31, 80):
        gateway.step()
    assert line.numbers == [1, 1]
    line.arriving.append(receipts.resend())
    gateway.step()
    assert line.numbers == [1, 1, 1]
    seconds.now = 111
    gateway.step()
    assert line.numbers == [1, 1, 1, 1]


def test_a_request_to_resend_another_boot_changes_nothing(open_buffer: OpenBuffer) -> None:
    line = Line()
    gateway = Gateway("gw", "0a", line, open_buffer())
    gateway.take(one())
    line.arriving.append(receipts.resend("another"))
    gateway.step()
    assert line.numbers == [1]


def test_a_request_to_resend_is_read_back_and_a_malformed_one_is_none() -> None:
    assert receipts.parse(receipts.resend()) == receipts.Resend()
    assert receipts.parse(receipts.resend("b")) == receipts.Resend("b")
    for payload in (b'{"resend":1}', b'{"resend":false}', b'{"resend":"true"}', b'{"resend":true,"boot":7}'):
        with pytest.raises(BadPayload):
            receipts.parse(payload)


def test_a_birth_goes_before_all_else_once_on_each_connection(open_buffer: OpenBuffer) -> None:
    line, buffer = Line(), open_buffer()
    line.connected = False
    gateway = Gateway("gw", "0a", line, buffer, birth=7)
    gateway.take(one())
    assert line.states == []
    line.connected = True
    gateway.step()
    gateway.step()
    born = ("coldtrail/v1/0a/gw/state", b'{"online":true,"birth":7}', True)
    assert (line.states, line.numbers) == ([born], [1])
    line.generation += 1
    gateway.step()
    assert (line.states, line.numbers) == ([born, born], [1, 1])


def test_a_birth_that_cannot_be_sent_holds_the_readings_back(open_buffer: OpenBuffer) -> None:
    line = Line()
    line.room = 0
    gateway = Gateway("gw", "0a", line, open_buffer(), birth=7)
    gateway.take(one())
    line.room = 10
    gateway.step()
    assert (len(line.states), line.numbers) == (1, [1])


def test_who_leaves_says_so_and_its_last_will_says_the_same_of_the_same_birth(open_buffer: OpenBuffer) -> None:
    line = Line()
    gateway = Gateway("gw", "0a", line, open_buffer(), birth=7)
    gateway.leave()
    assert line.states == []
    gateway.step()
    gateway.leave()
    gateway.leave()
    assert [state[:2] for state in line.states[1:]] == [last_will("gw", "0a", 7)]
    assert json.loads(last_will("gw", "0a", 7)[1]) == {"online": False, "birth": 7}


def test_a_gateway_without_a_birth_says_nothing_of_its_presence(open_buffer: OpenBuffer) -> None:
    line = Line()
    gateway = Gateway("gw", "0a", line, open_buffer())
    gateway.take(one())
    gateway.leave()
    assert line.states == []


def test_no_birth_has_the_number_of_another(tmp_path: Path, open_buffer: OpenBuffer) -> None:
    births = []
    for _ in range(3):
        buffer = open_buffer(tmp_path / "gw.db")
        births += [buffer.next_birth(), buffer.next_birth()]
        buffer.close()
    assert births == [1, 2, 3, 4, 5, 6]


def test_a_buffer_of_an_earlier_version_is_taken_over(tmp_path: Path, open_buffer: OpenBuffer) -> None:
    with closing(sqlite3.connect(tmp_path / "gw.db")) as earlier, earlier:
        earlier.execute("CREATE TABLE stream (one INTEGER PRIMARY KEY, boot TEXT NOT NULL, last INTEGER NOT NULL)")
        earlier.execute("CREATE TABLE message (seq INTEGER PRIMARY KEY, payload BLOB NOT NULL)")
        earlier.execute("INSERT INTO stream VALUES (1, 'old', 2)")
        earlier.execute("INSERT INTO message VALUES (2, 'kept')")
    buffer = open_buffer(tmp_path / "gw.db")
    assert (buffer.boot, buffer.last, buffer.confirmed, buffer.next_birth()) == ("old", 2, 1, 1)


def test_no_more_than_a_window_is_under_way_and_a_refusal_is_tried_again(open_buffer: OpenBuffer) -> None:
    line, buffer = Line(), open_buffer()
    add(buffer, 10)
    line.room = 2
    gateway = Gateway("gw", "0a", line, buffer, window=4)
    gateway.step()
    assert line.numbers == [1, 2]
    line.room = 100
    gateway.step()
    assert line.numbers == [1, 2, 3, 4]
    line.confirm(buffer.boot, 3)
    gateway.step()
    assert line.numbers == [1, 2, 3, 4, 5, 6, 7]


def test_what_is_no_receipt_changes_nothing(open_buffer: OpenBuffer) -> None:
    line, buffer = Line(), open_buffer()
    gateway = Gateway("gw", "0a", line, buffer)
    gateway.take(one())
    line.arriving += [b"junk", b'{"transferId":"T"}', b'{"boot":"b"}', b'{"boot":"b","seq":1e9}']
    gateway.step()
    assert gateway.outstanding == 1


def test_deliveries_are_kept_until_their_receipt() -> None:
    line = Line()
    replayer = Replayer(line, "gw", "0a")
    deliveries = [wrapped([{"n": n}], "gw", "L1", NOW) for n in range(105)]
    for delivery in deliveries:
        replayer.take(delivery)
    replayer.step()
    assert line.sent == [delivery.payload for delivery in deliveries[:100]]
    line.arriving.append(receipts.encode(Receipt("gw", "0a", transfer_id=deliveries[0].transfer_id)))
    replayer.step()
    assert replayer.outstanding == 104
    assert line.sent[100:] == [deliveries[100].payload]
    line.generation += 1
    replayer.step()
    assert line.sent[101:] == [delivery.payload for delivery in deliveries[1:101]]


def test_a_replay_that_is_asked_to_resend_sends_again_what_is_not_confirmed() -> None:
    line = Line()
    replayer = Replayer(line, "gw", "0a")
    deliveries = [wrapped([{"n": n}], "gw", "L1", NOW) for n in range(3)]
    for delivery in deliveries:
        replayer.take(delivery)
    replayer.step()
    line.arriving.append(receipts.encode(Receipt("gw", "0a", transfer_id=deliveries[0].transfer_id)))
    line.arriving.append(receipts.resend())
    replayer.step()
    assert line.sent[3:] == [delivery.payload for delivery in deliveries[1:]]


def test_a_lost_receipt_of_one_delivery_is_not_forgotten_for_the_receipts_of_others() -> None:
    line = Line()
    replayer = Replayer(line, "gw", "0a", patience=0.05)
    deliveries = [wrapped([{"n": n}], "gw", "L1", NOW) for n in range(400)]
    for delivery in deliveries:
        replayer.take(delivery)
    ends, confirmed = time.monotonic() + 0.2, 1
    while time.monotonic() < ends and confirmed < len(deliveries):
        replayer.step()
        line.arriving.append(receipts.encode(Receipt("gw", "0a", transfer_id=deliveries[confirmed].transfer_id)))
        confirmed += 1
        time.sleep(0.002)
    assert line.sent.count(deliveries[0].payload) > 1


def test_a_replay_that_nobody_confirms_says_how_much_is_open() -> None:
    records = {"records": [{"n": n} for n in range(5)]}
    assert replay(records, Line(), "gw", "0a", "L1", lambda: NOW, chunk=2, timeout=0.05, patience=0.01) == 3


def test_a_replay_of_nothing_is_not_taken_for_one_that_is_confirmed() -> None:
    with pytest.raises(BadPayload, match="there is nothing to send"):
        replay({"records": []}, Line(), "gw", "0a", "L1", lambda: NOW)
