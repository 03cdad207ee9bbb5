"""Product identification: GTIN (GS1 AI 01) and batch/lot (AI 10), GS1 General Specifications."""

from inventory.domain.errors import N_, Code, Invalid


def check_digit(digits: str) -> str:
    """The GS1 mod-10 check digit of a data key given without it (weights 3, 1 from the right)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def gtin(text: str, field: str = "gtin") -> str:
    """The GTIN as 14 digits; shorter forms (8, 12, 13) are filled with zeros on the left.

    Raises:
        Invalid: `malformed` if it is not 8, 12, 13 or 14 digits, `wrong_check_digit` if the last digit is wrong.
    """
    if not (text.isascii() and text.isdigit() and len(text) in {8, 12, 13, 14}):
        raise Invalid(Code.MALFORMED, field, text, N_("8, 12, 13 or 14 digits"))
    right = check_digit(text[:-1])
    if text[-1] != right:
        raise Invalid(Code.WRONG_CHECK_DIGIT, field, text, N_("check digit %(digit)s"), digit=right)
    return text.zfill(14)


def whole_vials(field: str, doses: int, doses_per_vial: int) -> None:
    """Refuse doses that are no whole number of unopened vials.

    Raises:
        Invalid: `not_whole_vials`.
    """
    if doses % doses_per_vial:
        expected = N_("a multiple of %(per_vial)d doses, whole vials")
        raise Invalid(Code.NOT_WHOLE_VIALS, field, doses, expected, per_vial=doses_per_vial)
