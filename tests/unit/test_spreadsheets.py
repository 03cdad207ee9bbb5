"""CSV that a spreadsheet reads as it is meant: nothing that somebody wrote is a formula, and numbers are numbers."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.spreadsheets import harmless, written


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\tx", "\rx", " =1", "\u3000=1", "\ufeff=1", "\u200b=1",
        "＝1", "＋1", "－1", "＠x",
    ],
)  # fmt: skip
def test_a_cell_that_would_be_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert harmless(text).startswith("'")
    assert harmless(text).replace("'", "") == text


@pytest.mark.parametrize("text", ["", "Site A", "a-b", "1=1", "李家接种点", "a@b", "x, -y"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_no_formula_begins_behind_what_may_be_taken_for_a_separator() -> None:
    assert harmless("A;=1") == "A;'=1"


def test_numbers_are_numbers_and_none_is_nothing() -> None:
    table = written(["a", "b"], [["-5", -5], [None, -0.5]])
    assert table == b'\xef\xbb\xbf"a","b"\r\n"\'-5",-5\r\n"",-0.5\r\n'


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1))
def test_what_is_written_is_read_as_the_same_cells(cells: list[str]) -> None:
    text = written(cells, []).decode("utf-8-sig")
    (read,) = csv.reader(io.StringIO(text, newline=""))
    assert read == [harmless(cell) for cell in cells]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in read)
