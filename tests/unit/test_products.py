import pytest

from inventory.domain.errors import Code, Invalid
from inventory.domain.products import check_digit, gtin, whole_vials

VALID = ["06901234567892", "09506000134352"]


@pytest.mark.parametrize("text", VALID)
def test_a_gtin_with_its_right_check_digit_is_taken_as_it_is(text: str) -> None:
    assert gtin(text) == text


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("6901234567892", "06901234567892"),
        ("9506000134352", "09506000134352"),
        ("036000291452", "00036000291452"),
        ("96385074", "00000096385074"),
    ],
)
def test_a_shorter_gtin_is_filled_with_zeros_on_the_left(short: str, full: str) -> None:
    assert gtin(short) == full


@pytest.mark.parametrize("text", VALID)
def test_every_other_last_digit_is_refused_and_the_right_one_told(text: str) -> None:
    for digit in set("0123456789") - {text[-1]}:
        with pytest.raises(Invalid) as refused:
            gtin(text[:-1] + digit)
        assert refused.value.code is Code.WRONG_CHECK_DIGIT
        assert refused.value.facts == {"digit": text[-1]}


@pytest.mark.parametrize("text", VALID)
def test_every_single_wrong_digit_is_found(text: str) -> None:
    for place, digit in enumerate(text):
        slip = text[:place] + str((int(digit) + 1) % 10) + text[place + 1 :]
        with pytest.raises(Invalid):
            gtin(slip)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "690123456789",
        "0690123456789200",
        "0690123456789x",
        "٠٦٩٠١٢٣٤٥٦٧٨٩٢",
        " 6901234567892",
        "-6901234567892",
    ],
)
def test_what_is_no_gtin_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        gtin(text)
    assert refused.value.field == "gtin"


def test_the_check_digit_may_be_zero() -> None:
    assert check_digit("0000000000000") == "0"


@pytest.mark.parametrize(("doses", "per_vial"), [(1, 1), (7, 1), (2, 2), (20, 10)])
def test_whole_vials_pass(doses: int, per_vial: int) -> None:
    whole_vials("doses", doses, per_vial)


@pytest.mark.parametrize(("doses", "per_vial"), [(1, 2), (3, 2), (15, 10)])
def test_a_part_of_a_vial_is_refused(doses: int, per_vial: int) -> None:
    with pytest.raises(Invalid) as refused:
        whole_vials("doses", doses, per_vial)
    assert refused.value.code is Code.NOT_WHOLE_VIALS
    assert refused.value.facts == {"per_vial": per_vial}
