"""GLN and GIAI, as far as their form can be held against a rule."""

import pytest

from inventory.domain.errors import Code, Invalid
from inventory.domain.gs1 import giai, gln


@pytest.mark.parametrize("text", ["6901234000009", "4012345000054"])
def test_a_gln_with_its_check_digit_is_taken(text: str) -> None:
    assert gln(text) == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("6901234000008", Code.WRONG_CHECK_DIGIT),
        ("690123400000", Code.MALFORMED),
        ("06901234000009", Code.MALFORMED),
        ("690123400000X", Code.MALFORMED),
        ("６９０１２３４０００００９", Code.MALFORMED),
        ("", Code.MALFORMED),
    ],
)
def test_what_is_no_gln_is_refused(text: str, code: Code) -> None:
    with pytest.raises(Invalid) as refused:
        gln(text)
    assert (refused.value.code, refused.value.field) == (code, "gln")


@pytest.mark.parametrize("text", ["69012340007", "4000001ABC-1/2", "4" * 30])
def test_a_giai_is_taken(text: str) -> None:
    assert giai(text) == text


@pytest.mark.parametrize("text", ["", "4000", "ABC12", "4" * 31, "4000001 1", "4000001é"])
def test_what_is_no_giai_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        giai(text)
    assert (refused.value.code, refused.value.field) == (Code.MALFORMED, "giai")
