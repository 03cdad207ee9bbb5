"""The leaves of a trail held against themselves: what is wrong in them is found, whoever has signed it."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from inventory.domain.leaves import FactKind, canonical, differences, plain
from inventory.domain.trail_audit import TrailAudit

AT = "2026-01-05T04:00:00Z"
SIGNED = datetime(2026, 1, 5, 5, tzinfo=UTC)
Leaf = dict[str, Any]


def uid(number: int) -> str:
    return str(UUID(int=(7 << 100) + number))


ROOT, SENT = uid(1), uid(2)


def line(number: int, doses: int, at: str = AT, **way: str) -> Leaf:
    return {"id": uid(number), "doses": doses, "occurred_at": at, "chosen": "picked", **way}


def event(number: int, kind: str, lines: list[Leaf], *custodies: Leaf, **other: str) -> Leaf:
    row = {"id": uid(100 + number), "kind": kind, "occurred_at": AT, "recorded_at": AT, **other}
    return {"kind": "stock-event", "stream": uid(99), "number": number, "gtin": "G", "batch": "B", "event": row,
            "movements": lines, "custodies": list(custodies), "deadlines": []}  # fmt: skip


def custody(name: str, doses: int, **origin: str) -> Leaf:
    return {"id": name, "doses": doses, "opened_at": AT, "location_id": uid(50), **origin}


def way() -> list[Leaf]:
    """Ten doses come in, six are sent, three given, of which one by mistake."""
    given = line(13, 1, from_custody_id=SENT, end_kind="administered")
    undone = given | {"id": uid(14), "doses": -1, "reverses_id": uid(13)}
    return [
        event(1, "receive", [line(10, 10, to_custody_id=ROOT)], custody(ROOT, 10, origin="supplied")),
        event(2, "dispatch", [line(11, 6, from_custody_id=ROOT, to_custody_id=SENT)], custody(SENT, 6, parent_id=ROOT)),
        event(3, "administer", [line(12, 2, from_custody_id=SENT, end_kind="administered")]),
        event(4, "administer", [given]),
        event(5, "correct", [undone], reverses_id=uid(104)),
    ]


def audited(leaves: list[Leaf], chain_of: str | None = None) -> TrailAudit:
    audit = TrailAudit(SIGNED, chain_of)
    for index, leaf in enumerate(leaves):
        audit.add(index, leaf)
    for leaf in leaves:
        content = canonical(FactKind.STOCK_EVENT, UUID(leaf["stream"]), leaf["number"], leaf)
        audit.look_back(content, lambda leaf=leaf: leaf)
    audit.close()
    return audit


def test_a_way_that_is_whole() -> None:
    audit = audited(way())
    assert audit.faults == []
    (stream,) = audit.streams.values()
    assert {**stream.doses} == {"received": 10, "in": 10, "administered": 2, "out": 2}


def test_the_order_of_leaves_of_one_round_does_not_matter() -> None:
    """Ids of two machines may contradict time, so what opened a custody may stand behind what was taken from it."""
    first, second, *rest = way()
    first["number"], second["number"] = 2, 1
    assert audited([second, first, *rest]).faults == []


def change(path: str, value: Any) -> Callable[[list[Leaf]], None]:
    def changed(leaves: list[Leaf]) -> None:
        *steps, last = path.split(".")
        place: Any = leaves
        for step in steps:
            place = place[int(step) if step.isdigit() else step]
        place[int(last) if last.isdigit() else last] = value

    return changed


def without(number: int) -> Callable[[list[Leaf]], None]:
    return lambda leaves: leaves.__delitem__(number)


WRONG = {
    "one is missing": (without(2), "goes from its leaf 2 to 4"),
    "the first is missing": (without(0), "not with 1"),
    "more given than was there": (change("2.movements.0.doses", 7), "6 doses came in and 7 went out"),
    "more opened than was sent": (change("1.custodies.0.doses", 7), "does not open custody"),
    "another source": (change("1.custodies.0.parent_id", uid(77)), "names another source"),
    "from nowhere": (change("2.movements.0.from_custody_id", uid(77)), "no leaf here has opened it"),
    "taken before": (change("1.custodies.0.opened_at", "2026-01-05T04:30:00Z"), "taken before it was opened"),
    "another time": (change("2.movements.0.occurred_at", "2026-01-05T04:30:00Z"), "not that of its event"),
    "twice": (change("3.event.id", uid(103)), "in the log twice"),
    "not the mirror": (change("4.movements.0.doses", -2), "not its mirror"),
    "nothing reversed": (change("4.movements.0.reverses_id", uid(78)), "were corrected and are in no leaf"),
    "a negative that reverses nothing": (change("2.movements.0.doses", -2), "no line that an event"),
    "two ways out": (change("2.movements.0.to_custody_id", uid(3)), "no line that an event"),
    "recorded later": (change("2.event.recorded_at", "2026-01-05T06:00:00Z"), "after the checkpoint was signed"),
    "opened by nothing": (change("2.custodies", [custody(uid(5), 1)]), "opened by no movement"),
    "a correction of nothing": (change("4.event.reverses_id", None), "reverses nothing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(name: str) -> None:
    leaves, (spoil, fault) = deepcopy(way()), WRONG[name]
    spoil(leaves)
    found = audited(leaves).faults
    assert any(fault in each for each in found), found


def test_a_chain_needs_no_more_than_its_own_leaves() -> None:
    first, second, given, *_ = way()
    assert audited([first, second, given], uid(103)).faults == []
    assert "the chain is broken" in audited([second, given], uid(103)).faults[0]
    assert "is in no leaf" in audited([first, second], uid(103)).faults[0]
    assert audited(way(), uid(104)).is_corrected


def test_a_chain_that_goes_in_a_circle_has_an_end_here() -> None:
    _, second, given, *_ = way()
    second["custodies"][0]["parent_id"] = second["movements"][0]["from_custody_id"] = SENT
    assert any("circle" in each for each in audited([second, given], uid(103)).faults)


def test_differences_are_named() -> None:
    then = canonical(FactKind.STOCK_EVENT, UUID(int=1), 1, {"event": plain({"reason": "a", "at": SIGNED, "no": None})})
    now = canonical(FactKind.STOCK_EVENT, UUID(int=1), 1, {"event": plain({"reason": "b", "at": SIGNED, "more": 3})})
    assert list(differences(then, now)) == ["event.more was not there, is 3", 'event.reason was "a", is "b"']
    assert b'"no"' not in then
    assert b'"at":"2026-01-05T05:00:00Z"' in then
