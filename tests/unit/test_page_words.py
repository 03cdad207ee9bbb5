"""On a page every word of the closed lists has a name of its own list."""

from enum import StrEnum

import pytest

from api.pages.words import WORDS
from inventory.domain.deadlines import RuleName, Status
from inventory.domain.words import Chosen, Cooling, End, EventKind, LocationKind, Origin, Purpose, Side


@pytest.mark.parametrize(
    "words", [Chosen, Cooling, End, EventKind, LocationKind, Origin, Purpose, RuleName, Side, Status]
)
def test_each_word_has_a_name(words: type[StrEnum]) -> None:
    assert {word for kind, word in WORDS if kind is words} == {word.value for word in words}


def test_the_same_word_in_two_lists_may_be_called_otherwise() -> None:
    assert (WORDS[EventKind, "open"], WORDS[Status, "open"]) == ("vial opened", "open")
    assert (WORDS[EventKind, "return"], WORDS[Purpose, "return"]) == ("returned", "Return")
