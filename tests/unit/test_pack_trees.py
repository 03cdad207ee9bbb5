"""The tree of a maker's file: checked as a whole, and each line that cannot be is named."""

import pytest

from inventory.domain.errors import Code
from inventory.domain.packs import DEEPEST, BadLines, NewPack, PackLine, tree


def line(code: str, parent: str | None = None, doses: int | None = None) -> PackLine:
    return PackLine(code, doses, parent)


def faults(lines: list[PackLine], doses_per_vial: int = 2) -> list[tuple[int, Code, str]]:
    with pytest.raises(BadLines) as refused:
        tree(lines, doses_per_vial)
    return [(number, fault.code, fault.field) for number, fault in refused.value.faults]


def test_levels_and_doses_come_from_the_innermost_packs() -> None:
    lines = [
        line("VIAL1", "CARTON"),
        line("CARTON", "CASE"),
        line("CASE"),
        line("VIAL2", "CARTON"),
        line("BOX", "CASE", 8),
    ]
    assert tree(lines, 2) == [
        NewPack("CASE", None, 3, 12),
        NewPack("CARTON", "CASE", 2, 4),
        *tree(lines, 2)[2:],
    ]
    assert {each for each in tree(lines, 2) if each.level == 1} == {
        NewPack("VIAL1", "CARTON", 1, 2),
        NewPack("VIAL2", "CARTON", 1, 2),
        NewPack("BOX", "CASE", 1, 8),
    }


def test_several_trees_are_taken_at_once() -> None:
    assert [each.parent for each in tree([line("A"), line("B"), line("C", "B")], 1)].count(None) == 2


def test_stated_doses_of_a_parent_are_the_sum() -> None:
    assert tree([line("CASE", doses=4), line("A", "CASE"), line("B", "CASE")], 2)[0].doses == 4


def test_every_line_that_cannot_be_is_named() -> None:
    lines = [
        line("CASE", doses=5),
        line("A", "CASE"),
        line("B", "CASE", 3),
        line("C", doses=1),
    ]
    assert faults(lines) == [
        (1, Code.NOT_WHOLE_VIALS, "doses"),
        (3, Code.NOT_WHOLE_VIALS, "doses"),
        (4, Code.NOT_WHOLE_VIALS, "doses"),
    ]


def test_a_sum_that_differs_is_named() -> None:
    assert faults([line("CASE", doses=6), line("A", "CASE"), line("B", "CASE")]) == [(1, Code.MALFORMED, "doses")]


def test_a_code_is_on_one_line_in_one_parent() -> None:
    lines = [line("CASE"), line("CASE2"), line("A", "CASE"), line("A", "CASE2")]
    assert faults(lines) == [(4, Code.REPEATED_LINE, "code")]


def test_a_parent_is_on_a_line() -> None:
    assert faults([line("A", "GONE"), line("B", "GONE")]) == [
        (1, Code.NOT_FOUND, "parent"),
        (2, Code.NOT_FOUND, "parent"),
    ]


def test_a_pack_is_not_in_itself() -> None:
    assert faults([line("A", "A")]) == [(1, Code.MALFORMED, "parent")]
    lines = [line("A", "C"), line("B", "A"), line("C", "B"), line("D", "C"), line("E")]
    assert faults(lines) == [(number, Code.MALFORMED, "parent") for number in (1, 2, 3, 4)]


def test_a_tree_is_not_endless() -> None:
    chain = [line("P0"), *(line(f"P{each}", f"P{each - 1}") for each in range(1, DEEPEST))]
    assert len(tree(chain, 1)) == DEEPEST
    assert faults([*chain, line("LAST", f"P{DEEPEST - 1}")]) == [(DEEPEST + 1, Code.MALFORMED, "parent")]
