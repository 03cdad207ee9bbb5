"""A receipt says that all up to a number is committed: exactly the prefix without a hole, whatever the order."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from inventory.persistence.database import Database
from inventory.persistence.tables import MessageAhead, MessageStream
from inventory.services import monitoring
from tests.counties import CountyTemplate
from tests.county import GATEWAY, NOW, message
from tests.properties.strategies import divisions


def prefix(seqs: Iterable[int]) -> int:
    """The highest number below which none is missing."""
    known, committed = set(seqs), 0
    while committed + 1 in known:
        committed += 1
    return committed


def ahead(database: Database) -> set[int]:
    with database.read() as session:
        return set(session.scalars(select(MessageAhead.seq)))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_what_is_confirmed_is_the_prefix_without_a_hole(sqlite_county: CountyTemplate, data: st.DataObject) -> None:
    numbers = sorted(data.draw(st.sets(st.integers(1, 15), min_size=1)))
    heard: set[int] = set()
    with sqlite_county.fresh() as county:
        for chunk in data.draw(divisions(numbers)):
            heard.update(chunk)
            told = monitoring.record(county.database, [message([], seq) for seq in chunk], NOW)
            expected = [(GATEWAY, "boot-1", prefix(heard))] if 1 in heard else []
            assert [(each.gateway, each.boot, each.seq) for each in told] == expected
            assert ahead(county.database) == {seq for seq in heard if seq > prefix(heard)}


def skipped(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(MessageStream.skipped)).one()


@st.composite
def kept_from(draw: st.DrawFn) -> dict[int, int | None]:
    """Numbers, and what the sender of each says it keeps."""
    numbers = draw(st.sets(st.integers(1, 15), min_size=1))
    return {seq: draw(st.none() | st.integers(1, seq)) for seq in sorted(numbers)}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_the_sender_keeps_no_more_is_not_waited_for(sqlite_county: CountyTemplate, data: st.DataObject) -> None:
    kept = data.draw(kept_from())
    heard: set[int] = set()
    given_up: set[int] = set()
    reached, furthest = 0, 1
    with sqlite_county.fresh() as county:
        for chunk in data.draw(divisions(sorted(kept))):
            heard.update(chunk)
            furthest = max([furthest, *(kept[seq] or 1 for seq in chunk)])
            given_up |= set(range(reached + 1, furthest)) - heard
            reached = prefix({*heard, *range(1, furthest)})
            told = monitoring.record(county.database, [message([], n)._replace(first=kept[n]) for n in chunk], NOW)
            assert [each.seq for each in told] == ([reached] if reached else [])
            assert ahead(county.database) == {seq for seq in heard if seq > reached}
            assert skipped(county.database) == len(given_up)


def test_what_a_sender_says_it_keeps_is_believed_up_to_its_own_number(sqlite_county: CountyTemplate) -> None:
    with sqlite_county.fresh() as county:
        (told,) = monitoring.record(county.database, [message([], 3)._replace(first=2**53)], NOW)
        assert (told.seq, skipped(county.database)) == (3, 2)
        (told,) = monitoring.record(county.database, [message([], 4)._replace(first=1)], NOW)
        assert (told.seq, skipped(county.database)) == (4, 2)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_each_boot_of_a_gateway_is_a_stream_of_its_own(sqlite_county: CountyTemplate, data: st.DataObject) -> None:
    pairs = [(boot, seq) for boot in ("a", "b") for seq in range(1, 5)]
    heard: set[tuple[str, int]] = set()
    with sqlite_county.fresh() as county:
        for chunk in data.draw(divisions(pairs)):
            heard.update(chunk)
            told = monitoring.record(county.database, [message([], seq, boot=boot) for boot, seq in chunk], NOW)
            boots = {boot for boot, _ in chunk}
            assert {each.boot: each.seq for each in told} == {
                boot: prefix(seq for of, seq in heard if of == boot) for boot in boots if (boot, 1) in heard
            }


def test_a_number_beyond_any_is_held_until_the_others_come(sqlite_county: CountyTemplate) -> None:
    with sqlite_county.fresh() as county:
        assert monitoring.record(county.database, [message([], 2**53)], NOW) == []
        (told,) = monitoring.record(county.database, [message([], 1)], NOW)
        assert told.seq == 1
