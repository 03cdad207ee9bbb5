"""Who was vaccinated is known elsewhere: here stands an opaque reference, never a name or a number of a person."""

import re
import unicodedata

from inventory.domain.errors import N_, Code, Invalid

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{3,63}")
_ALONE = r"(?<![A-Za-z0-9]){}(?![A-Za-z0-9])"
_PERSONAL = (
    re.compile(_ALONE.format(r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]")),
    re.compile(_ALONE.format(r"\d{17}[\dXx]")),
    re.compile(_ALONE.format(r"[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}")),
    re.compile(_ALONE.format(r"(?:\+?0{0,2}86)?1[3-9]\d{9}")),
)
"""Chinese identity numbers of 18 and of 15 digits (GB 11643), and mobile numbers with or without the country's code."""


def opaque(reference: str | None) -> str | None:
    """The reference as it is, if it can be no name and no number that a person is known by.

    Raises:
        Invalid: `named_person`; the value is not repeated in the error.
    """
    if reference is None:
        return None
    plain = unicodedata.normalize("NFKC", reference)
    joined = re.sub(r"[\s._:-]", "", plain)
    personal = any(pattern.search(text) for pattern in _PERSONAL for text in (plain, joined))
    if personal or not _REFERENCE.fullmatch(reference) or not any(each.isdigit() for each in reference):
        expected = N_("an opaque reference of 4 to 64 letters, digits and . _ : -, with a digit, that names nobody")
        raise Invalid(Code.NAMED_PERSON, "recipient", "(withheld)", expected)
    return reference
