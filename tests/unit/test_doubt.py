"""The worst of the ways that picked doses may have gone, beside every way counted out one by one."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.doubt import Stand, worst
from inventory.domain.rollup import mean_kinetic

Stands = dict[int, Stand[int]]


def stand(
    above: int, sources: tuple[int, ...] = (), *, lowest: int | None = 300, seen: int = 10, warm: int = 10
) -> Stand[int]:
    return Stand(above, 0, above % 3, 0, lowest, None if lowest is None else lowest + above, seen, warm, sources)


@st.composite
def forests(draw: st.DrawFn) -> Stands:
    """Stands of which each comes from some of those before it."""
    found: Stands = {}
    for key in range(draw(st.integers(1, 7))):
        sources = tuple(draw(st.sets(st.sampled_from(range(key)), max_size=3))) if key else ()
        lowest = draw(st.none() | st.integers(-100, 900))
        seen = 0 if lowest is None else draw(st.integers(1, 50))
        warm = seen and draw(st.integers(1, 500))
        found[key] = stand(draw(st.integers(0, 20)), sources, lowest=lowest, seen=seen, warm=warm)
    return found


def ways(stands: Stands, key: int) -> Iterator[list[int]]:
    if not stands[key].sources:
        yield [key]
    for source in stands[key].sources:
        for way in ways(stands, source):
            yield [*way, key]


@given(forests(), st.data())
def test_each_figure_is_that_of_the_worst_way(stands: Stands, data: st.DataObject) -> None:
    ends = data.draw(st.lists(st.sampled_from(sorted(stands)), min_size=1, max_size=3, unique=True))
    every = [[stands[key] for key in way] for end in ends for way in ways(stands, end)]
    found = worst(stands, ends)
    assert found.above.value == max(sum(each.above for each in way) for way in every)
    assert found.unseen.value == max(sum(each.unseen for each in way) for way in every)
    lows = [each.lowest for way in every for each in way if each.lowest is not None]
    highs = [each.highest for way in every for each in way if each.highest is not None]
    assert found.lowest.value == min(lows, default=None)
    assert found.highest.value == max(highs, default=None)
    sums = [(sum(each.kinetic for each in way), sum(each.seen for each in way)) for way in every]
    means = [mean for warm, seen in sums if (mean := mean_kinetic(warm, seen)) is not None]
    assert found.mean_kinetic.value == max(means, default=None)


def test_the_way_says_which_custody_is_why() -> None:
    stands = {1: stand(5), 2: stand(9), 3: stand(0, (1, 2)), 4: stand(1)}
    assert worst(stands, [3, 4]).above == (9, (2, 3))
    assert worst(stands, [4]).above == (1, (4,))


def test_a_warm_way_is_not_hidden_by_a_long_cool_one() -> None:
    stands = {1: stand(0, seen=1000, warm=1000), 2: stand(0, seen=10, warm=90), 3: stand(0, (1, 2), seen=10, warm=10)}
    assert worst(stands, [3]).mean_kinetic.way == (2, 3)
