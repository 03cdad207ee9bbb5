"""Who was vaccinated is known elsewhere: here stands an opaque reference, never a name or a number of a person."""

import re
import unicodedata

from inventory.domain.errors import N_, Code, Invalid

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{3,63}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+")
_NUMBERS = (
    r"\d{17}[\dXx]",
    r"[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}",
    r"(?:\+?0{0,2}86)?1[3-9]\d{9}",
)
"""Chinese identity numbers of 18 and of 15 digits (GB 11643), and mobile numbers with or without the country's code."""

_BESIDE_LETTERS = [re.compile(rf"(?<!\d){number}(?!\d)") for number in _NUMBERS]
_ALONE = [re.compile(rf"(?<![A-Za-z0-9]){number}(?![A-Za-z0-9])") for number in _NUMBERS]
"""In a hash or a UUID as many digits come together by chance, so there only a number that stands alone is one."""


def opaque(reference: str | None) -> str | None:
    """The reference as it is, if it can be no name and no number that a person is known by.

    Raises:
        Invalid: `named_person`; the value is not repeated in the error.
    """
    if reference is None:
        return None
    plain = unicodedata.normalize("NFKC", reference)
    joined = re.sub(r"[\s._:-]", "", plain)
    patterns = _ALONE if _HEXADECIMAL.fullmatch(joined) else _BESIDE_LETTERS
    personal = any(pattern.search(text) for pattern in patterns for text in (plain, joined))
    if personal or not _REFERENCE.fullmatch(reference) or not any(each.isdigit() for each in reference):
        expected = N_("an opaque reference of 4 to 64 letters, digits and . _ : -, with a digit, that names nobody")
        raise Invalid(Code.NAMED_PERSON, "recipient", "(withheld)", expected)
    return reference
