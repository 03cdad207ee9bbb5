"""What may stand for a person, and what names one."""

import pytest

from inventory.domain.errors import Code, Invalid
from inventory.domain.recipients import opaque

PERSONAL = [
    "11010519491231002X",
    "11010519491231002x",
    "440524188001010014",
    "110105 19491231 002X",
    "110105-19491231-002X",
    "１１０１０５１９４９１２３１００２Ｘ",
    "ID:11010519491231002X",
    "id11010519491231002X",
    "11010519491231002Xa",
    "130503670401001",
    "130503-670401-001",
    "13812345678",
    "+8613812345678",
    "8613812345678",
    "008613812345678",
    "+86 138 1234 5678",
    "138-1234-5678",
    "138.1234.5678",
    "tel:13812345678",
    "mobile13812345678",
    "１３８１２３４５６７８",
    "王小明",
    "王小明1",
    "wang xiaoming",
    "Wang-Xiaoming",
    "WangXiaoming",
    "O'Brien",
    "José 1",
]

OPAQUE = [
    "0190a5c2-7b1e-7c3d-8f2a-1b2c3d4e5f60",
    "0190A5C27B1E7C3D8F2A1B2C3D4E5F60",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "R-2026-000123",
    "person:00012345",
    "A1B2C3D4",
    "20260105.0042",
    "0000000013",
    "RCPT_000000000000000000000001",
    "c13812345678a0d15d6c15b0f00a081b",
]


@pytest.mark.parametrize("text", PERSONAL)
def test_names_and_numbers_of_persons_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        opaque(text)
    assert refused.value.code is Code.NAMED_PERSON
    assert text not in str(refused.value)


@pytest.mark.parametrize("text", OPAQUE)
def test_references_that_name_nobody_pass_as_they_are(text: str) -> None:
    assert opaque(text) == text


def test_no_reference_is_none() -> None:
    assert opaque(None) is None


@pytest.mark.parametrize("text", ["", "a1", "42", "1" * 65, "a\n12", "1234\n", "٣٤٥٦"])
def test_what_is_too_short_too_long_or_no_plain_text_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        opaque(text)


@pytest.mark.parametrize("number", ["A110101199003071234", "b13812345678", "013812345678", "af13812345678"])
def test_letters_of_hexadecimal_hide_no_number(number: str) -> None:
    with pytest.raises(Invalid):
        opaque(number)
