"""GS1 keys of places and things: GLN (AI 414, 417) and GIAI (AI 8004), GS1 General Specifications."""

import re

from inventory.domain.errors import N_, Code, Invalid
from inventory.domain.products import check_digit

_GIAI = re.compile(r'[0-9]{4}[!"%&\'()*+,\-./0-9:;<=>?A-Z_a-z]{1,26}')


def gln(text: str, field: str = "gln") -> str:
    """A global location number.

    Raises:
        Invalid: `malformed` if it is not 13 digits, `wrong_check_digit` if the last digit is wrong.
    """
    if not (text.isascii() and text.isdigit() and len(text) == 13):
        raise Invalid(Code.MALFORMED, field, text, N_("13 digits"))
    right = check_digit(text[:-1])
    if text[-1] != right:
        raise Invalid(Code.WRONG_CHECK_DIGIT, field, text, N_("check digit %(digit)s"), digit=right)
    return text


def giai(text: str, field: str = "giai") -> str:
    """A global individual asset identifier, which has no check digit.

    Raises:
        Invalid: `malformed` unless it is a company's prefix and a reference, 5 to 30 characters of GS1's set 82.
    """
    if not _GIAI.fullmatch(text):
        expected = N_("a GS1 company prefix and an asset reference, 5 to 30 characters")
        raise Invalid(Code.MALFORMED, field, text, expected)
    return text
