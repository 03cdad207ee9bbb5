"""Whatever is lost on the way from an edge node, no reading is ever taken for another sensor's."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.services.messages import Presence
from mqtt_ingest.edge_nodes import EdgeNodes, Resolved
from mqtt_ingest.formats.sparkplug import parse
from mqtt_ingest.topics import OF_DEVICES, Kind, Topic
from tests.sparkplug import FLOAT, MS, a_float, bdseq, metric, payload, said

DEVICES = ("a", "b")
SENSORS = 3


@dataclass
class Node:
    """An edge node of two devices, each of three sensors; each session numbers their aliases anew.

    The temperature that a sensor reports is its own number, by which its readings are known again.
    """

    nodes: EdgeNodes
    session: int = 0
    seq: int = 0
    lost: int = 0
    missed: int = 0
    wrong: list[str] = field(default_factory=list)
    taken: int = 0
    sent: int = 0

    def alias(self, number: int) -> int:
        return (number + self.session) % (SENSORS * len(DEVICES))

    def send(self, kind: Kind, *metrics: bytes, device: str | None = None, arrives: bool = True) -> Resolved | None:
        seq = None if kind is Kind.NDEATH else self.seq
        self.sent += 1
        if not arrives:
            self.lost += 1
            self.seq = (self.seq + 1) % 256
            return None
        if seq is not None:
            self.seq = (self.seq + 1) % 256
        message = parse(kind, payload(*metrics, seq=seq, at=MS + self.sent * 1000)).edge
        assert message is not None
        found = self.nodes.resolve(Topic("0a", "gw", kind, device if kind in OF_DEVICES else None), message)
        self.missed += found.missed
        self.check(found)
        return found

    def check(self, found: Resolved) -> None:
        for each in found.content.measurements:
            self.taken += 1
            if each.sensor != f"s{each.temperature // 100}":
                self.wrong.append(each.sensor)

    def start(self, births: list[bool]) -> None:
        """Begin a session; `births` says which of the births arrive."""
        self.session += 1
        self.seq = self.lost = self.missed = 0
        self.send(Kind.NBIRTH, bdseq(self.session), arrives=births[0])
        for index, device in enumerate(DEVICES):
            self.send(Kind.DBIRTH, *self.metrics(index), device=device, arrives=births[1 + index])

    def metrics(self, index: int) -> list[bytes]:
        numbers = range(index * SENSORS, (index + 1) * SENSORS)
        serials = {number: {"serial": said(f"s{number}")} for number in numbers}
        return [
            metric(f"{number} temperature", self.alias(number), FLOAT, properties=serials[number]) for number in numbers
        ]

    def measure(self, number: int, arrives: bool) -> None:
        device = DEVICES[number // SENSORS]
        self.send(Kind.DDATA, metric(None, self.alias(number), None, a_float(number)), device=device, arrives=arrives)


DATA = st.tuples(st.integers(0, SENSORS * len(DEVICES) - 1), st.booleans())
SESSION = st.tuples(st.lists(st.booleans(), min_size=3, max_size=3), st.lists(DATA, max_size=12))


@settings(max_examples=200, deadline=None)
@given(sessions=st.lists(SESSION, min_size=1, max_size=4), restarts=st.lists(st.booleans(), min_size=4, max_size=4))
def test_no_reading_is_taken_for_another_sensors(
    sessions: list[tuple[list[bool], list[tuple[int, bool]]]], restarts: list[bool]
) -> None:
    """Births and data may be lost; the will that ends a session may not, for the broker keeps it for the service."""
    node = Node(EdgeNodes())
    for (births, data), restart in zip(sessions, restarts, strict=False):
        node.start(births)
        for number, arrives in data:
            node.measure(number, arrives)
        if restart:
            stored, node.nodes = node.nodes.dump("0a", "gw"), EdgeNodes()
            node.nodes.load("0a", "gw", stored)
        node.send(Kind.NDEATH, bdseq(node.session))
    assert node.wrong == []


@settings(max_examples=200, deadline=None)
@given(data=st.lists(DATA, max_size=100))
def test_with_its_births_heard_every_reading_is_taken_and_every_loss_counted(data: list[tuple[int, bool]]) -> None:
    node = Node(EdgeNodes())
    node.start([True, True, True])
    for number, arrives in [*data, (0, True)]:
        node.measure(number, arrives)
    assert node.taken == sum(arrives for _, arrives in data) + 1
    assert node.missed == node.lost
    told = node.send(Kind.NDEATH, bdseq(node.session))
    assert told is not None
    assert told.content.presence == Presence(online=False, birth=node.session)


@settings(max_examples=200, deadline=None)
@given(losses=st.lists(st.integers(0, 255), max_size=12))
def test_every_loss_of_up_to_255_messages_in_a_row_is_counted_and_its_births_asked_for(losses: list[int]) -> None:
    node = Node(EdgeNodes())
    node.start([True, True, True])
    for lost in losses:
        for _ in range(lost):
            node.measure(0, arrives=False)
        found = node.send(Kind.DDATA, device="a")
        assert found is not None
        assert (found.missed, found.rebirth) == (lost, lost > 0)
